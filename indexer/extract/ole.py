"""Compound files (OLE): which program's document one holds, and whether it is locked. Old Office and WPS write them."""

import io
import mmap
import struct

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
_FILE_PASS, _FIRST_RECORDS = 0x2F, 200
_WORD_LOCKED = 0x0100
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
            return _program(ole)
    except Unreadable:
        return None


def inspect_ole(data: mmap.mmap | bytes) -> Failure | None:
    """Return why a compound file must not be parsed, or None: ``encrypted``, ``broken``."""
    try:
        with open_ole(data) as ole:
            return Failure(Reason.ENCRYPTED) if _is_locked(ole) else None
    except Unreadable as error:
        return error.failure
    except (OSError, struct.error) as error:
        return Failure(Reason.BROKEN, type(error).__name__)


def stream(ole: olefile.OleFileIO, name: str, limit: int = -1) -> bytes:
    """Return the (first) bytes of a stream; b"" when there is none."""
    return bytes(ole.openstream(name).read(limit)) if ole.exists(name) else b""


def about(ole: olefile.OleFileIO) -> tuple[str, str]:
    """Return title and day of creation (ISO) from the summary of a document, each "" where it is not told."""
    try:
        summary = ole.get_metadata()
        title = summary.title or b""
        if isinstance(title, bytes):
            title = decode(title.rstrip(b"\x00"), f"cp{(summary.codepage or 1252) % 65_536}")
        made = summary.create_time
        return clean_line(title), made.date().isoformat() if made and made.year > 1980 else ""
    except Exception:  # noqa: BLE001  (a broken summary is no reason to lose the text)
        return "", ""


def _program(ole: olefile.OleFileIO) -> str | None:
    return next((kind for name, kind in _PROGRAMS if ole.exists(name)), None)


def _is_locked(ole: olefile.OleFileIO) -> bool:
    kind = _program(ole)
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
