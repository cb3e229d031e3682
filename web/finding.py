"""The search page: one box, facets as links, hits with their passages, and faults pointed at."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from archive.cataloguing.bulk import MOST as MOST_EDITED
from archive.errors import ArchiveError, InvalidInput, Unavailable
from archive.files.inside import Called, called
from archive.model import Content, TextState
from indexer.passages import Passage
from indexer.query.text import hints
from indexer.search import Hit
from web.columns import COLUMNS, FIXED, cells_of, columns_of, records_by_id
from web.i18n import current_locale
from web.reading.viewer import split_marks
from web.services import identity, services
from web.sheets import MOST_ROWS
from web.words import mark
from web.words.facets import FACETS, FILTERS, facet_words
from web.words.faults import explain, explain_fault, status_of

pages = Blueprint("finding", __name__)

PAGE = 20

HINTS: Mapping[str, str] = {
    "or_in_capitals": mark("OR in capitals means or; in small letters it is looked for as a word."),
    "blank_means_and": mark("A blank between two words means and; this word itself was looked for too."),
}
"""What to tell who typed a word that only looks like an operator."""

FURTHEST = 10_000
LONGEST = 1000


@dataclass(frozen=True)
class Pointed:
    """A query cut where its fault is: before, the fault itself, after."""

    before: str
    at: str
    after: str


@pages.get("/search")
def search() -> str | BaseResponse:
    """Search with the person's present rights and show a page of hits."""
    text = request.args.get("q", "")
    filters = [(name, value) for name in FILTERS for value in request.args.getlist(name)]
    offset = min(_count(request.args.get("from", "")), FURTHEST)
    shown: dict[str, Any] = {"q": text, "filters": filters, "offset": offset, "asked": "q" in request.args or filters}
    if not shown["asked"]:
        return render_template("search.html", **shown, found=None, lines=[], pointed=None)
    try:
        found = services().search.search(identity(), text, filters=filters, offset=offset, limit=PAGE)
    except InvalidInput as error:
        fault = error.faults[0]
        lines = [explain_fault(each, current_locale()) for each in error.faults]
        pointed = _pointed(text, fault.facts)
        page = render_template("search.html", **shown, found=None, lines=lines, pointed=pointed, mistaken=True)
        return make_response(page, status_of(error))
    except Unavailable as error:
        return _unanswered(error, shown)
    counted = [(name, value) for name, values in found.facets.items() for value in values]
    columns = [key for key in columns_of("search") if key not in FIXED["search"]]
    words = facet_words(services().directory, current_locale(), [*filters, *counted])
    return render_template(
        "search.html", **shown, found=found, lines=[], pointed=None, hints=[_(HINTS[code]) for code in hints(text)],
        facets=_facets(words, found.facets, filters),
        chips=_chips(words, filters),
        hits=_hits(found.hits, columns),
        offered=[(key, each.words, key in columns) for key, each in COLUMNS.items() if key not in FIXED["search"]],
        sheet=_link(filters, endpoint="sheets.found", list="search"), most_rows=MOST_ROWS, most_edited=MOST_EDITED,
        newer=_link(filters, max(offset - PAGE, 0)) if offset else None,
        more=_link(filters, offset + PAGE) if offset + PAGE < min(found.total, FURTHEST) else None,
    )  # fmt: skip


def _unanswered(error: ArchiveError, shown: Mapping[str, Any]) -> BaseResponse:
    lines = explain(error, current_locale())
    return make_response(
        render_template("search.html", **shown, found=None, lines=lines, pointed=None), status_of(error)
    )


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _pointed(text: str, facts: Mapping[str, Any]) -> Pointed | None:
    """Cut the query at its fault; None when the fault has no place in it."""
    at = facts.get("at")
    if not isinstance(at, int) or len(text) > LONGEST:
        return None
    stop = at + max(1, int(facts.get("length", 1)))
    return Pointed(text[:at], text[at:stop] or "▲", text[stop:])


def _hits(hits: Sequence[Hit], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return hits as the page shows them; a page's number leads to it where it is known whose page it is."""
    with services().db.reading() as session:
        rows = session.execute(
            select(Content.record_id, Content.id).where(
                Content.record_id.in_([hit.record_id for hit in hits]), Content.text_state == TextState.TEXT
            )
        ).all()
        names = called(session, {each.content_id for hit in hits for each in hit.passages if each.content_id})
    more = _more([hit.record_id for hit in hits], columns) if columns else {}
    held = Counter(row.record_id for row in rows)
    texts = {row.record_id: row.id for row in rows if held[row.record_id] == 1}
    return [
        {
            "hit": hit,
            "title": split_marks(hit.title, hit.marks),
            "more": more.get(hit.record_id, ()),
            "text": texts.get(hit.record_id),
            "passages": [_passage(each, names, alone=held[hit.record_id] == 1) for each in hit.passages],
        }
        for hit in hits
    ]


def _more(ids: Sequence[UUID], columns: Sequence[str]) -> dict[UUID, list[tuple[str, str | int]]]:
    """Return words and value of what a person chose to see of each hit besides what every hit shows."""
    records = records_by_id(ids)
    return {
        record.id: [(COLUMNS[key].words, cells[key]) for key in columns if cells[key] != ""]
        for record, cells in zip(records, cells_of(records), strict=True)
    }


def _passage(passage: Passage, names: Mapping[UUID, Called], *, alone: bool) -> dict[str, Any]:
    """Return a passage as the page shows it; where the record has several texts, with the name of its file."""
    return {
        "content": passage.content_id,
        "file": None if alone or passage.content_id is None else names.get(passage.content_id),
        "page": passage.page,
        "parts": split_marks(passage.text, passage.marks),
        "before": passage.cut_before,
        "after": passage.cut_after,
    }


def _link(filters: Sequence[tuple[str, str]], offset: int = 0, endpoint: str = "finding.search", **more: Any) -> str:
    """Return the address of this search with these filters, from a hit on."""
    values: dict[str, Any] = {"q": request.args.get("q", "")} | ({"from": offset} if offset else {})
    for name, value in filters:
        values.setdefault(name, []).append(value)
    return url_for(endpoint, **values, **more)


def _chips(words: Callable[[str, str], str], filters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return for each filter its words and the address of the search without it."""
    return [(words(name, value), _link([each for each in filters if each != (name, value)])) for name, value in filters]


def _facets(
    words: Callable[[str, str], str], facets: Mapping[str, Mapping[str, int]], filters: Sequence[tuple[str, str]]
) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """Return each facet with its values in words, counts, and addresses; what is chosen already is left out."""
    shown = []
    for name in FACETS:
        values = [
            (words(name, value), count, _link([*filters, (name, value)]))
            for value, count in sorted(facets.get(name, {}).items(), key=lambda item: (-item[1], item[0]))
            if (name, value) not in filters
        ]
        if values:
            shown.append((name, values[:12]))
    return shown
