"""Standing custody: papers that a post keeps, when each was looked at, and hand-overs with a supervisor's signature."""

from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Ambiguous, ArchiveError, InvalidInput, LockedOut, SignInFailed
from archive.policy.rules import Act
from archive.reasons import LONGEST_REASON
from web import paging
from web.asking import require, told, whole_typed
from web.i18n import current_locale
from web.lending.at_counter import at_counter, named_conditions, paper_named
from web.lending.papers import custody_pdf
from web.prints.filled import pdf_sent
from web.services import identity, services
from web.words.faults import explain, status_of

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
        record, copy = paper_named()
        begun = services().lending.papers.give(
            identity(), record, form.get("holder", ""), whole_typed("months"), form.get("reason", ""), at_counter(copy)
        )
    except (Ambiguous, InvalidInput) as error:
        return _list(error)
    if begun.asked:
        flash(_("It is asked for. The house’s route says who decides; after the last yes it waits at the counter."))
        return redirect(url_for("paper_requests.show", approval_id=begun.id), 303)
    flash(_("It is in the custody of the post. Print the slip, and have it signed."))
    return redirect(url_for(".show", custody_id=begun.id), 303)


@pages.get("/<uuid:custody_id>")
def show(custody_id: UUID) -> BaseResponse:
    """Show one, with all that happened to it."""
    return _page(custody_id)


@pages.get("/<uuid:custody_id>/slip.pdf")
def slip(custody_id: UUID) -> Response:
    """Send the slip that goes with the paper, for both to sign."""
    made = custody_pdf(services().lending.custody.show(identity(), custody_id))
    services().readings.begin(identity(), "form.print", body={"form": "loan_slip", "custody": str(custody_id)}).result()
    return pdf_sent(made, "juanku-custody-slip")


@pages.post("/<uuid:custody_id>/issue")
def issue(custody_id: UUID) -> BaseResponse:
    """Hand out the paper that waits at the counter."""
    try:
        services().lending.custody.issue(identity(), custody_id, at_counter())
    except InvalidInput as error:
        return _page(custody_id, error)
    flash(_("It is in the custody of the post. Print the slip, and have it signed."))
    return redirect(url_for(".show", custody_id=custody_id), 303)


@pages.post("/<uuid:custody_id>/check")
def check(custody_id: UUID) -> BaseResponse:
    """Write down that it was looked at."""
    try:
        now = at_counter()
    except InvalidInput as error:
        return _page(custody_id, error)
    services().lending.custody.check(identity(), custody_id, now.pages, now.condition)
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
    try:
        report = services().lending.custody.take_back(identity(), custody_id, at_counter())
    except InvalidInput as error:
        return _page(custody_id, error)
    if report:
        flash(_("It is back. It differs from how it went out: a report is opened."))
        return redirect(url_for("counter.reports"), 303)
    flash(_("It is back in the archive. Put it on its shelf."))
    return redirect(url_for(".every"), 303)


@pages.post("/<uuid:custody_id>/lose")
def lose(custody_id: UUID) -> BaseResponse:
    """Write down that the paper is lost."""
    try:
        services().lending.custody.lose(identity(), custody_id, request.form.get("words", ""))
    except InvalidInput as error:
        return _page(custody_id, error)
    return redirect(url_for("counter.reports"), 303)


def _list(error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("number", "holder", "months", "reason", "pages")) if error else ([], {})
    found = services().lending.custody.every(identity(), paging.read_day(request.args.get("after", "")), limit=PAGE + 1)
    last = found[PAGE - 1].row if len(found) > PAGE else None
    page = render_template(
        "lending/custodies.html", found=found[:PAGE], lines=lines, faults=faults,
        more=url_for(".every", after=paging.told_day((last.check_on, last.id))) if last else None,
        may_give="archivist" in {role.value for role in identity().roles},
        values={"months": "6", **request.form.to_dict()}, longest=LONGEST_REASON,
        labels={"number": _("Number"), "holder": _("Who holds the post"), "months": _("Months between checks"),
                "reason": _("Purpose"), "pages": _("Pages counted")},
        conditions=named_conditions(),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _page(custody_id: UUID, error: ArchiveError | None = None, faults: dict[str, str] | None = None) -> BaseResponse:
    lines: list[str] = []
    if isinstance(error, InvalidInput):
        lines, faults = told(error, ("holder", "pages", "words"))
    elif error and not faults:
        lines = explain(error, current_locale())
    page = render_template(
        "lending/custody_one.html", each=services().lending.custody.show(identity(), custody_id), lines=lines,
        faults=faults or {}, values=request.form, conditions=named_conditions(),
        labels={"holder": _("Who follows"), "password": _("Your password"), "pages": _("Pages counted"),
                "words": _("What is known")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
