"""A spreadsheet that comes in, for pages and programs: its cells, its columns, what is wrong with its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, g

from archive.bringing_in.rows import OWN, Checked
from archive.bringing_in.sheets import Open, Tables
from archive.errors import Fault, InvalidInput, NotFound
from archive.scheme.fields import FieldDef, parse_fields
from indexer.extract.answer import Failure
from indexer.tables import read_sheets, refusal
from web.i18n import current_locale
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words import columns as column_words
from web.words import mark, translator
from web.words.faults import explain_fault, field_label

FAULTS = mark("Faults")
MOST_ROWS = 5000


@dataclass(frozen=True)
class ToldFault:
    """What is wrong with a cell: its column's letters ("" where it is no column's) and header, and words."""

    fault: Fault
    letters: str
    where: str
    words: str


def read(name: str, data: bytes) -> Tables:
    """Have the cells read behind the walls of a fork.

    Raises:
        InvalidInput: it is none that can be read, or too long.
    """
    if not data:
        raise InvalidInput(Fault("file", "empty_file", {"name": name[:200]}))
    found = read_sheets(services().drawer, data)
    if isinstance(found, Failure):
        raise InvalidInput(refusal(found))
    if any(more for _name, _rows, more in found):
        raise InvalidInput(Fault("file", "too_many_rows", {"limit": MOST_ROWS}))
    return [(name, rows) for name, rows, _more in found]


def fields_of(sheet: Open) -> Sequence[FieldDef]:
    """Return the own fields of the category that a spreadsheet is brought into."""
    category = services().directory.category(sheet.category_id)
    if category is None:
        raise NotFound
    return parse_fields(category.fields)


def proposal(sheet: Open, fields: Sequence[FieldDef]) -> tuple[Sequence[str], bool]:
    """Return what each column is: as said, else as of the last sheet with these headers (True), else by the headers."""
    remembered = services().bringing.remembered(identity(), sheet.headers)
    known = {name for name, _words in column_words.choices(fields, "en")}
    found = sheet.columns or [name if name in known else "" for name in remembered]
    return found or column_words.proposed(sheet.headers, fields), bool(remembered)


def faults_of(sheet: Open, each: Checked) -> list[ToldFault]:
    """Return the faults of a row, each with its column (letter and header) where it has one."""
    told = []
    for fault in each.faults:
        names = (fault.field, OWN + fault.field)
        at = next((at for at, name in enumerate(sheet.columns) if name in names), None)
        header = sheet.headers[at] if at is not None and at < len(sheet.headers) else ""
        letters = "" if at is None else letters_of(at)
        where = label(sheet, fault.field) if at is None else f"{letters} {header}".strip()
        told.append(ToldFault(fault, letters, where, explain_fault(fault, current_locale())))
    return told


def lines_of(sheet: Open, each: Checked) -> list[str]:
    """Return the faults of a row in words."""
    return [f"{told.where}{colon()}{told.words}" for told in faults_of(sheet, each)]


def faults_book(sheet: Open) -> Response:
    """Send the rows that are not in as a spreadsheet, with a last column of their faults; it is logged."""
    bad = [each for each in services().bringing.check(identity(), sheet.id) if each.faults]
    wide = max([len(sheet.headers), *(len(each.row.cells) for each in bad)])
    names = [*sheet.headers, *[""] * (wide - len(sheet.headers))]
    rows = [[*each.row.cells, *[""] * (wide - len(each.row.cells)), "\n".join(lines_of(sheet, each))] for each in bad]
    body = {"sheet": str(sheet.id), "rows": len(rows)}
    services().readings.begin(identity(), "batch.faults", body=body).result()
    book = workbook([*((name, 20) for name in names), (translator(current_locale())(FAULTS), 80)], rows)
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-faults.xlsx"'})


def label(sheet: Open, name: str) -> str:
    """Return what a field is called."""
    own = g.setdefault("sheet_labels", {})
    if sheet.category_id not in own:  # a sheet has many faults, and one category
        own[sheet.category_id] = {field.name: field.label(current_locale()) for field in fields_of(sheet)}
    return own[sheet.category_id].get(name) or field_label(name, current_locale())


def colon() -> str:
    """Return the colon of the language."""
    return ": " if current_locale() == "en" else "："


def letters_of(at: int) -> str:
    """Return the letters of a column, counted from 0: A to Z, then AA."""
    text = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        text = chr(65 + rest) + text
    return text
