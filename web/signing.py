"""Signing in and out, the session cookie, and the choice of language."""

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import LockedOut, SignInFailed
from web import i18n, words
from web.security import cookie_flags, cookie_name, local_path
from web.services import services
from web.words.faults import explain, status_of

pages = Blueprint("signing", __name__)

PUBLIC = frozenset(
    {
        "signing.sign_in",
        "signing.signed_in",
        "signing.sign_out",
        "signing.language",
        "links.show",
        "links.choose",
        "help.contents",
        "help.show",
        "help.picture",
        "static",
        "healthz",
        "health.live",
        "health.ready",
        "metrics.metrics",
    }
)
"""Endpoints that need nobody signed in."""

UNKNOWN = frozenset({"static", "healthz", "health.live", "health.ready", "metrics.metrics"})
"""Endpoints that do not ask who it is."""

YEAR = 365 * 24 * 3600


def _session_cookie() -> str:
    return cookie_name("juanku_session", https=services().https)


def load_identity() -> None:
    """Find who asks from the session cookie; nobody when there is none, or it has ended."""
    g.identity = g.person = None
    token = request.cookies.get(_session_cookie())
    if not token or request.endpoint in UNKNOWN:
        return
    found = services().people.resume(token, _address())
    if found is None or found.person_id is None:
        return
    g.identity = found
    g.person = services().directory.person(found.person_id)


def _address() -> str:
    return (request.remote_addr or "")[:64]


@pages.get("/sign-in")
def sign_in() -> str | BaseResponse:
    """Show the sign-in page; who is signed in goes on."""
    target = local_path(request.args.get("next"))
    if g.identity is not None:
        return redirect(target)
    return render_template("sign_in.html", next=target, login="", lines=[])


@pages.post("/sign-in")
def signed_in() -> BaseResponse:
    """Sign in: a new session under a new token, and a new form secret."""
    target = local_path(request.form.get("next"))
    login = request.form.get("login", "").strip()[:200]
    agent = (request.headers.get("User-Agent") or "")[:200]
    try:
        _who, token = services().people.sign_in(login, request.form.get("password", "")[:1000], _address(), agent)
    except (SignInFailed, LockedOut) as error:
        lines = explain(error, i18n.current_locale())
        page = render_template("sign_in.html", next=target, login=login, lines=lines)
        return make_response(page, status_of(error))
    if g.identity is not None:
        services().people.sign_out(g.identity)
    session.clear()
    reply = redirect(target, 303)
    reply.set_cookie(_session_cookie(), token, **cookie_flags(https=services().https))
    return reply


@pages.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the session, here and on the server."""
    if g.identity is not None:
        services().people.sign_out(g.identity)
    session.clear()
    reply = redirect("/sign-in", 303)
    reply.delete_cookie(_session_cookie(), **cookie_flags(https=services().https))
    reply.headers["Clear-Site-Data"] = '"cache"'  # what scripts keep goes by frame.js, but for scans not sent yet
    return reply


@pages.post("/language")
def language() -> Response | BaseResponse:
    """Choose the language of the pages; a signed-in person's choice is kept with their account."""
    chosen = request.form.get("locale", "")
    reply = redirect(local_path(request.form.get("next")), 303)
    if chosen in words.LOCALES:
        reply.set_cookie(i18n.LANGUAGE_COOKIE, chosen, max_age=YEAR, **cookie_flags(https=services().https))
        if g.identity is not None and g.identity.person_id is not None:
            services().directory.set_locale(g.identity.person_id, chosen)
    else:
        flash(_("This language is not known."))
    return reply
