"""A fork server that runs, and the channel to it."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from archive.errors import Unavailable
from indexer.sandbox.confinement import Limits
from indexer.sandbox.wire import MAX_ANSWER_BYTES, Request, send_request

_ROOT = Path(__file__).resolve().parents[2]
_GRACE = 10.0


class ServerLost(Exception):
    """The fork server is gone or does not answer."""


class RunningServer:
    """One fork server process and the channel to it."""

    def __init__(self, module: str, limits: Limits, hostile: str | None, more: Mapping[str, str]) -> None:
        self._limits = limits
        self._sending = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        command = [sys.executable, "-m", module, str(theirs.fileno()), json.dumps(vars(limits))]
        try:
            self._process = started(
                [*command, hostile] if hostile else command, theirs.fileno(), {**bare_environment(), **more}
            )
        except OSError as error:
            self._channel.close()
            raise Unavailable(part="sandbox") from error
        finally:
            theirs.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, request: Request, fd: int) -> tuple[bytes, dict[str, Any]]:
        """Return what the fork wrote and how it ended.

        Raises:
            ServerLost: the server went away before it said how the fork ended.
        """
        with self._sent(request, fd) as (answers, ends, until):
            answer = _read_all(answers.fileno(), MAX_ANSWER_BYTES, until)
            answers.close()  # a fork that has more to say is ended by the broken pipe
            told = _read_all(ends.fileno(), 1_000, until)
        if not told:
            raise ServerLost
        return answer, json.loads(told)

    @contextlib.contextmanager
    def told(self, request: Request, fd: int) -> Iterator[Callable[[], bytes]]:
        """Yield what returns the next bytes that the fork writes (b"": no more); a fork left behind is ended.

        Raises:
            ServerLost: as ``ask``.
        """
        with self._sent(request, fd) as (answers, _ends, until):
            yield lambda: _read_some(answers.fileno(), until)

    @contextlib.contextmanager
    def _sent(self, request: Request, fd: int) -> Iterator[tuple[FileIO, FileIO, float]]:
        """Send a request; yield the pipes of its answer and of its end, and until when they are waited for."""
        (answer_end, out), (status_end, status) = os.pipe(), os.pipe()
        until = time.monotonic() + self._limits.wall + _GRACE
        with FileIO(answer_end) as answers, FileIO(status_end) as ends:
            try:
                with self._sending:
                    send_request(self._channel, request, [fd, out, status])
            except OSError as error:
                raise ServerLost from error
            finally:
                os.close(out)
                os.close(status)
            yield answers, ends, until

    def end(self) -> None:
        """Close the channel; the server ends its forks and itself, or is ended."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._channel.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def started(command: Sequence[str], fd: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process of the sandbox, with one descriptor, in a session of its own. Raises ``OSError``."""
    return subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        command,
        env=dict(environment),
        cwd="/",
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def bare_environment() -> dict[str, str]:
    """Return the environment of a process of the sandbox: where to find Python and this program, and nothing else."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def _read_all(fd: int, limit: int, until: float) -> bytes:
    """Read to the end of a pipe, or to ``limit`` bytes.

    Raises:
        ServerLost: the end did not come in time.
    """
    parts: list[bytes] = []
    length = 0
    while length < limit:
        part = _read_some(fd, until)
        if not part:
            break
        parts.append(part)
        length += len(part)
    return b"".join(parts)


def _read_some(fd: int, until: float) -> bytes:
    """Return the next bytes of a pipe, b"" at its end. Raises as ``_read_all``."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1_000):
        raise ServerLost
    return os.read(fd, 1_048_576)
