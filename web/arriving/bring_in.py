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
from archive.bringing_in.rows import Checked
from archive.bringing_in.sheets import Open
from archive.errors import ArchiveError, Fault, InvalidInput
from archive.model import SheetState
from archive.scheme.fields import FieldDef
from web.arriving.sheet_reading import colon, faults_book, fields_of, label, letters_of, lines_of, proposal, read
from web.directory import CategoryShown
from web.i18n import current_locale
from web.services import identity, services
from web.words import columns as column_words
from web.words.faults import explain_fault, status_of

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
    services().bringing.require(identity())
    sent = request.files.get("file") or FileStorage()
    category = _category(request.form.get("category", ""))
    missing = [
        Fault(name, "required") for name, there in (("file", sent.filename), ("category", category)) if not there
    ]
    try:
        tables = [] if missing else read(sent.filename or "", sent.stream.read())
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
    fields = fields_of(sheet)
    said, remembered = proposal(sheet, fields)
    return _columns(sheet, fields, said, remembered)


@pages.post("/bring-in/<uuid:sheet_id>/columns")
def say(sheet_id: UUID) -> BaseResponse:
    """Keep what the columns are and go on to the check."""
    said = request.form.getlist("column")
    try:
        services().bringing.set_columns(identity(), sheet_id, said)
    except InvalidInput as error:
        sheet = services().bringing.open(identity(), sheet_id)
        return make_response(_columns(sheet, fields_of(sheet), said, remembered=False, error=error), status_of(error))
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
    return faults_book(services().bringing.open(identity(), sheet_id))


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


def _category(text: str) -> CategoryShown | None:
    try:
        return services().directory.category(UUID(text)) if text else None
    except ValueError:
        return None


def _columns(
    sheet: Open, fields: Sequence[FieldDef], said: Sequence[str], remembered: bool, error: ArchiveError | None = None
) -> str:
    rows = sheet.rows
    wide = max(len(sheet.headers), *(len(row.cells) for row in rows)) if rows else len(sheet.headers)
    samples = [list(row.cells) + [""] * (wide - len(row.cells)) for row in rows[:SAMPLES]]
    told = error.faults if isinstance(error, InvalidInput) else ()
    shown = [
        (letters_of(at), header or "", chosen or "", [row[at] for row in samples if row[at]][:3])
        for at, (_n, header, chosen) in enumerate(zip_longest(range(wide), sheet.headers, said[:wide]))
    ]
    return render_template(
        "bring_in_columns.html", sheet=sheet, category=_category(str(sheet.category_id)), columns=shown,
        choices=column_words.choices(fields, current_locale()), remembered=remembered, rows=len(rows),
        lines=[f"{label(sheet, each.field)}{colon()}{explain_fault(each, current_locale())}" for each in told],
    )  # fmt: skip


def _told(sheet: Open, each: Checked) -> dict[str, Any]:
    return {"row": each.row.number, "cells": each.row.cells, "faults": lines_of(sheet, each)}
