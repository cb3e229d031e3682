"""Files that Office programs keep inside their documents: docx, xlsx, pptx; doc, xls, ppt; OpenDocument."""

import io
import mmap
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

import olefile

from indexer import kinds
from indexer.extract import ole
from indexer.extract.charset import decode
from indexer.extract.compounds import compound_of
from indexer.extract.member import MAX_BYTES, Member, whole
from indexer.extract.package import Package, attribute, parse_xml
from indexer.extract.zips import open_zip

_NATIVE = "\x01Ole10Native"
_ENDINGS = {kinds.DOC: ".doc", kinds.XLS: ".xls", kinds.PPT: ".ppt", kinds.MSG: ".msg"}
_PACKED = ("Package", "CONTENTS")
"""Streams in which a program keeps a whole file of its own kind."""

_SLIDES_OBJECT = 0x1011  # [MS-PPT] ExOleObjStg
_MANIFEST = "META-INF/manifest.xml"
_OBJECT = re.compile(r"(\./)?Object \d+")
_DOCUMENTS = {
    kinds.OPENDOCUMENT + name: ending
    for name, ending in (("text", ".odt"), ("spreadsheet", ".ods"), ("presentation", ".odp"), ("graphics", ".odg"))
}
"""What of an OpenDocument file is a document itself; charts and formulas are parts of the text around them."""


def office_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files inside; what Windows wrapped as a package comes out as the file that it was."""
    package = Package(data)
    for name in package.names:
        if posixpath.basename(posixpath.dirname(name)) == "embeddings":
            path, wrapped = posixpath.basename(name), package.read(name)
            yield _unwrapped(path, wrapped) if ole.is_ole(wrapped) else whole(path, wrapped)


def old_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files inside a doc, xls or ppt. Links, equations and the like are none."""
    with ole.open_ole(data) as outer:
        for path in outer.listdir(streams=False, storages=True):
            pooled = len(path) == 2 and path[0] == "ObjectPool"
            if (pooled or (len(path) == 1 and path[0].startswith("MBD"))) and (found := _stored(outer, path)):
                yield found
        if outer.exists("PowerPoint Document"):
            for number, inner in enumerate(_of_slides(ole.stream(outer, "PowerPoint Document")), 1):
                with ole.open_ole(inner) as wrapped:
                    known = ole.program_of(wrapped) or any(wrapped.exists(name) for name in (_NATIVE, *_PACKED))
                if known:
                    yield _unwrapped(f"oleObject{number}.bin", inner)


def _stored(outer: olefile.OleFileIO, path: Sequence[str]) -> Member | None:
    """Return the file that a folder of a compound file is."""
    streams = {
        tuple(each[len(path) :]): bytes(outer.openstream(each).read())
        for each in outer.listdir()
        if each[: len(path)] == list(path)
    }
    if not streams:
        return None
    packed = compound_of(streams)
    with ole.open_ole(packed) as wrapped:
        known = ole.program_of(wrapped) or any(wrapped.exists(name) for name in (_NATIVE, *_PACKED))
    return _unwrapped(f"{path[-1]}.bin", packed) if known else None


def _of_slides(body: bytes) -> Iterator[bytes]:
    """Yield the compound files in the stream of a presentation; most are packed, after a word of their size."""
    at = 0
    while at + 8 <= len(body):
        version, kind, length = struct.unpack_from("<HHI", body, at)
        inner = body[at + 8 : at + 8 + length]
        at += 8 + length
        if kind == _SLIDES_OBJECT:
            data = zlib.decompressobj().decompress(inner[4:], MAX_BYTES) if version >> 4 else inner
            if ole.is_ole(data):
                yield data


def opendocument_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files inside an OpenDocument file: documents in folders of it, and what other programs put in."""
    with open_zip(data) as package:
        manifest = parse_xml(package.read(_MANIFEST), doctype=True)
        told = {attribute(node, "full-path"): attribute(node, "media-type") for node in manifest}
        for path, kind in told.items():
            if path.endswith("/") and path != "/" and kind in _DOCUMENTS:
                yield whole(f"{path.rstrip('/')}{_DOCUMENTS[kind]}", _part_document(package, path, kind, told))
        for name in package.namelist():
            if _OBJECT.fullmatch(name):
                inner = package.read(name)
                yield _unwrapped(name, inner) if ole.is_ole(inner) else whole(name, inner)


def _part_document(package: zipfile.ZipFile, folder: str, kind: str, told: dict[str, str]) -> bytes:
    """Return a folder of a package as a package of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as part:
        part.writestr("mimetype", kind, zipfile.ZIP_STORED)
        entries = [f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>']
        for name in package.namelist():
            inner = name.removeprefix(folder)
            if inner != name and inner and not name.endswith("/"):
                part.writestr(inner, package.read(name))
                words = f"manifest:full-path={quoteattr(inner)} manifest:media-type={quoteattr(told.get(name, ''))}"
                entries.append(f"<manifest:file-entry {words}/>")
        names = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        part.writestr(_MANIFEST, f'<manifest:manifest xmlns:manifest="{names}">{"".join(entries)}</manifest:manifest>')
    return out.getvalue()


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
