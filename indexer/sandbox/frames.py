"""What a fork says when it takes files out of another: frames, one after another, each a sign, a length and its bytes.

``M`` begins a member (JSON: number, path), ``D`` brings bytes of it, ``E`` ends it (1: whole, 0: broken). ``F`` ends
all of it (JSON: how many there are), ``T`` says that what follows cannot be read.
"""

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from indexer.extract.member import MAX_PATH, label

MAX_FRAME = 1_048_576
"""A longer frame is none of ours."""

_MOST = 10_000_000
_HEAD = struct.Struct(">cI")


class Torn(Exception):
    """A member did not come whole: it is broken, or the fork broke down on it."""


def begin(number: int, path: str) -> bytes:
    """Return the frame that begins a member."""
    return _frame(b"M", json.dumps([number, path]).encode())


def data(chunk: bytes) -> bytes:
    """Return a frame with bytes of a member."""
    return _frame(b"D", chunk)


def close(*, whole: bool) -> bytes:
    """Return the frame that ends a member."""
    return _frame(b"E", b"1" if whole else b"0")


def end(count: int) -> bytes:
    """Return the last frame."""
    return _frame(b"F", str(count).encode())


def torn() -> bytes:
    """Return the last frame where the rest cannot be read."""
    return _frame(b"T", b"")


def _frame(sign: bytes, body: bytes) -> bytes:
    return _HEAD.pack(sign, len(body)) + body


@dataclass(frozen=True)
class Arriving:
    """A member on its way: its number (from 1), its path, and its bytes, which raise ``Torn`` where they break off."""

    number: int
    path: str
    chunks: Iterator[bytes]


class Frames:
    """Reads what a fork writes, trusting none of it.

    Args:
        receive: returns the next bytes, b"" at the end.

    Attributes:
        whole: the fork went through to the end.
        torn: it said that the rest cannot be read.
        gone: it ended, or wrote what is no frame, before either.
        reached: number of the last member that was begun.
    """

    def __init__(self, receive: Callable[[], bytes], first: int) -> None:
        self._receive = receive
        self._waiting = bytearray()
        self._open = False
        self.whole = self.torn = self.gone = False
        self.reached = first - 1

    def members(self) -> Iterator[Arriving]:
        """Yield the members; bytes that are not asked for before the next one are passed over."""
        while (frame := self._next()) is not None:
            sign, body = frame
            if sign == b"M" and (told := _told(body)) and self.reached < told[0] <= _MOST:
                self.reached, self._open = told[0], True
                yield Arriving(told[0], label(told[1], told[0]), self._chunks())
                with suppress(Torn):
                    while self._open and self._part() is not None:
                        pass
                if self.gone:
                    return
            else:
                self.whole, self.torn = sign == b"F", sign == b"T"
                self.gone = not (self.whole or self.torn)
                return

    def _chunks(self) -> Iterator[bytes]:
        while (part := self._part()) is not None:
            if part:
                yield part

    def _part(self) -> bytes | None:
        """Return the next bytes of the member, None when it is whole.

        Raises:
            Torn: it is not.
        """
        sign, body = self._next() or (b"", b"")
        if sign == b"D":
            return body
        self._open = False
        self.gone = sign != b"E"
        if (sign, body) != (b"E", b"1"):
            raise Torn
        return None

    def _next(self) -> tuple[bytes, bytes] | None:
        head = self._take(_HEAD.size)
        sign, length = _HEAD.unpack(head) if head else (b"", 0)
        body = self._take(length) if head and length <= MAX_FRAME else None
        self.gone = body is None
        return None if body is None else (sign, body)

    def _take(self, count: int) -> bytes | None:
        while len(self._waiting) < count:
            part = self._receive()
            if not part:
                self._waiting.clear()
                return None
            self._waiting += part
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        return taken


def _told(body: bytes) -> tuple[int, str] | None:
    try:
        number, path = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return None
    sound = isinstance(number, int) and isinstance(path, str) and len(path) <= MAX_PATH * 2
    return (number, path) if sound else None
