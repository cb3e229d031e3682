"""Compound files (OLE): which program's document one holds, and whether it is locked. Old Office and WPS write them."""

import io
import mmap
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import olefile

from indexer import kinds
from indexer.extract.answer import Failure, Reason, Unreadable
from indexer.extract.charset import decode
from indexer.extract.cleaning import clean_line

MAGIC = olefile.MAGIC
_PROGRAMS = (
    ("EncryptedPackage", kinds.LOCKED),
    ("\tDRMContent", kinds.LOCKED),
    ("WordDocument", kinds.DOC),
    ("PowerPoint Document", kinds.PPT),
    ("PP97_DUALSTORAGE/PowerPoint Document", kinds.PPT),
    ("Workbook", kinds.XLS),
    ("Book", kinds.XLS),
    ("__properties_version1.0", kinds.MSG),
)
_LICENSED = ("\tDRMContent", "\x06DataSpaces/DataSpaceInfo/DRMEncryptedDataSpace")
"""Where the licence says who may open it, and no password."""

_FILE_PASS, _FIRST_RECORDS = 0x2F, 200
_WORD_LOCKED = 0x0100
_SUMMARY_BYTES = 65_536
_CODE_PAGE, _TITLE, _CREATED = 1, 2, 12
_WIDE = 1200
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_SLIDES_LOCKED = 0xF3D1C4DF


def is_ole(data: mmap.mmap | bytes) -> bool:
    """Whether a file is a compound file."""
    return bytes(data[: len(MAGIC)]) == bytes(MAGIC)


def open_ole(data: mmap.mmap | bytes) -> olefile.OleFileIO:
    """Open a compound file.

    Raises:
        Unreadable: ``broken``.
    """
    try:
        return olefile.OleFileIO(io.BytesIO(data))
    except Exception as error:  # olefile lets errors of struct and lists pass on odd files
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def program(data: mmap.mmap | bytes) -> str | None:
    """Return the media type of what a compound file holds, by its streams; None: another program's, or broken."""
    try:
        with open_ole(data) as ole:
            return program_of(ole)
    except Unreadable:
        return None


def inspect_ole(data: mmap.mmap | bytes) -> Failure | None:
    """Return why a compound file must not be parsed, or None: ``encrypted``, ``sealed``, ``broken``."""
    try:
        with open_ole(data) as ole:
            if any(ole.exists(name) for name in _LICENSED):
                return Failure(Reason.SEALED)
            return Failure(Reason.ENCRYPTED) if _is_locked(ole) else None
    except Unreadable as error:
        return error.failure
    except (OSError, struct.error) as error:
        return Failure(Reason.BROKEN, type(error).__name__)


def stream(ole: olefile.OleFileIO, name: str, limit: int = -1) -> bytes:
    """Return the (first) bytes of a stream; b"" when there is none."""
    return bytes(ole.openstream(name).read(limit)) if ole.exists(name) else b""


def about(ole: olefile.OleFileIO) -> tuple[str, str]:
    """Return title and day of creation (ISO) from the summary of a document, each "" where it is not told.

    olefile's own reading of it counts as far as a damaged file says, for minutes.
    """
    try:
        summary = stream(ole, "\x05SummaryInformation", _SUMMARY_BYTES)
        found: dict[int, bytes] = {}
        for number, value in _properties(summary):
            found.setdefault(number, value)
        page = struct.unpack_from("<H", found.get(_CODE_PAGE, b"\xe4\x04"))[0]
        (ticks,) = struct.unpack_from("<Q", found.get(_CREATED, bytes(8)))
        made = _EPOCH + timedelta(microseconds=ticks // 10)
    except (OSError, struct.error, OverflowError):
        return "", ""
    title = decode(found.get(_TITLE, b"").split(b"\x00\x00" if page == _WIDE else b"\x00")[0], f"cp{page}")
    return clean_line(title), made.date().isoformat() if made.year > 1980 else ""


def _properties(summary: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of those properties that are wanted; a text without its length before."""
    if len(summary) < 48:
        return
    (section,) = struct.unpack_from("<I", summary, 44)
    count = min(struct.unpack_from("<I", summary, section + 4)[0], 100)
    for place in range(count):
        if section + 16 + 8 * place > len(summary):
            return
        number, offset = struct.unpack_from("<II", summary, section + 8 + 8 * place)
        at = section + offset + 4
        if number in {_CODE_PAGE, _CREATED}:
            yield number, summary[at : at + 8]
        elif number == _TITLE:
            (length,) = struct.unpack_from("<I", summary, at)
            yield number, summary[at + 4 : at + 4 + min(length, 1_000)]


def program_of(ole: olefile.OleFileIO) -> str | None:
    """Return the media type of what an open compound file holds, as ``program``."""
    return next((kind for name, kind in _PROGRAMS if ole.exists(name)), None)


def _is_locked(ole: olefile.OleFileIO) -> bool:
    kind = program_of(ole)
    if kind == kinds.DOC:
        head = stream(ole, "WordDocument", 12)
        return len(head) == 12 and bool(struct.unpack_from("<H", head, 10)[0] & _WORD_LOCKED)
    if kind == kinds.PPT:
        head = stream(ole, "Current User", 16)
        return len(head) == 16 and struct.unpack_from("<I", head, 12)[0] == _SLIDES_LOCKED
    if kind == kinds.XLS:
        return any(_asks_password(stream(ole, name)) for name in ("Workbook", "Book"))
    return kind == kinds.LOCKED


def _asks_password(book: bytes) -> bool:
    """Whether a workbook's first records name a password; they stand before all that it locks."""
    at = 0
    for _ in range(_FIRST_RECORDS):
        if at + 4 > len(book):
            break
        record, length = struct.unpack_from("<HH", book, at)
        if record == _FILE_PASS:
            return True
        at += 4 + length
    return False
