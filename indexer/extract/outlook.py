"""Outlook's messages (.msg): compound files with a stream for each property."""

import mmap
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import olefile
from compressed_rtf import decompress

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import decode
from indexer.extract.mail import Letter, rich_text
from indexer.extract.member import Member, whole
from indexer.extract.ole import open_ole, stream
from indexer.extract.paging import cut, paged
from indexer.extract.rtf import rtf_text

_SUBJECT, _BODY, _RTF, _HTML, _CLASS = 0x0037, 0x1000, 0x1009, 0x1013, 0x001A
_TO, _CC, _BCC = 0x0E04, 0x0E03, 0x0E02
_SENDER = (0x0C1A, 0x5D01, 0x0C1F)
_RECIPIENT = (0x3001, 0x39FE, 0x3003)
_FILE_NAME, _SHORT_NAME, _FILE = 0x3707, 0x3704, 0x3701
_SENT, _RECEIVED, _MADE = 0x0039, 0x0E06, 0x3007
_ROLE, _CODE_PAGE, _HTML_CODE_PAGE = 0x0C15, 0x3FFD, 0x3FDE
_ROLES = {1: "To", 2: "Cc", 3: "Bcc"}
_MOST_NESTED = 10
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def extract_msg(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of a message.

    Raises:
        Unreadable: ``bomb`` (messages within messages without end), ``broken``.
    """
    with open_ole(data) as ole:
        try:
            message = _Message(ole, _folders(ole), ())
            text = message.letter().text()
        except (struct.error, OSError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
    return paged(cut(text), first_page, last_page, title=message.words(_SUBJECT), created=message.date()[:10])


def msg_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files attached to a message, and to messages within it."""
    with open_ole(data) as ole:
        yield from _Message(ole, _folders(ole), ()).members()


_Path = tuple[str, ...]
_Tree = dict[_Path, set[str]]


def _folders(ole: olefile.OleFileIO) -> _Tree:
    """Return the names in each folder, by its path."""
    tree: _Tree = {}
    for path in ole.listdir(storages=True):
        tree.setdefault(tuple(path[:-1]), set()).add(path[-1])
    return tree


class _Message:
    """A message, or a recipient or an attachment of one: properties under a folder of the compound file."""

    def __init__(
        self, ole: olefile.OleFileIO, tree: _Tree, folder: _Path, head: int = 32, pages: tuple[int, int] = (0, 0)
    ) -> None:
        self._ole = ole
        self._folder = folder
        self._tree = tree
        self.names = tree.get(folder, set())
        self._fixed = self._read_fixed(head)
        self.pages = (self.number(_CODE_PAGE) or pages[0], self.number(_HTML_CODE_PAGE) or pages[1])

    def letter(self) -> Letter:
        """Return it as a mail."""
        heads = [("From", self.person(_SENDER)), *self._recipients(), ("Date", self.date())]
        letter = Letter([*heads, ("Subject", self.words(_SUBJECT))], plain=self.words(_BODY), rich=self._rich())
        if self.words(_CLASS).lower().startswith("ipm.contact"):
            letter.plain += "\n" + "\n".join(self._all_words())
        letter.attached = [
            (title, message.letter().text() if message else "") for title, _, message in self._attachments()
        ]
        return letter

    def words(self, key: int) -> str:
        """Return a property of text, or ""."""
        wide = self.data(key, "001F")
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\x00")
        return decode(self.data(key, "001E").rstrip(b"\x00"), f"cp{self.pages[0] or 1252}")

    def number(self, key: int) -> int:
        """Return a property of 32 bits, or 0."""
        return int.from_bytes(self._fixed.get(key, b"")[:4], "little")

    def date(self) -> str:
        """Return when it was sent, received or made, as ``YYYY-MM-DD HH:MM:SS +0000``, or ""."""
        for key in (_SENT, _RECEIVED, _MADE):
            ticks = int.from_bytes(self._fixed.get(key, b""), "little")
            if 0 < ticks < 2**61:
                return (_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%d %H:%M:%S +0000")
        return ""

    def data(self, key: int, kind: str) -> bytes:
        """Return the bytes of a property of one kind, or b""."""
        name = f"__substg1.0_{key:04X}{kind}"
        return stream(self._ole, "/".join((*self._folder, name))) if name in self.names else b""

    def _read_fixed(self, head: int) -> dict[int, bytes]:
        table = stream(self._ole, "/".join((*self._folder, "__properties_version1.0")))
        return {
            struct.unpack_from("<H", table, at + 2)[0]: table[at + 8 : at + 16]
            for at in range(head, len(table) - 15, 16)
        }

    def _rich(self) -> str:
        if html := self.data(_HTML, "0102"):
            return rich_text(html, f"cp{self.pages[1]}" if self.pages[1] else "")
        if text := self.words(_HTML):
            return rich_text(text.encode("utf-8", "replace"), "utf-8")
        packed = self.data(_RTF, "0102")
        return rtf_text(_unpacked(packed))[1] if packed else ""

    def person(self, keys: tuple[int, int, int]) -> str:
        """Return a name with its address, from the properties that may hold them."""
        name, *addresses = (self.words(key) for key in keys)
        address = next((each for each in addresses if "@" in each), "")
        return f"{name} <{address}>" if address and address != name else name or address

    def _recipients(self) -> list[tuple[str, str]]:
        found: dict[str, list[str]] = {"To": [], "Cc": [], "Bcc": []}
        for name in sorted(self.names):
            if name.startswith("__recip_"):
                one = _Message(self._ole, self._tree, (*self._folder, name), 8, self.pages)
                found[_ROLES.get(one.number(_ROLE) & 3, "To")].append(one.person(_RECIPIENT))
        shown = {"To": self.words(_TO), "Cc": self.words(_CC), "Bcc": self.words(_BCC)}
        return [(role, "; ".join(people) or shown[role]) for role, people in found.items()]

    def _all_words(self) -> list[str]:
        """Texts of a card: names, addresses, numbers."""
        found = (re.fullmatch("__substg1[.]0_([0-9A-F]{4})001[EF]", name) for name in sorted(self.names))
        keys = [int(match[1], 16) for match in found if match]
        return [self.words(key) for key in keys if 0x3A00 <= key < 0x3B00 or key >= 0x8000]

    def _attachments(self) -> list[tuple[str, "_Message", "_Message | None"]]:
        """Return name and properties of each attachment; of a message within this one also itself."""
        found = []
        for name in sorted(each for each in self.names if each.startswith("__attach_")):
            folder = (*self._folder, name)
            one = _Message(self._ole, self._tree, folder, 8, self.pages)
            title = one.words(_FILE_NAME) or one.words(_SHORT_NAME)
            inner = f"__substg1.0_{_FILE:04X}000D"
            nested = inner in one.names and self._ole.exists("/".join((*folder, inner, "__properties_version1.0")))
            if nested and len(folder) // 2 >= _MOST_NESTED:
                raise Unreadable(Reason.BOMB, "depth")
            message = _Message(self._ole, self._tree, (*folder, inner), 24, self.pages) if nested else None
            found.append((title, one, message))
        return found

    def members(self, above: str = "") -> Iterator[Member]:
        """Yield the attached files; a message within this one stays in the text, its files are yielded under it."""
        for number, (title, one, message) in enumerate(self._attachments(), 1):
            name = title or (message.words(_SUBJECT) if message else "") or str(number)
            path = above + name.replace("/", "_")
            if message is not None:
                yield from message.members(f"{path}/")
            elif data := one.data(_FILE, "0102"):
                yield whole(path, data)


def _unpacked(packed: bytes) -> bytes:
    try:
        return bytes(decompress(packed))
    except Exception:  # noqa: BLE001  (the library lets errors of lists pass on odd bytes)
        return b""
