"""Finds what a file is from its bytes. The one module that knows libmagic.

libmagic is a large parser in C that has had its holes: in earnest, ask through ``SandboxDetector``.
"""

# pylibmagic brings libmagic along and must be imported before magic looks for one
import pylibmagic  # isort: skip  # noqa: F401  (importing it is its use)
import magic  # isort: skip

import re
import struct
import threading

from indexer.extract.signed import is_envelope
from indexer.extract.text import guess_encoding
from indexer.heads import mail_kind, markup_kind
from indexer.kinds import (
    ARCHIVES,
    BY_EXTENSION,
    EMPTY,
    ENVELOPE,
    EPUB,
    HTML,
    IWORK,
    JPEG_2000,
    MAIL,
    MARKUP,
    OFD,
    OLE,
    OOXML,
    OPENDOCUMENT,
    PDF,
    PLAIN,
    UNKNOWN,
    WORDPERFECT,
    XML,
    ZIP,
    extension,
)

HEAD_BYTES = 65_536
_OLE = {"application/x-ole-storage", "application/cdfv2", "application/vnd.ms-office", "application/msword"}
_BY_HEAD = {HTML, XML, MAIL, "message/news"}
"""What libmagic sees in texts that only speak of it; ``heads`` has looked before, and tells the real ones."""

_ALSO = {"image/jpx": JPEG_2000, "application/x-gzip": "application/gzip", "application/x-ustar": "application/x-tar"}
"""Other names of kinds, which older tables of libmagic have."""

_HOLDERS = ARCHIVES | {"application/x-rar", "application/vnd.rar", "application/x-cpio"}

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_NAMELESS = {b"\xffWPC": WORDPERFECT, b"\xffO\xffQ": JPEG_2000}
"""How files begin that libmagic gives no name: WordPerfect from version 5 on, JPEG 2000 without its box."""

_ENTRY = struct.Struct("<4sHHHHHIIIHH")
"""The head of a packed file: its flags, its packed size, and how long its name and extra field are."""

_SIZE_FOLLOWS, _IN_EXTRA = 0x8, 0xFFFFFFFF
"""A flag that its size stands behind it, and a size that stands in the extra field."""

_PARTS = (
    (b"word/", OOXML + "wordprocessingml.document"),
    (b"xl/", OOXML + "spreadsheetml.sheet"),
    (b"ppt/", OOXML + "presentationml.presentation"),
)


