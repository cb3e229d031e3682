"""The report of a stock-taking: numbers and places, never a title."""

from collections.abc import Sequence
from typing import Any

from archive.model import Tally
from archive.stocktaking.report import ItemShown, StocktakingView
from web.prints.papers import Words
from web.words import minute
from web.words.stock import FOLLOW_UPS, TALLIES

STOCK_REPORT = (
    ("serial", 6), ("number", 36), ("outcome", 20), ("should", 20), ("found_at", 20), ("holder", 20),
    ("followed", 24),
)  # fmt: skip


def stock_reports(given: Sequence[tuple[StocktakingView, str]], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each stock-taking with its zone."""
    return [_report(view, zone, words) for view, zone in given]


def _report(view: StocktakingView, zone: str, words: Words) -> dict[str, Any]:
    figures, row = view.figures, view.row
    items = [_row(each, words) for each in view.items]
    labels = [
        {
            "number": each.label, "outcome": words.said("label that nobody knows"), "should": "",
            "found_at": each.place, "holder": "", "followed": "",
        }
        for each in view.unknown
    ]  # fmt: skip
    return {
        "level_rank": 0,
        "level": "",
        "shape": "",
        "place": row.path,
        "begun": f"{minute(row.begun_at, zone)} {view.begun_by or ''}".strip(),
        "closed": f"{minute(row.closed_at, zone)} {view.closed_by or ''}".strip() if row.closed_at else "",
        "counts": {
            "expected": str(figures.expected),
            **{tally.value: str(getattr(figures, tally.value)) for tally in Tally},
            "unknown": str(figures.unknown),
        },
        "rows": [{"serial": str(at), **each} for at, each in enumerate((*items, *labels), 1)],
    }


def _row(each: ItemShown, words: Words) -> dict[str, str]:
    return {
        "number": f"{each.number}*{each.copy}" if each.copy > 1 else each.number,
        "outcome": words.said(TALLIES[each.tally.value]) if each.tally else "",
        "should": each.should or "",
        "found_at": each.found or "",
        "holder": each.holder or "",
        "followed": words.said(FOLLOW_UPS[each.follow_up.value]) if each.follow_up else "",
    }
