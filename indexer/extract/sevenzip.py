"""7z archives. All of one is unpacked in memory: its files are packed one behind another, and sizes are told before."""

import io
import mmap
from base64 import b64decode
from collections.abc import Iterator

import py7zr
from py7zr.io import Py7zIO, WriterFactory

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.member import MAX_BYTES, MAX_MEMBERS, MAX_RATIO, Member, climbs, label, whole
from indexer.extract.paging import cut, paged

_SMALL = 1_000_000
_BLOCK = 8_000_000  # bytes unpacked at once
_NOWHERE = "/dev/null"
"""Where the library believes it unpacks to: it looks whether there is such a place, and writes nothing there.

Left to itself it asks for the working folder, which a fork is refused; nothing can lie below this.
"""

_WARM = (
    "N3q8ryccAARukwgMXQAAAAAAAAAUAAAAAAAAAOxhf1kBAAN3YXJtAOAAUABNXQAAgTMHrg/OP8PniAcI/akzvOI05aMlCafaExHryKGRQjCq3YmgO+WV"
    "mJGkpo592gcO5hJvZw6jvVNEiIH6veOnyPoFPIiBWgNN/AAAAAAXBggBCVUABwsBAAEhIQEYDFEAAA=="
)
_WARM_LOCKED = (
    "N3q8ryccAARFmI7BeQAAAAAAAAAUAAAAAAAAAIHWvcp5obfuBHTTlcrYbmzcmZOeAQBkAQQGAAEJEAoBejg8PwAHCwEAAiQG8QcBElMPfZxMBr4Thso5"
    "uagtk8opeCEhARgBAAwIBAAICgG/4LOwAAAFARENAGEALgB0AHgAdAAAABQKAQAA3KxXsX7dARUGAQAggICBAAAAFwYQAQlpAAcLAQABISEBGAxlAAA="
)
"""Two archives of one file; the second is locked by "warm", hashed twice instead of the usual 524,288 times."""


def prepare() -> None:
    """Do once what loads parts of the library late, and keep it from asking the system how much memory there is."""
    py7zr.py7zr.get_memory_limit = lambda: _BLOCK  # type: ignore[attr-defined]  # a fork has limits of its own
    for warm, password in ((_WARM, None), (_WARM_LOCKED, "warm")):
        list(sevenzip_members(b64decode(warm), password))


def extract_7z(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of the list of names.

    Raises:
        Unreadable: ``encrypted``, ``bomb`` (as ``zips.inspect_zip`` says it of zips), ``broken``.
    """
    with _opened(data) as archive:
        names = _names(archive, len(data), password=None)
    return paged(cut("\n".join(label(name, number) for number, name in enumerate(names, 1))), first_page, last_page)


def count_7z(data: mmap.mmap | bytes) -> int:
    """Return how many files lie in a 7z. Raises as ``extract_7z``."""
    with _opened(data) as archive:
        return len(_names(archive, len(data), password=None))


def sevenzip_members(data: mmap.mmap | bytes, password: str | None = None) -> Iterator[Member]:
    """Yield the files in a 7z; links are passed over.

    Raises:
        Unreadable: as ``extract_7z``; ``broken`` once those are given that lie before the break.
    """
    kept = _Kept()
    broken: Exception | None = None
    with _opened(data, password) as archive:
        names = _names(archive, len(data), password=password)
        try:
            archive.extract(_NOWHERE, targets=names, factory=kept)
        except (MemoryError, Unreadable):
            raise
        except Exception as error:  # noqa: BLE001  (the library lets errors of all its decoders pass)
            broken = error
    yield from (whole(file.name, file.data.getvalue()) for file in kept.files if file.whole)
    if broken is not None:
        raise Unreadable(Reason.ENCRYPTED if password else Reason.BROKEN, type(broken).__name__) from broken


def _opened(data: mmap.mmap | bytes, password: str | None = None) -> py7zr.SevenZipFile:
    try:
        return py7zr.SevenZipFile(io.BytesIO(data), "r", password=password)
    except py7zr.PasswordRequired as error:
        raise Unreadable(Reason.ENCRYPTED) from error
    except MemoryError:
        raise
    except Exception as error:
        # with a password that is not right, the list of names unpacks to anything
        raise Unreadable(Reason.ENCRYPTED if password else Reason.BROKEN, type(error).__name__) from error


def _names(archive: py7zr.SevenZipFile, packed: int, *, password: str | None) -> list[str]:
    """Return the names of the files, once it is known that they may be unpacked."""
    if password is None and archive.needs_password():
        raise Unreadable(Reason.ENCRYPTED)
    files = [file for file in archive.list() if not file.is_directory]
    size = sum(file.uncompressed or 0 for file in files)
    dense = size > _SMALL and size > MAX_RATIO * packed
    if len(files) > MAX_MEMBERS or size > MAX_BYTES or dense:
        raise Unreadable(Reason.BOMB)
    if any(climbs(file.filename) for file in files):
        raise Unreadable(Reason.CLIMBS)
    return [file.filename for file in files if file.is_file]


class _File(Py7zIO):
    """A member on its way into memory."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.data = io.BytesIO()
        self.whole = False
        self._most = most

    def write(self, s: bytes | bytearray) -> int:
        if self.data.tell() + len(s) > self._most:
            raise Unreadable(Reason.BOMB)
        return self.data.write(s)

    def read(self, size: int | None = None) -> bytes:
        return self.data.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.data.seek(offset, whence)

    def flush(self) -> None:
        pass

    def size(self) -> int:
        return len(self.data.getvalue())

    def close(self) -> None:
        self.whole = True


class _Kept(WriterFactory):
    """Keeps the members in the order in which they were unpacked."""

    def __init__(self) -> None:
        self.files: list[_File] = []

    def create(self, filename: str) -> Py7zIO:
        file = _File(filename.removeprefix(f"{_NOWHERE}/"), MAX_BYTES)
        self.files.append(file)
        return file