class MagicDetector:
    """Detects media types in this process (``archive.ports.Detector``). Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # libmagic's cookie is not safe to share
        self._magic = magic.Magic(mime=True)

    def detect(self, head: bytes, name: str) -> str:
        """Return the media type of a file from its first bytes (at most 64 KB are looked at).

        Plain text in any Chinese encoding is ``text/plain``, and so are Markdown, CSV and program text. ``name``
        only settles what bytes cannot: which Office program wrote an old container (``extract.ole`` knows better where
        it has the whole file), and whether a piece of markup is one or an example in a text.
        """
        head = head[:HEAD_BYTES]
        if not head:
            return EMPTY
        if head.startswith(b"PK\x03\x04"):
            return _zip_kind(head, name)
        if b"%PDF-" in head[:1024]:
            return self._holder(head, name) or PDF
        if kind := markup_kind(head, name) or mail_kind(head, name):
            return kind
        if _begins_in_chinese(head):
            return PLAIN
        return _settle(self._named(head), head, name)

    def _named(self, head: bytes) -> str:
        if is_envelope(head):
            return ENVELOPE
        with self._lock:
            return _NAMELESS.get(head[:4]) or str(self._magic.from_buffer(head))

    def _holder(self, head: bytes, name: str) -> str | None:
        """Return what a file is whose first bytes may be those of a PDF in it; None: it is the PDF."""
        if head.startswith(b"%PDF-"):
            return None
        found = _settle(self._named(head), head, name)
        return found if head.startswith(_OLE_MAGIC) or found in _HOLDERS else None


def is_plain_by_its_words(data: bytes, name: str) -> bool:
    """Whether ``MagicDetector`` calls a whole file plain text, and Python's own codecs do to find that and to read it.

    So it is UTF-8 all through: what is not, or was badly converted before, is for the statistics of ``chardet``, in C.
    """
    try:
        if "\ufffd" in data.decode():
            return False
    except UnicodeDecodeError:
        return False
    head = data[:HEAD_BYTES]
    package = head.startswith(b"PK\x03\x04") or b"%PDF-" in head[:1024]
    return not (package or markup_kind(head, name) or mail_kind(head, name)) and _begins_in_chinese(head)


def _begins_in_chinese(head: bytes) -> bool:
    """Whether a file is a text whose first word is Chinese: no other kind is; libmagic takes 4 ms to say so."""
    lead = head[:200].decode("utf-8", "ignore").lstrip("\ufeff \t\r\n#*>-")
    return "\u2e80" <= lead[:1] <= "\u9fff" and guess_encoding(head) == "utf-8"


def _settle(found: str, head: bytes, name: str) -> str:
    found = _ALSO.get(found.lower(), found.lower())
    if found in {"inode/x-empty", EMPTY}:
        return EMPTY
    if found in _OLE or (head.startswith(_OLE_MAGIC) and found == UNKNOWN):
        expected = BY_EXTENSION.get(extension(name), ())
        return expected[0] if expected and expected[0].startswith(("application/vnd.ms-", "application/ms")) else OLE
    if found in MARKUP - _BY_HEAD or found.startswith(("image/", "audio/", "video/")):
        return found
    if found.startswith("text/") or found in {
        UNKNOWN,
        *_BY_HEAD,
        "application/json",
        "application/csv",
        "application/x-wine-extension-ini",
    }:
        return PLAIN if found == PLAIN or guess_encoding(head) else UNKNOWN
    if found in {"application/javascript", "application/x-ndjson"}:
        return PLAIN
    return found


def _zip_kind(head: bytes, name: str) -> str:
    if head[30:38] == b"mimetype":
        match = re.match(rb"[a-z]+/[a-z0-9.+\-]+", head[38:140])
        if match:
            return re.split(r"PK", match.group().decode(), maxsplit=1)[0]
    expected = BY_EXTENSION.get(extension(name), ("",))[0]
    return _kind_of_parts(_entries(head), expected)


def _entries(head: bytes) -> set[bytes]:
    """Return the names of a package's first entries, and not of what lies in a package that it packs as it is."""
    found, at = set(), 0
    while (at := head.find(b"PK\x03\x04", at)) >= 0 and at + _ENTRY.size <= len(head):
        _mark, _version, flags, method, *_more, packed, _size, named, extra = _ENTRY.unpack_from(head, at)
        at += _ENTRY.size
        found.add(head[at : at + named])
        at += named + extra
        if flags & _SIZE_FOLLOWS:
            at = _behind(head, at, 0 if method else len(head))
        elif packed != _IN_EXTRA:
            at += packed
    return found


def _behind(head: bytes, start: int, otherwise: int) -> int:
    """Return where an entry ends whose size stands behind it: where that is as far away as it says."""
    at = start
    while (at := head.find(b"PK\x07\x08", at)) >= 0:
        size = at - start
        if size in {int.from_bytes(head[at + 8 : at + end], "little") for end in (12, 16)}:
            return at
        at += 4
    return max(start, otherwise)


def _kind_of_parts(entries: set[bytes], expected: str) -> str:
    """Tell a package by its parts; ``expected`` is what its name claims, for parts that lie beyond the first bytes."""
    kind = ZIP
    if any(entry.lower() == b"ofd.xml" for entry in entries):
        kind = OFD
    elif b"META-INF/container.xml" in entries and expected in {EPUB, ""}:
        kind = EPUB
    elif expected in {IWORK, ""} and any(each.startswith(b"Index/") and each.endswith(b".iwa") for each in entries):
        kind = IWORK
    elif b"content.xml" in entries and expected.startswith(OPENDOCUMENT):
        kind = expected
    elif b"[Content_Types].xml" in entries or expected.startswith(OOXML):
        seen = (kind for folder, kind in _PARTS if any(entry.startswith(folder) for entry in entries))
        kind = next(seen, expected if b"[Content_Types].xml" in entries and expected.startswith(OOXML) else ZIP)
    return kind
