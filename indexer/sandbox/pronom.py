"""Which format of the PRONOM registry a file is, as the rest of the house asks it. A process of its own looks."""

import contextlib
import json
import re
import socket
import sys
import threading
from collections.abc import Mapping

from indexer import kinds
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.pronom_server import SECONDS
from indexer.sandbox.running import started

OFD = "juanku/ofd"
"""Our own word for OFD (GB/T 33190), which PRONOM does not list."""

_ZIP = "x-fmt/263"
_ID = re.compile(r"(x-)?fmt/[0-9]{1,6}")
_START_SECONDS = 30.0
_LONGEST_LINE = 500


class Pronom:
    """A thread-safe door to the process that tells PRONOM ids. It starts with the first file.

    A file that ends it, or takes too long, has no id; the next one finds a new process.

    Args:
        environment: of the process.
        patience: seconds to wait for its word on one file.
    """

    def __init__(self, environment: Mapping[str, str], *, patience: float = SECONDS + 2.0) -> None:
        # its collector is to begin long before the limit on its memory ends it
        self._environment = {**environment, "GOMAXPROCS": "1", "GOMEMLIMIT": "256MiB"}
        self._patience = patience
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._useless = False
        self._signatures = ""

    def identify(self, file: MemoryFile, media_type: str = "") -> str | None:
        """Return the id (``fmt/412``) of a held file; None when there is none, or it cannot be had."""
        with self._lock:
            running = self._started()
            found = running.ask(file) if running else None
            if running and not running.alive:
                self._end()
        known = found if found and _ID.fullmatch(found) else None
        return OFD if media_type == kinds.OFD and known in {None, _ZIP} else known

    def signatures(self) -> str:
        """Return which signatures are used, in their makers' words; "" when ids cannot be had here."""
        with self._lock:
            self._started()
            return self._signatures

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._useless = True
            self._end()

    def _started(self) -> "_Running | None":
        if self._running is None and not self._useless:
            try:
                self._running = _Running(self._environment, self._patience)
            except OSError:
                self._useless = True  # no such library, or no memory files: it would fail with every file
                return None
            self._signatures = self._running.signatures
        return self._running

    def _end(self) -> None:
        running, self._running = self._running, None
        if running:
            running.end()


class _Running:
    """One such process, and the channel to it.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, environment: Mapping[str, str], patience: float) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lines = self._channel.makefile("rb")
        self.alive = True
        with theirs:
            command = [sys.executable, "-m", "indexer.sandbox.pronom_server", str(theirs.fileno())]
            self._process = started(command, theirs.fileno(), environment)
        self._channel.settimeout(_START_SECONDS)
        self.signatures = self._answer("signatures") or ""
        if not self.alive or not self.signatures:
            self.end()
            raise OSError("pronom")
        self._channel.settimeout(patience)

    def ask(self, file: MemoryFile) -> str | None:
        try:
            socket.send_fds(self._channel, [b"f"], [file.fd])
        except OSError:
            self.alive = False
            return None
        return self._answer("pronom")

    def _answer(self, name: str) -> str | None:
        try:
            line = self._lines.readline(_LONGEST_LINE)
            found = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            self.alive = False
            return None
        return str(found[name]) if found.get(name) else None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._lines.close()
        self._channel.close()
