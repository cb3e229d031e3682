"""The basket: records laid aside, asked for with one form."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput, NotFound
from archive.model import LoanForm
from web.i18n import current_locale
from web.lending.attached import keep, sent
from web.lending.borrowing import filled, wish_of
from web.lists import back, ticked
from web.services import identity, services
from web.words import translator
from web.words.faults import explain, explain_fault, status_of
from web.words.loans import FORMS, STANDS

pages = Blueprint("basket", __name__, url_prefix="/loans/basket")


@pages.get("")
def show() -> BaseResponse:
    """Show what lies in the basket, and the form to ask for all of it."""
    return _page({})


@pages.post("/add")
def add() -> BaseResponse:
    """Lay the ticked records aside."""
    ids = ticked()
    if not ids:
        flash(_("Choose the records first."))
        return back()
    try:
        count = services().lending.basket.add(identity(), ids)
    except InvalidInput as error:
        flash(explain(error, current_locale())[0])
        return back()
    flash(ngettext("%(num)d record lies in your basket.", "%(num)d records lie in your basket.", count))
    if count < len(ids):
        flash(_("The others cannot be borrowed: they are not filed yet."))
    return back()


@pages.post("/take-out")
def take_out() -> BaseResponse:
    """Take one record out, or all."""
    services().lending.basket.take_out(identity(), ticked() or None)
    return redirect(url_for(".show"), 303)


@pages.post("")
def ask() -> BaseResponse:
    """Ask for everything in the basket."""
    try:
        files = services().attachments.check(sent())
        done = services().lending.basket.ask(identity(), wish_of(), _forms())
    except NotFound:
        raise
    except ArchiveError as error:
        return _page({}, error)
    for loan in done.loans:
        keep(loan, files)
    if done.loans:
        flash(ngettext("%(num)d loan is asked for.", "%(num)d loans are asked for.", len(done.loans)))
    if done.left:
        return _page(dict(done.left), status=200 if done.loans else 422)
    return redirect(url_for("loans.mine"), 303)


def _told(error: ArchiveError) -> list[str]:
    """Say in few words why one line could not be asked for."""
    locale = current_locale()
    if isinstance(error, InvalidInput):
        return [explain_fault(fault, locale) for fault in error.faults]
    return explain(error, locale)


def _forms() -> dict[UUID, LoanForm]:
    """Return how single records are wanted, where that is said."""
    found = {}
    for name, value in request.form.items():
        if name.startswith("form-") and value in FORMS:
            try:
                found[UUID(name.removeprefix("form-"))] = LoanForm(value)
            except ValueError:
                raise NotFound from None
    return found


def _page(left: dict[UUID, ArchiveError], error: ArchiveError | None = None, status: int = 200) -> BaseResponse:
    locale = current_locale()
    say = translator(locale)
    lines = []
    for each in services().lending.basket.lines(identity()):
        why = [(say(FORMS[form.value]), say(STANDS[code])) for form, code in each.standing.why.items()]
        fault = _told(left[each.record.id]) if each.record.id in left else []
        forms = [(form.value, say(FORMS[form.value])) for form in each.standing.forms]
        lines.append((each, forms, why, fault))
    page = render_template(
        "lending/basket.html", basket=lines, forms=[(value, say(words)) for value, words in FORMS.items()],
        refused=bool(left), **filled(error, "out"),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else status)
