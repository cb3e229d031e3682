"""The application behind ``/api/``: apart from the pages', so that no cookie, session or form ever counts here."""

from functools import partial

from flask import Flask, Response, current_app, g, request

from web import security, watched
from web.api import DESCRIPTION, once, problems
from web.api.document import written
from web.api.operations import OPERATIONS
from web.api.rates import UNKNOWN_PER_MINUTE, Rates
from web.api.refusals import ReadsOnly, TooMany
from web.security import SAFE_METHODS
from web.services import Services, services

POLICY = "default-src 'none'; frame-ancestors 'none'"


def create_api(wired: Services) -> Flask:
    """Make the application over wired services. All of it but its description needs a token."""
    app = Flask("web.api", static_folder=None)
    app.extensions["juanku"] = wired
    security.init_app(app, https=wired.https)
    problems.init_app(app)
    watched.init_app(app)
    app.before_request(_token_only)
    app.after_request(_mark)
    app.extensions["rates"] = Rates(wired.api_per_minute), Rates(UNKNOWN_PER_MINUTE if wired.api_per_minute else 0)
    for each in OPERATIONS:
        serve = partial(once.perform, each)
        app.add_url_rule(each.rule, each.name, serve, methods=[each.method], provide_automatic_options=False)
    app.add_url_rule(DESCRIPTION, "openapi", _description, methods=["GET"], provide_automatic_options=False)
    return app


def _description() -> Response:
    text, tag = written()
    reply = Response(text, mimetype="application/json")
    reply.set_etag(tag)
    reply.make_conditional(request)
    return reply


def _token_only() -> Response | None:
    """Find whom the token stands for. Without one, what is there and what is not answer alike.

    Raises:
        TooMany: this token, or tokens from this address that stand for nobody, came too often.
        ReadsOnly: the token opens no change.
    """
    g.identity, g.locale = None, problems.language()  # words follow the request alone: no cookie, no choice for pages
    if request.endpoint == "openapi":
        return None
    known, unknown = current_app.extensions["rates"]
    address = (request.remote_addr or "")[:64]
    sent = request.authorization
    if sent is not None and sent.type == "bearer" and sent.token:
        g.identity = services().people.resume_token(sent.token, address)
    wait = unknown.wait(address) if g.identity is None else known.wait(g.identity.token_id)
    if wait:
        g.identity = None
        raise TooMany(seconds=wait)
    if g.identity is None:
        refused = problems.told("token_needed")
        refused.headers["WWW-Authenticate"] = 'Bearer realm="juanku"'
        return refused
    if g.identity.reads_only and request.method not in SAFE_METHODS:
        raise ReadsOnly
    return None


def _mark(reply: Response) -> Response:
    reply.headers.setdefault("Content-Security-Policy", POLICY)
    reply.vary.update(("Authorization", "Accept-Language"))
    return reply
