"""The loan register 借阅登记簿: on screen, as a spreadsheet, as a PDF; what is overdue; a record's whole history."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.loans.looks import LoanShown
from archive.model import LoanState
from web import paging
from web.i18n import current_locale
from web.lending.papers import notices_pdf, register_pdf, register_rows
from web.prints.filled import book_sent, pdf_sent
from web.services import identity, services
from web.sheets import workbook
from web.words import translator
from web.words.loans import STATES

pages = Blueprint("loan_register", __name__, url_prefix="/loans/register")

PAGE = 100
MOST = 2_000
"""Loans of a spreadsheet or a PDF."""


@pages.get("")
def every() -> str:
    """List the loans of records that this person lends."""
    after, late = request.args.get("after", ""), _overdue()
    behind = paging.read_day(after) if late else paging.read_position(after)
    found = services().lending.looks.register(identity(), **_asked(), after=behind, limit=PAGE + 1)
    shown, more = found[:PAGE], None
    if len(found) > PAGE:
        asked: dict[str, Any] = {**request.args.to_dict(), "after": place_of(shown[-1], late=late)}
        more = url_for(".every", **asked)
    return render_template(
        "lending/register.html", found=shown, more=more, more_of=services().lending.registered.of(shown),
        state=request.args.get("state", ""), states=_states(),
        asked={name: value for name, value in request.args.items() if name in {"state", "record"}},
        record=request.args.get("record", ""), most=MOST,
    )  # fmt: skip


@pages.get("/list.xlsx")
def sheet() -> Response:
    """Send the register as a spreadsheet."""
    heads, rows = register_rows(_all(), current_locale())
    _note("loan.export", len(rows))
    book = workbook(heads, rows)
    return book_sent(book, "juanku-loan-register")


@pages.get("/list.pdf")
def printed() -> Response:
    """Send the register as a PDF."""
    found = _all()
    made = register_pdf(found)
    _note("loan.print", len(found))
    return pdf_sent(made, "juanku-loan-register")


@pages.get("/notices.pdf")
def notices() -> BaseResponse:
    """Send notices to bring back the papers that are overdue or were called back, one for each borrower."""
    looks, open_ = services().lending.looks, [LoanState.OPEN]
    late = looks.register(identity(), overdue=True, limit=MOST)
    back = looks.register(identity(), states=open_, recalled=True, limit=MOST)
    found = list({each.loan.id: each for each in (*late, *back)}.values())[:MOST]
    if not found:
        flash(_("Nothing is overdue or called back."))
        return redirect(url_for(".every", state="overdue"), 303)
    made = notices_pdf(found, services().guard.day())
    _note("loan.print", len(found))
    return pdf_sent(made, "juanku-notices")


def place_of(each: LoanShown, *, late: bool) -> str:
    """Return where a list goes on behind a loan, as an address holds it; ``late``: a list of what is overdue."""
    loan = each.loan
    return paging.told_day((loan.due_on, loan.id)) if late and loan.due_on else str(loan.number)


def _all() -> Sequence[LoanShown]:
    return services().lending.looks.register(identity(), **_asked(), limit=MOST)


def _asked() -> dict[str, Any]:
    record = request.args.get("record", "")
    state = request.args.get("state", "")
    try:
        key = UUID(record) if record else None
    except ValueError:
        key = UUID(int=0)
    known = [LoanState(state)] if state in STATES else []
    return {"record_id": key, "states": known, "overdue": _overdue()}


def _overdue() -> bool:
    return request.args.get("state") == "overdue"


def _states() -> list[tuple[str, str]]:
    say = translator(current_locale())
    return [("", _("All")), ("open", say(STATES["open"])), ("overdue", _("Overdue")), ("ready", say(STATES["ready"])),
            ("asked", say(STATES["asked"])), ("returned", say(STATES["returned"]))]  # fmt: skip


def _note(act: str, rows: int) -> None:
    """Write who took the register away; nothing is sent before it is durable."""
    services().readings.begin(identity(), act, body={"rows": rows, **request.args.to_dict()}).result()
