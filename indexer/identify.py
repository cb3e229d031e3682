"""Finds what a file is from its bytes. The one module that knows libmagic.

libmagic is a large parser in C that has had its holes: in earnest, ask through ``SandboxDetector``.
"""

# pylibmagic brings libmagic along and must be imported before magic looks for one
import pylibmagic  # isort: skip  # noqa: F401  (importing it is its use)
import magic  # isort: skip

import re
import threading
from pathlib import PurePosixPath

from indexer.extract.text import guess_encoding

HEAD_BYTES = 65_536
PDF = "application/pdf"
PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"
EMPTY = "application/x-empty"
_ZIP = "application/zip"
_OOXML = "application/vnd.openxmlformats-officedocument."
_OFD = "application/ofd"
_OLE = {"application/x-ole-storage", "application/cdfv2", "application/vnd.ms-office", "application/msword"}

_BY_EXTENSION: dict[str, tuple[str, ...]] = {
    "pdf": (PDF,),
    "txt": (PLAIN,),
    "md": (PLAIN,),
    "csv": (PLAIN,),
    "log": (PLAIN,),
    "docx": (_OOXML + "wordprocessingml.document",),
    "xlsx": (_OOXML + "spreadsheetml.sheet",),
    "pptx": (_OOXML + "presentationml.presentation",),
    "doc": ("application/msword",),
    "xls": ("application/vnd.ms-excel",),
    "ppt": ("application/vnd.ms-powerpoint",),
    "ofd": (_OFD,),
    "odt": ("application/vnd.oasis.opendocument.text",),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet",),
    "odp": ("application/vnd.oasis.opendocument.presentation",),
    "epub": ("application/epub+zip",),
    "zip": (_ZIP,),
    "rtf": ("text/rtf", "application/rtf"),
    "htm": ("text/html", "application/xhtml+xml"),
    "html": ("text/html", "application/xhtml+xml"),
    "xml": ("text/xml", "application/xml"),
    "eml": ("message/rfc822", PLAIN),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "png": ("image/png",),
    "gif": ("image/gif",),
    "bmp": ("image/bmp", "image/x-ms-bmp"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "webp": ("image/webp",),
    "svg": ("image/svg+xml",),
    "mp3": ("audio/mpeg",),
    "wav": ("audio/x-wav", "audio/wav"),
    "mp4": ("video/mp4",),
    "dwg": ("image/vnd.dwg",),
    "7z": ("application/x-7z-compressed",),
    "rar": ("application/x-rar", "application/vnd.rar"),
}
_MARKUP = {"text/html", "text/xml", "text/rtf", "text/calendar", "text/vcard"}
_PARTS = (
    (b"word/", _OOXML + "wordprocessingml.document"),
    (b"xl/", _OOXML + "spreadsheetml.sheet"),
    (b"ppt/", _OOXML + "presentationml.presentation"),
)


class MagicDetector:
    """Detects media types in this process (``archive.ports.Detector``). Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # libmagic's cookie is not safe to share
        self._magic = magic.Magic(mime=True)

    def detect(self, head: bytes, name: str) -> str:
        """Return the media type of a file from its first bytes (at most 64 KB are looked at).

        Plain text in any Chinese encoding is ``text/plain``, and so are Markdown, CSV and program text. ``name``
        only settles what bytes cannot: which Office program wrote an old container.
        """
        head = head[:HEAD_BYTES]
        if not head:
            return EMPTY
        if b"%PDF-" in head[:1024]:
            return PDF
        if head.startswith(b"PK\x03\x04"):
            return _zip_kind(head, name)
        if _begins_in_chinese(head):
            return PLAIN
        with self._lock:
            found = str(self._magic.from_buffer(head))
        return _settle(found, head, name)


def _begins_in_chinese(head: bytes) -> bool:
    """Whether a file is a text whose first word is Chinese: no other kind is; libmagic takes 4 ms to say so."""
    lead = head[:200].decode("utf-8", "ignore").lstrip("\ufeff \t\r\n#*>-")
    return "\u2e80" <= lead[:1] <= "\u9fff" and guess_encoding(head) == "utf-8"


def _settle(found: str, head: bytes, name: str) -> str:
    found = found.lower()
    if found in {"inode/x-empty", EMPTY}:
        return EMPTY
    if found in _OLE:
        expected = _BY_EXTENSION.get(_extension(name), ())
        return expected[0] if expected and expected[0].startswith(("application/vnd.ms-", "application/ms")) else found
    if found in _MARKUP or found.startswith(("image/", "audio/", "video/")):
        return found
    if found.startswith("text/") or found in {
        UNKNOWN,
        "application/json",
        "application/csv",
        "application/x-wine-extension-ini",
    }:
        return PLAIN if found == PLAIN or guess_encoding(head) else UNKNOWN
    if found in {"message/news", "application/javascript", "application/x-ndjson"}:
        return PLAIN
    return found


def _zip_kind(head: bytes, name: str) -> str:
    if head[30:38] == b"mimetype":
        match = re.match(rb"[a-z]+/[a-z0-9.+\-]+", head[38:140])
        if match:
            return re.split(r"PK", match.group().decode(), maxsplit=1)[0]
    names = re.findall(rb"PK\x03\x04.{22}(..)..([^\x00]{1,300})", head, re.DOTALL)
    entries = [entry[: int.from_bytes(length, "little")] for length, entry in names]
    expected = _BY_EXTENSION.get(_extension(name), ("",))[0]
    if any(entry.lower() == b"ofd.xml" for entry in entries):
        return _OFD
    if b"[Content_Types].xml" in entries or expected.startswith(_OOXML):
        for folder, kind in _PARTS:
            if any(entry.startswith(folder) for entry in entries):
                return kind
        if b"[Content_Types].xml" in entries and expected.startswith(_OOXML):
            return expected
    return _ZIP


def _extension(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")


def mismatch(media_type: str, name: str) -> bool:
    """Whether a file's name claims another kind than its bytes show. A name that claims nothing is never wrong."""
    expected = _BY_EXTENSION.get(_extension(name))
    return expected is not None and media_type not in expected and media_type != EMPTY


def is_plain_text(media_type: str) -> bool:
    """Whether a media type is read as plain text."""
    return media_type.startswith("text/") and media_type not in _MARKUP


def is_zip(media_type: str) -> bool:
    """Whether a media type is a zip container underneath."""
    return media_type in {_ZIP, _OFD, "application/epub+zip"} or media_type.startswith(
        (_OOXML, "application/vnd.oasis.opendocument.")
    )
