"""What every request passes on its way in and out: an id, a line in the log, and a count. No path, query or name."""

import logging
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flask import Flask, g, request

from archive.trail import REQUEST, following, know_person, request_id, step
from web.metrics import count

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
_ROUTE: ContextVar[str] = ContextVar("route", default="none")
log = logging.getLogger("juanku.request")


def watched(application: "WSGIApplication") -> "WSGIApplication":
    """Give each request an id, which its reply and its lines in the log carry, and count it by its route."""

    def watch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        own = request_id(environ.get("HTTP_X_REQUEST_ID"))
        began = time.perf_counter()
        _ROUTE.set("none")
        with following(request=own), step(REQUEST) as note:

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
                seconds = time.perf_counter() - began
                route = _ROUTE.get()
                method = str(environ.get("REQUEST_METHOD", ""))
                count(method, route, status[:3], seconds)
                facts = {"method": method, "route": route, "status": int(status[:3]), "ms": round(seconds * 1000, 1)}
                log.info("request", extra={"facts": facts})
                note(method=method, route=route, status=int(status[:3]))
                return start_response(status, [*headers, (HEADER, own)], *more)

            return application(environ, start)

    return watch


def init_app(app: Flask) -> None:
    """Have an application tell the route of a request, as it is written in the code, and the id of who asks."""

    @app.before_request
    def _route() -> None:
        _ROUTE.set(request.url_rule.rule if request.url_rule else "none")

    @app.after_request
    def _person(reply: Any) -> Any:
        who = g.get("identity")
        if who is not None and who.person_id is not None:
            know_person(str(who.person_id))
        return reply
