"""Requests for loans: those that wait for me, one with its steps, deciding, asking back, finding, and deputies."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.approving.absence import MOST_DAYS
from archive.approving.states import OPEN
from archive.errors import Ambiguous, ArchiveError, Fault, InvalidInput, WrongState
from archive.model import ApprovalState, AttachedTo, LoanForm, Record
from archive.policy.rules import Act
from archive.reasons import LONGEST_REASON
from web.asking import told
from web.days import day_needed
from web.i18n import current_locale
from web.lending.at_counter import paper_named
from web.lending.attached import photographs
from web.services import identity, services
from web.words import named, translator
from web.words.faults import status_of
from web.words.loans import FORMS, STANDS

pages = Blueprint("loan_requests", __name__, url_prefix="/loans")

PAGE = 50


@pages.get("/requests")
def waiting() -> str:
    """List the requests that wait for this person's decision."""
    after = request.args.get("after", "")
    try:
        behind = UUID(after) if after else None
    except ValueError:
        behind = None
    found = services().lending.asked.waiting(identity(), behind, limit=PAGE + 1)
    more = url_for(".waiting", after=found[PAGE - 1][0].id.hex) if len(found) > PAGE else None
    return render_template("lending/requests.html", found=found[:PAGE], more=more)


@pages.get("/requests/<uuid:approval_id>")
def show(approval_id: UUID) -> BaseResponse:
    """Show one request with its steps and all that was said."""
    return _page(approval_id)


@pages.post("/requests/<uuid:approval_id>/decide")
def decide(approval_id: UUID) -> BaseResponse:
    """Agree, refuse, or ask back."""
    act, text = request.form.get("decision", ""), request.form.get("reason", "")
    requests = services().lending.requests
    try:
        if act == "question":
            requests.question(identity(), approval_id, text)
            flash(_("Your question is sent. The request waits for the answer."))
        else:
            state = requests.decide(
                identity(), approval_id, text or _agreed(act), approve=act == "approve", excerpt=_excerpt()
            )
            flash(_("The request goes on to the next step.") if state is ApprovalState.ASKED else _("It is decided."))
    except (InvalidInput, WrongState) as error:
        return _page(approval_id, error)
    return redirect(url_for(".waiting"), 303)


@pages.post("/requests/<uuid:approval_id>/answer")
def answer(approval_id: UUID) -> BaseResponse:
    """Answer what was asked back."""
    try:
        services().lending.requests.answer(identity(), approval_id, request.form.get("reason", ""))
    except InvalidInput as error:
        return _page(approval_id, error)
    flash(_("Your answer is sent."))
    return redirect(url_for(".show", approval_id=approval_id), 303)


@pages.post("/requests/<uuid:approval_id>/found")
def found(approval_id: UUID) -> BaseResponse:
    """Say which record was described."""
    try:
        record, _copy = paper_named()
        form = request.form.get("form", "")
        kind = LoanForm(form) if form in FORMS else None
        services().lending.requests.found(identity(), approval_id, record, kind)
    except (Ambiguous, InvalidInput, WrongState) as error:
        return _page(approval_id, error)
    flash(_("The record is found. The request goes on by its route."))
    return redirect(url_for(".show", approval_id=approval_id), 303)


@pages.post("/requests/<uuid:approval_id>/withdraw")
def withdraw(approval_id: UUID) -> BaseResponse:
    """Take back one's own request."""
    services().lending.requests.withdraw(identity(), approval_id)
    flash(_("The request is taken back."))
    return redirect(url_for("loans.mine"), 303)


@pages.get("/deputies")
def deputies() -> BaseResponse:
    """Show who stands in for me, and whom I stand in for."""
    return _deputies()


@pages.post("/deputies")
def name_deputy() -> BaseResponse:
    """Name a deputy for some days."""
    form = request.form
    try:
        since, until = (day_needed(form.get(name, ""), name) for name in ("since", "until"))
        services().lending.deputies.name(identity(), form.get("deputy", ""), since, until)
    except InvalidInput as error:
        return _deputies(error)
    flash(_("Your deputy is named. They decide in your place on these days, and borrow for you."))
    return redirect(url_for(".deputies"), 303)


@pages.post("/deputies/<uuid:deputy_id>/end")
def end_deputy(deputy_id: UUID) -> BaseResponse:
    """Have a deputy stand in no more."""
    services().lending.deputies.end(identity(), deputy_id)
    flash(_("They stand in for you no more."))
    return redirect(url_for(".deputies"), 303)


def _excerpt() -> UUID | None:
    """Return the excerpt that is to be read instead of the files, if one is chosen."""
    text = request.form.get("excerpt", "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInput(Fault("excerpt", "unknown")) from None


def _agreed(act: str) -> str:
    """Return what a yes without words says; a no needs them."""
    return _("Agreed.") if act == "approve" else ""


def _page(approval_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    say, locale = translator(current_locale()), current_locale()
    shown = services().lending.asked.request(identity(), approval_id)
    loan = shown.shown.loan
    lines, faults = told(error, ("reason", "number", "form", "excerpt")) if error else ([], {})
    purposes = {each.code: named(each.names, locale) for each in services().lending.looks.rules().purposes}
    why = [(say(FORMS[form.value]), say(STANDS[code])) for form, code in shown.standing.why.items()] if (
        shown.standing
    ) else []  # fmt: skip
    page = render_template(
        "lending/request.html", found=shown, lines=lines, faults=faults, values=request.form, longest=LONGEST_REASON,
        purpose=purposes.get(shown.shown.loan.purpose, shown.shown.loan.purpose), why=why,
        forms=[(value, say(words)) for value, words in FORMS.items()],
        labels={"reason": _("Reason"), "number": _("Number"), "form": _("How"), "excerpt": _("To be read")},
        documents=photographs(AttachedTo.REQUEST, approval_id), photographs=photographs(AttachedTo.LOAN, loan.id),
        excerpts=services().lending.excerpts.offered(identity(), loan) if shown.may_decide else (),
        given=services().lending.excerpts.given(identity(), [loan]).get(loan.id),
        may_attach=shown.may_withdraw and shown.approval.state in OPEN,
        may_picture=loan.form is not LoanForm.SCREEN and loan.issued_on is not None and _lends(loan.record_id),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _lends(record_id: UUID | None) -> bool:
    """Whether the person hands this record out and takes it back."""
    if record_id is None:
        return False
    with services().db.reading() as session:
        mine = services().guard.visible(session, identity(), Act.LEND).where(Record.id == record_id)
        return session.scalar(mine.with_only_columns(Record.id)) is not None


def _deputies(error: ArchiveError | None = None) -> BaseResponse:
    mine, others = services().lending.deputies.mine(identity())
    lines, faults = told(error, ("deputy", "since", "until")) if error else ([], {})
    today = services().guard.day().isoformat()
    page = render_template(
        "lending/deputies.html", mine=mine, others=others, lines=lines, faults=faults,
        values={"since": today, "until": today, **request.form.to_dict()},
        labels={"deputy": _("Deputy"), "since": _("First day"), "until": _("Last day")}, longest=MOST_DAYS,
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
