"""Applications for standing custody and for slips: those that wait for me or are mine, one with its steps, deciding."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput, WrongState
from archive.model import ApprovalState
from archive.reasons import LONGEST_REASON
from web import paging
from web.asking import told
from web.services import identity, services
from web.words.faults import status_of

pages = Blueprint("paper_requests", __name__, url_prefix="/paper-requests")

PAGE = 50


@pages.get("")
def every() -> str:
    """List the applications that wait for the person's decision, or their own."""
    own = request.args.get("own") == "1"
    after = paging.read_id(request.args.get("after", ""))
    found = services().lending.papers.list(identity(), own=own, after=after, limit=PAGE + 1)
    more = url_for(".every", own=1 if own else None, after=found[PAGE - 1][0].id.hex) if len(found) > PAGE else None
    people = services().directory.people(approval.asked_by for approval, _record, _reads in found)
    return render_template("lending/paper_requests.html", found=found[:PAGE], own=own, more=more, people=people)


@pages.get("/<uuid:approval_id>")
def show(approval_id: UUID) -> BaseResponse:
    """Show one with its steps and all that was said."""
    return _page(approval_id)


@pages.post("/<uuid:approval_id>/decide")
def decide(approval_id: UUID) -> BaseResponse:
    """Agree, refuse, or ask back."""
    act, text = request.form.get("decision", ""), request.form.get("reason", "")
    papers = services().lending.papers
    try:
        if act == "question":
            papers.question(identity(), approval_id, text)
            flash(_("Your question is sent. The request waits for the answer."))
        else:
            agreed = _("Agreed.") if act == "approve" else ""
            state = papers.decide(identity(), approval_id, text or agreed, approve=act == "approve")
            flash(_("The request goes on to the next step.") if state is ApprovalState.ASKED else _("It is decided."))
    except (InvalidInput, WrongState) as error:
        return _page(approval_id, error)
    return redirect(url_for(".every"), 303)


@pages.post("/<uuid:approval_id>/answer")
def answer(approval_id: UUID) -> BaseResponse:
    """Answer what was asked back."""
    try:
        services().lending.papers.answer(identity(), approval_id, request.form.get("reason", ""))
    except InvalidInput as error:
        return _page(approval_id, error)
    flash(_("Your answer is sent."))
    return redirect(url_for(".show", approval_id=approval_id), 303)


@pages.post("/<uuid:approval_id>/withdraw")
def withdraw(approval_id: UUID) -> BaseResponse:
    """Take back one's own."""
    services().lending.papers.withdraw(identity(), approval_id)
    flash(_("The request is taken back."))
    return redirect(url_for(".every", own=1), 303)


def _page(approval_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    lines, faults = told(error, ("reason",)) if error else ([], {})
    page = render_template(
        "lending/paper_request.html", each=services().lending.papers.show(identity(), approval_id), lines=lines,
        faults=faults, values=request.form, longest=LONGEST_REASON, labels={"reason": _("Reason")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
