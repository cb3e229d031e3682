"""A person's own account: name and language, password, sessions, and tokens for programs."""

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput, LockedOut, SignInFailed
from archive.model import TokenScope
from archive.people.sign_in import TOKEN_DAYS
from archive.spelling import whole_of
from web.i18n import current_locale
from web.services import identity, services
from web.words.faults import explain, explain_fault, status_of

pages = Blueprint("account", __name__)

DAYS = 90


@pages.get("/account")
def mine() -> str:
    """Show the account."""
    return _page()


@pages.post("/account/password")
def set_password() -> BaseResponse:
    """Change the own password; other sessions and all tokens end."""
    form, who = request.form, identity()
    new = form.get("password", "")[:1000]
    try:
        if who.person_id is not None:
            present = form.get("present", "")[:1000]
            services().people.prove(who, present)  # counted and logged, as for a signature
            services().people.set_password(who, who.person_id, new, present=present)
    except (InvalidInput, SignInFailed, LockedOut) as error:
        return _again(error)
    flash(_("The password is changed. Your other sessions and your tokens have ended."))
    return _back()


@pages.post("/account/sessions/<uuid:session_id>/end")
def end_session(session_id: UUID) -> BaseResponse:
    """End one of the own sessions."""
    services().people.end_session(identity(), session_id)
    flash(_("The session has ended."))
    return _back()


@pages.post("/account/sessions/end-others")
def end_others() -> BaseResponse:
    """End all of the own sessions but this."""
    count = services().people.end_other_sessions(identity())
    flash(_("Sessions ended: %(count)s.", count=count))
    return _back()


@pages.post("/account/tokens")
def make_token() -> BaseResponse:
    """Make a token and show it, this once. The password is asked anew: a token outlives an open browser."""
    form, who = request.form, identity()
    days = whole_of(form.get("days", ""), 99_999) or 0
    scope = TokenScope.WRITE if form.get("scope") == TokenScope.WRITE.value else TokenScope.READ
    try:
        services().people.prove(who, form.get("proof", "")[:1000])
        made = services().people.issue_token(who, who.name, form.get("name", "").strip(), days, scope)
    except ArchiveError as error:
        return _again(error, "proof")
    return make_response(_page(made=made))


@pages.post("/account/tokens/end")
def end_token() -> BaseResponse:
    """End one of the own tokens."""
    services().people.end_token(identity(), request.form.get("name", ""))
    flash(_("The token has ended."))
    return _back()


def _page(made: str | None = None, lines: list[str] | None = None, faults: dict[str, str] | None = None) -> str:
    own, who = services(), identity()
    return render_template(
        "account.html", sessions=own.people.sessions(who), tokens=own.people.tokens(who), here=who.session_id,
        made=made, lines=lines or [], faults=faults or {}, values=request.form, days=DAYS, most_days=TOKEN_DAYS,
    )  # fmt: skip


def _again(error: ArchiveError, present: str = "present") -> BaseResponse:
    faults: dict[str, str] = {}
    lines: list[str] = []
    if isinstance(error, InvalidInput):
        for fault in error.faults:
            faults.setdefault(fault.field, explain_fault(fault, current_locale()))
    elif isinstance(error, SignInFailed):
        faults[present] = _("This is not your present password.")
    else:
        lines = explain(error, current_locale())
    return make_response(_page(lines=lines, faults=faults), status_of(error))


def _back() -> BaseResponse:
    return redirect(url_for("account.mine"), 303)
