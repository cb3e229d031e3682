"""A large mail, with as much of each of its parts as reading it takes: what is attached to it is only named there."""

import mmap
import re

LARGE = 8_000_000
"""Bytes from which on a mail is shortened before it is parsed: the parser holds each of its lines several times."""

MOST_WORDS = 32_000_000
"""Bytes that are read of all texts of a large mail; what comes after is not."""

_HEAD = 65_536  # bytes in which a part's heads end; so much is kept of what is attached, for a mail's subject too
_MOST_HEADS = 32_000_000
_MOST_BOUNDARIES = 100
_BOUNDARY = re.compile(rb"""\bboundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_BLANK = re.compile(rb"\r?\n\r?\n")
_NO_TEXT = re.compile(rb"^content-type:\s*+(?!text/|multipart/)", re.IGNORECASE | re.MULTILINE)
_FILE = re.compile(rb"^content-disposition:\s*attachment|\b(?:file)?name\*?(?:0\*?)?\s*=", re.IGNORECASE | re.MULTILINE)


def shortened(data: mmap.mmap | bytes, start: int = 0) -> tuple[bytes, bool]:
    """Return a mail with the beginnings of its parts, and whether words were left out.

    Its parts stay as many, and under the heads that they came with; those of which only the beginning is kept still
    end with a line.

    Args:
        data: the mail.
        start: where it begins.
    """
    kept: list[bytes] = []
    words, heads, lost = MOST_WORDS, _MOST_HEADS, False
    boundaries: dict[bytes, None] = {}
    line: re.Pattern[bytes] | None = None
    at = start
    while at < len(data):
        head = data[at : at + _HEAD]
        found = [one or other for one, other in _BOUNDARY.findall(head)]
        if fresh := [each for each in found if each not in boundaries][: _MOST_BOUNDARIES - len(boundaries)]:
            boundaries |= dict.fromkeys(fresh)
            line = re.compile(rb"^--(?:%s)" % b"|".join(map(re.escape, boundaries)), re.MULTILINE)
        following = line.search(data, at + 1) if line else None
        end = following.start() if following else len(data)
        blank = _BLANK.search(head)
        about = head[: blank.start() if blank else _HEAD]
        attached = bool(_NO_TEXT.search(about) or (at > start and _FILE.search(about)))
        piece = _beginning(data, at, end, min(_HEAD, heads) if attached else words)
        lost = lost or (len(piece) < end - at and (not attached or not piece))
        kept.append(piece)
        if attached:
            heads -= len(piece)
        else:
            words -= len(piece)
        at = end
    return b"".join(kept), lost


def _beginning(data: mmap.mmap | bytes, at: int, end: int, most: int) -> bytes:
    """Return what lies between two places, or, where that is more than ``most`` bytes, its whole lines up to there."""
    if end - at <= most:
        return data[at:end]
    piece = data[at : at + max(most, 0)]
    return piece[: piece.rfind(b"\n") + 1] or piece
