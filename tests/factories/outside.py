"""Servers outside of the house: a real mail server, and one that answers HTTP as it is told. On loopback."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from tests.factories.archives import free_port


class MailServer:
    """Takes mail. ``answers`` names what it says instead of taking the next letter's address or body."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.refuses: dict[str, str] = {}
        self.breaks_off = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: ARG002, N802
        if "rcpt" in self.refuses:
            return self.refuses["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        if "data" in self.refuses:
            return self.refuses["data"]
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append((list(envelope.rcpt_tos), message))  # type: ignore[arg-type]
        if self.breaks_off:
            server.transport.abort()
        return "250 OK"


class _Secure(Controller):
    def __init__(self, handler: MailServer, *, starttls: ssl.SSLContext | None, **more: Any) -> None:
        self._starttls = starttls
        super().__init__(handler, **more)

    def factory(self) -> SMTP:
        def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=(data.login, data.password) == (b"house", b"secret"), handled=False)

        return SMTP(
            self.handler, tls_context=self._starttls, authenticator=knows, auth_require_tls=False,
            require_starttls=self._starttls is not None,
        )  # fmt: skip


@contextmanager
def a_mail_server(
    certificate: tuple[Path, Path] | None = None, *, starttls: bool = False
) -> Iterator[tuple[MailServer, int]]:
    """Run a mail server; with a certificate (and its key) it speaks TLS from the beginning, or by STARTTLS."""
    handler, port = MailServer(), free_port()
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    controller = _Secure(
        handler, starttls=context if starttls else None, hostname="127.0.0.1", port=port,
        ssl_context=None if starttls else context, ready_timeout=60,
    )  # fmt: skip
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


class Hook:
    """Answers HTTP: ``status``, ``body`` and ``headers`` are what it says next; ``asked`` what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.status, self.body, self.headers = 200, b"{}", {"Content-Type": "application/json"}
        self.silent = False


@contextmanager
def a_hook() -> Iterator[tuple[Hook, str]]:
    """Run a server that answers HTTP."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            hook.asked.append((self.path, dict(self.headers), json.loads(data)))
            if hook.silent:
                self.close_connection = True
                return
            self.send_response(hook.status)
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(hook.body)))
            self.end_headers()
            self.wfile.write(hook.body)

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hook, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
