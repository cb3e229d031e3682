"""What a backup remembers while it runs lies on the disk, whatever an archive holds, and leaves nothing behind."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from archive.database import Database
from archive.errors import Damaged, StorageFull, Unavailable
from archive.ids import new_id
from archive.model import Content, ContentState, File
from archive.ports import ObjectInfo
from runtime.fsck.orphans import orphan_faults
from storage import packs, set_lists
from storage.clearing import forget
from storage.copying import AHEAD, Copying, all_by
from storage.items import Item
from storage.objects import FileStore
from storage.scratch import Scratch
from storage.set_lists import Listed
from tests.factories import records as rows
from tests.factories.people import NOW
from tests.fakes.clock import FixedClock

MANY = 40_000
FLAT = 3_000_000
"""Bytes; as objects in memory so many contents take more than twice as much."""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with Scratch(tmp_path / "run") as made:
        yield made


def lying(count: int, size: int = 5) -> Iterator[ObjectInfo]:
    return (ObjectInfo(f"objects/{number:032x}", f"{number:032x}", size, 0.0) for number in range(count))


def items(count: int) -> Iterator[Item]:
    return (Item(f"{number:032x}", 5, f"{number:064x}", f"{number:032x}") for number in range(count))


def peak(act: Callable[[], object]) -> int:
    """Return how many bytes of memory an act took at once."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def keys(found: Iterator[ObjectInfo]) -> list[tuple[str, str]]:
    return [(each.key, each.version) for each in found]


def test_a_listing_is_found_by_key_and_by_prefix_and_of_versions_the_last_counts(scratch: Scratch) -> None:
    scratch.note(ObjectInfo(key, version, 1, 2.0) for key, version in (("a/1", "x"), ("a/2", "y"), ("ab", "z")))
    scratch.note([ObjectInfo("a/1", "w", 3, 4.0)])
    assert scratch.found("a/1") == ObjectInfo("a/1", "w", 3, 4.0)
    assert scratch.found("a/3") is None
    assert keys(scratch.under("a/")) == [("a/1", "x"), ("a/1", "w"), ("a/2", "y")]
    assert keys(scratch.twins("a/")) == [("a/1", "x")]


def test_what_waits_is_taken_once_and_in_order(scratch: Scratch) -> None:
    with scratch.waits() as wait:
        for item in items(2_500):
            wait(item)
    assert scratch.waiting == 2_500
    assert list(scratch.taken()) == list(items(2_500))
    assert scratch.waiting == 0


def test_what_somebody_needs_is_not_spare_and_each_version_of_the_rest_is(scratch: Scratch) -> None:
    scratch.note([*lying(3), ObjectInfo(f"objects/{1:032x}", "again", 5, 0.0), ObjectInfo("keys/1", "k", 5, 0.0)])
    scratch.spare("objects/")
    scratch.keep([f"objects/{0:032x}", "objects/elsewhere"])
    assert keys(scratch.spared()) == [
        (f"objects/{1:032x}", f"{1:032x}"),
        (f"objects/{1:032x}", "again"),
        (f"objects/{2:032x}", f"{2:032x}"),
    ]
    unread = iter(["objects/never"])
    scratch.keep(each.key for each in lying(3))
    scratch.keep(unread)
    assert next(unread) == "objects/never", "where nothing is spare nobody is asked what is needed"


def test_its_file_has_no_name_from_the_begin(tmp_path: Path) -> None:
    with Scratch(tmp_path / "run") as scratch:
        scratch.note(lying(2_000))
        assert list((tmp_path / "run").iterdir()) == []
        assert len(list(scratch.under("objects/"))) == 2_000


