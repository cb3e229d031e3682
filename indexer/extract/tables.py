"""The cells of a spreadsheet as a person reads them, row by row: what is brought in as records."""

import csv
import io
import mmap
from collections.abc import Iterable
from typing import Any

import python_calamine as calamine

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.spreadsheets import cell_words, open_workbook
from indexer.extract.table_limits import LONGEST_CELL, MOST_COLUMNS, MOST_LETTERS, MOST_ROWS, MOST_SHEETS
from indexer.extract.text import decoded

HEAD = 5
"""Lines of a text by which it is judged what parts its cells: the first may be the list's own name."""

_BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_table(data: mmap.mmap | bytes) -> dict[str, Any]:
    """Return ``{"sheets": [{"name", "rows": [[text, …], …], "more": bool}, …]}``; empty sheets are left out.

    A row of the answer is a row of the sheet, from its first row on; ``more`` says that the sheet has rows beyond
    ``MOST_ROWS`` of data. Nothing else is left out: what has too much of it is refused. Text is CSV in UTF-8, UTF-16,
    GBK or Big5, with commas, semicolons or tabs.

    Raises:
        Unreadable: ``encrypted``, ``broken``, ``unsupported``, or ``too_large``, whose detail is ``sheets``, or
            ``columns`` or ``cell`` with the numbers of the sheet and of its row (both from 1), or "" for all of it.
    """
    sheets = _book(data) if data[:4] in _BOOKS else [_sheet(1, "", _csv(bytes(data)))]
    if sum(len(cell) for sheet in sheets for row in sheet["rows"] for cell in row) > MOST_LETTERS:
        raise Unreadable(Reason.TOO_LARGE)
    return {"sheets": [sheet for sheet in sheets if sheet["rows"]]}


def _book(data: mmap.mmap | bytes) -> list[dict[str, Any]]:
    book = open_workbook(data)
    found = []
    if len(book.sheets_metadata) > MOST_SHEETS:
        raise Unreadable(Reason.TOO_LARGE, "sheets")
    for number, sheet in enumerate(book.sheets_metadata, 1):
        try:
            rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False, nrows=MOST_ROWS + 2)
        except calamine.WorksheetNotFound:  # a sheet that is all chart
            continue
        found.append(_sheet(number, sheet.name, ([cell_words(cell) for cell in row] for row in rows)))
    return found


def _sheet(number: int, name: str, rows: Iterable[list[str]]) -> dict[str, Any]:
    kept: list[list[str]] = []
    more = False
    for at, row in enumerate(rows, 1):
        if len(kept) > MOST_ROWS:
            more = True
            break
        cells = [" ".join(cell.split("\0")).strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(Reason.TOO_LARGE, f"columns {number} {at}")
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise Unreadable(Reason.TOO_LARGE, f"cell {number} {at}")
        kept.append(cells)
    while kept and not kept[-1]:
        kept.pop()
    return {"name": name[:100], "rows": kept, "more": more}


def _csv(data: bytes) -> Iterable[list[str]]:
    text = decoded(data)
    if text is None:
        raise Unreadable(Reason.UNSUPPORTED, "encoding")
    text = text.removeprefix("\ufeff")
    head = text.split("\n", HEAD)[:HEAD]
    mark = max(",;\t", key=lambda sign: (sum(sign in line for line in head), sum(line.count(sign) for line in head)))
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    except csv.Error as error:
        raise Unreadable(Reason.BROKEN, "csv") from error
