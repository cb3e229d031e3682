"""The sandbox as the rest of the house sees it: give it a file, get pages or a reason.

The client may live in a process with many threads and secrets: nothing is forked from it. It starts the fork server
as a fresh program with an empty environment, hands it files as descriptors of memory, and starts another when the
server is gone.
"""

import contextlib
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from archive.errors import TooLarge, Unavailable
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.confinement import Limits
from indexer.sandbox.frames import Frames
from indexer.sandbox.memory import MemoryFile
from indexer.sandbox.pronom import Pronom
from indexer.sandbox.room import Room
from indexer.sandbox.running import RunningServer, ServerLost, bare_environment
from indexer.sandbox.tasks import FIND, IDENTIFY, PICTURE, TEXTS, UNPACK, WALLS
from indexer.sandbox.wire import (
    Request,
    lacked_memory,
    media_type_of,
    unpack_answer,
    unpack_body,
    unpack_found,
    unpack_picture,
    whole_answers,
    why,
)

MAX_FILE_BYTES = 200_000_000
"""Larger files are stored without text."""

QUICK_FORKS = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432",
    "PYTHONMALLOC": "malloc",
}
"""Has what the parsers load, Python's objects too, lie in huge pages where the kernel lends them: a fork copies less
of the page table."""


class Extractor:
    """A thread-safe door to the fork server. The server starts with the first file.

    Args:
        parallel: how many files are parsed at once; more callers wait.
        limits: what each parse may use.
        hostile: a module of acts that try the walls, for tests.
        module: the program that serves.
        environment: what its libraries must find in the environment, which is empty otherwise; None: ``QUICK_FORKS``.
    """

    def __init__(
        self,
        *,
        parallel: int = 2,
        limits: Limits | None = None,
        hostile: str | None = None,
        module: str = "indexer.sandbox.server",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = QUICK_FORKS if environment is None else environment
        self._module = module
        self.parallel = parallel
        self._limits = limits or Limits()
        self._hostile = hostile
        self._room = Room(parallel)
        self._lock = threading.Lock()
        self._server: RunningServer | None = None
        self._closed = False
        self._pronom = Pronom(bare_environment())

    def extract(
        self,
        media_type: str,
        data: Iterable[bytes],
        size: int,
        first_page: int | None = None,
        last_page: int | None = None,
    ) -> Extracted | Failure:
        """Parse one file.

        Args:
            media_type: what the file is; types without a parser answer ``unsupported``.
            data: its bytes, read once.
            size: how many bytes are expected.
            first_page: first page wanted (1-based); None: from the start.
            last_page: last page wanted, included; None: to the end, as far as one answer reaches.

        Raises:
            Unavailable: no fork server can be started; the file is not to blame.
        """
        with self.room(size):
            try:
                file = self.hold(data, size)
            except TooLarge:
                return Failure(Reason.TOO_LARGE)
            with contextlib.closing(file):
                return self.extract_held(media_type, file, first_page, last_page)

    def room(self, size: int) -> contextlib.AbstractContextManager[None]:
        """Wait until a file of ``size`` bytes may be held; it is to be closed inside the block."""
        return self._room.holding(size)

    def hold(self, data: Iterable[bytes], size: int) -> MemoryFile:
        """Take a file into memory, to be parsed in several slices. The caller closes it.

        Raises:
            TooLarge: more than ``MAX_FILE_BYTES``.
        """
        return MemoryFile(data, size=size, limit=MAX_FILE_BYTES)

    def extract_held(
        self,
        media_type: str,
        file: MemoryFile,
        first_page: int | None = None,
        last_page: int | None = None,
        *,
        name: str = "",
        password: str = "",
    ) -> Extracted | Failure:
        """Parse a slice of a held file, as ``extract`` does; a locked one with its ``password`` (and ``name``)."""
        request = Request(media_type, file.size, first_page, last_page, name=name, password=password)
        answer, end = self._ask(request, file.fd)
        return unpack_answer(answer) or why(answer, end)

    def series(self, media_type: str, file: MemoryFile, first_page: int) -> Generator[Extracted, None, None]:
        """Yield a held file's pages from ``first_page`` on, answer by answer, as far as one fork goes; then it ends.

        Why there is no more is for ``extract_held`` to say. Close it when no more is wanted: the fork waits till then.
        """
        light = self._room.is_light(file.size)
        with self._room.place(light=light):
            server = self._running()
            try:
                with server.told(Request(media_type, file.size, first_page, light=light, on=True), file.fd) as receive:
                    for answer in whole_answers(receive):
                        if not isinstance(found := unpack_answer(answer), Extracted):
                            return
                        yield found
            except ServerLost:
                self._forget(server)

    def identify(self, head: bytes, name: str) -> str:
        """Return a file's media type from its first bytes, found inside the sandbox.

        Raises:
            Unavailable: no fork server can be started.
        """
        with contextlib.closing(MemoryFile([head], size=len(head), limit=MAX_FILE_BYTES)) as file:
            answer, _end = self._ask(Request(IDENTIFY, file.size, name=name), file.fd)
        return media_type_of(unpack_body(answer)) or "application/octet-stream"

    def find_held(
        self, name: str, file: MemoryFile, first_page: int | None = None, last_page: int | None = None
    ) -> tuple[str | None, Extracted | Failure]:
        """Find what a held file is and parse a slice of it, in one fork. The type is None when that fork broke down."""
        request = Request(FIND, file.size, first_page, last_page, name=name)
        answer, end = self._ask(request, file.fd)
        media_type, found = unpack_found(answer)
        return media_type, found or why(answer, end)

    def texts_held(self, files: Sequence[MemoryFile], last_page: int) -> list[Extracted | None]:
        """Read held files that may be small plain texts one after another, in one fork.

        Returns:
            Pages 1 to ``last_page`` of each; None: it is to be read by itself. So is every one of them when the fork
            did not come to its end: which one was to blame cannot be known.

        Raises:
            Unavailable: no fork server can be started.
            OSError: there is no memory or descriptor left for what joins them.
        """
        sizes = [each.size for each in files]
        with contextlib.closing(self.hold(map(_whole, files), sum(sizes))) as joined:
            request = Request(TEXTS, joined.size, 1, last_page, light=True, parts=sizes)
            answer, end = self._run(request, joined.fd)
        told = iter((answer, b""))
        found = [unpack_answer(each) for each in whole_answers(lambda: next(told))]
        if end.get("exit") != 0 or len(found) != len(files):
            return [None] * len(files)
        return [each if isinstance(each, Extracted) else None for each in found]

    def picture_held(self, media_type: str, file: MemoryFile, page: int, width: int, turn: int = 0) -> bytes | Failure:
        """Draw one page of a held file as WebP (see ``indexer.extract.pictures.picture``)."""
        how = {"width": width, "turn": turn}
        answer, end = self._ask(Request(PICTURE + media_type, file.size, page, page, picture=how), file.fd)
        return unpack_picture(answer) or why(answer, end)

    def done_held(self, task: str, file: MemoryFile, page: int, **how: Any) -> dict[str, Any] | Failure:
        """Have a task of the server's own done on one page of a held file; what it answers is to be checked."""
        answer, end = self._ask(Request(task, file.size, page, page, picture=how or None), file.fd)
        failure = unpack_answer(answer)
        return failure if isinstance(failure, Failure) else unpack_body(answer) or why(answer, end)

    @contextlib.contextmanager
    def unpack_held(
        self, media_type: str, file: MemoryFile, first: int = 1, *, name: str = "", password: str = ""
    ) -> Iterator[Frames]:
        """Have the files inside a held file taken out, from number ``first`` (1-based) on; leaving ends the fork.

        Raises:
            Unavailable: no fork server can be started, or it went away.
        """
        request = Request(UNPACK + media_type, file.size, first, name=name, password=password)
        with self._room.place(light=False):
            server = self._running()
            try:
                with server.told(request, file.fd) as receive:
                    yield Frames(receive, first)
            except ServerLost:
                self._forget(server)
                raise Unavailable(part="sandbox") from None

    def pronom_held(self, media_type: str, file: MemoryFile) -> str | None:
        """Return the PRONOM id of a held file (see ``indexer.sandbox.pronom``); None when it has none."""
        return self._pronom.identify(file, media_type)

    def signatures(self) -> str:
        """Return which signatures PRONOM ids are told by; "" when they cannot be told here."""
        return self._pronom.signatures()

    def capabilities(self) -> Sequence[str]:
        """Return the walls around a fork: of ``limits`` (``limits_without_memory`` where memory cannot be bounded),
        ``namespace``, ``no_new_privs``, ``landlock``, ``seccomp``.
        """  # noqa: D205  (one sentence)
        return [str(wall) for wall in self._command(WALLS).get("walls", [])]

    def _command(self, task: str) -> dict[str, Any]:
        with contextlib.closing(MemoryFile([b"-"], size=1, limit=1)) as file:
            answer, end = self._ask(Request(task, 1), file.fd)
        return unpack_body(answer) or {"end": why(answer, end)}

    def close(self) -> None:
        """End the fork server and every fork under way."""
        with self._lock:
            self._closed = True
            server, self._server = self._server, None
        self._pronom.close()
        if server:
            server.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: Request, fd: int) -> tuple[bytes, dict[str, Any]]:
        """Run one fork: of a small file with little memory, and again with all where it may have lacked some."""
        if self._room.is_light(request.size):
            answer, end = self._run(replace(request, light=True), fd)
            if not lacked_memory(answer, end):
                return answer, end
        return self._run(request, fd)

    def _run(self, request: Request, fd: int) -> tuple[bytes, dict[str, Any]]:
        """Run one fork; a server that died is replaced once, for it may have died before this request."""
        with self._room.place(light=request.light):
            for last in (False, True):
                server = self._running()
                try:
                    return server.ask(request, fd)
                except ServerLost:
                    self._forget(server)
                    if last:
                        return b"", {"signal": None}
        raise AssertionError  # the loop returns

    def _running(self) -> RunningServer:
        with self._lock:
            if self._closed:
                raise Unavailable(part="sandbox")
            if self._server is None or not self._server.alive:
                if self._server:
                    self._server.end()
                self._server = RunningServer(self._module, self._limits, self._hostile, self._environment)
            return self._server

    def _forget(self, server: RunningServer) -> None:
        with self._lock:
            if self._server is server:
                self._server = None
        server.end()


def _whole(file: MemoryFile) -> bytes:
    with file.mapped() as data:
        return bytes(data)
