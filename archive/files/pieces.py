"""Cutting a stream into the pieces that a file travels in, and sealing them as they pass."""

from collections.abc import Iterable, Iterator

from archive.ports import PIECE_BYTES, ContentSealer

Piece = tuple[bytes, bool]
"""A piece's bytes, and whether it is the last."""


def cut(data: Iterable[bytes]) -> Iterator[Piece]:
    """Cut a stream into pieces of exactly ``PIECE_BYTES``, the last one shorter; at most two are in memory."""
    pieces = _pieces(data)
    current = next(pieces, None)
    while current is not None:
        following = next(pieces, None)
        yield current, following is None
        current = following


def _pieces(data: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in data:
        waiting += chunk
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def sealed(sealer: ContentSealer, first: Piece, rest: Iterator[Piece]) -> Iterator[bytes]:
    """Yield the cipher bytes of pieces in their order."""
    yield sealer.piece(first[0], last=first[1])
    for piece, last in rest:
        yield sealer.piece(piece, last=last)
