"""Vital records: marked on their page or many at once from lists, and listed by the day of their review."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import InvalidInput
from web import paging
from web.days import day_needed
from web.i18n import current_locale
from web.lists import back, readable, ticked
from web.security import local_path
from web.services import identity, services
from web.words.faults import explain_fault, status_of

pages = Blueprint("vital", __name__)

PAGE = 50
YEARS = 1
"""In so many years a mark is looked at again, unless another day is chosen."""


@pages.get("/vital")
def waiting() -> str:
    """List the vital records that the person may read, or those whose review has come, the earliest first."""
    due = request.args.get("due") == "1"
    found = services().vital.list(
        identity(), due=due, after=paging.read_day(request.args.get("after", "")), limit=PAGE + 1
    )
    last = found[PAGE - 1] if len(found) > PAGE else None
    return render_template(
        "vital.html", records=found[:PAGE], due=due, day=services().guard.day(),
        more=paging.told_day((last.vital_review, last.id)) if last and last.vital_review else None,
    )  # fmt: skip


@pages.post("/vital")
def mark() -> BaseResponse:
    """Ask for the day of the review, then mark the chosen records; or take their marks off."""
    form, ids = request.form, ticked()
    if not ids:
        flash(_("Choose the records first."))
        return back()
    if form.get("what") == "unmark":
        count = services().vital.mark(identity(), ids, None)
        flash(ngettext("%(num)d record is no longer vital.", "%(num)d records are no longer vital.", count))
        return _done(ids)
    if "review" not in form:
        return _ask(ids)
    try:
        count = services().vital.mark(identity(), ids, day_needed(form["review"], "review"))
    except InvalidInput as error:
        return _ask(ids, error)
    flash(ngettext("%(num)d record is marked as vital.", "%(num)d records are marked as vital.", count))
    return _done(ids)


def offered(chosen: date | None = None) -> str:
    """Return the day of a review that a form begins with: the one that was chosen while it is to come, else a year."""
    day = services().guard.day()
    if chosen is not None and chosen > day:
        return chosen.isoformat()
    return f"{day.year + YEARS}-{day.month:02d}-{min(day.day, 28):02d}"


def _ask(ids: Sequence[UUID], error: InvalidInput | None = None) -> BaseResponse:
    fault = explain_fault(error.faults[0], current_locale()) if error else ""
    page = render_template(
        "vital_mark.html", records=readable(list(ids)), back=local_path(request.form.get("back")), fault=fault,
        review=request.form.get("review") or offered(),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _done(ids: Sequence[UUID]) -> BaseResponse:
    if "back" in request.form:
        return back()
    return redirect(url_for("records.show", record_id=ids[0]), 303)
