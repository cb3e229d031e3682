"""The house's calendar: which days of the week are worked, and which days are otherwise."""

import re
from collections.abc import Sequence
from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.calendar_moves import Shift
from archive.errors import Fault, InvalidInput
from archive.policy.rules import Act
from archive.reminding.workdays import NamedDay, with_days
from web.asking import require
from web.i18n import current_locale
from web.services import identity, services
from web.words.deadlines import KINDS
from web.words.faults import explain_fault, status_of

pages = Blueprint("calendar", __name__, url_prefix="/house/calendar")

SHOWN = 50
"""Days that would move, on the page."""

WORKED = frozenset({"work", "works", "working", "worked", "班", "上班", "工作", "补班", "補班", "yes"})
OFF = frozenset({"off", "holiday", "休", "放假", "休息", "假", "no"})
"""Words for a day that is worked or not, as people type them or have them in a spreadsheet."""


@pages.get("")
def show() -> BaseResponse:
    """Show the week and the days of a year."""
    require(Act.MANAGE_SCHEME)
    return _page()


@pages.post("/week")
def week() -> BaseResponse:
    """Say which days of the week are worked."""
    chosen = [int(text) for text in request.form.getlist("weekday") if text in set("0123456")]
    try:
        services().telling.workdays.set_week(identity(), chosen)
    except InvalidInput as error:
        return _page(error)
    flash(_("The working days are saved."))
    return _done()


@pages.post("/days")
def days() -> BaseResponse:
    """Enter days, one a line, as typed or copied from a spreadsheet; or (``look``) only say what would move by them."""
    require(Act.MANAGE_SCHEME)
    try:
        found = read_days(request.form.get("days", ""))
        if request.form.get("look"):
            return _page(
                moving=services().telling.calendar_moves.preview(identity(), lambda now: with_days(now, found))
            )
        count = services().telling.workdays.set_days(identity(), found)
    except InvalidInput as error:
        return _page(error)
    flash(ngettext("%(num)d day is entered.", "%(num)d days are entered.", count))
    return _done(found[0].day.year)


@pages.post("/forget")
def forget() -> BaseResponse:
    """Take a day out of the calendar."""
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        return _done()
    services().telling.workdays.forget_day(identity(), day)
    return _done(day.year)


def read_days(text: str) -> list[NamedDay]:
    """Read days: a day, whether it is worked, and a name, parted by tabs, commas or blanks.

    Raises:
        InvalidInput: field ``days``, naming the line.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        first, said, name = (*re.split(r"[\t,，;；]\s*|\s+", line.strip(), maxsplit=2), "", "")[:3]
        try:
            day = date.fromisoformat("-".join(part.zfill(2) for part in re.findall(r"\d+", first)))
        except ValueError:
            raise InvalidInput(Fault("days", "not_a_day_line", {"line": number})) from None
        if said.lower() not in WORKED | OFF:
            raise InvalidInput(Fault("days", "not_a_day_line", {"line": number}))
        found.append(NamedDay(day, said.lower() in WORKED, name.strip()))
    if not found:
        raise InvalidInput(Fault("days", "required"))
    return found


def _page(error: InvalidInput | None = None, moving: Sequence[Shift] | None = None) -> BaseResponse:
    asked = request.args.get("year", "")
    year = int(asked) if re.fullmatch(r"[12][0-9]{3}", asked) else services().guard.day().year
    kept = services().telling.workdays
    faults = {fault.field: explain_fault(fault, current_locale()) for fault in error.faults} if error else {}
    page = render_template(
        "house/calendar.html", year=year, worked=kept.calendar().worked, days=kept.year(year), faults=faults,
        typed=request.form.get("days", ""), moving=None if moving is None else moving[:SHOWN],
        moves=len({(each.kind, each.subject_id, each.clock) for each in moving or ()}), words=KINDS,
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _done(year: int | None = None) -> BaseResponse:
    return redirect(url_for("calendar.show", year=year), 303)
