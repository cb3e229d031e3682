"""Lists as spreadsheets: what a search or a branch shows, for a person's own work in Excel."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

import xlsxwriter
from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from archive.levels import mark as level_mark
from archive.model import Record
from indexer.engine import Order
from web.i18n import current_locale
from web.record_words import MEDIA, term_words, word
from web.services import identity, services
from web.words import day, mark, named

pages = Blueprint("sheets", __name__)

MOST_ROWS = 10_000
FILTERS = ("level", "category", "project", "place", "year", "department", "medium", "fonds", "state")
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

COLUMNS: Sequence[tuple[str, int]] = (
    (mark("Archive number"), 30),
    (mark("Registration number"), 20),
    (mark("Title"), 60),
    (mark("Secrecy level"), 18),
    (mark("Fonds"), 10),
    (mark("Category"), 28),
    (mark("Drawn up on"), 12),
    (mark("Responsible person"), 20),
    (mark("Department"), 16),
    (mark("Place"), 18),
    (mark("Retention period"), 12),
    (mark("Medium"), 14),
    (mark("Pages"), 8),
    (mark("Filed on"), 12),
)


@pages.get("/search/list.xlsx")
def found() -> Response:
    """Send the records that a search finds as a spreadsheet, at most ``MOST_ROWS`` of them."""
    asked = request.args
    text = asked.get("q", "")
    filters = [(name, value) for name in FILTERS for value in asked.getlist(name)]
    order = Order.RELEVANCE if text.strip() else Order.NEWEST
    page = services().search.search(identity(), text, filters=filters, order=order, limit=MOST_ROWS, passages=False)
    rows = _rows([hit.record_id for hit in page.hits])
    body = {"query": text, "filters": filters, "rows": len(rows), "found": page.total}
    services().readings.begin(identity(), "list.export", body=body).result()
    return Response(
        _sheet(rows), mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-list.xlsx"'}
    )


def _rows(ids: Sequence[UUID]) -> list[list[str | int]]:
    """Return what the columns hold, record by record, in the order of ``ids``."""
    with services().db.reading() as session:
        found = {row.id: row for row in session.scalars(select(Record).where(Record.id.in_(ids)))}
    records = [found[key] for key in ids if key in found]
    directory, locale = services().directory, current_locale()
    names = directory.coded_names(
        {row.category_id for row in records},
        {row.fonds_id for row in records},
        {row.department_id for row in records if row.department_id},
    )
    levels = directory.levels()

    def called(key: UUID | None) -> str:
        return "" if key is None or key not in names else " ".join((names[key][0], named(names[key][1], locale)))

    return [
        [
            row.archive_number or "",
            row.registration_number or "",
            row.title,
            level_mark(levels[row.level_rank], locale),
            names[row.fonds_id][0],
            called(row.category_id),
            row.drawn_up or "",
            row.responsible or "",
            called(row.department_id),
            (row.place_path or "").rstrip("/"),
            term_words(row.term, locale),
            word(MEDIA, row.medium, locale),
            "" if row.pages is None else row.pages,
            day(row.filed_at, services().zone()),
        ]
        for row in records
    ]


def _sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    return workbook([(_(words), width) for words, width in COLUMNS], rows)


def workbook(columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write a workbook in memory; every text is a text, whatever it begins with.

    Args:
        columns: words and width (in characters) of each.
        rows: texts and whole numbers, in the order of the columns.
    """
    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, plain)
    head = book.add_format({"bold": True, "bottom": 1})
    sheet = book.add_worksheet()
    for at, (words, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, words, head)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    for down, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(down, at, value)
            elif value:
                sheet.write_string(down, at, value)
    book.close()
    return out.getvalue()
