"""Text of Word's old files (.doc, and WPS's .wps), by their table of pieces."""

import mmap
import re
import struct

import olefile

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import decode
from indexer.extract.ole import about, open_ole, stream
from indexer.extract.paging import cut, paged

_WORD_8 = 0xC1
_FAST_SAVED, _LOCKED, _TABLE_1 = 0x0004, 0x0100, 0x0200
_IDENTS = {0xA5EC, 0xA5DC}
_PIECES = 33  # place of the piece table in the list of places
_STORIES = (3, 4, 5, 7, 8, 9, 10)  # text, footnotes, headers, comments, endnotes, text boxes, those of headers
_NARROW = 0x40000000
_CODE_PAGES = {0x04: 950, 0x11: 932, 0x12: 949, 0x19: 1251, 0x08: 1253, 0x1F: 1254, 0x15: 1250, 0x05: 1250, 0x0E: 1250}
_MARKS = str.maketrans({"\x07": "\t", "\x0b": "\n", "\x0e": "\n", "\r": "\n", "\x1e": "-", "\x1f": None, "\x02": None})
_FIELD = re.compile("([\x13\x14\x15])")
_FONT_NAME = re.compile(r'\\\*\s*"[^"]*"')


def extract_doc(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of a Word 6 to 2003 document; its own page breaks make pages too.

    Raises:
        Unreadable: ``encrypted``, ``broken``, ``unsupported`` (older than Word 6).
    """
    with open_ole(data) as ole:
        try:
            text = _text(ole)
        except (struct.error, OSError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
        title, created = about(ole)
    return paged(cut(text), first_page, last_page, title=title, created=created)


def _text(ole: olefile.OleFileIO) -> str:
    main = stream(ole, "WordDocument")
    if not main:
        raise Unreadable(Reason.BROKEN, "no WordDocument")
    ident, version, _, language = struct.unpack_from("<HHHH", main)
    (flags,) = struct.unpack_from("<H", main, 10)
    if ident not in _IDENTS:
        raise Unreadable(Reason.UNSUPPORTED, "version")
    if flags & _LOCKED:
        raise Unreadable(Reason.ENCRYPTED)
    if version < _WORD_8:
        return _readable(_old(main, flags, language))
    places = 32
    for width in (2, 4):  # two lists of numbers, each with its length before
        (count,) = struct.unpack_from("<H", main, places)
        numbers, places = places + 2, places + 2 + count * width
    table = stream(ole, "1Table" if flags & _TABLE_1 else "0Table")
    start, length = struct.unpack_from("<II", main, places + 2 + _PIECES * 8)
    whole = b"".join(_as_wide(main, *piece) for piece in _pieces(table[start : start + length]))
    stories = []
    for place in _STORIES:
        (count,) = struct.unpack_from("<I", main, numbers + 4 * place)
        stories.append(_readable(whole[: 2 * count].decode("utf-16-le", "replace")))
        whole = whole[2 * count :]
    return "\n".join(story for story in stories if story.strip())


def _pieces(table: bytes) -> list[tuple[int, int]]:
    """Return (place, characters) of each piece, in the order of the text."""
    at = 0
    while table[at : at + 1] == b"\x01":  # properties stand before it
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if table[at : at + 1] != b"\x02":
        raise Unreadable(Reason.BROKEN, "pieces")
    (length,) = struct.unpack_from("<I", table, at + 1)
    count = (length - 4) // 12
    if count < 0 or at + 5 + length > len(table):
        raise Unreadable(Reason.BROKEN, "pieces")
    ends = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    places = [struct.unpack_from("<I", table, at + 5 + 4 * (count + 1) + 8 * number + 2)[0] for number in range(count)]
    return [(place, ends[number + 1] - ends[number]) for number, place in enumerate(places)]


def _as_wide(main: bytes, place: int, length: int) -> bytes:
    """Return a piece in UTF-16, in which the lengths of stories count."""
    narrow = place & _NARROW
    start = (place & ~_NARROW) // 2 if narrow else place
    end = start + (length if narrow else 2 * length)
    if length < 0 or end > len(main):
        raise Unreadable(Reason.BROKEN, "pieces")
    found = main[start:end]
    return found.decode("cp1252", "replace").encode("utf-16-le") if narrow else found


def _old(main: bytes, flags: int, language: int) -> str:
    """Text of Word 6 and 95: one byte a character, in the code page of the document's language."""
    if flags & _FAST_SAVED:
        start, length = struct.unpack_from("<II", main, 0x160)
        found = b"".join(main[place : place + count] for place, count in _pieces(main[start : start + length]))
    else:
        start, end = struct.unpack_from("<II", main, 0x18)
        found = main[start:end]
    page = 936 if language in {0x0804, 0x1004} else _CODE_PAGES.get(language & 0xFF, 1252)
    return decode(found, f"cp{page}")


def _readable(story: str) -> str:
    return _without_instructions(story).replace("\x07\x07", "\n").translate(_MARKS)


def _without_instructions(text: str) -> str:
    """Leave out the instructions of fields and keep their results; an equation's instruction is what one sees."""
    if "\x13" not in text:
        return text
    kept: list[list[str]] = [[]]
    for part in _FIELD.split(text):
        if part == "\x13":
            kept.append([])
        elif part == "\x14" and len(kept) > 1:
            kept[-1] = [_shown("".join(kept[-1]))]
            kept[-1].append("\x14")
        elif part == "\x15" and len(kept) > 1:
            inner = kept.pop()
            kept[-1].append(inner[0] + "".join(inner[2:]) if "\x14" in inner[1:2] else _shown("".join(inner)))
        else:
            kept[-1].append(part)
    return "".join("".join(each) for each in kept)


def _shown(instruction: str) -> str:
    if not instruction.strip().upper().startswith("EQ "):
        return ""
    return " ".join(re.findall(r"[^\x00-\x7f]+", _FONT_NAME.sub("", instruction)))
