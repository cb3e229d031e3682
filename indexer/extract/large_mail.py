"""A large mail, with as much of each of its parts as reading it takes: what is attached to it is only named there."""

import mmap
import re
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser

from indexer import kinds

LARGE = 8_000_000
"""Bytes from which on a mail is shortened before it is parsed: the parser holds each of its lines several times."""

MOST_WORDS = 32_000_000
"""Bytes that are read of all texts of a large mail; what comes after is not."""

_HEAD = 65_536  # bytes in which a part's heads end; so much is kept of what is attached, for a mail's subject too
_MOST_HEADS = 32_000_000
_MOST_BEYOND = 32_000_000  # bytes of heads that are kept where nothing else is any more
_MOST_BOUNDARIES, _LONGEST_BOUNDARY = 100, 200
_MOST_PIECES = 20_001  # each part is opened by a line, and may be closed by one: of more parts no mail is read
_HEADS = re.compile(rb"(?:--[^\n]*+(?:\n|\Z))?(?:(?!--)(?:From |[!-9;-~]*+:|[\t ])[^\n]*+\n)*+(?:\r?\n)?")


def shortened(data: mmap.mmap | bytes, start: int = 0) -> tuple[bytes, bool]:
    """Return a mail with the beginnings of its parts, and whether words were left out.

    Its parts stay as many, and under the heads that they came with; those of which only the beginning is kept still
    end with a line. Only of a mail that has more parts than are read, or too many long heads, the end is left out.

    Args:
        data: the mail.
        start: where it begins.
    """
    kept: list[bytes] = []
    words, heads, lost = MOST_WORDS, _MOST_HEADS, False
    boundaries: list[bytes] = []  # of the part that is read and of those around it
    at, parted = start, None
    while at < len(data):
        if len(kept) == _MOST_PIECES or min(words, heads) < -_MOST_BEYOND:
            return b"".join(kept), True
        if parted:
            del boundaries[boundaries.index(parted["by"]) + (not parted["closed"]) :]
        begins = _begins(data, at)
        about = _heads(data[at:begins])
        if (fresh := _boundary(about)) and fresh not in boundaries and len(boundaries) < _MOST_BOUNDARIES:
            boundaries.append(fresh)
        if _goes_on(about):
            end, parted = begins, None
        else:
            parted = _line(boundaries).search(data, at + 1) if boundaries else None
            end = parted.start() if parted else len(data)
        attached = not _is_read(about, whole=at == start)
        piece = _beginning(data, at, begins, end, min(_HEAD, heads) if attached else words)
        lost = lost or (len(piece) < end - at and (not attached or heads < _HEAD))
        kept.append(piece)
        if attached:
            heads -= len(piece)
        else:
            words -= len(piece)
        at = end
    return b"".join(kept), lost


def _line(boundaries: list[bytes]) -> re.Pattern[bytes]:
    """Return what a line looks like that parts, of which boundaries the innermost comes last."""
    names = b"|".join(map(re.escape, reversed(boundaries)))
    return re.compile(rb"^--(?P<by>%s)(?P<closed>--)?[ \t]*\r?$" % names, re.MULTILINE)


def _begins(data: mmap.mmap | bytes, at: int) -> int:
    """Return where a part's own bytes begin: behind its heads, as the parser takes them, and the line after them."""
    found = _HEADS.match(data, at, min(at + _HEAD, len(data)))
    return found.end() if found else at


def _heads(lines: bytes) -> Message:
    """Return the heads of a part, the line that parts it from the one before left out."""
    if lines.startswith(b"--"):
        lines = lines.partition(b"\n")[2]
    return BytesHeaderParser().parsebytes(lines) if lines.strip() else Message()


def _boundary(about: Message) -> bytes:
    """Return what parts the parts within a part, or b""."""
    if about.get_content_maintype() != "multipart":
        return b""
    try:
        found = about.get_boundary("").encode("ascii")
    except (MessageError, ValueError, TypeError, LookupError):
        return b""
    return found if len(found) <= _LONGEST_BOUNDARY else b""


def _goes_on(about: Message) -> bool:
    """Whether what follows the heads are a mail's heads again, of one that is read as part of this mail."""
    return about.get_content_maintype() == "message" and about.get_content_type() != kinds.MAIL


def _is_read(about: Message, *, whole: bool) -> bool:
    """Whether the words of a part, or of the ``whole`` mail, are read with the mail; else it is named there at most."""
    if about.get_content_maintype() not in {"text", "multipart"}:
        return _goes_on(about)
    try:
        return whole or not (about.get_filename("") or about.get_content_disposition() == "attachment")
    except (MessageError, ValueError, TypeError, LookupError):
        return True


def _beginning(data: mmap.mmap | bytes, at: int, begins: int, end: int, most: int) -> bytes:
    """Return what lies from ``at`` to ``end``, or, where that is more than ``most`` bytes, its whole lines up to there.

    What lies before ``begins`` is always kept: without its own line a part would become one with that before it. Of a
    line that is too long the beginning is kept.
    """
    if end - at <= most:
        return data[at:end]
    if at + most <= begins:
        return data[at:begins]
    lines = data.rfind(b"\n", begins, at + most) + 1
    return data[at:lines] if lines else data[at : at + most] + b"\n"
