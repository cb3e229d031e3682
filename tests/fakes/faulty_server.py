"""A server in front of a server: passes requests on, or breaks them as it is told to."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

OPEN, REFUSES, SLOW, BUSY, ITEMS_BUSY, BROKEN, LARGE = "open", "refuses", "slow", "429", "items 429", "503", "413"
_KEPT = ("Content-Type", "X-Elastic-Product")


class FaultyServer:
    """``mode`` says what becomes of requests; ``left`` how many it still holds for (None: all)."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.mode, self.left = OPEN, None  # type: str, int | None
        self.replies: list[bytes] = []
        self.released = threading.Event()
        self.address = ""

    def fails(self, how: str, times: int | None = None) -> None:
        self.mode, self.left = how, times

    def take(self, path: str) -> str:
        mode = self.mode
        if mode in {ITEMS_BUSY, LARGE} and "_bulk" not in path:
            return OPEN
        if mode != OPEN and self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.mode = OPEN
        return mode


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: ClassVar[FaultyServer]

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = self.front.take(self.path)
        if mode == REFUSES:
            self.close_connection = True
            return
        if mode == SLOW:
            self.front.released.wait(60)
            self.close_connection = True
            return
        if mode in {BUSY, BROKEN, LARGE}:
            error = {"type": "es_rejected_execution_exception", "reason": "busy"}
            answer = {"error": {"root_cause": [error], **error}, "status": int(mode)}
            self._reply(int(mode), json.dumps(answer).encode(), {})
            return
        if mode == ITEMS_BUSY:
            self._reply(200, _busy_items(body), {})
            return
        target = http.client.HTTPConnection(self.front.target.hostname or "", self.front.target.port)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        target.request(self.command, self.path, body or None, headers)
        with target.getresponse() as answer:
            told = answer.read()
            self._reply(answer.status, told, {name: value for name in _KEPT if (value := answer.getheader(name))})
        target.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815  (names that the library looks for)

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.front.replies.append(body)
        self.send_response(status)
        own = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
        for name, value in (own | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _busy_items(body: bytes) -> bytes:
    items = []
    for line in body.splitlines():
        action = json.loads(line).get("index") if line else None
        if isinstance(action, dict) and "_id" in action:
            error = {"type": "es_rejected_execution_exception", "reason": "queue full"}
            items.append({"index": {"_index": "x", "_id": action["_id"], "status": 429, "error": error}})
    return json.dumps({"took": 1, "errors": True, "items": items}).encode()


@contextmanager
def faulty_server(target: str) -> Iterator[FaultyServer]:
    front = FaultyServer(target)
    handler = type("Handler", (_Handler,), {"front": front})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    front.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield front
    finally:
        front.released.set()
        server.shutdown()
        server.server_close()
