"""Borrowing: asking for a record or for what is described, my loans, extending and ending them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound
from archive.loans.asking import LONGEST_SOUGHT, Wish
from archive.loans.looks import LoanShown
from archive.model import LoanForm
from archive.reasons import LONGEST_REASON
from archive.spelling import whole_of
from web import paging
from web.asking import told
from web.i18n import current_locale
from web.lending.attached import keep, sent
from web.lending.words import token_words
from web.services import identity, services
from web.words import named, translator
from web.words.faults import explain, explain_fault, explain_scan, status_of
from web.words.loans import FORMS, HARMS, SAID, SHORT_FORMS, STANDS, STATES

pages = Blueprint("loans", __name__)

PAGE = 50


@pages.get("/records/<uuid:record_id>/borrow")
def borrow(record_id: UUID) -> BaseResponse:
    """Show how a record stands, and the form to ask for it."""
    return _offered(record_id)


@pages.post("/records/<uuid:record_id>/borrow")
def ask(record_id: UUID) -> BaseResponse:
    """Ask for a loan of a record."""
    try:
        files = services().attachments.check(sent())
        loan = services().lending.requests.ask(identity(), record_id, wish_of())
    except NotFound:
        raise
    except ArchiveError as error:
        return _offered(record_id, error)
    keep(loan, files)
    return _asked(loan)


@pages.get("/loans/describe")
def describing() -> BaseResponse:
    """Show the form to ask for what is described in words."""
    return _described()


@pages.post("/loans/describe")
def describe() -> BaseResponse:
    """Ask for what is described in words."""
    try:
        files = services().attachments.check(sent())
        loan = services().lending.requests.describe(identity(), request.form.get("sought", ""), wish_of())
    except ArchiveError as error:
        return _described(error)
    keep(loan, files)
    return _asked(loan)


@pages.get("/loans")
def mine() -> str:
    """List one's loans, the newest first."""
    return _mine()


@pages.post("/loans/<uuid:loan_id>/extend")
def extend(loan_id: UUID) -> BaseResponse:
    """Extend one's loan, or ask for it."""
    try:
        done = services().lending.extensions.extend(identity(), loan_id)
    except InvalidInput as error:
        return make_response(_mine(explain_scan(error, current_locale())), status_of(error))
    if done:
        due = services().lending.looks.loan(identity(), loan_id).loan.due_on
        flash(_("It is yours until %(day)s.", day=due))
    else:
        flash(_("The extension is asked for."))
    return redirect(url_for(".mine"), 303)


@pages.post("/loans/<uuid:loan_id>/give-back")
def give_back(loan_id: UUID) -> BaseResponse:
    """End one's reading right before its day."""
    services().lending.extensions.give_back(identity(), loan_id)
    flash(_("You have given it back. Thank you."))
    return redirect(url_for(".mine"), 303)


@pages.post("/loans/<uuid:loan_id>/effect")
def effect(loan_id: UUID) -> BaseResponse:
    """Say what came of the use."""
    try:
        services().lending.counter.say_effect(identity(), loan_id, request.form.get("effect", ""))
    except InvalidInput as error:
        return make_response(_mine(explain(error, current_locale())), status_of(error))
    flash(_("It is written down. Thank you."))
    return redirect(url_for(".mine"), 303)


def wish_of() -> Wish:
    """Read what is asked for from the form. Raises ``InvalidInput``."""
    form = request.form
    try:
        kind = LoanForm(form.get("form", ""))
    except ValueError:
        raise InvalidInput(Fault("form", "required")) from None
    typed = form.get("days", "").strip()
    days = whole_of(typed, 9_999)
    if typed and days is None:
        raise InvalidInput(Fault("days", "unknown"))
    return Wish(
        form=kind, purpose=form.get("purpose", ""), words=form.get("reason", ""), copying=form.get("copying") == "1",
        copies=form.get("copies", ""), days=days, borrower=form.get("borrower", ""),
    )  # fmt: skip


ASKED = ("form", "purpose", "reason", "copies", "days", "borrower", "sought", "files")


