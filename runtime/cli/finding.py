"""Commands that look as a person would: search, record show. ``--as`` is logged as the operator acting for them."""

import getpass
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from archive.cataloguing.proposals import Proposed
from archive.cataloguing.showing import CustodyView, RecordView
from archive.errors import InvalidInput
from archive.files.inside import Called, called
from archive.house.levels import every
from archive.house.levels import mark as level_mark
from archive.identity import Identity
from archive.scheme.fields import FieldDef, FieldKind
from indexer.passages import Passage
from runtime.aids import aids_of
from runtime.cli.codes import Codes
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale, pointed
from runtime.processes.working import work_done
from runtime.wiring.parts import Parts
from web.aids import Aids
from web.words import mark
from web.words.records import custody_lines, masked, record_lines
from web.words.remarks import file_remarks

NUMBER = click.argument("number", metavar="[FONDS:]NUMBER|ID")


def as_person(parts: Parts, login: str) -> Identity:
    """Return a person's present rights; the log keeps that the operator acts for them."""
    return parts.people.impersonate(getpass.getuser(), login)


@click.argument("query")
@click.option("--as", "login", required=True, help="Whose rights to search with (their login).")
@click.option("--filter", "filters", multiple=True, metavar="FIELD=VALUE", help="Narrow by a facet.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, help="How many hits to show.")
@click.option("--offset", type=click.IntRange(0, 10_000), default=0, help="How many hits to pass over.")
@command("search", "Search with a person's rights.", ignore_unknown_options=True)  # -word is a part of a query
def search(out: Out, query: str, login: str, filters: tuple[str, ...], limit: int, offset: int) -> None:
    """Search."""
    with opened() as parts, work_done(parts, wait=False):
        person = as_person(parts, login)
        with parts.db.reading() as session:
            codes = Codes(session)
            marks = {level.rank: level_mark(level, locale()) for level in every(session)}
        try:
            page = parts.search.search(person, query, filters=codes.filters(filters), offset=offset, limit=limit)
        except InvalidInput as error:
            _point(query, error)
            raise
        with parts.db.reading() as session:
            names = called(session, {p.content_id for hit in page.hits for p in hit.passages if p.content_id})
    hits = [
        {
            "number": hit.number,
            "title": hit.title,
            "level": hit.level_rank,
            "mark": marks[hit.level_rank],
            "record": str(hit.record_id),
            "passages": [_passage(p, names) for p in hit.passages],
        }
        for hit in page.hits
    ]
    lines = []
    for hit in page.hits:
        lines.append(f"{hit.number or '~'}  {hit.title}  [{marks[hit.level_rank]}]")
        several = len({p.content_id for p in hit.passages}) > 1
        lines += [f"    {_file(p, names, always=several)}p.{p.page}: {p.text}" for p in hit.passages]
    lines.append(out.gettext(mark("%(total)s found."), total=page.total))
    out.end({"total": page.total, "hits": hits, "facets": codes.facets(page.facets)}, lines)


def _passage(passage: Passage, names: Mapping[UUID, Called]) -> dict[str, Any]:
    file = names.get(passage.content_id) if passage.content_id else None
    return {
        "page": passage.page,
        "text": passage.text,
        "file": file and file.name,
        "inside": (file and file.within) or None,
    }


def _file(passage: Passage, names: Mapping[UUID, Called], *, always: bool) -> str:
    """Name the file of a passage where a record has several, or it lay inside another."""
    file = names.get(passage.content_id) if passage.content_id else None
    if file is None or not (always or file.within):
        return ""
    return f"{file.within} / {file.name} " if file.within else f"{file.name} "


def _point(query: str, error: InvalidInput) -> None:
    """Show where in the query its fault is."""
    at = error.faults[0].facts.get("at")
    if isinstance(at, int):
        for line in pointed(query, at):
            click.echo(line, err=True)


@click.group("record")
def record() -> None:
    """Look at records."""


@NUMBER
@click.option("--as", "login", required=True, help="Whose rights to look with (their login).")
@command("show", "Show one record with a person's rights.")
def show(out: Out, number: str, login: str) -> None:
    """Show a record."""
    with opened() as parts, work_done(parts, wait=False):
        aids = aids_of(parts.settings)
        person = as_person(parts, login)
        view = parts.reader.show(person, record_of(parts, person, number))
        zone = parts.zone
    if isinstance(view, RecordView):
        out.end(_full(view, aids), list(record_lines(view, locale(), zone, aids)))
    out.end(_custody(view), list(custody_lines(view, locale(), zone)))


def record_of(parts: Parts, who: Identity, number: str) -> UUID:
    """Return the record of a number that ``who`` may see, or the id itself: the act on it asks again."""
    try:
        return UUID(number)
    except ValueError:
        return parts.records.find_number(who, number)


def _custody(view: CustodyView) -> dict[str, Any]:
    return {
        "view": "custody",
        "number": view.number,
        "registration_number": view.registration_number,
        "state": view.state.value,
        "level": view.level.rank,
        "mark": level_mark(view.level, locale()),
        "pages": view.pages,
        "filed_at": view.filed_at and view.filed_at.isoformat(),
    }


def shown_field(definition: FieldDef, value: Any) -> Any:
    """Mask a personal number, as on every screen."""
    return masked(str(value)) if definition.kind in {FieldKind.PHONE, FieldKind.IDENTITY} else value


def _full(view: RecordView, aids: Aids) -> dict[str, Any]:
    r = view.record
    return {
        "view": "full",
        "number": view.number,
        "registration_number": r.registration_number,
        "title": r.title,
        "fonds": view.fonds.code,
        "joined_to": view.successor and view.successor.code,
        "category": view.category.code,
        "state": r.state.value,
        "level": r.level_rank,
        "mark": level_mark(view.level, locale()),
        "group": view.group and view.group.number_mark,
        "drawn_up": r.drawn_up,
        "drawn_up_proposed": r.drawn_up_proposed,
        "responsible": r.responsible,
        "term": r.term,
        "place": r.place_path,
        "keywords": r.keywords,
        "fields": {definition.name: shown_field(definition, value) for definition, value in view.fields},
        "subjects": list(view.subjects),
        "proposals": [_proposal(each) for each in view.proposed],
        "files": [
            {"name": f.name, "inside": f.inside and str(f.inside), "path": f.path, "members": f.members,
             "members_lost": f.members_lost, "content": f.content_id and str(f.content_id), "size": f.size,
             "type": f.media_type, "pronom": f.pronom, "macros": f.macros,
             "state": f.state.value, "pages": f.pages, "text": f.text_state.value, "reason": f.reason,
             "doubles": f.doubles, "scans": f.scans, "scans_waiting": f.scans_waiting,
             "virus": f.virus, "scanned_with": f.scanned_with,
             "remarks": [{"code": x.code, "facts": dict(x.facts)}
                         for x in file_remarks(f, aids)]}
            for f in view.files
        ],
    }  # fmt: skip


def _proposal(each: Proposed) -> dict[str, Any]:
    content = None if each.content_id is None else str(each.content_id)
    return {**asdict(each.found), "content": content, "fills": each.fills}


record.add_command(show)
COMMANDS = (search, record)
