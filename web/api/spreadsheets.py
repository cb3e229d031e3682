"""Spreadsheets: sent, their columns said, checked without writing, good rows brought in, bad rows back as a file."""

from typing import Any
from uuid import UUID

from flask import Response

from archive.bringing_in.files import wanted
from archive.bringing_in.sheets import Open
from archive.errors import Fault, InvalidInput
from web import paging
from web.api import made_of_spreadsheets as made
from web.api import problems
from web.api.names import behind, category_id, fonds_id, page
from web.api.operations import operation
from web.arriving.sheet_reading import faults_book, faults_of, fields_of, proposal, read
from web.services import identity, services
from web.words import columns as column_words


@operation("/spreadsheets")
def spreadsheets() -> made.Spreadsheets:
    """List your spreadsheets that are under way, the newest first."""
    rows = services().bringing.mine(identity())
    return made.Spreadsheets(spreadsheets=[made.SpreadsheetListed(**_listed(each)) for each in rows])


@operation("/spreadsheets", 403, 413, 503, method="POST", status=201, made_at="/spreadsheets/{spreadsheet}")
def send_spreadsheet(query: made.NewSpreadsheet, body: bytes) -> made.SpreadsheetBegun:
    """Take a spreadsheet of at most 8 MiB and 5,000 rows; the first row that holds something has the headers."""
    services().bringing.require(identity())
    category = category_id(fonds_id(query.fonds), query.category)
    return made.SpreadsheetBegun(
        spreadsheet=services().bringing.begin(identity(), query.name, category, read(query.name, body))
    )


@operation("/spreadsheets/{spreadsheet_id}", 404)
def spreadsheet(spreadsheet_id: UUID) -> made.SpreadsheetShown:
    """Show a spreadsheet of yours: how far it is, its headers, what its columns may be."""
    return _shown(spreadsheet_id)


@operation("/spreadsheets/{spreadsheet_id}/columns", 404, 409, method="PUT")
def say_columns(spreadsheet_id: UUID, body: made.Columns) -> made.SpreadsheetShown:
    """Say what each column is; the next one with these headers is proposed the same."""
    services().bringing.set_columns(identity(), spreadsheet_id, body.columns, body.sheet)
    return _shown(spreadsheet_id)


@operation("/spreadsheets/{spreadsheet_id}/check", 404)
def check_spreadsheet(spreadsheet_id: UUID, query: made.RowPage) -> made.RowsChecked:
    """Check the rows that are not in, as cataloguing would now: each row at fault, each fault with its column."""
    sheet, behind_row = _with_columns(spreadsheet_id), behind(query.cursor, paging.read_position) or 0
    checked = services().bringing.check(identity(), spreadsheet_id)
    bad = [each for each in checked if each.faults]
    found = [each for each in bad if each.row.number > behind_row][: query.limit + 1]
    shown, following = page(found, query.limit, lambda each: str(each.row.number))
    faults = [
        made.RowAtFault(
            row=each.row.number,
            cells=list(each.row.cells),
            faults=[
                made.CellFault(
                    column=told.letters or None, where=told.where, field=told.fault.field, code=told.fault.code,
                    detail=told.words, facts=problems.plain(told.fault.facts),
                )
                for told in faults_of(sheet, each)
            ],
        )
        for each in shown
    ]  # fmt: skip
    return made.RowsChecked(
        rows=len(checked), good=len(checked) - len(bad), bad=len(bad), faults=faults,
        same={each.row.number: each.same_as for each in checked if each.same_as}, next=following,
    )  # fmt: skip


@operation("/spreadsheets/{spreadsheet_id}/start", 404, method="POST")
def start_spreadsheet(spreadsheet_id: UUID) -> made.SpreadsheetBegun:
    """Have the good rows brought in, or go on with it; asked again while it runs, nothing changes."""
    services().bringing.start(identity(), spreadsheet_id)
    return made.SpreadsheetBegun(spreadsheet=spreadsheet_id)


@operation("/spreadsheets/{spreadsheet_id}/stop", 404, method="POST", unlogged=True)
def stop_spreadsheet(spreadsheet_id: UUID) -> made.SpreadsheetBegun:
    """Stop after the batch that is under way; what is in stays."""
    services().bringing.stop(identity(), spreadsheet_id)
    return made.SpreadsheetBegun(spreadsheet=spreadsheet_id)


@operation("/spreadsheets/{spreadsheet_id}", 404, method="DELETE", status=204)
def forget_spreadsheet(spreadsheet_id: UUID) -> None:
    """Forget a spreadsheet; the records that came of it stay."""
    services().bringing.forget(identity(), spreadsheet_id)


@operation("/spreadsheets/{spreadsheet_id}/faults", 404)
def spreadsheet_faults(spreadsheet_id: UUID) -> Response:
    """Send the rows that are not in as an xlsx, with a last column of their faults, to mend and send again."""
    return faults_book(_with_columns(spreadsheet_id))


@operation("/spreadsheets/{spreadsheet_id}/records", 404)
def spreadsheet_records(spreadsheet_id: UUID, query: made.RowPage) -> made.RowsBrought:
    """List which row became which record, with the files that it names and that are still to be sent."""
    sheet, behind_row = services().bringing.open(identity(), spreadsheet_id), behind(query.cursor, paging.read_position)
    rows = sorted(each for each in sheet.brought.items() if each[0] > (behind_row or 0))[: query.limit + 1]
    shown, following = page(rows, query.limit, lambda each: str(each[0]))
    missing: dict[int, list[str]] = {}
    for each in wanted(services().db, services().bringing, identity(), spreadsheet_id):
        if not each.came:
            missing.setdefault(each.row, []).append(each.name)
    return made.RowsBrought(
        rows=[made.RowBrought(row=row, record=key, files=missing.get(row, [])) for row, key in shown], next=following
    )


def _with_columns(spreadsheet_id: UUID) -> Open:
    """Return a spreadsheet whose columns are said. Raises ``NotFound``, ``InvalidInput``."""
    sheet = services().bringing.open(identity(), spreadsheet_id)
    if not sheet.columns:
        raise InvalidInput(Fault("columns", "required"))
    return sheet


def _listed(sheet: Open) -> dict[str, Any]:
    return {
        "spreadsheet": sheet.id, "name": sheet.name, "state": sheet.state, "unfinished": sheet.unfinished,
        "rows": len(sheet.rows), "brought": len(sheet.brought), "created_at": sheet.created_at,
    }  # fmt: skip


def _shown(spreadsheet_id: UUID) -> made.SpreadsheetShown:
    sheet = services().bringing.open(identity(), spreadsheet_id)
    fields, directory = fields_of(sheet), services().directory
    category = directory.category(sheet.category_id)
    fonds = directory.fonds().get(category.fonds_id) if category else None
    proposed, _remembered = proposal(sheet, fields)
    return made.SpreadsheetShown(
        **_listed(sheet), fonds=fonds.code if fonds else "", category=category.code if category else "",
        sheets=[name for name, _rows in sheet.tables], sheet=sheet.chosen, headers=list(sheet.headers),
        columns=list(sheet.columns), proposed=list(proposed),
        choices=dict(column_words.choices(fields, problems.language())),
    )  # fmt: skip
