"""Files of memory: how plain bytes reach the sandbox without touching a disk."""

import fcntl
import importlib
import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from archive.errors import TooLarge

_SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008  # F_SEAL_SEAL, _SHRINK, _GROW, _WRITE
_LINUX: bool = hasattr(os, "memfd_create")
_ADD_SEALS = 1033  # F_ADD_SEALS


class MemoryFile:
    """Bytes in memory behind a descriptor that another process can be given.

    On Linux the file is sealed: no one can change it any more. Close it when done; it never has a name.
    """

    def __init__(self, data: Iterable[bytes], *, size: int, limit: int) -> None:
        """Take ``data``, of which ``size`` bytes are expected.

        Raises:
            TooLarge: more than ``limit`` bytes came or were announced.
        """
        if size > limit:
            raise TooLarge(limit=limit, size=size)
        self.fd = _open(limit)
        try:
            self.size = self._fill(data, limit)
        except BaseException:
            self.close()
            raise

    def _fill(self, data: Iterable[bytes], limit: int) -> int:
        written = 0
        mapped = None if _LINUX else mmap.mmap(self.fd, limit)
        for piece in data:
            if written + len(piece) > limit:
                raise TooLarge(limit=limit, size=written + len(piece))
            if mapped is None:
                _write(self.fd, piece)
            else:
                mapped[written : written + len(piece)] = piece
            written += len(piece)
        if mapped is None:
            fcntl.fcntl(self.fd, _ADD_SEALS, _SEALS)
        else:
            mapped.close()
        return written

    @contextmanager
    def mapped(self) -> Iterator[mmap.mmap | bytes]:
        """Have the bytes at hand inside the block. On macOS the descriptor cannot be read in another way."""
        if not self.size:
            yield b""
            return
        # private: before Linux 6.7 a sealed file may not even be read through a shared mapping
        with mmap.mmap(self.fd, self.size, access=mmap.ACCESS_COPY) as data:
            yield data

    def close(self) -> None:
        """Give the memory back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _open(length: int) -> int:
    if _LINUX:
        return os.memfd_create("juanku", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    # macOS has no memfd; a shared memory object whose name is taken away at once does the same
    shared = importlib.import_module("_posixshmem")
    name = f"/juanku-{secrets.token_hex(8)}"
    fd: int = shared.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)
    shared.shm_unlink(name)
    os.ftruncate(fd, length)
    return fd


def _write(fd: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(fd, view) :]
