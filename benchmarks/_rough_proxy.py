"""A proxy on loopback through which a store, a broker, an engine or a database behaves badly, as a test says."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

BUSY = (
    b"HTTP/1.1 503 Busy\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message/></Error>     "
)
_TOO_MANY = b'{"error":{"type":"es_rejected_execution_exception","reason":"busy"},"status":429}'
REJECTED = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_TOO_MANY), _TOO_MANY)
)
"""How Elasticsearch says that it takes no more."""

_ANSWER_SECONDS = 30


class RoughProxy:
    """Hands bytes on to a server, but for the faults that are asked for.

    ``requests`` are counted, and what was ``refused`` while it was away.

    ``busy`` requests are answered with ``refusal`` (503); ``lost`` answers are swallowed and the connection ends;
    ``cut`` answers end after so many bytes, once each, and all of them after ``every`` bytes; ``flip`` changes the last
    byte of every long answer that is no XML; ``away`` refuses every connection; ``silent`` takes requests and never
    answers; each answer comes ``late`` seconds late. The first request that holds ``catch`` ends its connection:
    unsent, or with ``caught`` (called once it was sent) without its answer.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.heal()
        self.requests = self.refused = 0

    def heal(self) -> None:
        """Take every fault away."""
        self.busy = self.lost = 0
        self.refusal = BUSY
        self.cut: list[int] = []
        self.every = 0
        self.flip = self.away = self.silent = False
        self.late = 0.0
        self.catch = b""
        self.caught: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            if self.away:
                self.refused += 1
                caller.close()
                continue
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            muted = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, caller, muted), daemon=True)
            back.start()
            while data := _received(caller):
                if self.away:
                    self.refused += 1
                    break
                self.requests += 1
                if self.silent:
                    continue
                if self.busy and data[:4] in {b"GET ", b"PUT ", b"POST", b"HEAD", b"DELE"}:
                    self.busy -= 1
                    caller.sendall(self.refusal)
                    break
                if self.catch and self.catch in data:
                    self.catch = b""
                    if self.caught:
                        muted.set()
                        server.sendall(data)
                        self.caught()
                        back.join(_ANSWER_SECONDS)  # what was sent is done before the server hears of the end
                    break
                server.sendall(data)
            _shut(server)
            back.join()

    def _answers(self, server: socket.socket, caller: socket.socket, muted: threading.Event) -> None:
        asked = came = 0
        while data := _received(server):
            if muted.is_set():
                break
            if self.late:
                threading.Event().wait(self.late)
            if self.lost:
                self.lost -= 1
                break
            if self.cut and len(data) > 1024:
                data = data[: self.cut.pop(0)]
                _sent(caller, data)
                break
            asked, came = self.requests, (came if asked == self.requests else 0) + len(data)
            if 0 < self.every < came:
                _sent(caller, data[: self.every - came])
                break
            if self.flip and len(data) > 1024 and b"<?xml" not in data:
                data = data[:-1] + bytes([data[-1] ^ 1])
            if not _sent(caller, data):
                break
        _shut(caller)
        _shut(server)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _sent(end: socket.socket, data: bytes) -> bool:
    try:
        end.sendall(data)
    except OSError:
        return False
    return True


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
