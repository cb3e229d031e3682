"""What client, server and fork say to each other, as bytes.

A request is one message over the control channel with three descriptors: the file, the pipe for the fork's answer,
the pipe for the server's word on how the fork ended. An answer is its length (4 bytes) and JSON.
"""

import base64
import json
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.extract.answer import Extracted, Failure, Reason

MAX_ANSWER_BYTES = 20_000_000
"""More than this is not read from a fork."""

MAX_REQUEST_BYTES = 4_096

_LENGTH = struct.Struct(">I")
_SHORT = 500  # bytes: no answer with text
_SIGNALS = {24: Reason.TIME}  # SIGXCPU


@dataclass(frozen=True)
class Request:
    """One piece of work for a fork. ``task`` is a media type, or one of the server's own words.

    ``light`` says that the fork is to get by with little memory (``room.LIGHT_MEMORY``), ``on``
    that it goes on with the pages after its answer, answer by answer, as far as it has them. ``parts`` are the sizes
    of the files that lie one behind another in the one that comes along.
    """

    task: str
    size: int
    first_page: int | None = None
    last_page: int | None = None
    name: str = ""
    picture: dict[str, Any] | None = None
    password: str = field(default="", repr=False)
    light: bool = False
    on: bool = False
    parts: Sequence[int] = ()


def send_request(channel: socket.socket, request: Request, descriptors: list[int]) -> None:
    """Send a request with its descriptors; the caller keeps its own copies."""
    fields = {**vars(request), "name": request.name[-200:]}
    body = json.dumps(fields).encode()
    message = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(channel, [message], descriptors)
    channel.sendall(message[sent:])


def receive_request(channel: socket.socket) -> tuple[Request, list[int]] | None:
    """Take the next request; None when the other side has closed.

    Raises:
        OSError: what came is no request; the channel is useless from here on.
    """
    message, descriptors, _flags, _address = socket.recv_fds(channel, _LENGTH.size, 3)
    if not message:
        return None
    head = message + _exactly(channel, _LENGTH.size - len(message))
    (length,) = _LENGTH.unpack(head)
    if length > MAX_REQUEST_BYTES or len(descriptors) != 3:
        raise OSError(length)
    return Request(**json.loads(_exactly(channel, length))), list(descriptors)


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = channel.recv(count - len(parts))
        if not part:
            raise OSError(count)
        parts += part
    return parts


def pack_answer(answer: Extracted | Failure | dict[str, Any], media_type: str | None = None) -> bytes:
    """Turn a fork's answer into bytes, with what the file was found to be."""
    if isinstance(answer, Extracted):
        body: dict[str, Any] = {
            "pages": answer.pages,
            "first": answer.first_page,
            "count": answer.page_count,
            "title": answer.title,
            "created": answer.created,
            "scans": answer.scans,
            "macros": answer.macros,
            "author": answer.author,
            "inside": answer.inside,
            "cut": answer.cut,
        }
    elif isinstance(answer, Failure):
        body = {"failure": answer.reason.value, "detail": answer.detail}
    else:
        body = answer
    if media_type is not None:
        body["media_type"] = media_type
    message = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return _LENGTH.pack(len(message)) + message


def whole_answers(receive: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield the whole answers that come, each with its length; what is too long or breaks off ends them.

    Args:
        receive: returns the next bytes, b"" at the end.
    """
    waiting = bytearray()
    while part := receive():
        waiting += part
        while len(waiting) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(waiting)[0]
            if end > MAX_ANSWER_BYTES:
                return
            if len(waiting) < end:
                break
            yield bytes(waiting[:end])
            del waiting[:end]


def unpack_body(answer: bytes) -> dict[str, Any] | None:
    """Read an answer's bytes, trusting none of them; None when they are no whole answer."""
    if len(answer) < _LENGTH.size or len(answer) != _LENGTH.size + _LENGTH.unpack_from(answer)[0]:
        return None
    try:
        body = json.loads(answer[_LENGTH.size :])
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def unpack_found(answer: bytes) -> tuple[str | None, Extracted | Failure | None]:
    """Return what a fork says that its file is, and what ``unpack_answer`` does; each None when it is of no use."""
    body = unpack_body(answer)
    return media_type_of(body), _answer_of(body)


def media_type_of(body: dict[str, Any] | None) -> str | None:
    """Return what a fork says that its file is; None when it says nothing of use."""
    found = (body or {}).get("media_type")
    return found if isinstance(found, str) and 0 < len(found) <= 120 else None


def unpack_picture(answer: bytes) -> bytes | Failure | None:
    """Read the WebP that a fork drew; None when it sent anything else."""
    body = unpack_body(answer) or {}
    if "image" not in body:
        found = unpack_answer(answer)
        return found if isinstance(found, Failure) else None
    try:
        image = base64.b64decode(body["image"], validate=True)
    except (ValueError, TypeError):
        return None
    return image if image[:4] == b"RIFF" and image[8:12] == b"WEBP" else None


def unpack_answer(answer: bytes) -> Extracted | Failure | None:
    """Read what ``pack_answer`` wrote; None when a fork sent anything else."""
    return _answer_of(unpack_body(answer))


def _answer_of(body: dict[str, Any] | None) -> Extracted | Failure | None:
    if body is None:
        return None
    if "failure" in body:
        known = body["failure"] in {reason.value for reason in Reason}
        return Failure(Reason(body["failure"]), str(body.get("detail", ""))[:100]) if known else None
    pages, first, count = body.get("pages"), body.get("first"), body.get("count")
    if not (isinstance(pages, list) and all(isinstance(page, str) for page in pages)):
        return None
    if not (isinstance(first, int) and isinstance(count, int) and first >= 1 and 0 <= count < 10_000_000):
        return None
    if first + len(pages) - 1 > max(count, 1):
        return None
    title, created = str(body.get("title", ""))[:300], str(body.get("created", ""))[:40]
    scans = _scans(body.get("scans"), first, len(pages))
    author, macros = str(body.get("author", ""))[:200], body.get("macros") is True
    inside = body.get("inside")
    inside = inside if isinstance(inside, int) and 0 <= inside < 10_000_000 else 0
    torn = body.get("cut") is True
    return Extracted(tuple(pages), first, count, title, created, scans, macros, author, inside, torn)


def _scans(said: object, first: int, count: int) -> tuple[int, ...]:
    """Return the page numbers among those that were answered."""
    listed = said if isinstance(said, list) else ()
    return tuple(sorted({number for number in listed if isinstance(number, int) and first <= number < first + count}))


def lacked_memory(answer: bytes, end: dict[str, Any]) -> bool:
    """Whether a fork says so, or ends as those do whose library does not bear it: some only call the file broken."""
    if not answer:
        return not end.get("timeout") and end.get("signal") not in _SIGNALS
    found = unpack_answer(answer) if len(answer) < _SHORT else None
    return isinstance(found, Failure) and found.reason in {Reason.MEMORY, Reason.BROKEN}


def why(answer: bytes, end: dict[str, Any]) -> Failure:
    """Say why a fork gave no answer that can be read."""
    if end.get("timeout"):
        return Failure(Reason.TIME)
    if len(answer) >= MAX_ANSWER_BYTES:
        return Failure(Reason.TOO_LARGE)
    number = end.get("signal")
    return Failure(_SIGNALS.get(number or 0, Reason.CRASHED), f"signal {number}" if number else "no answer")
