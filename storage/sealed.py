"""Streams on their way into a backup: compressed, then sealed piece by piece."""

import zlib
from collections.abc import Iterable, Iterator
from uuid import UUID

from archive.ports import PIECE_BYTES
from storage.stream import StreamSealer


class Sealed:
    """A stream on its way into the target, sealed under a set's key. ``sha256`` is known when all has passed."""

    def __init__(self, key: bytes, set_id: UUID, blocks: Iterable[bytes]) -> None:
        self._sealer = StreamSealer(key, set_id)
        self._blocks = blocks

    def pieces(self) -> Iterator[bytes]:
        """Yield the cipher bytes."""
        waiting = b""
        for block in self._blocks:
            waiting += block
            while len(waiting) > PIECE_BYTES:
                yield self._sealer.piece(waiting[:PIECE_BYTES], last=False)
                waiting = waiting[PIECE_BYTES:]
        yield self._sealer.piece(waiting, last=True)

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
