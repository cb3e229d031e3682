"""What programs send and are answered of spreadsheets whose rows become records."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from archive.model import SheetState
from web.api.given import Code, Page
from web.api.made import Next
from web.api.shapes import Shape


class NewSpreadsheet(Shape):
    """A spreadsheet (xlsx, xls, ods, csv) to be brought into a category; the file itself is the body."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Of the file.")
    fonds: Code
    category: Code


class Columns(Shape):
    """What each column is, from the first: one of ``choices``, or "" for nothing."""

    columns: list[Annotated[str, Field(max_length=100)]] = Field(max_length=1_000)
    sheet: int | None = Field(None, ge=0, le=99, description="Which sheet of the workbook, from 0.")


class SpreadsheetListed(Shape):
    """A spreadsheet of yours. ``running`` ends with all good rows in; ``unfinished``: a job is at work."""

    spreadsheet: UUID
    name: str
    state: SheetState
    unfinished: bool
    rows: int
    brought: int
    created_at: datetime


class SpreadsheetShown(SpreadsheetListed):
    """A spreadsheet with its columns: ``columns`` as said ([]: not yet), ``proposed`` by the headers."""

    fonds: str
    category: str
    sheets: list[str]
    sheet: int
    headers: list[str]
    columns: list[str]
    proposed: list[str]
    choices: dict[str, str] = Field(description="What a column may be, with its words; `f.` begins a category's own.")


class SpreadsheetBegun(Shape):
    """The spreadsheet that was taken."""

    spreadsheet: UUID


class Spreadsheets(Shape):
    """Your spreadsheets, the newest first."""

    spreadsheets: list[SpreadsheetListed]


class RowPage(Page):
    """From which row on."""

    limit: int = Field(50, ge=1, le=1_000)


class CellFault(Shape):
    """What is wrong in a row; ``column`` is its letters (null: no column has it), ``where`` those and its header."""

    column: str | None
    where: str
    field: str
    code: str
    detail: str
    facts: dict[str, JsonValue]


class RowAtFault(Shape):
    """A row that does not come in as it is."""

    row: int
    cells: list[str]
    faults: list[CellFault]


class RowsChecked(Shape):
    """What would come in now; nothing is written. ``same``: rows that say what an earlier one says, with that one."""

    rows: int
    good: int
    bad: int
    faults: list[RowAtFault]
    same: dict[int, int]
    next: Next


class RowBrought(Shape):
    """A row that is in; ``files`` are the names it gives, as far as its record does not have them yet."""

    row: int
    record: UUID
    files: list[str]


class RowsBrought(Shape):
    """One page of the rows that are in, by number."""

    rows: list[RowBrought]
    next: Next
