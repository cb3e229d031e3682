"""The copy register 复制登记簿: which marked copies were taken, compared by whom; and whose copy a file is."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Conflict, InvalidInput
from archive.loans.marking import CopyShown
from archive.policy.rules import Act
from web import paging
from web.asking import require
from web.i18n import current_locale
from web.prints.filled import book_sent
from web.reading.marked import MOST_TRACED, traced
from web.services import identity, services
from web.sheets import workbook
from web.words import mark, translator
from web.words.faults import explain, status_of

pages = Blueprint("marked_copies", __name__)

PAGE = 100
MOST = 2_000
"""Copies of a spreadsheet."""

COLUMNS = (
    (mark("Marked copy"), 8), (mark("Number"), 30), (mark("Name of the file"), 40), (mark("Pages"), 12),
    (mark("For whom"), 16), (mark("Taken at"), 18), (mark("Loan"), 8), (mark("Compared by"), 16),
    (mark("Compared on"), 12),
)  # fmt: skip


@pages.get("/loans/copies")
def every() -> BaseResponse:
    """List the copies that were taken of records that this person lends."""
    return _register()


@pages.get("/loans/copies/list.xlsx")
def sheet() -> Response:
    """Send the copy register as a spreadsheet."""
    found = services().lending.marking.register(identity(), limit=MOST)
    services().readings.begin(identity(), "copy.export", body={"rows": len(found)}).result()
    say = translator(current_locale())
    heads = [(say(words), width) for words, width in COLUMNS]
    book = workbook(heads, [_row(each) for each in found])
    return book_sent(book, "juanku-copy-register")


@pages.post("/loans/copies/<uuid:mark_id>/compared")
def compare(mark_id: UUID) -> BaseResponse:
    """Write down who compared a copy with the original."""
    text = request.form.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    try:
        services().lending.marking.compare(identity(), mark_id, request.form.get("person", ""), version=version)
    except (InvalidInput, Conflict) as error:
        return _register(error)
    flash(_("It is written down who compared the copy with the original."))
    return redirect(url_for(".every"), 303)


@pages.get("/trace")
def tracing() -> BaseResponse:
    """Ask for a copy that turned up somewhere."""
    require(Act.TRACE)
    return _traced(None, [])


@pages.post("/trace")
def trace() -> BaseResponse:
    """Tell whose copy a file is."""
    require(Act.TRACE)
    file = request.files.get("file")
    name = (file.filename if file else None) or ""
    try:
        found = traced(services(), identity(), name, file.stream.read(MOST_TRACED + 1) if file else b"")
    except InvalidInput as error:
        return _traced(None, explain(error, current_locale()), status_of(error))
    return _traced(found, [], name=name)


def _traced(
    found: Sequence[CopyShown] | None, lines: list[str], status: int = 200, name: str = ""
) -> BaseResponse:  # fmt: skip
    return make_response(render_template("lending/trace.html", found=found, lines=lines, name=name), status)


def _register(error: ArchiveError | None = None) -> BaseResponse:
    behind = paging.read_position(request.args.get("after", ""))
    found = services().lending.marking.register(identity(), behind, PAGE + 1)
    shown = found[:PAGE]
    page = render_template(
        "lending/copies.html", found=shown, lines=explain(error, current_locale()) if error else [],
        more=url_for(".every", after=shown[-1].mark.serial) if len(found) > PAGE else None, most=MOST,
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _row(each: CopyShown) -> list[str | int]:
    row = each.mark
    return [
        row.serial or "", each.record or "", each.name or "", f"{row.first}–{row.last}" if row.first else "",
        each.person, each.at.strftime("%Y-%m-%d %H:%M"), each.loan or "", each.compared_by,
        str(services().guard.day(row.compared_at)) if row.compared_at else "",
    ]  # fmt: skip
