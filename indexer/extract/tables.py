"""The cells of a spreadsheet as a person reads them, row by row: what is brought in as records."""

import csv
import io
import mmap
from collections.abc import Iterable
from typing import Any

import python_calamine as calamine

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.spreadsheets import cell_words, open_workbook
from indexer.extract.text import decoded

MOST_ROWS = 5_000
MOST_COLUMNS = 200
MOST_SHEETS = 20
LONGEST_CELL = 20_000
HEAD = 5
"""Lines of a text by which it is judged what parts its cells: the first may be the list's own name."""

MOST_LETTERS = 4_000_000
"""Letters of all cells together: more is not answered by a fork."""

_BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_table(data: mmap.mmap | bytes) -> dict[str, Any]:
    """Return ``{"sheets": [{"name", "rows": [[text, …], …], "more": bool}, …]}``; empty sheets are left out.

    A row of the answer is a row of the sheet, from its first row on; ``more`` says that the sheet has rows beyond
    ``MOST_ROWS`` of data. Text is CSV in UTF-8, UTF-16, GBK or Big5, with commas, semicolons or tabs.

    Raises:
        Unreadable: ``encrypted``, ``broken``, ``too_large`` or ``unsupported``.
    """
    sheets = _book(data) if data[:4] in _BOOKS else [_sheet("", _csv(bytes(data)))]
    if sum(len(cell) for sheet in sheets for row in sheet["rows"] for cell in row) > MOST_LETTERS:
        raise Unreadable(Reason.TOO_LARGE)
    return {"sheets": [sheet for sheet in sheets if sheet["rows"]]}


def _book(data: mmap.mmap | bytes) -> list[dict[str, Any]]:
    book = open_workbook(data)
    found = []
    for sheet in book.sheets_metadata[:MOST_SHEETS]:
        try:
            rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False, nrows=MOST_ROWS + 2)
        except calamine.WorksheetNotFound:  # a sheet that is all chart
            continue
        found.append(_sheet(sheet.name, ([cell_words(cell) for cell in row] for row in rows)))
    return found


def _sheet(name: str, rows: Iterable[list[str]]) -> dict[str, Any]:
    kept: list[list[str]] = []
    more = False
    for row in rows:
        if len(kept) > MOST_ROWS:
            more = True
            break
        cells = [" ".join(cell.split("\0"))[:LONGEST_CELL].strip() for cell in row[:MOST_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
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
