"""What calamine leaves of an old workbook (BIFF8): comments, text boxes, headers and footers, by sheet."""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

_BEGIN, _CONTINUE, _SHEET, _HEADER, _FOOTER, _TEXT, _PASSWORD = 0x809, 0x3C, 0x85, 0x14, 0x15, 0x1B6, 0x2F
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Za-z])')


def is_locked(stream: bytes) -> bool:
    """Whether a workbook's first records ask for a password; they come right after its beginning."""
    return any(kind == _PASSWORD for _at, kind, _body in islice(_records(stream), 20))


def texts_by_sheet(stream: bytes) -> list[list[str]]:
    """Return for each sheet, in the workbook's order, the texts that lie beside its cells."""
    starts: dict[int, int] = {}
    found: list[list[str]] = []
    sheet: int | None = None
    waiting, letters = 0, ""
    for at, kind, body in _records(stream):
        with suppress(struct.error, IndexError):
            if kind == _SHEET:
                starts[struct.unpack_from("<I", body)[0]] = len(found)
                found.append([])
            elif kind == _BEGIN:
                sheet = starts.get(at, sheet)  # a chart inside a sheet begins too, and stays that sheet's
            elif kind == _TEXT:
                waiting, letters = struct.unpack_from("<H", body, 10)[0], ""
            elif kind == _CONTINUE and waiting:
                letters += _letters(body)
                if len(letters) >= waiting:
                    _keep(found, sheet, letters[:waiting])
                    waiting = 0
            elif kind in {_HEADER, _FOOTER} and body:
                _keep(found, sheet, margin_words(_letters(body[2:])))
    return [list(dict.fromkeys(text for text in texts if text)) for texts in found]


def margin_words(text: str) -> str:
    """Return the words of a sheet's header or footer, without the codes for fonts, places and fields."""
    return " ".join(_CODES.sub(" ", text.replace("&&", "\x00")).replace("\x00", "&").split())


def _keep(found: list[list[str]], sheet: int | None, text: str) -> None:
    if sheet is not None:
        found[sheet].append(text.replace("\r", "\n").strip())


def _letters(body: bytes) -> str:
    """Read a text whose first byte tells whether its signs have one byte or two."""
    return body[1:].decode("utf-16-le" if body[0] & 1 else "latin-1", "replace")


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield each record's offset, kind and body."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
