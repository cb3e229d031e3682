"""A proxy on loopback through which a store or a broker behaves badly, as a test says."""

import socket
import threading
from types import TracebackType
from typing import Self

BUSY = (
    b"HTTP/1.1 503 Busy\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message/></Error>     "
)


class RoughProxy:
    """Hands bytes on to a server, but for the faults that are asked for.

    ``busy`` requests are answered with 503; ``lost`` answers are swallowed and the connection ends; ``cut`` answers end
    after so many bytes, once each; ``flip`` changes the last byte of every long answer that is no XML;
    ``away`` refuses every connection; ``silent`` takes requests and never answers.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.busy = self.lost = 0
        self.cut: list[int] = []
        self.flip = self.away = self.silent = False
        self.requests = 0

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
                caller.close()
                continue
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._answers, args=(server, caller), daemon=True)
            back.start()
            while data := _received(caller):
                if self.away:
                    break
                self.requests += 1
                if self.silent:
                    continue
                if self.busy and data[:4] in {b"GET ", b"PUT ", b"POST", b"HEAD", b"DELE"}:
                    self.busy -= 1
                    caller.sendall(BUSY)
                    break
                server.sendall(data)
            _shut(server)
            back.join()

    def _answers(self, server: socket.socket, caller: socket.socket) -> None:
        while data := _received(server):
            if self.lost:
                self.lost -= 1
                break
            if self.cut and len(data) > 1024:
                data = data[: self.cut.pop(0)]
                _sent(caller, data)
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
