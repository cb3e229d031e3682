"""What every object store must keep. A new one is only added to ``STORES``."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Conflict, NotFound
from archive.ports import PIECE_BYTES, ObjectStore
from benchmarks._rough_proxy import RoughProxy
from storage.minio.client import client
from storage.minio.objects import MinioStore
from storage.objects import FileStore
from tests.factories import minio_server


@contextmanager
def a_folder(folder: Path) -> Iterator[ObjectStore]:
    yield FileStore(folder)


@contextmanager
def minio(_folder: Path) -> Iterator[ObjectStore]:
    yield minio_server.a_store()


@contextmanager
def minio_over_a_bad_line(_folder: Path) -> Iterator[ObjectStore]:
    """Each answer ends after so many bytes."""
    access = minio_server.needed()
    with RoughProxy(access.endpoint) as line:
        line.every = 2_000_000
        made = client(replace(access, endpoint=line.address))
        yield MinioStore(made, made, minio_server.a_bucket(access))


STORES: list[Callable[[Path], AbstractContextManager[ObjectStore]]] = [a_folder, minio, minio_over_a_bad_line]


@pytest.fixture(params=STORES, ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    with request.param(tmp_path / "store") as made:
        yield made


def content(store: ObjectStore, key: str, version: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(store.read(key, version, start, length))


def test_what_is_put_is_read_whole_and_in_parts(store: ObjectStore) -> None:
    data = bytes(range(256)) * 9000
    stored = store.put("ab/c-1", [data[:1000], data[1000:]])
    assert stored.key == "ab/c-1"
    assert stored.size == len(data)
    assert content(store, stored.key, stored.version) == data
    assert content(store, stored.key, stored.version, 999, 3) == data[999:1002]
    assert content(store, stored.key, stored.version, len(data) - 2, 10) == data[-2:]
    assert content(store, stored.key, stored.version, len(data) + 5) == b""
    assert content(store, stored.key, stored.version, 5, 0) == b""


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    stored = store.put("empty", [])
    assert content(store, stored.key, stored.version) == b""


def test_a_key_written_twice_keeps_both_versions(store: ObjectStore) -> None:
    first, second = store.put("same", [b"one"]), store.put("same", [b"two"])
    assert first.version != second.version
    assert content(store, "same", first.version) == b"one"
    assert content(store, "same", second.version) == b"two"


def test_absent_is_told_at_once(store: ObjectStore) -> None:
    stored = store.put("here", [b"x"])
    with pytest.raises(NotFound):
        store.read("here", "0" * 32)
    with pytest.raises(NotFound):
        store.read("nowhere", stored.version)
    with pytest.raises(NotFound):
        store.read("here", "../../etc/passwd")
    assert store.stat("here", "0" * 32) is None


def test_an_interrupted_put_leaves_nothing(store: ObjectStore) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.put("half", breaks())
    assert list(store.list()) == []
    assert list(store.uploads()) == []


def test_stat_and_listing_agree(store: ObjectStore) -> None:
    stored = [store.put(f"some/key-{n}", [b"x" * n]) for n in range(5)]
    listed = sorted((each.key, each.version, each.size) for each in store.list())
    assert listed == sorted((each.key, each.version, each.size) for each in stored)
    for each in store.list():
        assert store.stat(each.key, each.version) == each


def test_a_removed_version_is_gone_and_its_twin_stays(store: ObjectStore) -> None:
    first, second = store.put("same", [b"one"]), store.put("same", [b"two"])
    store.remove("same", first.version)
    store.remove("same", first.version)
    assert store.stat("same", first.version) is None
    assert content(store, "same", second.version) == b"two"


def test_pieces_become_the_object(store: ObjectStore) -> None:
    upload = store.begin("big")
    assert list(store.pieces("big", upload)) == []
    for number, piece in enumerate([b"a" * 10, b"b" * 7, b"c"]):
        store.put_piece("big", upload, number, piece)
    assert list(store.pieces("big", upload)) == [10, 7, 1]
    assert store.read_piece("big", upload, 1) == b"b" * 7
    assert [(each.key, each.version) for each in store.uploads()] == [("big", upload)]
    assert list(store.list()) == []

    stored = store.finish("big", upload)
    assert content(store, "big", stored.version) == b"a" * 10 + b"b" * 7 + b"c"
    assert stored.size == 18
    assert list(store.uploads()) == []


def test_a_piece_sent_again_replaces_the_first(store: ObjectStore) -> None:
    upload = store.begin("big")
    for number, piece in enumerate([b"aaa", b"bbb", b"ccc"]):
        store.put_piece("big", upload, number, piece)
    store.put_piece("big", upload, 2, b"C")
    store.put_piece("big", upload, 0, b"AAAAA")
    store.put_piece("big", upload, 1, b"")
    assert list(store.pieces("big", upload)) == [5, 0, 1]
    stored = store.finish("big", upload)
    assert content(store, "big", stored.version) == b"AAAAAC"


def test_pieces_may_come_out_of_order(store: ObjectStore) -> None:
    upload = store.begin("big")
    store.put_piece("big", upload, 2, b"cc")
    store.put_piece("big", upload, 1, b"b")
    assert list(store.pieces("big", upload)) == []
    with pytest.raises(Conflict):
        store.finish("big", upload)
    store.put_piece("big", upload, 0, b"aaa")
    assert list(store.pieces("big", upload)) == [3, 1, 2]
    stored = store.finish("big", upload)
    assert content(store, "big", stored.version) == b"aaabcc"


def test_an_aborted_upload_is_forgotten(store: ObjectStore) -> None:
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"a")
    store.put_piece("big", upload, 5, b"z")
    store.abort("big", upload)
    store.abort("big", upload)
    assert list(store.uploads()) == []
    with pytest.raises(NotFound):
        store.pieces("big", upload)
    with pytest.raises(NotFound):
        store.put_piece("big", upload, 0, b"a")
    with pytest.raises(NotFound):
        store.finish("big", upload)


def test_an_absent_piece_is_not_found(store: ObjectStore) -> None:
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"a")
    with pytest.raises(NotFound):
        store.read_piece("big", upload, 1)


def folder_twice(folder: Path) -> tuple[ObjectStore, ObjectStore]:
    return FileStore(folder), FileStore(folder)


def minio_twice(_folder: Path) -> tuple[ObjectStore, ObjectStore]:
    access = minio_server.needed()
    bucket = minio_server.a_bucket(access)
    return minio_server.a_store(access, bucket), minio_server.a_store(access, bucket)


@pytest.mark.parametrize("open_twice", [folder_twice, minio_twice])
def test_another_opening_of_the_store_sees_the_same(
    open_twice: Callable[[Path], tuple[ObjectStore, ObjectStore]], tmp_path: Path
) -> None:
    one, other = open_twice(tmp_path / "store")
    upload = one.begin("k")
    one.put_piece("k", upload, 0, b"first")
    assert list(other.pieces("k", upload)) == [5]
    stored = other.finish("k", upload)
    assert hashlib.sha256(content(one, "k", stored.version)).digest() == hashlib.sha256(b"first").digest()


def test_finishing_once_more_gives_the_same_object(store: ObjectStore) -> None:
    upload = store.begin("once")
    store.put_piece("once", upload, 0, b"whole")
    stored = store.finish("once", upload)
    assert store.finish("once", upload) == stored
    assert len(list(store.list())) == 1


def test_pieces_as_long_as_they_come_are_joined_in_order(store: ObjectStore) -> None:
    upload = store.begin("long")
    pieces = [bytes([number]) * (PIECE_BYTES + 40) for number in range(2)] + [b"end"]
    for number, piece in enumerate(pieces):
        store.put_piece("long", upload, number, piece)
    stored = store.finish("long", upload)
    assert stored.size == sum(map(len, pieces))
    joined = hashlib.sha256()
    for block in store.read("long", stored.version):
        joined.update(block)
    assert joined.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert content(store, "long", stored.version, PIECE_BYTES + 38, 4) == b"\x00\x00\x01\x01"


def test_a_source_that_breaks_late_leaves_nothing_either(store: ObjectStore) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"a" * (PIECE_BYTES + 40)
        yield b"b" * (PIECE_BYTES + 40)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.put("late", breaks())
    assert list(store.list()) == []
    assert list(store.uploads()) == []


def test_a_large_object_is_put_in_one_go_and_read_in_ranges(store: ObjectStore) -> None:
    pieces = [bytes([number]) * (PIECE_BYTES + 40) for number in range(2)]
    stored = store.put("large", iter([*pieces, b"end"]))
    assert stored.size == 2 * (PIECE_BYTES + 40) + 3
    assert content(store, "large", stored.version, PIECE_BYTES + 39, 2) == b"\x00\x01"
    assert content(store, "large", stored.version, stored.size - 4) == b"\x01end"


@pytest.mark.parametrize("key", ["", "../x", "UP", "a b", "a@b", "a_b", "文", "a" * 200])
def test_a_key_that_could_be_a_path_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        store.put(key, [b"x"])
    with pytest.raises(ValueError, match="key"):
        store.begin(key)
