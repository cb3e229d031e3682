"""The fork server: one thread, no secret, no way out; each request is done by a fork of its own.

A request is one file, but for small plain texts, of which several may come together (``tasks.TEXTS``).

Started as ``python -m indexer.sandbox.server FD`` with the control channel as descriptor ``FD``. It ends when the
channel closes, and its forks with it.
"""

import contextlib
import ctypes
import gc
import json
import mmap
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.extract.paging import following
from indexer.sandbox import tasks, work
from indexer.sandbox.confinement import Confinement, Limits
from indexer.sandbox.room import LIGHT_MEMORY
from indexer.sandbox.wire import Request, pack_answer, receive_request

_LIBC = ctypes.PyDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


@dataclass
class _Fork:
    """A fork at work: the pipe on which its end is told, and when its time is up."""

    status: int
    until: float
    timed_out: bool = False


class Server:
    """Takes requests, forks, watches the clock, buries the dead.

    Args:
        channel: the control channel.
        limits: what each fork may use.
        hostile: a module with acts that try the walls, for tests; None in earnest.
        answer: does the work of one request, in its fork.
        standing: walls that stand already (``confinement.cut_network``).
    """

    def __init__(
        self,
        channel: socket.socket,
        limits: Limits,
        hostile: ModuleType | None = None,
        *,
        answer: Callable[[Request, mmap.mmap | bytes], work.Answer] = work.answer,
        standing: Sequence[str] = (),
    ) -> None:
        self._do = answer
        self._standing = standing
        self._channel = channel
        self._limits = limits
        self._hostile = hostile
        self._forks: dict[int, _Fork] = {}
        self._confinement = Confinement()
        self._bell, ring = os.pipe()
        for fd in (self._bell, ring):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the client ends us in order

    def run(self) -> None:
        """Serve until the channel closes."""
        self._confinement.confine_server(self._standing)
        gc.collect()
        gc.freeze()  # forks share the loaded parsers' pages as long as the collector does not touch them
        gc.disable()
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(self._patience())}
                if self._bell in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._bell, 4_096)
                self._bury()
                self._stop_late()
                if self._channel.fileno() in ready and not self._serve_one():
                    break
        for pid in self._forks:
            _kill(pid)

    def _patience(self) -> float | None:
        if not self._forks:
            return None
        return max(0.0, min(fork.until for fork in self._forks.values()) - time.monotonic()) + 0.01

    def _serve_one(self) -> bool:
        try:
            taken = receive_request(self._channel)
        except (OSError, ValueError, TypeError):
            return False
        if taken is None:
            return False
        request, (file, out, status) = taken
        try:
            pid = _fork()
        except OSError:
            _tell(status, {"exit": None, "signal": None, "timeout": False})
        else:
            if pid == 0:
                self._be_fork(request, file, out)
            self._forks[pid] = _Fork(status, time.monotonic() + self._limits.wall)
        os.close(file)
        os.close(out)
        return True

    def _be_fork(self, request: Request, file: int, out: int) -> None:
        """Do one file's work in this fork, and leave. Nothing returns from here."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            file, out = _keep_only(file, out)
            data = work.read(file, request.size)
            limits = self._limits
            if request.light:
                limits = replace(limits, memory=min(limits.memory, LIGHT_MEMORY))
            walls = self._confinement.confine_child(limits)
            if request.task == tasks.FIND:
                media_type, found = work.find(request, data)
                _write(out, pack_answer(found, media_type))
            elif request.task == tasks.TEXTS:
                work.texts(request, data, partial(_write, out))
            elif request.task.startswith(tasks.UNPACK):
                work.unpack(request, data, partial(_write, out))
            else:
                found = self._answer(request, data, out, walls)
                _write(out, pack_answer(found))
                for more in following(found) if request.on and isinstance(found, Extracted) else ():
                    _write(out, pack_answer(more))
            code = 0
        except MemoryError:
            with contextlib.suppress(Exception):
                _write(out, pack_answer(Failure(Reason.MEMORY)))
                code = 0
        finally:
            os._exit(code)

    def _answer(self, request: Request, data: mmap.mmap | bytes, out: int, walls: list[str]) -> work.Answer:
        if request.task == tasks.WALLS:
            return {"walls": walls}
        if self._hostile is not None and request.task.startswith(tasks.HOSTILE):
            found = getattr(self._hostile, request.task.removeprefix(tasks.HOSTILE))(out)
            return {"done": str(found)}
        return self._do(request, data)

    def _bury(self) -> None:
        for pid, fork in list(self._forks.items()):
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            _kill(pid)  # what it may have left behind, while its number is still its own
            _, status, used = os.wait4(pid, 0)
            del self._forks[pid]
            code = os.waitstatus_to_exitcode(status)
            _tell(
                fork.status,
                {
                    "exit": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "timeout": fork.timed_out or self._took_all(code, used),
                },
            )

    def _took_all(self, code: int, used: resource.struct_rusage) -> bool:
        """Whether a fork was ended at the hard limit: it did not heed the signal of the soft one."""
        return code == -signal.SIGKILL and used.ru_utime + used.ru_stime >= self._limits.cpu

    def _stop_late(self) -> None:
        now = time.monotonic()
        for pid, fork in self._forks.items():
            if now >= fork.until:
                fork.timed_out = True
                fork.until = now + 5.0
                _kill(pid)


def _fork() -> int:
    """Fork without what Python does after it for threads, locks and random numbers, none of which a parser shares.

    That alone would touch, and so copy, some 200 pages. This process has one thread.
    """
    if _LIBC is None:
        return os.fork()
    pid = _LIBC.fork()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return int(pid)


def _keep_only(file: int, out: int) -> tuple[int, int]:
    """Close every descriptor but the fork's two: the channel and other forks' pipes are not its business."""
    high = max(file, out) + 1
    os.dup2(file, high)
    os.dup2(out, high + 1)
    os.dup2(high, 3)
    os.dup2(high + 1, 4)
    os.closerange(5, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65_536))
    return 3, 4


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _tell(status: int, facts: dict[str, int | bool | None]) -> None:
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(facts).encode())
    os.close(status)


def _write(out: int, message: bytes) -> None:
    view = memoryview(message)
    while view:
        view = view[os.write(out, view) :]


def main(arguments: list[str]) -> None:
    """Serve on the descriptor named first; ``arguments`` may go on with the limits as JSON and a hostile module."""
    with socket.socket(fileno=int(arguments[0])) as channel:
        limits = Limits(**json.loads(arguments[1])) if len(arguments) > 1 else Limits()
        hostile = None
        if len(arguments) > 2:
            import importlib  # noqa: PLC0415  (only tests come here)

            hostile = importlib.import_module(arguments[2])
        work.preload()
        Server(channel, limits, hostile).run()


if __name__ == "__main__":
    main(sys.argv[1:])
