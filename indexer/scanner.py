"""Asking a virus scanner about a file: ClamAV's daemon, over its socket.

The bytes go in memory and in pieces, as ``INSTREAM`` wants them; nothing is written anywhere for the scanner to find.
Protocol: clamd(8), https://docs.clamav.net/manual/Usage/Scanning.html.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from archive.errors import Unavailable
from indexer.sandbox.memory import MemoryFile

PIECE = 256 * 1024
LONGEST_ANSWER = 4_096
PART = "virus_scanner"
_OVER_LIMITS = "Heuristics.Limits.Exceeded"  # what clamd calls a file that it did not look into to its end


@dataclass(frozen=True)
class Verdict:
    """What a scanner says of a file: the virus it found ("" for none), and by what, or "" where it was too large."""

    virus: str
    scanned_with: str


class Scanner(Protocol):
    """Looks for viruses."""

    def scan(self, file: MemoryFile) -> Verdict:
        """Say whether there is a virus in ``file``.

        Raises:
            Unavailable: the scanner does not answer as it should; the file is not to blame.
        """
        ...

    def version(self) -> str:
        """Return the scanner's name and version, with those of its signatures. Raises ``Unavailable``."""
        ...


class ClamAV:
    """ClamAV's daemon.

    Args:
        address: ``unix:/run/clamav/clamd.ctl`` or ``tcp://host:3310``.
        seconds: how long it may be silent.
    """

    def __init__(self, address: str, seconds: float = 60.0) -> None:
        self._address = address
        self._seconds = seconds
        self._told, self._until = "", 0.0

    def scan(self, file: MemoryFile) -> Verdict:
        """Say whether there is a virus in ``file`` (see ``Scanner.scan``)."""
        with self._connected() as line:
            with suppress(BrokenPipeError, ConnectionResetError):  # a file over its limit: it says so, and hangs up
                line.sendall(b"zINSTREAM\0")
                for piece in _pieces(file):
                    line.sendall(len(piece).to_bytes(4, "big") + piece)
                line.sendall(bytes(4))
            answer = _answer(line, self._seconds)
        found = answer.removeprefix("stream: ")
        if found.endswith(" FOUND") and not found.startswith(_OVER_LIMITS):
            return Verdict(found.removesuffix(" FOUND")[:200] or "?", self._present())
        if found == "OK":
            return Verdict("", self._present())
        if "size limit exceeded" in answer or found.startswith(_OVER_LIMITS):
            return Verdict("", "")
        raise Unavailable(part=PART)

    def version(self) -> str:
        """Return what answers (see ``Scanner.version``)."""
        with self._connected() as line:
            line.sendall(b"zVERSION\0")
            answer = _answer(line, self._seconds)
        if not answer.startswith("ClamAV"):
            raise Unavailable(part=PART)
        return "/".join(answer.split("/")[:2])[:80]  # the third part is the day of the signatures

    def _present(self) -> str:
        """Return ``version``, asked once a minute: a folder of files would ask as often as it is scanned."""
        if time.monotonic() >= self._until:
            self._told, self._until = self.version(), time.monotonic() + 60
        return self._told

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        where = urlsplit(self._address)
        try:
            if where.scheme == "unix":
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                    line.settimeout(self._seconds)
                    line.connect(where.path)
                    yield line
            else:
                with socket.create_connection((where.hostname, where.port), self._seconds) as line:
                    yield line
        except OSError as error:
            raise Unavailable(part=PART) from error


def _pieces(file: MemoryFile) -> Iterator[bytes]:
    with file.mapped() as data:
        for start in range(0, file.size, PIECE):
            yield data[start : start + PIECE]


def _answer(line: socket.socket, seconds: float) -> str:
    """Read one answer, ended by a zero byte or by the end of the line; all of it within ``seconds``."""
    read, until = b"", time.monotonic() + seconds
    while b"\0" not in read and len(read) < LONGEST_ANSWER:
        line.settimeout(max(until - time.monotonic(), 0.001))
        piece = line.recv(LONGEST_ANSWER)
        if not piece:
            break
        read += piece
    return read.split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def virus_in(scanner: Scanner | None) -> Callable[[bytes], str | None]:
    """Return what says which virus a small file holds: none, where the house has no scanner."""

    def look(data: bytes) -> str | None:
        if scanner is None:
            return None
        file = MemoryFile([data], size=len(data), limit=len(data))
        try:
            return scanner.scan(file).virus or None
        finally:
            file.close()

    return look
