"""The house's rules of loans: who decides on what, tried out before it holds; periods, limits and purposes."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.approving.books import LONGEST, LONGEST_REASON
from archive.approving.planning import Plan
from archive.errors import ArchiveError, InvalidInput, NotAllowed, NotFound
from archive.model import ApprovalKind, LoanForm, RuleBook
from web.asking import told
from web.custody.placing import numbered
from web.i18n import current_locale
from web.services import identity, services
from web.words import translator
from web.words.faults import explain, status_of
from web.words.loans import ASKED_FOR, FORMS

pages = Blueprint("rule_books", __name__, url_prefix="/house")


@pages.get("/routes")
def routes() -> BaseResponse:
    """Show who decides on what, to be changed, and the simulator."""
    return _page(RuleBook.ROUTES)


@pages.post("/routes")
def keep_routes() -> BaseResponse:
    """Keep routes as the newest version."""
    return _keep(RuleBook.ROUTES)


@pages.get("/loan-rules")
def loans() -> BaseResponse:
    """Show periods, limits and purposes, to be changed."""
    return _page(RuleBook.LOANS)


@pages.post("/loan-rules")
def keep_loans() -> BaseResponse:
    """Keep rules of loans as the newest version."""
    return _keep(RuleBook.LOANS)


def _keep(book: RuleBook) -> BaseResponse:
    form = request.form
    base = form.get("version", "")
    version = int(base) if base.isascii() and base.isdigit() and len(base) < 9 else -1
    try:
        source, reason = form.get("source", "")[: LONGEST + 1], form.get("reason", "")
        services().lending.books.keep(identity(), book, source, reason, version=version)
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(book, error)
    flash(_("The rules are kept and hold from now on. What was asked for before goes on as it began."))
    return redirect(url_for(".routes" if book is RuleBook.ROUTES else ".loans"), 303)


def _page(book: RuleBook, error: ArchiveError | None = None) -> BaseResponse:
    current = services().lending.books.current(identity(), book)
    versions = services().lending.books.versions(identity(), book)
    lines, faults = told(error, ("reason",)) if error else ([], {})
    tried, said = _simulated() if book is RuleBook.ROUTES and request.args.get("number") else (None, [])
    say = translator(current_locale())
    values: dict[str, Any] = {"source": current.source, "version": current.version, "form": "out"}
    page = render_template(
        "lending/rule_book.html", book=book.value, versions=versions, lines=lines, faults=faults, current=current,
        values={**values, **request.args.to_dict(), **request.form.to_dict()}, limit=LONGEST_REASON, tried=tried,
        said=said, names=services().directory.people(each.kept_by for each in versions),
        forms=[(value, say(words)) for value, words in FORMS.items()],
        kinds=[(value, say(words)) for value, words in ASKED_FOR.items()], labels={"reason": _("What was changed")},
        people=services().directory.people(key for step in tried.steps for key in step.people) if tried else {},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


def _simulated() -> tuple[Plan | None, list[str]]:
    """Return who would decide on what the address asks, or what is wrong with the question."""
    asked = request.args
    try:
        number, _copy = numbered(asked.get("number", "").strip()[:300])
        record = services().records.find_number(identity(), number)
        form, kind = asked.get("form", ""), asked.get("kind", "")
        plan = services().lending.simulate(
            identity(), record, asked.get("borrower", ""), ApprovalKind(kind if kind in ASKED_FOR else "loan"),
            LoanForm(form) if form in FORMS else LoanForm.OUT, copying=asked.get("copying") == "1",
        )  # fmt: skip
    except NotFound:
        return None, [_("There is nothing of this number that you can see.")]
    except InvalidInput as error:
        return None, explain(error, current_locale())
    return plan, []