@pytest.mark.parametrize("name", ["run", "workspace", "full"])
def test_a_folder_that_takes_no_file_is_told_and_is_not_full(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(Unavailable, match="disk") as told:
        Scratch(tmp_path / name)
    assert not isinstance(told.value, StorageFull)


def test_a_disk_that_takes_no_more_of_the_key_pack_is_told(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b"))  # noqa: SIM115
    target = FileStore(tmp_path / "backups")
    with pytest.raises(StorageFull, match="disk"):
        packs.put_pack(db, target, bytes(32), uuid4(), tmp_path / "run")
    assert list(target.list()) == []
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="disk"):
        packs.put_pack(db, target, bytes(32), uuid4(), tmp_path / "taken")


def test_the_memory_of_a_backup_does_not_grow_with_what_the_archive_holds(scratch: Scratch, tmp_path: Path) -> None:
    target = FileStore(tmp_path / "backups")
    chosen: Any = SimpleNamespace(id=uuid4())

    def run() -> None:
        scratch.note(lying(MANY))
        copying = Copying(target, target, scratch, (), lambda: True)
        listed = Listed(copying.wanted(items(MANY)))
        put = target.put(set_lists.key_of(chosen), listed.blocks())
        chosen.objects_sha256 = listed.sha256
        copying.copy(lambda *_: None)
        scratch.spare("objects/")
        scratch.keep(f"objects/{item.key}" for item in set_lists.listed(target, chosen, put.version))
        assert (listed.count, listed.size, copying.count) == (MANY, 5 * MANY, 0)
        assert list(scratch.spared()) == []

    assert peak(lambda: list(lying(MANY))) > 2 * FLAT, "the trial can tell"
    assert peak(run) < FLAT


def test_the_memory_of_fsck_does_not_grow_with_what_the_store_holds(db: Database) -> None:
    with db.writing() as work:
        session = work.session
        rows.a_house(session)
        record = rows.a_record(session, rows.a_category(session, rows.a_fonds(session)))
        session.flush()
        file = File(id=new_id(), record_id=record.id, name="a.txt")
        session.add(file)
        session.flush()
        whose = {"file_id": file.id, "record_id": record.id, "state": ContentState.STORED, "created_at": NOW}
        for start in range(0, MANY, 1_000):
            some = islice(lying(MANY), start, start + 1_000)
            named = [{"id": new_id(), "object_key": i.key, "store_version": i.version} | whose for i in some]
            session.execute(insert(Content.__table__), named)
        work.commit()
    stray = ObjectInfo("stray", "0" * 32, 5, 0.0)
    gone = ObjectInfo("destroyed-meanwhile", "1" * 32, 5, 0.0)
    store = SimpleNamespace(
        list=lambda: chain(lying(MANY), [stray, gone]),
        uploads=lambda: iter(()),
        stat=lambda key, _: None if key == gone.key else stray,
    )
    parts: Any = SimpleNamespace(db=db, store=store, clock=FixedClock(), locks=None)
    counts: dict[str, int] = {}

    def run() -> None:
        assert list(orphan_faults(parts, counts)) == [(f"stray@{stray.version}", "orphan")]

    run()  # what is built once for all queries does not count
    assert peak(run) < 2 * FLAT
    assert counts == {"objects": 2 * (MANY + 2)}


def test_a_list_that_is_cut_or_missing_names_nothing(tmp_path: Path) -> None:
    target = FileStore(tmp_path / "backups")
    listed = Listed(items(10))
    chosen: Any = SimpleNamespace(id=uuid4())
    blocks = b"".join(listed.blocks())
    chosen.objects_sha256 = listed.sha256
    put = target.put(set_lists.key_of(chosen), [blocks[:-90]])
    for version in (put.version, None):
        with pytest.raises(Damaged):
            next(set_lists.listed(target, chosen, version))
    put = target.put(set_lists.key_of(chosen), [blocks])
    assert list(set_lists.listed(target, chosen, put.version)) == [Item(i.key, 5, i.sha256) for i in items(10)]


class Differs(FileStore):
    """Answers otherwise when a list is read again."""

    def __init__(self, folder: Path, end: int) -> None:
        super().__init__(folder)
        self._end = end
        self._seen: set[str] = set()

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if key.startswith("sets/") and key in self._seen:
            return iter([b"".join(super().read(key, version))[: self._end]])
        self._seen.add(key)
        return super().read(key, version, start, length)


@pytest.mark.parametrize("end", [-1, -10, 5 * 100])
def test_a_list_that_reads_otherwise_a_second_time_forgets_nothing(tmp_path: Path, end: int) -> None:
    target, ring = Differs(tmp_path / "backups", end), SimpleNamespace(destroy_generation=[].append)
    for item in items(11):  # the last of them only the set of old names
        target.put(f"objects/{item.key}", [b"12345"])
    sets: list[Any] = []
    for number in range(4):
        listed = Listed(items(11 if number == 3 else 10))
        made = SimpleNamespace(id=uuid4(), made_at=NOW - timedelta(days=number), logs=())
        target.put(set_lists.key_of(made), listed.blocks())  # type: ignore[arg-type]
        made.objects_sha256 = listed.sha256
        sets.append(made)
    before = keys(target.list())
    with Scratch(tmp_path / "run") as scratch:
        scratch.note(target.list())
        with pytest.raises(Damaged):
            forget(target, ring, scratch, sets, NOW)  # type: ignore[arg-type]
    assert keys(target.list()) == before


def test_a_set_of_no_files_whose_list_is_missing_is_damaged(tmp_path: Path) -> None:
    target, chosen = FileStore(tmp_path / "backups"), SimpleNamespace(id=uuid4(), objects_sha256=Listed(()).sha256)
    with pytest.raises(Damaged):
        list(set_lists.listed(target, chosen, None))  # type: ignore[arg-type]


def test_copiers_are_handed_no_more_than_a_few_ahead_and_tell_in_order() -> None:
    handed = done = 0

    def given() -> Iterator[int]:
        nonlocal handed
        for number in range(100):
            handed += 1
            assert handed - done <= AHEAD
            yield number

    for done, (number, twice) in enumerate(all_by(lambda each: 2 * each, given()), 1):
        assert (number, twice) == (done - 1, 2 * (done - 1))
    assert done == 100


def test_what_a_copier_raises_ends_the_work() -> None:
    def fails(number: int) -> int:
        if number == 3:
            raise Unavailable(part="store")
        return number

    with pytest.raises(Unavailable):
        list(all_by(fails, range(1_000)))
