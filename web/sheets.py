"""Lists as spreadsheets: what a search or a branch shows, for a person's own work in Excel."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from archive.model import Record
from indexer.engine import Order
from web.columns import COLUMNS, cells_of, exported, records_by_id
from web.own_columns import own_columns
from web.services import identity, services
from web.words.facets import FILTERS as FOUND_BY

pages = Blueprint("sheets", __name__)

MOST_ROWS = 10_000
FILTERS = (*FOUND_BY, "place", "state")
"""What a list may be narrowed by: as a search is, as a branch and a place are."""

WIDTH = 20
"""Of a column of an own field, in characters."""

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/search/list.xlsx")
def found() -> Response:
    """Send the records that a search finds as a spreadsheet, at most ``MOST_ROWS`` of them."""
    asked = request.args
    text = asked.get("q", "")
    filters = [(name, value) for name in FILTERS for value in asked.getlist(name)]
    order = Order.RELEVANCE if text.strip() else Order.NEWEST
    if asked.get("order") == Order.OLDEST.value:
        order = Order.OLDEST
    page = services().search.search(identity(), text, filters=filters, order=order, limit=MOST_ROWS, passages=False)
    records = records_by_id([hit.record_id for hit in page.hits])
    body = {"query": text, "filters": filters, "rows": len(records), "found": page.total}
    services().readings.begin(identity(), "list.export", body=body).result()
    return sent_sheet(asked.get("list", ""), records)


def sent_sheet(name: str, records: Sequence[Record]) -> Response:
    """Send records, which the caller has checked, as a spreadsheet of a list: with the columns that a person chose.

    Who chose none has all, and the own fields of the records' categories behind them.
    """
    columns = exported(name)
    heads = [(_(COLUMNS[key].words), COLUMNS[key].width) for key in columns]
    rows: list[list[str | int]] = [[cells[key] for key in columns] for cells in cells_of(records)]
    if len(columns) == len(COLUMNS):
        own, cells = own_columns(records)
        heads += [(words, WIDTH) for words in own]
        rows = [[*row, *more] for row, more in zip(rows, cells, strict=True)]
    book = workbook(heads, rows)
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-list.xlsx"'})


def workbook(columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write a workbook in memory; every text is a text, whatever it begins with.

    Args:
        columns: words and width (in characters) of each.
        rows: texts and whole numbers, in the order of the columns.
    """
    return workbook_of([("", columns, rows)])


def workbook_of(sheets: Sequence[tuple[str, Sequence[tuple[str, int]], Sequence[Sequence[Any]]]]) -> bytes:
    """Write a workbook of several sheets in memory: each with its name (empty: the program's own), as ``workbook``."""
    import xlsxwriter  # noqa: PLC0415 (the pages would start later for it)

    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, plain)
    head = book.add_format({"bold": True, "bottom": 1})
    for name, columns, rows in sheets:
        sheet = book.add_worksheet(name or None)
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
