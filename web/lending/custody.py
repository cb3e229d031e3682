"""Standing custody: papers that a post keeps, when each was looked at, and hand-overs with a supervisor's signature."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, LockedOut, NotFound, SignInFailed
from archive.model import CopyCondition
from archive.policy.rules import Act
from archive.reasons import LONGEST_REASON
from web import paging
from web.faults import explain, status_of
from web.house.forms import require, told
from web.i18n import current_locale
from web.placing import numbered
from web.services import identity, services
from web.shelf_words import CONDITIONS
from web.words import translator

pages = Blueprint("standing_custody", __name__, url_prefix="/standing-custody")

PAGE = 50


@pages.get("")
def every() -> BaseResponse:
    """List the papers in standing custody that concern the person."""
    return _list()


@pages.post("")
def give() -> BaseResponse:
    """Give a paper into the custody of a post."""
    require(Act.SEE_LOANS)
    form = request.form
    try:
        number, _copy = numbered(form.get("number", "").strip()[:300])
        months = form.get("months", "").strip()
        months_now = int(months) if months.isascii() and months.isdigit() and len(months) < 4 else 0
        record = services().records.find_number(identity(), number)
        begun = services().lending.papers.give(
            identity(), record, form.get("holder", ""), months_now, form.get("reason", "")
        )
    except NotFound:
        return _list(InvalidInput(Fault("number", "no_such_number")))
    except InvalidInput as error:
        return _list(error)
    if begun.asked:
        flash(_("It is asked for. The house’s route says who decides; the last yes begins it."))
        return redirect(url_for("paper_requests.show", approval_id=begun.id), 303)
    flash(_("It is in the custody of the post."))
    return redirect(url_for(".every"), 303)


@pages.get("/<uuid:custody_id>")
def show(custody_id: UUID) -> BaseResponse:
    """Show one, with all that happened to it."""
    return _page(custody_id)


@pages.post("/<uuid:custody_id>/check")
def check(custody_id: UUID) -> BaseResponse:
    """Write down that it was looked at."""
    text, condition = request.form.get("pages", "").strip(), request.form.get("condition", "good")
    pages_now = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
    now = CopyCondition(condition) if condition in CONDITIONS else CopyCondition.GOOD
    services().lending.custody.check(identity(), custody_id, pages_now, now)
    flash(_("The check is noted, and the next one is due again."))
    return redirect(url_for(".show", custody_id=custody_id), 303)


@pages.post("/<uuid:custody_id>/hand-over")
def hand_over(custody_id: UUID) -> BaseResponse:
    """Say who follows in the post."""
    try:
        services().lending.custody.hand_over(identity(), custody_id, request.form.get("holder", ""))
    except InvalidInput as error:
        return _page(custody_id, error)
    flash(_("It goes over to them once a supervisor has signed."))
    return redirect(url_for(".show", custody_id=custody_id), 303)


@pages.post("/<uuid:custody_id>/sign")
def sign(custody_id: UUID) -> BaseResponse:
    """Sign a hand-over with one's own password."""
    services().lending.custody.show(identity(), custody_id)
    try:
        services().people.prove(identity(), request.form.get("password", "")[:1000])
        services().lending.custody.sign(identity(), custody_id)
    except SignInFailed as error:
        return _page(custody_id, error, {"password": _("This is not your present password.")})
    except (InvalidInput, LockedOut) as error:
        return _page(custody_id, error)
    flash(_("You have signed. The paper is with who follows."))
    return redirect(url_for(".every"), 303)


@pages.post("/<uuid:custody_id>/return")
def take_back(custody_id: UUID) -> BaseResponse:
    """Take it back for good."""
    services().lending.custody.take_back(identity(), custody_id)
    flash(_("It is back in the archive. Put it on its shelf."))
    return redirect(url_for(".every"), 303)


def _list(error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("number", "holder", "months", "reason")) if error else ([], {})
    found = services().lending.custody.every(identity(), paging.read_day(request.args.get("after", "")), limit=PAGE + 1)
    last = found[PAGE - 1].row if len(found) > PAGE else None
    page = render_template(
        "lending/custodies.html", found=found[:PAGE], lines=lines, faults=faults,
        more=url_for(".every", after=paging.told_day((last.check_on, last.id))) if last else None,
        may_give="archivist" in {role.value for role in identity().roles},
        values={"months": "6", **request.form.to_dict()}, longest=LONGEST_REASON,
        labels={"number": _("Number"), "holder": _("Who holds the post"), "months": _("Months between checks"),
                "reason": _("Purpose")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _page(custody_id: UUID, error: ArchiveError | None = None, faults: dict[str, str] | None = None) -> BaseResponse:
    say = translator(current_locale())
    lines: list[str] = []
    if isinstance(error, InvalidInput):
        lines, faults = told(error, ("holder",))
    elif error and not faults:
        lines = explain(error, current_locale())
    page = render_template(
        "lending/custody_one.html", each=services().lending.custody.show(identity(), custody_id), lines=lines,
        faults=faults or {}, values=request.form, labels={"holder": _("Who follows"), "password": _("Your password")},
        conditions=[(value, say(words)) for value, words in CONDITIONS.items()],
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
