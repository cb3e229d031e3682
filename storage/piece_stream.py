"""Pieces that come one by one, read as a stream."""

from collections import deque
from collections.abc import Iterable


class PieceStream:
    """Pieces as a stream, as the library wants it. Remembers what went wrong in the source itself.

    Pieces are handed on as they are, or joined once: copying them again costs more than reading and hashing them.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left: deque[bytes | memoryview] = deque()
        self.given = 0
        self.failed: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        taken: list[bytes | memoryview] = []
        missing = size
        while missing and (piece := self._left.popleft() if self._left else self._next()) is not None:
            if len(piece) > missing:
                view = memoryview(piece)
                self._left.appendleft(view[missing:])
                piece = view[:missing]
            taken.append(piece)
            missing -= len(piece)
        self.given += size - missing
        whole = taken[0] if len(taken) == 1 else None
        return whole if isinstance(whole, bytes) else b"".join(taken)

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except BaseException as error:
            self.failed = error
            raise

    def give_back(self, data: bytes) -> None:
        """Put back what was read to look at it."""
        self._left.appendleft(data)
        self.given -= len(data)
