"""The cells of a spreadsheet, read behind the walls of a fork."""

from archive.errors import Fault
from indexer.extract.answer import Failure, Reason
from indexer.extract.table_limits import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, MOST_SHEETS
from indexer.sandbox.client import Extractor
from indexer.sandbox.tasks import TABLE

Table = tuple[str, list[list[str]], bool]
"""A sheet: its name, its rows of cells, and whether rows were left out."""


def read_sheets(extractor: Extractor, data: bytes) -> list[Table] | Failure:
    """Return the sheets of a spreadsheet, or why it cannot be read.

    Raises:
        Unavailable: no fork server can be started.
    """
    file = extractor.hold([data], len(data))
    try:
        answer = extractor.done_held(TABLE, file, 1)
    finally:
        file.close()
    if isinstance(answer, Failure):
        return answer
    try:
        return [
            (str(sheet["name"]), [[str(cell) for cell in row] for row in sheet["rows"]], bool(sheet["more"]))
            for sheet in answer["sheets"]
        ]
    except (KeyError, TypeError):
        return Failure(Reason.CRASHED, "table")


_TOO_LARGE = {
    "sheets": ("book_sheets", MOST_SHEETS),
    "columns": ("row_columns", MOST_COLUMNS),
    "cell": ("cell_long", LONGEST_CELL),
}
"""By what a fork has too much of: the code that says so, and how much is read."""


def refusal(failure: Failure) -> Fault:
    """Return what is wrong with the field ``file`` of a spreadsheet that is not read."""
    if failure.reason is Reason.ENCRYPTED:
        return Fault("file", "sheet_locked")
    if failure.reason is not Reason.TOO_LARGE:
        return Fault("file", "not_a_sheet")
    what, *where = failure.detail.split(" ")
    place = dict(zip(("sheet", "row"), where, strict=False))
    code, limit = _TOO_LARGE.get(what, ("too_many_rows", MOST_ROWS))
    return Fault("file", code, {"limit": limit, **place})
