"""What the web process answers with: the archive's pages, or, while there is none, those that set it up."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from archive.house.founding import Plan
from runtime.celery_app import CeleryWaker
from runtime.processes.pages import make_app
from runtime.setting_up import first_code
from runtime.setting_up.making import found, stands, stop_unless_ready
from runtime.settings import Settings
from runtime.wiring.parts import Parts, build, settle
from web.setup import Setup, create_setup

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Pages:
    """A WSGI application that becomes the archive's own once the archive stands."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parts: Parts | None = None
        code = first_code.read(settings)
        if code is None or stands(settings):
            self._app = self._open()
        else:
            setup = Setup(code, self._found, lambda: first_code.spend(settings), str(settings.home), str(settings.keys))
            self._app = create_setup(setup)

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer."""
        return self._app(environ, start)

    def _found(self, plan: Plan) -> None:
        found(self._settings, plan)
        self._app = self._open()

    def _open(self) -> "WSGIApplication":
        first_code.end(self._settings)  # from here on the worker may start
        stop_unless_ready(self._settings)
        self._parts = build(self._settings, CeleryWaker(self._settings))
        app: Any = make_app(self._parts)
        settle()
        return app  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close what was opened."""
        if self._parts is not None:
            self._parts.close()
