"""Forms that are lists: each sheet has its facts and its rows, which a spreadsheet holds too."""

from collections.abc import Sequence
from typing import Any

from web.prints.papers import (
    Holding,
    Paper,
    Words,
    by_fonds,
    counted,
    day8,
    fonds_words,
    highest,
    notes,
    pages_of,
    span,
)

FILED_ITEMS = (
    ("serial", 6), ("number", 30), ("document_number", 20), ("responsible", 20), ("title", 60), ("date", 10),
    ("level_words", 16), ("pages", 8), ("notes", 30),
)  # fmt: skip
DOSSIER_CONTENTS = (
    ("dossier_number", 30), ("volume", 8), ("serial", 6), ("document_number", 20), ("responsible", 20), ("title", 60),
    ("date", 10), ("page_numbers", 10), ("notes", 30),
)  # fmt: skip
DOSSIER_LIST = (
    ("serial", 6), ("number", 30), ("title", 60), ("dates", 20), ("items", 8), ("pages", 8), ("term", 12),
    ("level_words", 16), ("notes", 30),
)  # fmt: skip
HANDOVER_LIST = (
    ("serial", 6), ("title", 60), ("dossier_serial", 12), ("copies", 8), ("years", 14), ("number", 30),
    ("due_term", 12), ("kept", 12), ("notes", 30),
)  # fmt: skip


def filed_items(papers: Sequence[Paper], _words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each fonds."""
    return [
        {
            **_facts(each),
            "rows": [
                {
                    "serial": str(at),
                    "number": paper.number,
                    "document_number": paper.document_number,
                    "responsible": paper.responsible,
                    "title": paper.title,
                    "date": day8(paper.drawn_up),
                    "level_words": paper.level,
                    "pages": counted(paper.pages),
                    "notes": notes(paper),
                }
                for at, paper in enumerate(each, 1)
            ],
        }
        for each in by_fonds(papers)
    ]


def dossier_contents(holdings: Sequence[Holding], _words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each dossier, or for each of its volumes."""
    return [
        {
            **highest((each.dossier, *each.items)),
            "number": each.dossier.number,
            "title": each.dossier.title,
            "volume": volume_words(each),
            "rows": [
                {
                    "dossier_number": each.dossier.number,
                    "volume": volume_words(each),
                    "serial": str(at),
                    "document_number": paper.document_number,
                    "responsible": paper.responsible,
                    "title": paper.title,
                    "date": day8(paper.drawn_up),
                    "page_numbers": _page_numbers(paper, is_last=at == len(each.items)),
                    "notes": notes(paper),
                }
                for at, paper in enumerate(each.items, 1)
            ],
        }
        for each in holdings
    ]


def dossier_list(holdings: Sequence[Holding], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each fonds; a dossier in volumes is one row."""
    whole: dict[str, tuple[Paper, list[Paper]]] = {}
    for each in holdings:
        whole.setdefault(each.dossier.id, (each.dossier, []))[1].extend(each.items)
    sheets = []
    for dossiers in by_fonds([dossier for dossier, _items in whole.values()]):
        parts = [whole[each.id] for each in dossiers]
        rows = [
            {
                "serial": str(at),
                "number": dossier.number,
                "title": dossier.title,
                "dates": dates_of(dossier, items),
                "items": str(len(items)) if dossier.title else "",
                "pages": pages_of(items) or counted(dossier.pages),
                "term": words.term(dossier.term),
                "level_words": dossier.level,
                "notes": notes(dossier),
            }
            for at, (dossier, items) in enumerate(parts, 1)
        ]
        sheets.append({**_facts(dossiers), "rows": rows})
    return sheets


def handover_list(papers: Sequence[Paper], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each fonds."""
    return [{**_facts(each), "rows": handover_lines(each, words)} for each in by_fonds(papers)]


def handover_lines(papers: Sequence[Paper], words: Words) -> list[dict[str, str]]:
    """Return the lines of what is handed over. Of what lies in a dossier on the list that one tells the volumes."""
    listed = {each.id for each in papers}
    return [
        {
            "serial": str(at),
            "title": paper.title,
            "dossier_serial": paper.serial if paper.dossier else "",
            "copies": "" if paper.inside in listed else str(paper.volumes or ""),
            "years": paper.years or paper.year,
            "number": paper.number,
            "term": words.term(paper.term),
            "due_term": words.term(paper.term),
            "kept": _kept(paper, words),
            "notes": notes(paper),
        }
        for at, paper in enumerate(papers, 1)
    ]


def dates_of(dossier: Paper, items: Sequence[Paper]) -> str:
    """Write from when to when a dossier's papers are; without dates of its items, its own."""
    return span(day8(each.drawn_up) for each in items) or day8(dossier.drawn_up)


def volume_words(holding: Holding) -> str:
    """Write which of its dossier's volumes this is; "" where it is not divided."""
    return f"{holding.volume} / {holding.volumes}" if holding.volumes > 1 else ""


def _facts(papers: Sequence[Paper]) -> dict[str, Any]:
    return {
        **highest(papers),
        "fonds": fonds_words(papers[0]),
        "years": span(each.year for each in papers),
        "count": str(len(papers)),
        "page_count": pages_of(papers),
    }


def _page_numbers(paper: Paper, *, is_last: bool) -> str:
    """Write where a paper begins in its dossier; of the last one also where it ends."""
    if paper.first is None:
        return ""
    return f"{paper.first}–{paper.last}" if is_last and paper.last != paper.first else str(paper.first)


def _kept(paper: Paper, words: Words) -> str:
    """Write for how long a paper was kept, counted from the year after the one it was drawn up in."""
    if not paper.year:
        return ""
    return words.many("%(num)d year", "%(num)d years", max(0, words.today.year - int(paper.year) - 1))
