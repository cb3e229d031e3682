"""Nothing of a spreadsheet that is brought in is left out without a word."""

import io

import pytest
import xlsxwriter

from archive.errors import Fault
from indexer.extract import tables
from indexer.extract.answer import Failure, Reason, Unreadable
from indexer.extract.table_limits import LONGEST_CELL, MOST_COLUMNS, MOST_SHEETS
from indexer.tables import refusal


def a_book(*sheets: list[list[str]]) -> bytes:
    """Return a workbook of these sheets."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return out.getvalue()


def refused(data: bytes) -> Fault:
    """Return what is said of a spreadsheet that is not read."""
    with pytest.raises(Unreadable) as told:
        tables.read_table(data)
    return refusal(told.value.failure)


def test_all_that_is_within_the_limits_is_read() -> None:
    widest = [str(at) for at in range(MOST_COLUMNS)]
    found = tables.read_table(a_book(*[[widest, ["字" * LONGEST_CELL]]] * MOST_SHEETS))["sheets"]
    assert len(found) == MOST_SHEETS
    assert found[-1]["rows"] == [widest, ["字" * LONGEST_CELL]]


def test_a_sheet_too_many_is_told() -> None:
    assert refused(a_book(*[[["a"]]] * (MOST_SHEETS + 1))) == Fault("file", "book_sheets", {"limit": MOST_SHEETS})


def test_a_column_too_many_is_told_with_its_sheet_and_row() -> None:
    wide = ["题名"] * (MOST_COLUMNS + 1)
    facts = {"limit": MOST_COLUMNS, "sheet": "2", "row": "3"}
    assert refused(a_book([["a"]], [["a"], ["b"], wide])) == Fault("file", "row_columns", facts)
    assert refused((",".join(wide)).encode()) == Fault("file", "row_columns", {**facts, "sheet": "1", "row": "1"})


def test_columns_without_words_do_not_count() -> None:
    data = ("a" + "," * (MOST_COLUMNS + 50)).encode()
    assert tables.read_table(data)["sheets"][0]["rows"] == [["a"]]


def test_a_cell_too_long_is_told_with_its_sheet_and_row() -> None:
    facts = {"limit": LONGEST_CELL, "sheet": "1", "row": "2"}
    assert refused(a_book([["a"], ["字" * (LONGEST_CELL + 1)]])) == Fault("file", "cell_long", facts)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(Reason.ENCRYPTED), "sheet_locked"),
        (Failure(Reason.BROKEN, "sheets"), "not_a_sheet"),
        (Failure(Reason.TOO_LARGE), "too_many_rows"),
        (Failure(Reason.CRASHED, "table"), "not_a_sheet"),
    ],
)
def test_other_reasons_have_their_words(failure: Failure, code: str) -> None:
    assert refusal(failure).code == code