def _labels() -> dict[str, str]:
    return {
        "form": _("How"), "purpose": _("Purpose"), "reason": _("Why you need it"), "copies": _("Why copies"),
        "days": _("Days"), "borrower": _("For whom"), "sought": _("What you seek"), "record": _("Record"),
        "route": _("Approval"), "files": _("Supporting documents"),
    }  # fmt: skip


def filled(error: ArchiveError | None, form: str) -> dict[str, Any]:
    """Return what both forms share: what was typed, what is at fault, purposes."""
    locale = current_locale()
    lines, faults = told(error, ASKED) if error else ([], {})
    purposes = services().lending.looks.rules().purposes
    standing_in = services().lending.deputies.mine(identity())[1]
    stop = services().lending.looks.hindrance(identity())
    return {
        "stopped": explain_fault(Fault("borrower", stop), locale) if stop else "",
        "values": {"form": form, "purpose": purposes[0].code, "days": "", **request.form.to_dict()},
        "lines": lines, "faults": faults, "labels": _labels(), "longest": LONGEST_REASON,
        "purposes": [(each.code, named(each.names, locale)) for each in purposes],
        "for_others": bool(standing_in) or "archivist" in {role.value for role in identity().roles},
    }  # fmt: skip


def _offered(record_id: UUID, error: ArchiveError | None = None) -> BaseResponse:
    say = translator(current_locale())
    offer = services().lending.looks.offer(identity(), record_id)
    forms = [(each.value, say(FORMS[each.value])) for each in offer.standing.forms]
    why = [(say(FORMS[form.value]), say(STANDS[code])) for form, code in offer.standing.why.items()]
    page = render_template(
        "lending/borrow.html", offer=offer, forms=forms, why=why,
        **filled(error, forms[0][0] if forms else ""),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _described(error: ArchiveError | None = None) -> BaseResponse:
    say = translator(current_locale())
    forms = [(value, say(words)) for value, words in FORMS.items()]
    page = render_template(
        "lending/describe.html", forms=forms, longest_sought=LONGEST_SOUGHT, **filled(error, forms[0][0])
    )
    return make_response(page, status_of(error) if error else 200)


def _asked(loan_id: UUID) -> BaseResponse:
    flash(_("It is asked for. You find it here, and under “My loans”, until it is decided."))
    with services().db.reading() as session:
        approval = services().lending.approval_of(session, loan_id)
    return redirect(url_for("loan_requests.show", approval_id=approval), 303)


def _mine(lines: list[str] | None = None) -> str:
    looks = services().lending.looks
    after, others_after = (paging.read_id(request.args.get(name, "")) for name in ("after", "others"))
    found, more = paging.page(looks.mine(identity(), after, limit=PAGE + 1), PAGE, _place)
    theirs = looks.for_others(identity(), others_after, limit=PAGE + 1) if after is None else ()
    others, more_others = paging.page(theirs, PAGE, _place)
    return render_template(
        "lending/mine.html", found=found, lines=lines or [], more=more and url_for(".mine", after=more), others=others,
        more_others=more_others and url_for(".mine", others=more_others, _anchor="others"),
    )  # fmt: skip


def _place(each: LoanShown) -> str:
    return each.loan.id.hex


@pages.app_template_filter("loan_state")
def state_in_words(value: str) -> str:
    """Return in words where a loan stands."""
    return translator(current_locale())(STATES[value])


@pages.app_template_filter("loan_form")
def form_in_words(value: str, long: bool = False) -> str:
    """Return in words how a record is lent."""
    return translator(current_locale())((FORMS if long else SHORT_FORMS)[value])


@pages.app_template_filter("harm_word")
def harm_in_words(value: str) -> str:
    """Return what is wrong with what came back."""
    return translator(current_locale())(HARMS[value])


@pages.app_template_filter("said_word")
def said_in_words(value: str) -> str:
    """Return what someone did by what they said."""
    return translator(current_locale())(SAID[value])


@pages.app_template_filter("decider")
def decider_in_words(token: str, names: Mapping[UUID, str]) -> str:
    """Return who decides, in words."""
    return token_words(token, current_locale(), names)
