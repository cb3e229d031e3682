"""Circulation slips: papers that go round, for who sends them and for those to whom they come."""

from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Ambiguous, ArchiveError, InvalidInput
from archive.identity import Role
from archive.loans.slips import LONGEST, MOST, Slip
from archive.policy.rules import Act
from web import paging
from web.asking import require, told
from web.days import day_needed
from web.lending.at_counter import at_counter, named_conditions, paper_named
from web.lending.papers import circulation_pdf
from web.prints.filled import pdf_sent
from web.services import identity, services
from web.words.faults import status_of

pages = Blueprint("rounds", __name__, url_prefix="/circulations")

PAGE = 50

ASKED = ("number", "purpose", "scope", "until", "receivers", "pages")


@pages.get("")
def every() -> str:
    """List the slips that concern the person."""
    ended = request.args.get("ended") == "1"
    after = paging.read_id(request.args.get("after", ""))
    found = services().lending.rounds.every(identity(), ended=ended, after=after, limit=PAGE + 1)
    last = found[PAGE - 1].row.id if len(found) > PAGE else None
    return render_template(
        "lending/circulations.html", found=found[:PAGE], ended=ended, may_lend=Role.ARCHIVIST in identity().roles,
        more=url_for(".every", ended=1 if ended else None, after=last.hex) if last else None,
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Show the form of a new slip."""
    require(Act.SEE_LOANS)
    return _form()


@pages.post("/new")
def begin() -> BaseResponse:
    """Send a paper round."""
    require(Act.SEE_LOANS)
    form = request.form
    try:
        record, copy = paper_named()
        names = form.get("receivers", "").replace("，", ",").replace("\n", ",").split(",")
        slip = Slip(
            form.get("purpose", ""), form.get("scope", ""), day_needed(form.get("until", ""), "until"),
            [each.strip() for each in names if each.strip()],
        )  # fmt: skip
        begun = services().lending.papers.send_round(identity(), record, slip, at_counter(copy))
    except (Ambiguous, InvalidInput) as error:
        return _form(error)
    if begun.asked:
        flash(_("It is asked for. The house’s route says who decides; after the last yes it waits at the counter."))
        return redirect(url_for("paper_requests.show", approval_id=begun.id), 303)
    flash(_("It goes round. Print the slip, and give it along with the paper."))
    return redirect(url_for(".show", circulation_id=begun.id), 303)


@pages.get("/<uuid:circulation_id>")
def show(circulation_id: UUID) -> BaseResponse:
    """Show one slip."""
    return _page(circulation_id)


@pages.post("/<uuid:circulation_id>/issue")
def issue(circulation_id: UUID) -> BaseResponse:
    """Hand the paper that waits at the counter to who sends it round."""
    try:
        slip = services().lending.rounds.show(identity(), circulation_id)
        services().lending.rounds.issue(identity(), circulation_id, slip.row.begun_by, at_counter())
    except InvalidInput as error:
        return _page(circulation_id, error)
    flash(_("It goes round. Print the slip, and give it along with the paper."))
    return redirect(url_for(".show", circulation_id=circulation_id), 303)


@pages.post("/<uuid:circulation_id>/sign")
def sign(circulation_id: UUID) -> BaseResponse:
    """Sign that one has the paper."""
    services().lending.rounds.sign(identity(), circulation_id)
    flash(_("You have signed. The paper is with you until the next one signs."))
    return redirect(url_for(".show", circulation_id=circulation_id), 303)


@pages.post("/<uuid:circulation_id>/return")
def take_back(circulation_id: UUID) -> BaseResponse:
    """Take the paper back and check it."""
    try:
        report = services().lending.rounds.take_back(identity(), circulation_id, at_counter())
    except InvalidInput as error:
        return _page(circulation_id, error)
    if report:
        flash(_("It is back. It differs from how it went out: a report is opened."))
        return redirect(url_for("counter.reports"), 303)
    flash(_("It is back, and as it went out."))
    return redirect(url_for(".show", circulation_id=circulation_id), 303)


@pages.post("/<uuid:circulation_id>/lose")
def lose(circulation_id: UUID) -> BaseResponse:
    """Write down that the paper is lost."""
    try:
        services().lending.rounds.lose(identity(), circulation_id, request.form.get("words", ""))
    except InvalidInput as error:
        return _page(circulation_id, error)
    return redirect(url_for("counter.reports"), 303)


@pages.get("/<uuid:circulation_id>/slip.pdf")
def slip(circulation_id: UUID) -> Response:
    """Send the slip as a printed form."""
    found = services().lending.rounds.show(identity(), circulation_id)
    made = circulation_pdf(found)
    body = {"form": "circulation_slip", "circulation": found.row.number}
    services().readings.begin(identity(), "form.print", body=body).result()
    return pdf_sent(made, "juanku-circulation-slip")


def _page(circulation_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("pages", "words")) if error else ([], {})
    page = render_template(
        "lending/circulation.html", each=services().lending.rounds.show(identity(), circulation_id),
        me=identity().person_id, conditions=named_conditions(), lines=lines, faults=faults, values=request.form,
        labels={"pages": _("Pages counted"), "words": _("What is known")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _form(error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ASKED) if error else ([], {})
    page = render_template(
        "lending/circulation_new.html", lines=lines, faults=faults, longest=LONGEST, most=MOST,
        values={"number": request.args.get("number", ""), **request.form.to_dict()},
        labels={"number": _("Number"), "purpose": _("Purpose"), "scope": _("Scope"), "until": _("Back by"),
                "receivers": _("Receivers, in turn"), "pages": _("Pages counted")},
        conditions=named_conditions(),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
