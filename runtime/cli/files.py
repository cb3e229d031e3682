"""``juanku import``: a folder of files into the archive."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.describing import Draft
from archive.errors import Fault, InvalidInput
from archive.identity import system
from archive.model import Category, Fonds, Level, Place
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.importing import Importer, Item, extracting, find_files
from runtime.wiring import Parts
from runtime.working import work_done
from web.words import mark


@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--category", required=True, help="Code of the category.")
@click.option("--fonds", default=None, help="Code of the fonds; needed when the house has several with this category.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field for every file.")
@click.option("--place", default=None, help="Path of a place, for example A001/01.")
@click.option("--level", default=None, help="Code or rank of the level; the category's default otherwise.")
@click.option("--wait/--no-wait", default=True, help="Wait until the files are searchable.")
@command("import", "Bring files and folders in: catalogued, read, numbered, filed and searchable.")
def import_command(
    out: Out, paths: Sequence[Path], category: str, fonds: str | None, fields: Sequence[str],
    place: str | None, level: str | None, wait: bool,
) -> None:  # fmt: skip
    """Import files."""
    with opened() as parts:
        with parts.db.reading() as session:
            draft = _draft(session, category, fonds, fields, place, level)
        identity = system("import")
        files = find_files(paths)
        importer = Importer(parts, identity, draft, lambda step, done, of: out.progress(f"{step} {done}/{of}"))
        begun = time.monotonic()
        with work_done(parts, wait=wait, beside=("index",)) as release:
            outcome = importer.run(files, lambda: _until_read(parts, wait=wait), release)
        seconds = round(time.monotonic() - begun, 3)
    counts = outcome.counts()
    document = {**counts, "seconds": seconds, "items": [item.shown() for item in outcome.items]}
    lines = [_line(out, item) for item in outcome.items if item.state != "filed"]
    summary = mark("%(filed)s filed, %(waiting)s waiting, %(quarantined)s in quarantine, %(failed)s failed.")
    out.end(document, [*lines, out.gettext(summary, **counts)], ok=counts["filed"] == len(files))


def _until_read(parts: Parts, *, wait: bool) -> None:
    """Wait until no text is waiting to be read: a missing date may be found in it."""
    while wait and extracting(parts.db):
        time.sleep(0.05)


def _line(out: Out, item: Item) -> str:
    from web.faults import reason_words  # noqa: PLC0415

    return f"{item.path}: {reason_words(item.reason or item.state, out.gettext)} {', '.join(item.fields)}".rstrip()


def _draft(
    session: Session, category: str, fonds: str | None, fields: Sequence[str], place: str | None, level: str | None
) -> Draft:
    row = _category(session, category, fonds)
    values = dict(_pair(text) for text in fields)
    return Draft(
        fonds_id=row.fonds_id,
        category_id=row.id,
        title=values.pop("title", "-"),
        responsible=values.pop("responsible", None),
        drawn_up=values.pop("drawn_up", None),
        notes=values.pop("notes", None),
        term=values.pop("term", None),
        place_id=_place(session, row.fonds_id, place) if place else None,
        level_rank=_level(session, level) if level else None,
        fields=values,
    )


def _category(session: Session, code: str, fonds: str | None) -> Category:
    query = select(Category).where(Category.code == code)
    if fonds:
        query = query.join(Fonds, Fonds.id == Category.fonds_id).where(Fonds.code == fonds)
    found = session.scalars(query.limit(2)).all()
    if not found:
        raise InvalidInput(Fault("category", "unknown", {"value": code}))
    if len(found) > 1:
        raise InvalidInput(Fault("fonds", "required", {"category": code}))
    return found[0]


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise InvalidInput(Fault("field", "not_a_pair", {"value": text[:100]}))
    return name.strip(), value


def _place(session: Session, fonds_id: UUID, path: str) -> UUID:
    found = session.scalar(select(Place.id).where(Place.fonds_id == fonds_id, Place.path == path.rstrip("/") + "/"))
    if found is None:
        raise InvalidInput(Fault("place", "unknown", {"value": path[:200]}))
    return found


def _level(session: Session, text: str) -> int:
    for level in session.scalars(select(Level)):
        if text in {level.code, str(level.rank), *level.names.values()}:
            return level.rank
    raise InvalidInput(Fault("level", "unknown", {"value": text[:40]}))


COMMANDS = (import_command,)
