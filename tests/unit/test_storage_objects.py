"""What only the folder store promises: private files, no second copy, a full disk refused cleanly, a crash survived."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.errors import StorageFull, Unavailable
from storage.objects import FileStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@contextmanager
def a_full_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond ``limit`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_only_the_owner_may_read(folder: Path) -> None:
    old = os.umask(0)
    try:
        store = FileStore(folder)
        store.put("a/b", [b"x"])
        store.put_piece("c", store.begin("c"), 0, b"y")
    finally:
        os.umask(old)
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_put_that_finds_no_room_leaves_nothing(folder: Path) -> None:
    store = FileStore(folder)
    with a_full_disk(100_000), pytest.raises(StorageFull):
        store.put("big", [b"x" * 90_000] * 3)
    assert files(folder) == []
    assert store.put("big", [b"x" * 90_000] * 3).size == 270_000


def test_a_piece_that_finds_no_room_is_not_kept_and_may_come_again(folder: Path) -> None:
    store = FileStore(folder)
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"a" * 60_000)
    with a_full_disk(100_000), pytest.raises(StorageFull):
        store.put_piece("big", upload, 1, b"b" * 60_000)
    assert store.pieces("big", upload) == [60_000]
    assert max(path.stat().st_size for path in files(folder)) == 60_000
    store.put_piece("big", upload, 1, b"b" * 60_000)
    stored = store.finish("big", upload)
    assert b"".join(store.read("big", stored.version)) == b"a" * 60_000 + b"b" * 60_000


def test_a_finished_upload_is_renamed_not_copied(folder: Path) -> None:
    store = FileStore(folder)
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"a")
    (data,) = (path for path in files(folder) if path.suffix == ".data")
    inode = data.stat().st_ino
    store.finish("big", upload)
    (final,) = files(folder)
    assert final.stat().st_ino == inode


def test_finishing_twice_gives_the_same_object(folder: Path) -> None:
    store = FileStore(folder)
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"a")
    assert store.finish("big", upload) == FileStore(folder).finish("big", upload)


def test_half_a_piece_from_a_crash_is_not_counted(folder: Path) -> None:
    store = FileStore(folder)
    upload = store.begin("big")
    store.put_piece("big", upload, 0, b"aaa")
    (data,) = folder.rglob("*.data")
    (index,) = folder.rglob("*.index")
    data.write_bytes(b"aaa" + b"torn")
    index.write_bytes(index.read_bytes() + b"\0\0\0")
    again = FileStore(folder)
    assert again.pieces("big", upload) == [3]
    again.put_piece("big", upload, 1, b"b")
    stored = again.finish("big", upload)
    assert b"".join(again.read("big", stored.version)) == b"aaab"


def test_a_piece_put_aside_that_a_crash_left_after_it_was_joined_holds_nothing_up(folder: Path) -> None:
    store = FileStore(folder)
    upload = store.begin("big")
    store.put_piece("big", upload, 1, b"b")
    (aside,) = folder.rglob("*.1")
    store.put_piece("big", upload, 0, b"a")
    assert not aside.exists()
    aside.write_bytes(b"b")
    stored = store.finish("big", upload)
    assert b"".join(store.read("big", stored.version)) == b"ab"


def test_a_put_cut_off_by_a_crash_is_listed_and_can_be_swept(folder: Path) -> None:
    store = FileStore(folder)
    stored = store.put("k", [b"x"])
    (path,) = files(folder)
    path.rename(folder / "incoming" / f"{path.name}.put")
    assert list(store.list()) == []
    (left,) = store.uploads()
    assert (left.key, left.version, left.size) == ("k", stored.version, 1)
    store.abort(left.key, left.version)
    assert files(folder) == []


def test_strange_files_are_not_objects(folder: Path) -> None:
    store = FileStore(folder)
    store.put("k", [b"x"])
    (path,) = files(folder)
    (path.parent / "lost+found.txt").write_bytes(b"?")
    assert [each.key for each in store.list()] == ["k"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_a_reader_that_is_dropped_leaves_no_file_open(folder: Path) -> None:
    store = FileStore(folder)
    stored = store.put("k", [b"x" * 2_000_000])
    before = open_files()
    for _ in range(20):
        next(store.read("k", stored.version))
        store.read("k", stored.version)
    assert open_files() == before


def test_a_store_whose_folder_is_gone_is_unavailable(folder: Path) -> None:
    store = FileStore(folder)
    folder.rename(folder.with_name("away"))
    with pytest.raises(Unavailable):
        store.put("k", [b"x"])
    with pytest.raises(Unavailable):
        store.begin("k")
    with pytest.raises(Unavailable):
        store.stat("k", "0" * 32)
    with pytest.raises(Unavailable):
        store.read("k", "0" * 32)
    with pytest.raises(Unavailable):
        list(store.list())
