"""A plain HTTP client with a cookie jar, for pages that are really served."""

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode

from tests.factories.archives import Archive, Served


class Browser:
    """Someone at the pages of a running ``serve``."""

    def __init__(self, served: Served) -> None:
        self._port = served.port
        self._cookies: dict[str, str] = {}
        self.token = ""

    def sign_in(self, archive: Archive, login: str) -> "Browser":
        """Sign in with the demonstration's password and remember a form token."""
        people = json.loads((archive.folder / "demo.json").read_text())["people"]
        password = next(person["password"] for person in people if person["login"] == login)
        self._remember_token(self.ask("GET", "/sign-in")[1])
        form = urlencode({"login": login, "password": password, "csrf_token": self.token}).encode()
        status, page = self.ask("POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 303, page
        self._remember_token(self.ask("GET", "/uploads")[1])
        return self

    def _remember_token(self, page: bytes) -> None:
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, page
        self.token = found[1].decode()

    def open(self, method: str, path: str, length: int, headers: dict[str, str]) -> http.client.HTTPConnection:
        """Begin a request whose body the caller sends."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.putrequest(method, path)
        own = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "X-CSRFToken": self.token,
            "Accept": "application/json" if "json" in headers.get("Accept", "json") else "text/html",
            "Content-Length": str(length),
        }
        for name, value in (own | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    def end(self, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        """Read the reply."""
        reply = connection.getresponse()
        body = reply.read()
        for cookie in reply.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        connection.close()
        return reply.status, body

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a whole request."""
        connection = self.open(method, path, len(body), headers or {"Accept": "text/html"})
        connection.send(body)
        return self.end(connection)

    def json(self, method: str, path: str, document: Any = None) -> Any:
        """Ask for JSON; the answer must be 200."""
        body = json.dumps(document).encode() if document is not None else b""
        status, answer = self.ask(
            method, path, body, {"Content-Type": "application/json", "Accept": "application/json"}
        )
        assert status == 200, answer
        return json.loads(answer)
