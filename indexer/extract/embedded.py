"""Files that Word, Excel and PowerPoint keep inside their documents (docx, xlsx, pptx)."""

import mmap
import posixpath
import struct
from collections.abc import Iterator

from indexer import kinds
from indexer.extract import ole
from indexer.extract.charset import decode
from indexer.extract.member import Member, whole
from indexer.extract.package import Package

_NATIVE = "\x01Ole10Native"
_ENDINGS = {kinds.DOC: ".doc", kinds.XLS: ".xls", kinds.PPT: ".ppt", kinds.MSG: ".msg"}
_PACKED = ("Package", "CONTENTS")
"""Streams in which a program keeps a whole file of its own kind."""


def office_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files inside; what Windows wrapped as a package comes out as the file that it was."""
    package = Package(data)
    for name in package.names:
        if posixpath.basename(posixpath.dirname(name)) == "embeddings":
            path, wrapped = posixpath.basename(name), package.read(name)
            yield _unwrapped(path, wrapped) if ole.is_ole(wrapped) else whole(path, wrapped)


def _unwrapped(path: str, data: bytes) -> Member:
    """Return the file in a compound file; one that is a document itself, or of unknown make, stays as it is."""
    with ole.open_ole(data) as wrapped:
        if (kind := ole.program_of(wrapped)) is not None:
            return whole(_ended(path, _ENDINGS.get(kind, "")), data)
        if wrapped.exists(_NATIVE) and (native := _native(ole.stream(wrapped, _NATIVE))):
            return whole(native[0] or path, native[1])
        inner = next((ole.stream(wrapped, name) for name in _PACKED if wrapped.exists(name)), b"")
    return whole(_ended(path, ".pdf" if inner.startswith(b"%PDF-") else ""), inner or data)


def _ended(path: str, ending: str) -> str:
    """Return a path with the ending of what it holds: Office calls all of them ``oleObject1.bin`` and so on."""
    return f"{posixpath.splitext(path)[0]}{ending}" if ending else path


def _native(stream: bytes) -> tuple[str, bytes] | None:
    """Return name and bytes of a file that was put in as a package; None where the stream says neither.

    After its length (4) and a mark (2) stand the name, the path it came from (both end in a zero), a mark (4), the
    path of a copy with its length before, and the bytes with theirs. Other programs write nothing but the bytes.
    """
    try:
        name, at = _text(stream, 6)
        _, at = _text(stream, at)
        (length,) = struct.unpack_from("<I", stream, at + 4)
        at += 8 + length
        (size,) = struct.unpack_from("<I", stream, at)
    except (struct.error, ValueError):
        return None
    data = stream[at + 4 : at + 4 + size]
    return (decode(name).replace("\\", "/").rsplit("/", 1)[-1], data) if len(data) == size and size else None


def _text(stream: bytes, at: int) -> tuple[bytes, int]:
    end = stream.index(b"\x00", at)
    return stream[at:end], end + 1
