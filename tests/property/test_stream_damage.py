"""However a stored content is damaged, no reader gets a byte that was not there."""

import hashlib
import os
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archive.errors import Damaged
from archive.ids import new_id
from archive.ports import ObjectInfo
from storage.stream import AT_ONCE, HEADER_BYTES, StreamReader, StreamSealer

CHUNK = 16
FRAME = 23
STRIDE = CHUNK + FRAME
PIECE = 4 * CHUNK
KEY = b"k" * 32
CONTENT = new_id()


class OneObject:
    """A store with one object, given out in small blocks."""

    def __init__(self, data: bytes, block: int = 7) -> None:
        self.data, self.block = data, block

    def read(self, _key: str, _version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        part = self.data[start:] if length is None else self.data[start : start + length]
        return iter([part[at : at + self.block] for at in range(0, len(part), self.block)])

    def stat(self, key: str, version: str) -> ObjectInfo:
        return ObjectInfo(key, version, len(self.data), 0.0)


def pieces_of(plain: bytes) -> list[bytes]:
    return [plain[at : at + PIECE] for at in range(0, len(plain), PIECE)] or [b""]


def seal(plain: bytes, *, key: bytes = KEY, content: UUID = CONTENT) -> bytes:
    sealer = StreamSealer(key, content, piece=PIECE, chunk=CHUNK)
    pieces = pieces_of(plain)
    return b"".join(sealer.piece(each, last=at == len(pieces) - 1) for at, each in enumerate(pieces))


def read(
    cipher: bytes,
    start: int = 0,
    length: int | None = None,
    *,
    key: bytes = KEY,
    content: UUID = CONTENT,
    block: int = 7,
) -> bytes:
    """Read a range; whatever the reader is told of the object's length, the same comes of it."""
    ways: list[bytes | Damaged] = []
    for told in (None, len(cipher), len(cipher) + 3, max(len(cipher) - 3, 0), AT_ONCE + 1):
        try:
            reader = StreamReader(key, content, OneObject(cipher, block), "k", "v", told)  # type: ignore[arg-type]
            ways.append(b"".join(reader.read(start, length)))
        except Damaged as error:
            ways.append(error)
    first = ways[0]
    if isinstance(first, Damaged):
        assert all(isinstance(each, Damaged) for each in ways), ways
        raise first
    assert ways == [first] * len(ways)
    return first


def chunks_of(cipher: bytes) -> tuple[bytes, list[bytes]]:
    body = cipher[HEADER_BYTES:]
    return cipher[:HEADER_BYTES], [body[at : at + STRIDE] for at in range(0, len(body), STRIDE)]


plains = st.binary(max_size=12 * CHUNK)


@given(plains, st.integers(1, 300))
def test_what_was_sealed_is_read(plain: bytes, block: int) -> None:
    assert read(seal(plain), block=block) == plain


@given(plains, st.integers(0, 220), st.one_of(st.none(), st.integers(0, 220)))
def test_any_range_is_that_part_of_the_file(plain: bytes, start: int, length: int | None) -> None:
    expected = plain[start:] if length is None else plain[start : start + length]
    assert read(seal(plain), start, length) == expected


@settings(max_examples=300)
@given(plains, st.data())
def test_one_flipped_bit_anywhere_is_noticed(plain: bytes, data: st.DataObject) -> None:
    cipher = bytearray(seal(plain))
    at = data.draw(st.integers(0, len(cipher) * 8 - 1))
    cipher[at // 8] ^= 1 << (at % 8)
    with pytest.raises(Damaged):
        read(bytes(cipher))


@settings(max_examples=300)
@given(plains, st.data())
def test_a_file_cut_anywhere_is_noticed(plain: bytes, data: st.DataObject) -> None:
    cipher = seal(plain)
    cut = cipher[: data.draw(st.integers(0, len(cipher) - 1))]
    with pytest.raises(Damaged):
        read(cut)


@given(st.binary(min_size=CHUNK + 1, max_size=12 * CHUNK))
def test_a_missing_last_chunk_is_never_a_shorter_file(plain: bytes) -> None:
    header, chunks = chunks_of(seal(plain))
    cut = header + b"".join(chunks[:-1])
    with pytest.raises(Damaged):
        read(cut)
    with pytest.raises(Damaged):
        read(cut, len(plain) - 1, 1)
    with pytest.raises(Damaged):
        read(cut, len(plain) + 100, 1)


@given(st.binary(min_size=2 * CHUNK + 1, max_size=12 * CHUNK), st.data())
def test_swapped_repeated_and_left_out_chunks_are_noticed(plain: bytes, data: st.DataObject) -> None:
    header, chunks = chunks_of(seal(plain))
    one = data.draw(st.integers(0, len(chunks) - 1))
    other = data.draw(st.integers(0, len(chunks) - 1))
    swapped = list(chunks)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    repeated = [*chunks[: one + 1], *chunks[one:]]
    left_out = [*chunks[:one], *chunks[one + 1 :]]
    for changed in ([swapped] if one != other else []) + [repeated, left_out]:
        with pytest.raises(Damaged):
            read(header + b"".join(changed))


@given(st.binary(min_size=1, max_size=6 * CHUNK), st.binary(min_size=1, max_size=6 * CHUNK), st.data())
def test_parts_of_two_files_of_one_record_never_join(first: bytes, second: bytes, data: st.DataObject) -> None:
    other = new_id()
    a, b = chunks_of(seal(first)), chunks_of(seal(second, content=other))
    at = data.draw(st.integers(0, min(len(a[1]), len(b[1])) - 1))
    with pytest.raises(Damaged):
        read(a[0] + b"".join([*a[1][:at], b[1][at], *a[1][at + 1 :]]))
    with pytest.raises(Damaged):
        read(a[0] + b"".join([*a[1], *b[1]]))
    with pytest.raises(Damaged):
        read(b[0] + b"".join(a[1]), content=other)


@given(plains, st.integers(0, HEADER_BYTES * 8 - 1))
def test_a_changed_header_is_known_before_the_first_byte(plain: bytes, bit: int) -> None:
    cipher = bytearray(seal(plain))
    cipher[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(Damaged):
        StreamReader(KEY, CONTENT, OneObject(bytes(cipher)), "k", "v")  # type: ignore[arg-type]  # reads only


@given(plains)
def test_another_record_or_content_does_not_open_it(plain: bytes) -> None:
    cipher = seal(plain)
    with pytest.raises(Damaged):
        read(cipher, key=b"x" * 32)
    with pytest.raises(Damaged):
        read(cipher, content=new_id())


@given(st.binary(min_size=1, max_size=12 * CHUNK), st.data())
def test_an_upload_goes_on_after_a_break(plain: bytes, data: st.DataObject) -> None:
    pieces = pieces_of(plain)
    broken = data.draw(st.integers(1, len(pieces)))
    before = StreamSealer(KEY, CONTENT, piece=PIECE, chunk=CHUNK)
    kept = [before.piece(each, last=at == len(pieces) - 1) for at, each in enumerate(pieces[:broken])]

    after = StreamSealer(KEY, CONTENT, resume=kept[0], piece=PIECE)
    for at, each in enumerate(kept):
        after.replay(each, last=at == len(pieces) - 1)
    assert (after.plain_sha256, after.cipher_sha256) == (before.plain_sha256, before.cipher_sha256)
    for at, each in enumerate(pieces[broken:], broken):
        kept.append(after.piece(each, last=at == len(pieces) - 1))

    whole = b"".join(kept)
    assert read(whole) == plain
    assert after.plain_sha256 == hashlib.sha256(plain).hexdigest()
    assert after.cipher_sha256 == hashlib.sha256(whole).hexdigest()
    assert after.plain_size == len(plain)


@given(st.binary(min_size=2 * PIECE + 1, max_size=3 * PIECE), st.data())
def test_a_kept_piece_that_changed_stops_the_upload(plain: bytes, data: st.DataObject) -> None:
    before = StreamSealer(KEY, CONTENT, piece=PIECE, chunk=CHUNK)
    kept = [before.piece(each, last=False) for each in pieces_of(plain)[:2]]
    damaged = bytearray(kept[1])
    at = data.draw(st.integers(0, len(damaged) * 8 - 1))
    damaged[at // 8] ^= 1 << (at % 8)

    after = StreamSealer(KEY, CONTENT, resume=kept[0], piece=PIECE)
    after.replay(kept[0], last=False)
    for wrong in (bytes(damaged), kept[0], kept[1][:-1]):
        again = StreamSealer(KEY, CONTENT, resume=kept[0], piece=PIECE)
        again.replay(kept[0], last=False)
        with pytest.raises(Damaged):
            again.replay(wrong, last=False)


def test_a_piece_sent_again_with_other_bytes_meets_another_nonce() -> None:
    first = StreamSealer(KEY, CONTENT, piece=PIECE, chunk=CHUNK)
    head = first.piece(b"a" * PIECE, last=False)
    lost = first.piece(b"b" * PIECE, last=False)

    resumed = StreamSealer(KEY, CONTENT, resume=head, piece=PIECE)
    resumed.replay(head, last=False)
    sent = resumed.piece(b"c" * PIECE, last=False)

    # With one key stream for both, the difference of the cipher bytes would be that of the plain ones.
    difference = bytes(x ^ y for x, y in zip(lost[7 : 7 + CHUNK], sent[7 : 7 + CHUNK], strict=True))
    assert difference != bytes([ord("b") ^ ord("c")] * CHUNK)


def test_an_empty_file_is_one_empty_chunk() -> None:
    cipher = seal(b"")
    assert read(cipher) == b""
    assert StreamReader(KEY, CONTENT, OneObject(cipher), "k", "v").size == 0  # type: ignore[arg-type]  # reads only
    assert len(cipher) == HEADER_BYTES + FRAME


def test_a_reader_knows_the_plain_size_without_reading() -> None:
    for size in (1, CHUNK - 1, CHUNK, CHUNK + 1, PIECE, PIECE + 1, 3 * PIECE):
        reader = StreamReader(KEY, CONTENT, OneObject(seal(os.urandom(size))), "k", "v")  # type: ignore[arg-type]
        assert reader.size == size


@given(st.integers(0, PIECE + 1), st.booleans())
def test_pieces_of_a_wrong_length_and_pieces_after_the_last_are_refused(size: int, last: bool) -> None:
    assume(size > PIECE or (not last and size != PIECE))
    with pytest.raises(ValueError, match="full"):
        StreamSealer(KEY, CONTENT, piece=PIECE, chunk=CHUNK).piece(b"x" * size, last=last)
    ended = StreamSealer(KEY, CONTENT, piece=PIECE, chunk=CHUNK)
    ended.piece(b"", last=True)
    with pytest.raises(ValueError, match="ended"):
        ended.piece(b"", last=True)


def test_a_small_object_of_a_known_length_is_asked_for_once_and_a_large_one_in_parts() -> None:
    class Counting(OneObject):
        asked = 0

        def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
            self.asked += 1
            return super().read(key, version, start, length)

        def stat(self, key: str, version: str) -> ObjectInfo:
            self.asked += 1
            return super().stat(key, version)

    for size, questions in ((1_000, 1), (AT_ONCE, 4)):
        plain = os.urandom(size)
        sealer = StreamSealer(KEY, CONTENT)
        store = Counting(sealer.piece(plain, last=True), block=65_536)
        reader = StreamReader(KEY, CONTENT, store, "k", "v", len(store.data))  # type: ignore[arg-type]  # reads only
        assert b"".join(reader.read()) == plain
        assert b"".join(reader.read(10, 20)) == plain[10:30]
        assert store.asked == questions
