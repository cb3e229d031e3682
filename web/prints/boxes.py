"""Forms that are boxes to fill in: covers, notes, spines, stamps, register entries, slips."""

from collections.abc import Iterable, Sequence
from typing import Any

from web.prints.later import CORRECTED, DESTROYED
from web.prints.lists import dates_of, volume_words
from web.prints.papers import (
    Holding,
    Paper,
    Words,
    by_fonds,
    bytes_of,
    counted,
    day8,
    fonds_words,
    highest,
    pages_of,
    span,
)
from web.words import listed, mark

TOLD = mark("This dossier holds %(items)s and %(pages)s.")
ON_PAPER = mark("On paper: %(count)s; electronic: %(others)s.")
UNCOUNTED = mark("Without a count of pages: %(count)s.")
COPIES = mark("Missing pages, missing attachments, copies instead of originals:")
LATER = {
    CORRECTED: mark("%(day)s corrected: %(numbers)s."),
    DESTROYED: mark("%(day)s destroyed: %(numbers)s."),
}
FROM_TO = mark("%(fonds)s: %(categories)s; %(first)s to %(last)s.")


def covers(holdings: Sequence[Holding], words: Words) -> list[dict[str, Any]]:
    """Return a cover for each dossier, or for each of its volumes."""
    return [_of_dossier(each, words) for each in holdings]


def spines(holdings: Sequence[Holding], words: Words) -> list[dict[str, Any]]:
    """Return a spine for each; one of an upper level shows number and level alone."""
    return [
        _of_dossier(each, words)
        if each.dossier.open
        else dict.fromkeys(_of_dossier(each, words), "")
        | highest([each.dossier])
        | {"number": each.dossier.number, "fonds": each.dossier.fonds, "volume": volume_words(each)}
        for each in holdings
    ]


def closing_notes(holdings: Sequence[Holding], words: Words) -> list[dict[str, Any]]:
    """Return a note for each, with what is known of the dossier's state and of what changed later."""
    return [{**_of_dossier(each, words), "told": _told(each, words), "later": _later(each, words)} for each in holdings]


def stamps(papers: Sequence[Paper], words: Words) -> list[dict[str, Any]]:
    """Return one sheet with a stamp for each paper."""
    rows = [
        {
            "fonds": each.fonds,
            "year": each.year,
            "item_number": each.serial,
            "department": each.department,
            "term": words.term(each.term),
            "pages": counted(each.pages),
        }
        for each in papers
    ]
    return [{**highest(papers), "rows": rows}]


def receipts(papers: Sequence[Paper], words: Words) -> list[dict[str, Any]]:
    """Return the entry of a hand-over or of a filing: one for each fonds."""
    return [_receipt(each, words) for each in by_fonds(papers)]


def slips(papers: Sequence[Paper], _words: Words) -> list[dict[str, Any]]:
    """Return a slip for each paper."""
    return [
        {
            **highest([each]),
            "number": each.number or each.registration,
            "document_number": each.document_number,
            "responsible": each.responsible,
            "date": day8(each.drawn_up),
            "title": each.title,
            "pages": counted(each.pages),
            "purpose": "",
            "scope": "",
            "return_by": "",
            "returned": "",
            "checked_by": "",
            "rows": [],
        }
        for each in papers
    ]


def requests(papers: Sequence[Paper], words: Words) -> list[dict[str, Any]]:
    """Return one request for all papers."""
    rows = [
        {
            "serial": str(at),
            "number": each.number or each.registration,
            "title": each.title,
            "level_words": each.level,
            "pages": counted(each.pages),
            "notes": "",
        }
        for at, each in enumerate(papers, 1)
    ]
    who = {"person": words.person, "department": words.department, "day": words.today.isoformat()}
    return [{**highest(papers), **who, "count": str(len(papers)), "rows": rows}]


def blanks(_nothing: Sequence[Any], words: Words) -> list[dict[str, Any]]:
    """Return one sheet to be filled in by hand."""
    who = {"person": words.person, "department": words.department, "day": words.today.isoformat()}
    return [{**highest([]), **who}]


def _of_dossier(holding: Holding, words: Words) -> dict[str, Any]:
    dossier, items = holding.dossier, holding.items
    return {
        **highest((dossier, *items)),
        "number": dossier.number,
        "registration": dossier.registration,
        "title": dossier.title,
        "fonds": dossier.fonds,
        "fonds_name": dossier.fonds_name,
        "category": dossier.category,
        "dates": dates_of(dossier, items),
        "years": span(each.year for each in items) or dossier.year,
        "term": words.term(dossier.term),
        "count": str(len(items)) if items else "",
        "page_count": pages_of(items) or counted(dossier.pages),
        "volume": volume_words(holding),
    }


def _told(holding: Holding, words: Words) -> str:
    items = holding.items
    if not holding.dossier.title:
        return words.said(COPIES)
    uncounted = sum(each.pages is None for each in items)
    electronic = sum(each.medium == "electronic" for each in items)
    pages = sum(each.pages or 0 for each in items)
    lines = [
        words.said(
            TOLD,
            items=words.many("%(num)d item", "%(num)d items", len(items)),
            pages=words.many("%(num)d page", "%(num)d pages", pages),
        )
    ]
    if items:
        lines.append(words.said(ON_PAPER, count=len(items) - electronic, others=electronic))
    if uncounted:
        lines.append(words.said(UNCOUNTED, count=uncounted))
    return "\n".join([*lines, words.said(COPIES)])


def _later(holding: Holding, words: Words) -> str:
    """Write what changed after filing: a line for what happened on one day."""
    lines: dict[tuple[str, str], list[str]] = {}
    for day, what, number in holding.later:
        lines.setdefault((day, what), []).append(number)
    return "\n".join(
        words.said(LATER[what], day=day, numbers=_joined(numbers, words)) for (day, what), numbers in lines.items()
    )


def _receipt(papers: Sequence[Paper], words: Words) -> dict[str, Any]:
    dossiers, items = (sum(each.dossier is wanted for each in papers) for wanted in (True, False))
    amounts = [
        words.many("%(num)d dossier", "%(num)d dossiers", dossiers) if dossiers else "",
        words.many("%(num)d item", "%(num)d items", items) if items else "",
        words.many("%(num)d page", "%(num)d pages", sum(each.pages or 0 for each in papers)),
    ]
    numbers = sorted(each.number for each in papers if each.number)
    categories = _joined((each.category for each in papers), words)
    return {
        **highest(papers),
        "fonds": fonds_words(papers[0]),
        "fonds_name": papers[0].fonds_name,
        "categories": categories,
        "told": words.said(
            FROM_TO, fonds=fonds_words(papers[0]), categories=categories, first=numbers[0], last=numbers[-1]
        )
        if numbers
        else categories,
        "quantity": _joined(amounts, words),
        "size": bytes_of(papers),
        "years": span(each.year for each in papers),
        "media": _joined((words.medium(each.medium) for each in papers if each.medium), words),
        "filed": span(each.filed for each in papers),
    }


def _joined(values: Iterable[str], words: Words) -> str:
    return listed(dict.fromkeys(each for each in values if each), words.locale)
