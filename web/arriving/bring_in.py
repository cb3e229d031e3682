"""Pages that bring a spreadsheet in: sent, its columns said, checked, its good rows catalogued."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from archive.bringing_in.files import wanted
from archive.bringing_in.rows import OWN, Checked
from archive.bringing_in.sheets import Open, Tables
from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.model import SheetState
from archive.scheme.fields import FieldDef, parse_fields
from indexer.extract.answer import Failure, Reason
from indexer.tables import read_sheets
from web.directory import CategoryShown
from web.i18n import current_locale
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words import columns as column_words
from web.words.faults import explain_fault, field_label, status_of

pages = Blueprint("bring_in", __name__)

SAMPLES = 5
"""Rows that the page of the columns shows."""

MOST_TOLD = 500
"""Rows with faults that the page of the check lists; the file holds all."""


@pages.get("/bring-in")
def mine() -> str:
    """Show where a spreadsheet is sent, and what this person has under way."""
    return _first()


@pages.post("/bring-in")
def take() -> BaseResponse:
    """Take a spreadsheet in and go on to its columns."""
    sent = request.files.get("file") or FileStorage()
    category = _category(request.form.get("category", ""))
    missing = [
        Fault(name, "required") for name, there in (("file", sent.filename), ("category", category)) if not there
    ]
    try:
        tables = [] if missing else _read(sent)
        key = (
            category and not missing and services().bringing.begin(identity(), sent.filename or "", category.id, tables)
        )
    except InvalidInput as error:
        return make_response(_first(error), status_of(error))
    if not key:
        return make_response(_first(InvalidInput(*missing)), 422)
    return redirect(url_for("bring_in.columns", sheet_id=key), 303)


@pages.get("/bring-in/<uuid:sheet_id>/columns")
def columns(sheet_id: UUID) -> str | BaseResponse:
    """Ask what each column is; what the headers' words or an earlier sheet say is proposed."""
    sheet = services().bringing.open(identity(), sheet_id)
    if sheet.state is not SheetState.PREPARED:
        return redirect(url_for("bring_in.show", sheet_id=sheet_id), 303)
    wanted = request.args.get("sheet", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 and int(wanted) != sheet.chosen:
        services().bringing.choose(identity(), sheet_id, int(wanted))
        return redirect(url_for("bring_in.columns", sheet_id=sheet_id), 303)
    remembered = services().bringing.remembered(identity(), sheet.headers)
    fields = _fields(sheet)
    known = {name for name, _words in column_words.choices(fields, "en")}
    found = sheet.columns or [name if name in known else "" for name in remembered]
    return _columns(sheet, fields, found or column_words.proposed(sheet.headers, fields), bool(remembered))


@pages.post("/bring-in/<uuid:sheet_id>/columns")
def say(sheet_id: UUID) -> BaseResponse:
    """Keep what the columns are and go on to the check."""
    said = request.form.getlist("column")
    try:
        services().bringing.set_columns(identity(), sheet_id, said)
    except InvalidInput as error:
        sheet = services().bringing.open(identity(), sheet_id)
        return make_response(_columns(sheet, _fields(sheet), said, remembered=False, error=error), status_of(error))
    return redirect(url_for("bring_in.check", sheet_id=sheet_id), 303)


@pages.get("/bring-in/<uuid:sheet_id>/check")
def check(sheet_id: UUID) -> str | BaseResponse:
    """Show what would come in and what would not, row by row; nothing is written."""
    sheet = services().bringing.open(identity(), sheet_id)
    if sheet.state is not SheetState.PREPARED:
        return redirect(url_for("bring_in.show", sheet_id=sheet_id), 303)
    if not sheet.columns:
        return redirect(url_for("bring_in.columns", sheet_id=sheet_id), 303)
    checked = services().bringing.check(identity(), sheet_id)
    bad = [each for each in checked if each.faults]
    return render_template(
        "bring_in_check.html", sheet=sheet, category=_category(str(sheet.category_id)), rows=len(checked),
        good=len(checked) - len(bad), bad=len(bad), told=[_told(sheet, each) for each in bad[:MOST_TOLD]],
        doubles=[each for each in checked if each.same_as], samples=[each for each in checked if not each.faults][:3],
        files=sum(len(each.files) for each in checked),
    )  # fmt: skip


@pages.post("/bring-in/<uuid:sheet_id>/start")
def start(sheet_id: UUID) -> BaseResponse:
    """Bring the good rows in, or go on with it."""
    services().bringing.start(identity(), sheet_id)
    return redirect(url_for("bring_in.show", sheet_id=sheet_id), 303)


@pages.post("/bring-in/<uuid:sheet_id>/stop")
def stop(sheet_id: UUID) -> BaseResponse:
    """Stop after the batch that is under way."""
    services().bringing.stop(identity(), sheet_id)
    return redirect(url_for("bring_in.show", sheet_id=sheet_id), 303)


@pages.post("/bring-in/<uuid:sheet_id>/forget")
def forget(sheet_id: UUID) -> BaseResponse:
    """Forget the spreadsheet; its records stay."""
    services().bringing.forget(identity(), sheet_id)
    flash(_("The spreadsheet is forgotten. Records that came of it stay."))
    return redirect(url_for("bring_in.mine"), 303)


@pages.get("/bring-in/<uuid:sheet_id>")
def show(sheet_id: UUID) -> str | BaseResponse:
    """Show how far it is; while it runs, the page comes again by itself."""
    sheet = services().bringing.open(identity(), sheet_id)
    if sheet.state is SheetState.PREPARED:
        return redirect(url_for("bring_in.check", sheet_id=sheet_id), 303)
    named = "file" in sheet.columns and sheet.state is not SheetState.RUNNING
    return render_template(
        "bring_in_run.html",
        sheet=sheet,
        named=named,
        wanted=wanted(services().db, services().bringing, identity(), sheet_id) if named else (),
        category=_category(str(sheet.category_id)),
        rows=len(sheet.rows),
        stuck=sheet.state is SheetState.RUNNING and not sheet.unfinished,
    )


@pages.get("/bring-in/<uuid:sheet_id>/faults.xlsx")
def faults(sheet_id: UUID) -> Response:
    """Send the rows that are not in as a spreadsheet, with a last column of their faults, to mend and send again."""
    sheet = services().bringing.open(identity(), sheet_id)
    bad = [each for each in services().bringing.check(identity(), sheet_id) if each.faults]
    headers = sheet.headers
    wide = max([len(headers), *(len(each.row.cells) for each in bad)])
    names = [*headers, *[""] * (wide - len(headers))]
    rows = [[*each.row.cells, *[""] * (wide - len(each.row.cells)), "\n".join(_faults(sheet, each))] for each in bad]
    body = {"sheet": str(sheet_id), "rows": len(rows)}
    services().readings.begin(identity(), "batch.faults", body=body).result()
    book = workbook([*((name, 20) for name in names), (_("Faults"), 80)], rows)
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-faults.xlsx"'})


def _first(error: InvalidInput | None = None) -> str:
    told = error.faults if error else ()
    return render_template(
        "bring_in.html",
        categories=services().directory.categories(),
        fonds=services().directory.fonds(),
        sheets=services().bringing.mine(identity()),
        values=request.form,
        faults={each.field: explain_fault(each, current_locale()) for each in told},
    )


def _read(sent: FileStorage) -> Tables:
    """Have the cells read behind the walls of a fork.

    Raises:
        InvalidInput: it is none that can be read, or too long.
    """
    data = sent.stream.read()
    if not data:
        raise InvalidInput(Fault("file", "empty_file", {"name": (sent.filename or "")[:200]}))
    found = read_sheets(services().drawer, data)
    if isinstance(found, Failure):
        code = {Reason.ENCRYPTED: "sheet_locked", Reason.TOO_LARGE: "too_many_rows"}.get(found.reason, "not_a_sheet")
        raise InvalidInput(Fault("file", code, {"limit": 5000}))
    if any(more for _name, _rows, more in found):
        raise InvalidInput(Fault("file", "too_many_rows", {"limit": 5000}))
    return [(name, rows) for name, rows, _more in found]


def _category(text: str) -> CategoryShown | None:
    try:
        return services().directory.category(UUID(text)) if text else None
    except ValueError:
        return None


def _fields(sheet: Open) -> Sequence[FieldDef]:
    category = _category(str(sheet.category_id))
    if category is None:
        raise NotFound
    return parse_fields(category.fields)


def _columns(
    sheet: Open, fields: Sequence[FieldDef], said: Sequence[str], remembered: bool, error: ArchiveError | None = None
) -> str:
    rows = sheet.rows
    wide = max(len(sheet.headers), *(len(row.cells) for row in rows)) if rows else len(sheet.headers)
    samples = [list(row.cells) + [""] * (wide - len(row.cells)) for row in rows[:SAMPLES]]
    told = error.faults if isinstance(error, InvalidInput) else ()
    shown = [
        (_letters(at), header or "", chosen or "", [row[at] for row in samples if row[at]][:3])
        for at, (_n, header, chosen) in enumerate(zip_longest(range(wide), sheet.headers, said[:wide]))
    ]
    return render_template(
        "bring_in_columns.html", sheet=sheet, category=_category(str(sheet.category_id)), columns=shown,
        choices=column_words.choices(fields, current_locale()), remembered=remembered, rows=len(rows),
        lines=[f"{_label(sheet, each.field)}{_colon()}{explain_fault(each, current_locale())}" for each in told],
    )  # fmt: skip


def _told(sheet: Open, each: Checked) -> dict[str, Any]:
    return {"row": each.row.number, "cells": each.row.cells, "faults": _faults(sheet, each)}


def _faults(sheet: Open, each: Checked) -> list[str]:
    """Return the faults of a row, each with its column (letter and header) where it has one."""
    lines = []
    for fault in each.faults:
        names = (fault.field, OWN + fault.field)
        at = next((at for at, name in enumerate(sheet.columns) if name in names), None)
        header = sheet.headers[at] if at is not None and at < len(sheet.headers) else ""
        where = _label(sheet, fault.field) if at is None else f"{_letters(at)} {header}".strip()
        lines.append(f"{where}{_colon()}{explain_fault(fault, current_locale())}")
    return lines


def _label(sheet: Open, name: str) -> str:
    own = {field.name: field.label(current_locale()) for field in _fields(sheet)}
    return own.get(name) or field_label(name, current_locale())


def _colon() -> str:
    return ": " if current_locale() == "en" else "："


def _letters(at: int) -> str:
    """Return the letters of a column, counted from 0: A to Z, then AA."""
    text = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        text = chr(65 + rest) + text
    return text
