"""Pieces that come one by one, read as a stream."""

from collections.abc import Iterable


class PieceStream:
    """Pieces as a stream, as the library wants it. Remembers what went wrong in the source itself."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = bytearray()
        self.given = 0
        self.failed: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        while len(self._left) < size:
            try:
                piece = next(self._pieces, None)
            except BaseException as error:
                self.failed = error
                raise
            if piece is None:
                break
            self._left += piece
        taken = bytes(self._left[:size])
        del self._left[:size]
        self.given += len(taken)
        return taken

    def give_back(self, data: bytes) -> None:
        """Put back what was read to look at it."""
        self._left[:0] = data
        self.given -= len(data)
