"""Text of PowerPoint's old files (.ppt, and WPS's .dps): a page for each slide, with its notes and comments."""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import olefile

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.ole import about, open_ole, stream
from indexer.extract.paging import paged

_SLIDE_ATOM, _LIST, _SLIDE_PLACE, _EDIT, _DIRECTORY = 0x03EF, 0x0FF0, 0x03F3, 0x0FF5, 0x1772
_WIDE, _NARROW, _STRING = 0x0FA0, 0x0FA8, 0x0FBA
_FOOTERS, _COMMENT = 0x0FD9, 0x2EE0
_SHAPE, _PLACEHOLDER = 0xF004, 0x0BC3
_LOCKED = 0xF3D1C4DF
_SLIDES, _MASTERS, _NOTES = 0, 1, 2
_MOST_EDITS = 10_000


@dataclass(frozen=True)
class _Record:
    """One record: ``start`` and ``end`` bound its body."""

    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


@dataclass(frozen=True)
class _Slide:
    """A slide, master or notes page as the document lists it: number, place in the stream, text kept in the list."""

    number: int
    place: int
    text: tuple[str, ...]


def extract_ppt(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of a PowerPoint 97 to 2003 file.

    What all slides show alike (masters, footers) makes a last page of its own where there is such text.

    Raises:
        Unreadable: ``encrypted``, ``unsupported`` (PowerPoint 95 and before), ``broken``.
    """
    with open_ole(data) as ole:
        try:
            pages = _pages(ole)
        except (struct.error, OSError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
        title, created = about(ole)
    return paged(pages, first_page, last_page, title=title, created=created)


def _pages(ole: olefile.OleFileIO) -> list[str]:
    folder = "PP97_DUALSTORAGE/" if ole.exists("PP97_DUALSTORAGE") else ""
    body = stream(ole, folder + "PowerPoint Document")
    user = stream(ole, folder + "Current User")
    if not body:
        raise Unreadable(Reason.BROKEN, "no PowerPoint Document")
    if len(user) >= 16 and struct.unpack_from("<I", user, 12)[0] == _LOCKED:
        raise Unreadable(Reason.ENCRYPTED)
    places, document = _places(body, user)
    if document is None:  # without a way to its newest edit, all that was ever written in it
        return ["\n".join(_texts(body, 0, len(body)))]
    lists: dict[int, list[_Slide]] = {_SLIDES: [], _MASTERS: [], _NOTES: []}
    for record in _descend(body, document.start, document.end):
        if record.kind == _LIST:
            lists.setdefault(record.instance, []).extend(_listed(body, record, places))
    notes = {slide.number: slide for slide in lists[_NOTES]}
    pages = []
    for slide in lists[_SLIDES]:
        spoken = notes.get(_notes_of(body, slide.place))
        pages.append("\n".join([*_of_slide(body, slide), *(_of_slide(body, spoken) if spoken else ())]))
    common = [text for slide in lists[_MASTERS] for text in _of_slide(body, slide, own_only=True)]
    common += [text for _, text in _strings(body, document.start, document.end)]
    common = list(dict.fromkeys(text for text in common if text.strip(" *\r\n")))
    return pages + (["\n".join(common)] if common else [])


def _places(body: bytes, user: bytes) -> tuple[dict[int, int], _Record | None]:
    """Return where each part stands as of the newest edit, and the document's own record."""
    places: dict[int, int] = {}
    at = struct.unpack_from("<I", user, 16)[0] if len(user) >= 20 else 0
    document = None
    seen: set[int] = set()
    while at not in seen and len(seen) < _MOST_EDITS:
        seen.add(at)
        edit = _record(body, at)
        if edit is None or edit.kind != _EDIT:
            break
        before, directory, number = struct.unpack_from("<III", body, edit.start + 8)
        document = number if document is None else document
        for key, place in _directory(body, directory):
            places.setdefault(key, place)
        if not before:
            break
        at = before
    found = _record(body, places[document]) if document in places else None
    return places, found if found and found.is_container else None


def _directory(body: bytes, at: int) -> Iterator[tuple[int, int]]:
    record = _record(body, at)
    if record is None or record.kind != _DIRECTORY:
        return
    at = record.start
    while at + 4 <= record.end:
        (head,) = struct.unpack_from("<I", body, at)
        count = min(head >> 20, (record.end - at - 4) // 4)
        yield from enumerate(struct.unpack_from(f"<{count}I", body, at + 4), start=head & 0xFFFFF)
        at += 4 + 4 * count


def _listed(body: bytes, record: _Record, places: dict[int, int]) -> list[_Slide]:
    found: list[tuple[int, int, list[str]]] = []
    for each in _descend(body, record.start, record.end):
        if each.kind == _SLIDE_PLACE:
            key, _, _, number = struct.unpack_from("<IIIi", body, each.start)
            found.append((number, places.get(key, -1), []))
        elif each.kind in {_WIDE, _NARROW} and found:
            found[-1][2].append(_decoded(body, each))
    return [_Slide(number, place, tuple(texts)) for number, place, texts in found]


def _of_slide(body: bytes, slide: _Slide, *, own_only: bool = False) -> list[str]:
    """Texts of a slide; ``own_only``: without those that only hold a place for the slides' own."""
    record = _record(body, slide.place)
    drawn = [] if record is None else _texts(body, record.start, record.end, own_only=own_only)
    return [*(() if own_only else slide.text), *drawn]


def _notes_of(body: bytes, place: int) -> int:
    slide = _record(body, place)
    for record in _descend(body, slide.start, slide.end) if slide else ():
        if record.kind == _SLIDE_ATOM and record.end - record.start >= 20:
            return int(struct.unpack_from("<i", body, record.start + 16)[0])
    return 0


def _texts(body: bytes, start: int, end: int, *, own_only: bool = False) -> list[str]:
    found: list[tuple[int, str]] = _strings(body, start, end)
    holds_place = False
    for record in _descend(body, start, end):
        if record.kind == _SHAPE:
            holds_place = False
        elif record.kind == _PLACEHOLDER:
            holds_place = True
        elif record.kind in {_WIDE, _NARROW} and not (own_only and holds_place):
            found.append((record.start, _decoded(body, record)))
    return [text for _, text in sorted(found)]


def _strings(body: bytes, start: int, end: int) -> list[tuple[int, str]]:
    """Return place and words of footers and comments: other strings are names of fonts, sounds and the like."""
    found: list[tuple[int, str]] = []
    until = 0
    for record in _descend(body, start, end):
        if record.kind in {_FOOTERS, _COMMENT}:
            until = record.end
        elif record.kind == _STRING and record.end <= until:
            found.append((record.start, body[record.start : record.end].decode("utf-16-le", "replace")))
    return found


def _decoded(body: bytes, record: _Record) -> str:
    return body[record.start : record.end].decode("utf-16-le" if record.kind == _WIDE else "latin-1", "replace")


def _record(body: bytes, at: int) -> _Record | None:
    if at < 0 or at + 8 > len(body):
        return None
    head, kind, length = struct.unpack_from("<HHI", body, at)
    return _Record(kind, head >> 4, head & 0xF == 0xF, at + 8, min(at + 8 + length, len(body)))


def _descend(body: bytes, start: int, end: int) -> Iterator[_Record]:
    """Yield every record between two places, containers before what they hold, without recursion."""
    at = start
    while at + 8 <= end:
        record = _record(body, at)
        if record is None:
            return
        yield record
        at = record.start if record.is_container else record.end
