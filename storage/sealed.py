"""Streams on their way into a backup, compressed, then sealed piece by piece; and sealed ones as files to read."""

import zlib
from collections.abc import Iterable, Iterator
from io import SEEK_SET, RawIOBase
from typing import Any
from uuid import UUID

from archive.ports import PIECE_BYTES
from storage.stream import StreamReader, StreamSealer


class Sealed:
    """A stream on its way into the target, sealed under a set's key. ``sha256`` is known when all has passed."""

    def __init__(self, key: bytes, set_id: UUID, blocks: Iterable[bytes]) -> None:
        self._sealer = StreamSealer(key, set_id)
        self._blocks = blocks

    def pieces(self) -> Iterator[bytes]:
        """Yield the cipher bytes."""
        waiting = bytearray()
        for block in self._blocks:
            waiting += block
            while len(waiting) > PIECE_BYTES:
                yield self._sealer.piece(bytes(waiting[:PIECE_BYTES]), last=False)
                del waiting[:PIECE_BYTES]
        yield self._sealer.piece(bytes(waiting), last=True)

    @property
    def sha256(self) -> str:
        """The hash of the cipher bytes."""
        return self._sealer.cipher_sha256


def compressed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a stream compressed."""
    packer = zlib.compressobj(1)
    for block in blocks:
        if packed := packer.compress(block):
            yield packed
    yield packer.flush()


class Opened(RawIOBase):
    """The plain bytes of a sealed stream as a file, to be read again. Each chunk is checked by its seal."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._at = 0
        self._blocks: Iterator[bytes] | None = None
        self._left = b""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place, counted from the begin."""
        if whence != SEEK_SET:
            raise ValueError("places are counted from the begin")
        self._at, self._blocks, self._left = offset, None, b""
        return offset

    def readinto(self, buffer: Any) -> int:
        """Read what comes next. Raises as ``StreamReader.read``."""
        if self._blocks is None:
            self._blocks = self._reader.read(self._at)
        room = memoryview(buffer)
        self._left = self._left or next(self._blocks, b"")
        taken, self._left = self._left[: len(room)], self._left[len(room) :]
        room[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)
