"""What a fork says of the files inside another is trusted in nothing: order, lengths, names, or that it ends."""

import struct
from collections.abc import Iterator

import pytest

from indexer.sandbox import frames
from indexer.sandbox.frames import MAX_FRAME, Frames, Torn


def reader(*said: bytes, first: int = 1, step: int = 7) -> Frames:
    data = b"".join(said)
    parts: Iterator[bytes] = (data[at : at + step] for at in range(0, len(data), step))
    return Frames(lambda: next(parts, b""), first)


def taken(read: Frames) -> list[tuple[int, str, bytes | None]]:
    found: list[tuple[int, str, bytes | None]] = []
    for member in read.members():
        try:
            found.append((member.number, member.path, b"".join(member.chunks)))
        except Torn:
            found.append((member.number, member.path, None))
    return found


def a_member(number: int, path: str, data: bytes = b"x", *, whole: bool = True) -> bytes:
    return frames.begin(number, path) + frames.data(data) + frames.close(whole=whole)


def test_members_come_one_after_another_and_a_broken_one_costs_no_other() -> None:
    read = reader(a_member(1, "a", b"one"), a_member(2, "b", whole=False), a_member(3, "c", b""), frames.end(3))
    assert taken(read) == [(1, "a", b"one"), (2, "b", None), (3, "c", b"")]
    assert (read.whole, read.gone, read.reached) == (True, False, 3)


def test_bytes_that_nobody_asks_for_are_passed_over() -> None:
    read = reader(a_member(1, "a", b"x" * 99), a_member(2, "b", b"two", whole=False), a_member(3, "c"), frames.end(3))
    assert [member.path for member in read.members()] == ["a", "b", "c"]
    assert read.whole


@pytest.mark.parametrize("cut", [1, 4, 8, 20, 25])
def test_a_fork_that_breaks_off_is_told_from_one_that_ended(cut: int) -> None:
    whole = a_member(1, "a", b"12345")
    read = reader(whole[:cut])
    assert [data for _, _, data in taken(read)] in ([], [None])
    assert (read.whole, read.torn, read.gone) == (False, False, True)


@pytest.mark.parametrize(
    "said",
    [
        struct.pack(">cI", b"M", MAX_FRAME + 1),
        struct.pack(">cI", b"Z", 0),
        struct.pack(">cI", b"M", 2) + b"[]",
        struct.pack(">cI", b"M", 8) + b'["a", 1]',
        struct.pack(">cI", b"M", 6) + b"[[[[[[",
        frames.begin(0, "a"),
        frames.begin(10**9, "a"),
        frames.begin(1, "a" * 5_000),
        frames.data(b"x"),
        a_member(2, "a") + a_member(2, "b"),
        frames.begin(1, "a") + frames.begin(2, "b"),
    ],
    ids=["long", "sign", "empty", "number", "json", "zero", "far", "name", "data", "twice", "within"],
)
def test_what_is_no_frame_ends_it(said: bytes) -> None:
    read = reader(said, a_member(3, "later"), frames.end(3), step=4_096)
    assert "later" not in [path for _, path, _ in taken(read)]
    assert (read.whole, read.gone) == (False, True)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\a\\b.txt", "C:/a/b.txt"),
        ("/abs/./x", "abs/x"),
        ("a\x00b\u202ecod.exe\n", "abcod.exe"),
        ("..", "1"),
        ("\ud800", "1"),
    ],
)
def test_a_name_is_a_label_and_leads_nowhere(path: str, shown: str) -> None:
    assert taken(reader(a_member(1, path), frames.end(1)))[0][1] == shown
