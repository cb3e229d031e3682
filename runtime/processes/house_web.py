"""``juanku web``: the pages alone, behind gunicorn, in several processes. Workers run beside it, here or elsewhere.

Each process is forked before anything of the archive is opened, and opens it for itself: no connection, thread or fork
server is shared. The pages hold no clock and seal only what they themselves wait for; both are the workers' business.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from runtime.celery_app import CeleryWaker
from runtime.locks import shared
from runtime.processes.saying import speak
from runtime.processes.serve import count_together
from runtime.setting_up.making import stop_unless_ready
from runtime.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

STOP_SECONDS = 20
"""How long requests under way may take to end when the house stops; the rest is cut off, and comes again."""

SILENT_SECONDS = 120
"""A process that gives no sign for so long is ended, and another takes its place. Threads give the sign: a slow request
does not hold it up."""

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (empty files whose times are the signs of life; no disk may hold them up)


class HouseWeb(BaseApplication):  # type: ignore[misc]
    """Gunicorn with this house's settings; nothing is read from its own files or variables."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._close: Callable[[], None] | None = None
        super().__init__()

    def load_config(self) -> None:
        """Say how it serves."""
        chosen = self._settings
        options: dict[str, Any] = {
            "bind": f"{chosen.host}:{chosen.port}",
            "workers": chosen.web_processes,
            "worker_class": "gthread",
            "threads": chosen.web_threads,
            "timeout": SILENT_SECONDS,
            "graceful_timeout": STOP_SECONDS,
            "keepalive": 15,
            "loglevel": chosen.log_level.lower(),
            "errorlog": "-",
            "limit_request_line": 8190,  # its most: a query in Chinese takes nine bytes a character
            "worker_tmp_dir": str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None,
            "forwarded_allow_ips": "",  # whose word counts is a setting of ours, and looked after by the pages
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: _settle(),
            "worker_exit": lambda _arbiter, _worker: self._end(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> "Flask":
        """Open the archive, in a process of its own."""
        from runtime.processes.pages import make_app  # noqa: PLC0415 (loaded after the fork, by each)
        from runtime.wiring.parts import build  # noqa: PLC0415

        speak(self._settings)
        stop_unless_ready(self._settings)
        parts = build(self._settings, CeleryWaker(self._settings))
        self._close = parts.close
        return make_app(parts)

    def _end(self) -> None:
        if self._close:
            self._close()


def _settle() -> None:
    from runtime.wiring.parts import settle  # noqa: PLC0415

    settle()


def serve_pages(settings: Settings) -> None:
    """Serve pages until a signal ends it.

    Raises:
        SystemExit: with gunicorn's exit code; 0 after a termination signal, 3 when no process could begin.
    """
    count_together(settings)
    with shared(settings.run / "web.lock"):
        HouseWeb(settings).run()
