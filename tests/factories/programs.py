"""A program that works with a house over the interface for programs."""

import json
import secrets
import urllib.request
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from tests.factories.archives import wait_for

WORD = "曳引机"
"""Stands in the text of what is brought in, and nowhere else."""


def ask(url: str, token: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        sent["Content-Type"] = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    request = urllib.request.Request(f"{url}/api/v1{path}", data, sent, method=method)  # noqa: S310 (our own address)
    with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310
        return json.load(reply)


def brought_in(url: str, token: str) -> str:
    """File a record by the interface for programs; return its number."""
    new = {"fonds": "H001", "category": "WYH", "title": "电梯维保合同", "drawn_up": "2026-03-05", "level": 1}
    record = ask(url, token, "POST", "/records", new, Idempotency_Key=secrets.token_hex(8))["record"]
    data = f"本合同所称{WORD}由乙方每月检查。".encode()
    ask(url, token, "POST", f"/records/{record}/files?name=a.txt", data)
    version = ask(url, token, "GET", f"/records/{record}")["version"]
    filed = ask(url, token, "POST", f"/records/{record}/file", If_Match=f'"{version}"')
    return str(filed["number"])


def wait_until_found(url: str, token: str) -> Any:
    """Search for a word of the file's text until the workers have read and indexed it."""
    answer: Any = {}

    def found() -> bool:
        try:
            answer.update(ask(url, token, "GET", f"/search?q={quote(WORD)}"))
        except HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # a server that begins may answer late
                raise
        return bool(answer.get("hits"))

    wait_for(found, 120)
    return answer
