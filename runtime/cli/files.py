"""``juanku import``: a folder of files into the archive."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing.describing import Draft
from archive.cataloguing.showing import number_of
from archive.errors import Fault, InvalidInput
from archive.files.pairing import Why
from archive.house.need_to_know import group_of
from archive.identity import system
from archive.model import Category, Fonds, Level, Place
from archive.scheme.fields import parse_fields
from runtime.cli.asked import person
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from runtime.importing import Importer, Item, Outcome, extracting, find_files, run_of
from runtime.locks import held
from runtime.processes.beside import second_process
from runtime.processes.working import work_done
from runtime.wiring.parts import Parts
from web.words import mark
from web.words.doubles import reason_words
from web.words.remarks import remark_words

RESUMED = mark("This import broke off before and is gone on with; files that it left something of: %(count)s.")


@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--category", required=True, help="Code of the category.")
@click.option("--fonds", default=None, help="Code of the fonds; needed when the house has several with this category.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field for every file.")
@click.option("--place", default=None, help="Path of a place, for example A001/01.")
@click.option("--level", default=None, help="Code or rank of the level; the category's default otherwise.")
@click.option("--group", default=None, help="Mark of a need-to-know group: only who is named reads the files.")
@click.option("--named", multiple=True, metavar="LOGIN", help="Who is named on each record; repeatable.")
@click.option("--review", is_flag=True, help="File nothing: a person first looks at what is proposed for each record.")
@click.option("--wait/--no-wait", default=True, help="Wait until the files are searchable.")
@command("import", "Bring files and folders in: catalogued, read, numbered, filed and searchable.")
def import_command(
    out: Out, paths: Sequence[Path], category: str, fonds: str | None, fields: Sequence[str],
    place: str | None, level: str | None, group: str | None, named: Sequence[str], review: bool, wait: bool,
) -> None:  # fmt: skip
    """Import files."""
    with second_process("index", "light") as second, opened() as parts:
        with parts.db.reading() as session:
            draft = draft_of(session, category, fonds, fields, place, level)
            draft = _for_named(session, draft, group, named)
            labels = _labels(session, draft)
        run, files = run_of(paths, draft), find_files(paths)
        begun = time.monotonic()
        with _alone(parts, run), work_done(parts, wait=wait, beside=second) as release:
            importer = Importer(parts, system("import"), draft, run, lambda *told: _tell(out, *told), review=review)
            if importer.resumed:
                out.remark(RESUMED, count=importer.resumed)
            outcome = importer.run(files, lambda ids: _until_read(parts, ids, wait=wait), release)
        importer.tell_alike(outcome)
        importer.end()  # not before all is searchable: whatever breaks off until then is gone on with
        seconds = round(time.monotonic() - begun, 3)
    counts = outcome.counts()
    items = [item.shown() for item in outcome.items]
    document = {**counts, "resumed": importer.resumed, "seconds": seconds, "items": items}
    out.end(document, _told(out, outcome, labels), ok=counts["waiting" if review else "filed"] == len(files))


def _tell(out: Out, step: str, done: int, of: int) -> None:
    out.progress(f"{step} {done}/{of}")


@contextmanager
def _alone(parts: Parts, run: str) -> Iterator[None]:
    """Keep a second call of the same import away: it would take the first for broken off."""
    lock = parts.settings.run / f"import-{run[:16]}.lock"
    with held(lock) as mine:
        if not mine:
            raise InvalidInput(Fault("paths", "import_running"))
        yield
        lock.unlink(missing_ok=True)


def _until_read(parts: Parts, records: Collection[UUID], *, wait: bool) -> None:
    """Wait until no text of these records is waiting to be read: a missing date may be found in it."""
    while wait and extracting(parts.db, records):
        time.sleep(0.1)


def _told(out: Out, outcome: Outcome, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield what became of the files, and how many of each."""
    for item in outcome.items:
        yield from _lines(out, item, labels)
    summary = mark("%(filed)s filed, %(waiting)s waiting, %(quarantined)s in quarantine, %(failed)s failed.")
    yield out.gettext(summary, **outcome.counts())


def _lines(out: Out, item: Item, labels: Mapping[str, str]) -> list[str]:
    """Say what became of a file, where there is something to say: why it is not filed, and what is odd about it."""
    proposed = mark("the date %(date)s is proposed, from the name, the text or the file")
    said = [out.gettext(proposed, date=item.date)] if item.date_proposed else []
    if item.state != "filed":
        said.append(out.gettext(mark("%(state)s: %(why)s"), **_why(item, labels)))
    said += [remark_words(remark, locale()) for remark in item.remarks]
    if item.doubles:
        said.append(out.gettext(mark("the same bytes lie in other records: %(count)s"), count=len(item.doubles)))
    said += [
        out.gettext(mark("perhaps the same as %(number)s: %(why)s"), number=number_of(each.record), why=why)
        for each in item.alike
        if (why := " · ".join(reason_words(r, locale()) for r in each.reasons if r.why is not Why.SAME_BYTES))
    ]
    return [f"{item.path}: {words}" for words in said]


def _why(item: Item, labels: Mapping[str, str]) -> dict[str, str]:
    from web.words.faults import explain_failed, explain_waiting, state_words  # noqa: PLC0415

    if item.error is not None:
        why = explain_failed(item.error, locale())
    else:
        why = explain_waiting(item.reason or item.state, [labels.get(name, name) for name in item.fields], locale())
    return {"state": state_words(item.state, locale()), "why": why}


def _labels(session: Session, draft: Draft) -> Mapping[str, str]:
    """Return what the category calls its own fields."""
    own = parse_fields(session.get_one(Category, draft.category_id).fields)
    return {field.name: field.label(locale()) for field in own}


def draft_of(
    session: Session, category: str, fonds: str | None, fields: Sequence[str], place: str | None, level: str | None
) -> Draft:
    """Return what all that comes in has in common, from what was typed. Raises ``InvalidInput``."""
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


def _for_named(session: Session, draft: Draft, group: str | None, named: Sequence[str]) -> Draft:
    people = tuple(dict.fromkeys(person(session, login).id for login in named))
    return replace(draft, named=people, group_id=group_of(session, draft.fonds_id, group).id if group else None)


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
