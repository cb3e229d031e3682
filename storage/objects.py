"""The embedded object store: a folder.

::

    objects/ab/<name>@<version>       an object version; ab from the key's SHA-256, / in the key written as _
    incoming/<name>@<version>.put     an object on its way in
    incoming/<name>@<upload>.data     an upload's pieces, one after the other, as the object will be
    incoming/<name>@<upload>.index    the length of each piece kept, 8 bytes each; what it does not count is not kept
    incoming/<name>@<upload>.<n>      a piece that came before one of its predecessors

A finished upload becomes an object by a change of name, never by a copy, and its upload id becomes the version. One
level of 256 folders: a million objects are 4,000 names in each, and a put makes no new folder but once per folder.
"""

import errno
import hashlib
import os
import re
import secrets
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from archive.errors import Conflict, NotFound, StorageFull, Unavailable
from archive.ports import ObjectInfo, StoredObject
from archive.private_rows import NO_ROOM

_KEY = re.compile(r"[0-9a-z/-]{1,150}")
_VERSION = re.compile(r"[0-9a-f]{32}")
_OBJECT = re.compile(r"([0-9a-z_-]+)@([0-9a-f]{32})")
_INCOMING = re.compile(r"([0-9a-z_-]+)@([0-9a-f]{32})\.(put|data|index|[0-9]+)")
_BLOCK = 256 * 1024  # above this each block is a mapping of its own: twice the time of a copy
_LENGTH = struct.Struct(">Q")

Sizes = list[int]
"""Lengths of pieces, in order. Named here because the store's own ``list`` hides the type inside the class."""


