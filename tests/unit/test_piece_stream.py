"""Pieces as a stream: all bytes come once and in order, however they are cut, and none is copied without need."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.piece_stream import PieceStream


@given(st.lists(st.binary(max_size=9), max_size=9), st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_what_is_read_is_what_came_however_it_is_cut(pieces: list[bytes], sizes: list[int]) -> None:
    stream, whole = PieceStream(pieces), b"".join(pieces)
    read = b""
    for size in sizes:
        given_back = stream.read(size)
        stream.give_back(given_back)
        data = stream.read(size)
        assert data == given_back == whole[len(read) : len(read) + size]
        read += data
        assert stream.given == len(read)
    assert read + stream.read(1000) == whole
    assert stream.read(1) == b""


def test_a_piece_that_is_read_whole_is_handed_on_as_it_is() -> None:
    piece = b"a" * 5_000
    stream = PieceStream([piece, b"b"])
    assert stream.read(len(piece)) is piece
    stream.give_back(piece)
    assert stream.read(len(piece)) is piece


def test_what_the_source_raises_is_raised_and_remembered() -> None:
    def breaks() -> Iterator[bytes]:
        yield b"a"
        raise OSError("gone")

    stream = PieceStream(breaks())
    assert stream.read(1) == b"a"
    assert stream.failed is None
    with pytest.raises(OSError, match="gone"):
        stream.read(1)
    assert isinstance(stream.failed, OSError)
