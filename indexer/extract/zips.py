"""Looks into a zip's directory before anything unpacks it, so that a bomb is never lit."""

import mmap
import stat
import zipfile

from indexer.extract.answer import Failure, Reason
from indexer.extract.member import MAX_BYTES, MAX_MEMBERS, MAX_RATIO, climbs

_SMALL = 1_000_000
_LARGE = 20_000_000
_ENCRYPTED = 0x1


def open_zip(data: mmap.mmap | bytes) -> zipfile.ZipFile:
    """Open a zip over its bytes, without a copy; raises what ``zipfile.ZipFile`` does."""
    return zipfile.ZipFile(Readable(data))


def inspect_zip(data: mmap.mmap | bytes) -> Failure | None:
    """Return why a zip must not be unpacked, or None.

    ``bomb``: more than 10,000 entries, more than 200 MB unpacked, a ratio above 100 of the whole or of an entry above
    20 MB (up to 1 MB in all, and smaller entries of a whole that is not dense, are let pass: blank sheets and drawings
    shrink well). ``climbs``: a name that is absolute or climbs with ``..``, or a symbolic link.
    ``encrypted``: an entry asks for a password. ``broken``: there is no directory to read.
    """
    try:
        with open_zip(data) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        return Failure(Reason.BROKEN, type(error).__name__)
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    too_dense = unpacked > _SMALL and unpacked > MAX_RATIO * max(packed, 1)
    if len(entries) > MAX_MEMBERS or unpacked > MAX_BYTES or too_dense or any(_is_dense(entry) for entry in entries):
        return Failure(Reason.BOMB)
    if any(climbs(entry.orig_filename) or stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        return Failure(Reason.CLIMBS)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        return Failure(Reason.ENCRYPTED)
    return None


def _is_dense(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > _LARGE and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)


class Readable:
    """The reading half of a file over bytes or a mapping, without a copy."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes."""
        end = len(self._data) if count is None or count < 0 else min(self._at + count, len(self._data))
        piece = bytes(self._data[self._at : end])
        self._at = max(end, self._at)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, and return it."""
        base = (0, self._at, len(self._data))[whence]
        if base + offset < 0:
            raise OSError(offset)
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seekable(self) -> bool:
        """Whether it can go to a place: it can."""
        return True
