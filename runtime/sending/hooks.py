"""Messages by HTTP: the SMS gateway of the house, and the robots of its chat rooms.

The formats are those that the three services document for robots of a group. Redirects are not followed.
"""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlsplit

from archive.clock import Clock
from archive.reminding.delivering import Letter, NotSent, Unclear

SECONDS = 15.0
"""How long a server may be silent."""

LARGEST = 64 * 1024
"""Bytes of an answer that are read."""

LONGEST_TEXT = 2000
"""Bytes of a text to a room: WeCom takes 2048."""

LONGEST_SMS = 1000
"""Bytes of a text message: some five parts of one."""

_BUSY = frozenset({429, 503})
_TOO_OFTEN = frozenset({45009, 130101, 9499, 11232})
"""What the services answer to a robot that speaks too often."""


def post(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Send JSON to an address of the house's settings and return the JSON of a good answer ({}: it was none).

    Raises:
        NotSent: the server did not take it, or sends elsewhere.
        Unclear: it was sent and not answered.
    """
    where = urlsplit(url)
    host, port = where.hostname or "", where.port
    if where.scheme == "https":
        secure = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=SECONDS, context=secure
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            raise NotSent("hook_away", again=True) from error
        path = (where.path or "/") + (f"?{where.query}" if where.query else "")
        data = json.dumps(body, ensure_ascii=False).encode()
        try:
            connection.request(
                "POST", path, data, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
            )
            reply = connection.getresponse()
            told = reply.read(LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise Unclear("hook_broke_off") from error
    finally:
        connection.close()
    return _read(reply.status, told)


def _read(status: int, told: bytes) -> Mapping[str, Any]:
    if 300 <= status < 400:
        raise NotSent("hook_redirects", again=False)
    if status in _BUSY:
        raise NotSent("hook_busy", again=True)
    if status >= 500:
        raise Unclear("hook_failed")
    if status >= 400:
        raise NotSent("hook_refused", again=False)
    try:
        found = json.loads(told)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Sms:
    """The gateway of the house: it is given a number and a text for this one message, and keeps neither."""

    url: str = field(repr=False)
    token: str = field(default="", repr=False)

    longest = LONGEST_SMS

    def send(self, address: str, letter: Letter) -> None:
        """Send a letter, as ``archive.reminding.delivering.Sender``."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        post(self.url, {"id": letter.key.hex, "to": address, "text": letter.text}, headers)


@dataclass(frozen=True)
class Robot:
    """A robot of a chat room. ``signed`` makes address and body from a text; ``codes`` name the answer's own code."""

    signed: Callable[[str], tuple[str, Mapping[str, Any]]] = field(repr=False)
    codes: tuple[str, ...]

    longest = LONGEST_TEXT

    def send(self, address: str, letter: Letter) -> None:  # noqa: ARG002  (a room has none of its own)
        """Send a letter, as ``archive.reminding.delivering.Sender``."""
        url, body = self.signed(letter.text)
        found = post(url, body)
        code = next((found[name] for name in self.codes if name in found), None)
        if code in _TOO_OFTEN:
            raise NotSent("hook_busy", again=True)
        if code != 0:
            raise NotSent("hook_refused", again=False)


def wecom(url: str) -> Robot:
    """Return a robot of WeCom 企业微信: its key is part of the address."""
    return Robot(lambda text: (url, {"msgtype": "text", "text": {"content": text}}), ("errcode",))


def dingtalk(url: str, secret: str, clock: Clock) -> Robot:
    """Return a robot of DingTalk 钉钉: address signed with the moment in milliseconds ("" as secret: not signed)."""

    def signed(text: str) -> tuple[str, Mapping[str, Any]]:
        where = url
        if secret:
            moment = round(clock.now().timestamp() * 1000)
            sign = _mac(secret.encode(), f"{moment}\n{secret}".encode())
            where += f"{'&' if '?' in url else '?'}timestamp={moment}&sign={quote_plus(sign)}"
        return where, {"msgtype": "text", "text": {"content": text}}

    return Robot(signed, ("errcode",))


def feishu(url: str, secret: str, clock: Clock) -> Robot:
    """Return a robot of Feishu 飞书: the body carries moment (seconds) and sign ("" as secret: not signed)."""

    def signed(text: str) -> tuple[str, Mapping[str, Any]]:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if secret:
            moment = str(int(clock.now().timestamp()))
            body |= {"timestamp": moment, "sign": _mac(f"{moment}\n{secret}".encode(), b"")}
        return url, body

    return Robot(signed, ("code", "StatusCode"))


def _mac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
