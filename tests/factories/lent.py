"""Fork servers lent from test to test: to start one and load its parsers takes longer than most tests.

A server forks for each file and keeps nothing of it. How one starts and ends is tested by ``test_sandbox``, on its own.
"""

import atexit
from typing import Any

from archive.errors import Unavailable
from indexer.sandbox.client import Extractor
from indexer.sandbox.running import RunningServer

_free: dict[str, list[RunningServer]] = {}


class LentExtractor(Extractor):
    """A door of a test's own to a server that others had before, and will have after it is closed."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._kind = repr((self._module, self._limits, self._hostile, self._environment))

    def _running(self) -> RunningServer:
        with self._lock:
            if self._closed:
                raise Unavailable(part="sandbox")
            waiting = _free.get(self._kind, [])
            while self._server is None and waiting:
                server = waiting.pop()
                if server.alive:
                    self._server = server
                else:
                    server.end()
        return super()._running()

    def close(self) -> None:
        """Give the server back."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            _free.setdefault(self._kind, []).append(server)
        super().close()


def lend() -> None:
    """Let every wired archive of this process have its servers so."""
    from runtime.wiring import adapters

    adapters.Extractor = LentExtractor  # type: ignore[misc]


@atexit.register
def _end_all() -> None:
    for servers in _free.values():
        for server in servers:
            server.end()
