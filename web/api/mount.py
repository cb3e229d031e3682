"""The interface for programs beside the pages: made when a program first asks, so that pages are up sooner."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from web.api import DESCRIPTION
from web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def mount(pages: Flask, wired: Services) -> None:
    """Let an application of pages answer programs too."""
    own, made, one_makes = pages.wsgi_app, list[Flask](), threading.Lock()

    def api() -> Flask:
        with one_makes:
            if not made:
                from web.api.application import create_api  # noqa: PLC0415 (its shapes take a fifth of a start)

                made.append(create_api(wired))
            return made[0]

    def choose(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        chosen = api() if path.startswith("/api/") or path == DESCRIPTION else own
        return chosen(environ, start_response)

    pages.wsgi_app = choose  # type: ignore[method-assign]  # the way that Flask names for what stands before an app