class FileStore:
    """``ports.ObjectStore`` in a folder of one file system. Several processes may use it at once.

    One upload is written by one caller at a time.

    Args:
        folder: made when absent; folders are 0700, files 0600.
    """

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._incoming = folder / "incoming"
        self._known: set[Path] = set()
        with _translated():
            for each in (folder, self._objects, self._incoming):
                self._make(each)

    # Objects

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        """Write an object in one go; durable on return, nothing left on error."""
        version = secrets.token_hex(16)
        passing = self._upload_path(key, version, "put")
        size = 0
        with _translated():
            handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                for piece in pieces:  # an error of the source passes as it is
                    with _translated():
                        _write(handle, piece)
                    size += len(piece)
                with _translated():
                    os.fsync(handle)
            finally:
                os.close(handle)
            with _translated():
                self._rename(passing, self._object_path(key, version))
        except BaseException:
            with suppress(OSError):
                passing.unlink(missing_ok=True)
            raise
        return StoredObject(key, version, size)

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start``, at most ``length``. ``NotFound`` (at once) when absent."""
        self._present()
        blocks = self._blocks(self._object_path(key, version), start, length)
        next(blocks)  # opens the file: what is absent is told now, not at the first byte
        return blocks

    def _blocks(self, path: Path, start: int, length: int | None) -> Iterator[bytes]:
        with _translated(absent=True):
            handle = os.open(path, os.O_RDONLY)
        try:
            yield b""
            at, left = start, length
            while left is None or left > 0:
                with _translated():
                    block = os.pread(handle, _BLOCK if left is None else min(_BLOCK, left), at)
                if not block:
                    return
                yield block
                at += len(block)
                left = None if left is None else left - len(block)
        finally:
            os.close(handle)

    def stat(self, key: str, version: str) -> ObjectInfo | None:
        """Return what is known of an object version, or None when it is not there."""
        self._present()
        with _translated():
            try:
                found = self._object_path(key, version).stat()
            except (FileNotFoundError, NotFound):
                return None
        return ObjectInfo(key, version, found.st_size, found.st_mtime)

    def _present(self) -> None:
        """Tell a store that is away (a disk that is not mounted) from an object that is."""
        if not self._objects.is_dir():
            raise Unavailable(part="store", reason="ENOENT")

    def remove(self, key: str, version: str) -> None:
        """Remove one version for good. Removing what is not there is no error."""
        with _translated(), suppress(FileNotFoundError, NotFound):
            path = self._object_path(key, version)
            path.unlink()
            _sync(path.parent)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """List every object version whose key begins with ``prefix``."""
        with _translated():
            folders = sorted(each.path for each in os.scandir(self._objects) if each.is_dir())
        for folder in folders:
            yield from _listed(folder, _OBJECT, prefix.replace("/", "_"))

    def versions(self, key: str) -> Iterator[ObjectInfo]:
        """List the versions of one key, without a look at any other's."""
        self._present()
        folder = self._object_path(key, "0" * 32).parent
        if folder.is_dir():
            yield from (each for each in _listed(str(folder), _OBJECT, key.replace("/", "_")) if each.key == key)

    # Uploads

    def begin(self, key: str) -> str:
        """Open a resumable upload to ``key`` and return its upload id."""
        upload = secrets.token_hex(16)
        with _translated():
            for kind in ("data", "index"):
                os.close(os.open(self._upload_path(key, upload, kind), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _sync(self._incoming)
        return upload

    def put_piece(self, key: str, upload: str, number: int, data: bytes) -> None:
        """Durably keep piece ``number`` (from 0). The same number again replaces it."""
        with _translated(absent=True):
            kept = self._kept(key, upload)
            if number > len(kept):
                self._put_aside(key, upload, number, data)
                return
            for later in range(number + 1, len(kept)):  # they move when this one's length changes
                self._put_aside(key, upload, later, self.read_piece(key, upload, later))
            self._append(key, upload, kept[:number], data)
            kept = [*kept[:number], len(data)]
            while (aside := self._upload_path(key, upload, str(len(kept)))).exists():
                waiting = aside.read_bytes()
                self._append(key, upload, kept, waiting)
                kept.append(len(waiting))
                aside.unlink()

    def pieces(self, key: str, upload: str) -> Sequence[int]:
        """Return the sizes of the pieces kept so far, in order, up to the first one missing."""
        with _translated(absent=True):
            return self._kept(key, upload)

    def read_piece(self, key: str, upload: str, number: int) -> bytes:
        """Return a kept piece's bytes. ``NotFound`` when absent."""
        with _translated(absent=True):
            kept = self._kept(key, upload)
            if not 0 <= number < len(kept):
                raise NotFound
            handle = os.open(self._upload_path(key, upload, "data"), os.O_RDONLY)
            try:
                return os.pread(handle, kept[number], sum(kept[:number]))
            finally:
                os.close(handle)

    def finish(self, key: str, upload: str) -> StoredObject:
        """Join the pieces into the object. Finishing once more gives the same answer.

        Raises:
            NotFound: there is no such upload.
            Conflict: a piece is missing.
        """
        with _translated(absent=True):
            final = self._object_path(key, upload)
            if not final.exists():
                kept = self._kept(key, upload)
                aside = (int(name) for name, _ in self._parts(key, upload) if name.isdigit())
                if not kept or any(number >= len(kept) for number in aside):  # what is below was joined before a crash
                    raise Conflict(what="piece", expected=len(kept))
                data = self._upload_path(key, upload, "data")
                handle = os.open(data, os.O_RDWR)
                try:
                    os.ftruncate(handle, sum(kept))
                    os.fsync(handle)
                finally:
                    os.close(handle)
                self._rename(data, final)
            self._forget(key, upload)
            return StoredObject(key, upload, final.stat().st_size)

    def abort(self, key: str, upload: str) -> None:
        """Forget an upload and its pieces. Forgetting what is not there is no error."""
        with _translated(), suppress(NotFound):
            self._forget(key, upload)

    def uploads(self) -> Iterator[ObjectInfo]:
        """List the uploads under way, and objects whose writing was cut off (``version``: what ``abort`` takes)."""
        found: dict[tuple[str, str], ObjectInfo] = {}
        for each in _listed(str(self._incoming), _INCOMING):
            known = found.get((each.key, each.version), each)
            size = max(known.size, each.size)
            modified = max(known.modified, each.modified)
            found[each.key, each.version] = ObjectInfo(each.key, each.version, size, modified)
        yield from found.values()

    def _kept(self, key: str, upload: str) -> Sizes:
        index = self._upload_path(key, upload, "index").read_bytes()
        whole = len(index) - len(index) % _LENGTH.size
        return [size for (size,) in _LENGTH.iter_unpack(index[:whole])]

    def _append(self, key: str, upload: str, before: Sequence[int], data: bytes) -> None:
        """Write a piece behind ``before``. The index counts it only when its bytes are on the disk."""
        index_path = self._upload_path(key, upload, "index")
        index = os.open(index_path, os.O_RDWR)
        try:
            at = len(before) * _LENGTH.size
            if os.fstat(index).st_size != at:
                os.ftruncate(index, at)
                os.fsync(index)
            self._write_at(self._upload_path(key, upload, "data"), sum(before), data)
            os.pwrite(index, _LENGTH.pack(len(data)), at)
            os.fsync(index)
        finally:
            os.close(index)

    def _write_at(self, path: Path, at: int, data: bytes) -> None:
        handle = os.open(path, os.O_RDWR)
        try:
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            try:
                _write(handle, data)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, at)  # give a full disk its room back
                raise
        finally:
            os.close(handle)

    def _put_aside(self, key: str, upload: str, number: int, data: bytes) -> None:
        passing = self._upload_path(key, upload, "put")
        try:
            handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            self._rename(passing, self._upload_path(key, upload, str(number)))
        except BaseException:
            passing.unlink(missing_ok=True)
            raise

    def _parts(self, key: str, upload: str) -> Iterator[tuple[str, Path]]:
        """Yield the kind and path of each file of an upload."""
        stem = self._upload_path(key, upload, "").name
        for each in os.scandir(self._incoming):
            if each.name.startswith(stem):
                yield each.name[len(stem) :], Path(each.path)

    def _forget(self, key: str, upload: str) -> None:
        for _, path in tuple(self._parts(key, upload)):
            path.unlink(missing_ok=True)
        _sync(self._incoming)

    # Names

    def _object_path(self, key: str, version: str) -> Path:
        name = _named(key, version)
        return self._objects / hashlib.sha256(key.encode()).hexdigest()[:2] / name

    def _upload_path(self, key: str, upload: str, kind: str) -> Path:
        return self._incoming / f"{_named(key, upload)}.{kind}"

    def _rename(self, source: Path, target: Path) -> None:
        self._make(target.parent)
        source.replace(target)
        _sync(target.parent)

    def _make(self, folder: Path) -> None:
        if folder in self._known:
            return
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(folder.parent)
        self._known.add(folder)


def _named(key: str, version: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("a key is made of digits, small letters, / and -")
    if not _VERSION.fullmatch(version):
        raise NotFound
    return f"{key.replace('/', '_')}@{version}"


def _listed(folder: str, shape: re.Pattern[str], begins: str = "") -> Iterator[ObjectInfo]:
    with _translated():
        entries = os.scandir(folder)
    with entries:
        for entry in entries:
            match = shape.fullmatch(entry.name) if entry.name.startswith(begins) else None
            if match is None:
                continue
            with suppress(FileNotFoundError):  # removed meanwhile
                found = entry.stat(follow_symlinks=False)
                yield ObjectInfo(match[1].replace("_", "/"), match[2], found.st_size, found.st_mtime)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(*, absent: bool = False) -> Iterator[None]:
    """Turn the system's errors into ours; with ``absent``, a file that is not there is the caller's mistake."""
    try:
        yield
    except OSError as error:
        if absent and isinstance(error, FileNotFoundError):
            raise NotFound from error
        if error.errno in NO_ROOM:
            raise StorageFull(part="store") from error
        raise Unavailable(part="store", reason=errno.errorcode.get(error.errno or 0, "unknown")) from error
