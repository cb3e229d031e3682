"""Archives of Unix: tar, plain or packed by gzip, bzip2 or xz, and single files packed so."""

import bz2
import gzip
import io
import lzma
import mmap
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.member import CHUNK, MAX_BYTES, MAX_MEMBERS, MAX_RATIO, Member, climbs, listed
from indexer.extract.paging import cut, paged
from indexer.extract.text import likely_words

_OPENERS: Mapping[str, Callable[[IO[bytes]], Any]] = {
    kinds.GZIP: lambda raw: gzip.GzipFile(fileobj=raw),
    kinds.BZIP2: bz2.BZ2File,
    kinds.XZ: lzma.LZMAFile,
}
_SMALL = 1_000_000
_ENDINGS = (".gz", ".bz2", ".xz")
_BROKEN = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)


def extract_tar(
    kind: str, name: str, data: mmap.mmap | bytes, first_page: int | None, last_page: int | None
) -> Extracted:
    """Return the pages asked for of the list of names. All is unpacked for it once, and thrown away.

    Raises:
        Unreadable: ``bomb`` (as ``zips.inspect_zip`` says it of zips), ``broken``.
    """
    seen = list(tar_members(kind, name, data, check=True))
    found = paged(cut(listed(seen)), first_page, last_page)
    return Extracted(found.pages, found.first_page, found.page_count, inside=len(seen))


def tar_members(kind: str, name: str, data: mmap.mmap | bytes, *, check: bool = False) -> Iterator[Member]:
    """Yield the files in a tar, or the one file that was packed alone; links and devices are passed over.

    Args:
        kind: media type.
        name: of the packed file: a single file inside is called the same, without the last ending.
        data: the packed file.
        check: read every file to its end.

    Raises:
        Unreadable: ``bomb``, ``broken``.
    """
    try:
        yield from _members(kind, name, data, check=check)
    except _BROKEN as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def _members(kind: str, name: str, data: mmap.mmap | bytes, *, check: bool) -> Iterator[Member]:
    raw = io.BytesIO(data)
    plain: IO[bytes] = _OPENERS[kind](raw) if kind in _OPENERS else raw
    stream = _Counted(plain, max(_SMALL, MAX_RATIO * len(data)))
    head = stream.read(tarfile.BLOCKSIZE)
    stream.give_back(head)
    if not _is_tar(head):
        if kind not in _OPENERS:
            raise Unreadable(Reason.BROKEN)
        yield Member(_single(name), lambda: iter(lambda: stream.read(CHUNK), b""))
        if check:
            while stream.read(CHUNK):
                pass
        return
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as package:
        for count, entry in enumerate(package, 1):
            if count > MAX_MEMBERS:
                raise Unreadable(Reason.BOMB)
            if climbs(entry.name):
                raise Unreadable(Reason.CLIMBS)
            if entry.isreg() and not entry.issparse():
                yield Member(_named(entry), lambda entry=entry: _unpacked(package, entry))  # type: ignore[misc]


def _unpacked(package: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[bytes]:
    source = package.extractfile(entry)
    while source and (chunk := source.read(CHUNK)):
        yield chunk


def _named(entry: tarfile.TarInfo) -> str:
    """Return a member's name: one that is no UTF-8 was mostly packed under a Chinese system."""
    raw = entry.name.encode("utf-8", "surrogateescape")
    return likely_words(raw) or raw.decode("utf-8", "replace")


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _single(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return next((base[: -len(ending)] for ending in _ENDINGS if base.lower().endswith(ending)), base) or "1"


class _Counted(io.RawIOBase):
    """A stream that ends in an error when more comes than a file of its size may hold."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._left = min(most, MAX_BYTES + MAX_MEMBERS * 2 * tarfile.BLOCKSIZE)
        self._head = b""

    def give_back(self, head: bytes) -> None:
        self._head = head

    def readable(self) -> bool:
        return True

    def read(self, count: int | None = -1) -> bytes:
        size = -1 if count is None else count
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part + (self.read(size - len(part)) if size > len(part) else b"")
        part = self._source.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self._left -= len(part)
        if self._left < 0:
            raise Unreadable(Reason.BOMB)
        return part

    def readinto(self, buffer: Any) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
