"""Backups of which a part is damaged, or that were made two at once: what is good is used, and what is bad is told."""

import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive.errors import Damaged, StorageFull, Unavailable
from archive.identity import system
from archive.model import LogEntry, RecordState
from runtime.jobs.destroying import KeyBackups
from storage import safekeeping
from storage.objects import FileStore
from storage.ring import KeyRing
from storage.safekeeping import Safekeeping
from storage.scratch import Scratch
from tests.factories.web_house import WebHouse, a_web_house

WHO = system("backup")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def kept(house: WebHouse) -> Safekeeping:
    for words in (b"one", b"two"):
        record = house.a_record(title="电梯维保合同", state=RecordState.PROVISIONAL)
        house.services.intake.receive(WHO, record.id, "a.txt", [words])
    return house.services.house.safekeeping


def parts_of(folder: Path, begins: str) -> list[Path]:
    return sorted(folder.joinpath("backups", "objects").rglob(f"{begins.replace('/', '_')}*"))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_manifest_stands_in_no_other_set_s_way(house: WebHouse, kept: Safekeeping, tmp_path: Path) -> None:
    first, second, third = (kept.make(WHO) for _ in range(3))
    flip(parts_of(tmp_path, f"sets/{first.id}/manifest")[0])
    backups = kept.backups()
    assert [backups.find(each).id for each in (None, second.id)] == [third.id, second.id]
    with pytest.raises(Damaged):
        backups.find(first.id)
    with pytest.raises(Damaged):
        backups.sets()
    assert kept.check(WHO, None) == [], "what a restore of the newest opens is whole"
    with pytest.raises(Damaged):  # it is told each day until a person takes the set away
        kept.make(WHO)
    fourth = backups.find(None)
    assert fourth.logs[: len(third.logs)] == third.logs, "the log goes on behind the sets that are good"
    older = KeyBackups(kept, house.clock, timedelta(days=90)).older(house.clock.now() + timedelta(days=9000))
    assert {each for each, _, _ in older} == {str(each.id) for each in (first, second, third, fourth)}

    content = house.services.store.list()
    path = next(iter((tmp_path / "objects" / "objects").rglob(f"*@{next(iter(content)).version}")))
    flip(path)
    care, mending = house.services.house.fixity, house.services.house.mending
    care.run(WHO, everything=True)
    assert care.alarm() == 1
    assert len(mending.mend(WHO).mended) == 1, "a good copy in a good set is found"


def test_a_check_names_the_key_pack_that_is_missing(kept: Safekeeping, tmp_path: Path) -> None:
    old = kept.make(WHO)
    new = kept.make(WHO)
    assert kept.check(WHO, old.id) == kept.check(WHO, None) == []
    (pack,) = parts_of(tmp_path, "keys/")
    pack.unlink()
    assert kept.check(WHO, None) == [f"keys/{new.id}"]
    assert kept.check(WHO, old.id), "what a restore of it would open is not there"


def test_what_a_check_found_bad_is_copied_again_though_a_backup_was_made_meanwhile(
    house: WebHouse, kept: Safekeeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safekeeping, "MOST", 1)
    made = kept.make(WHO)
    for path in parts_of(tmp_path, "objects/"):
        flip(path)
    between: list[int] = []

    def a_backup_meanwhile(*_: object) -> None:
        house.clock.move(minutes=1)  # type: ignore[attr-defined]
        if not between:
            between.append(kept.make(WHO).copied)

    bad = kept.check(WHO, made.id, a_backup_meanwhile)
    assert between == [0], "by their sizes all were there"
    assert len([key for key in bad if key.startswith("objects/")]) == 2
    assert kept.make(WHO).copied == 2
    assert kept.check(WHO, None) == []
    with house.services.db.reading() as session:
        assert len(session.scalars(select(LogEntry).where(LogEntry.act == "backup.check")).all()) == 2


def test_nothing_is_forgotten_while_a_set_that_stays_is_damaged(
    house: WebHouse, kept: Safekeeping, tmp_path: Path
) -> None:
    made = []
    for _ in range(4):
        made.append(kept.make(WHO))
        house.clock.move(days=1)  # type: ignore[attr-defined]
    flip(parts_of(tmp_path, f"sets/{made[2].id}/objects")[0])
    with pytest.raises(Damaged):
        kept.backups().forget_before(house.clock.now())
    assert len(kept.backups().sets()) == 4
    assert not KeyRing.open(tmp_path / "ring").is_destroyed(made[0].id)


def test_a_disk_that_is_full_once_the_set_stands_makes_no_second_set(
    house: WebHouse, kept: Safekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        kept.make(WHO)
    house.clock.move(days=1000)  # type: ignore[attr-defined]

    def full(*_: object) -> None:
        raise StorageFull(part="disk")

    with monkeypatch.context() as patch:
        patch.setattr(Scratch, "spare", full)
        made = kept.make(WHO)
    last = kept.last_finished()
    assert last
    assert (last.set_id, last.error) == (made.id, StorageFull.code), "a person hears of it"
    assert len(kept.backups().sets()) == 4
    kept.make(WHO)
    assert len(kept.backups().sets()) == 3, "the next one forgets"


def test_a_check_keeps_no_answer_open_while_it_reads_the_files_that_a_list_names(
    kept: Safekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, reads = kept.make(WHO), FileStore.read
    open_lists: set[str] = set()
    beside: list[str] = []

    def read(store: FileStore, key: str, *rest: Any) -> Iterator[bytes]:
        if key == f"sets/{chosen.id}/objects":
            open_lists.add(key)
            yield from reads(store, key, *rest)
            open_lists.clear()
        else:
            beside.extend([key] if open_lists else ())
            yield from reads(store, key, *rest)

    monkeypatch.setattr(FileStore, "read", read)
    assert kept.check(WHO, None) == []
    assert beside == []


def test_of_what_two_backups_copied_at_once_one_copy_stays(kept: Safekeeping, tmp_path: Path) -> None:
    begun: list[object] = []

    def another_begins(*_: object) -> None:
        if not begun:
            begun.append(True)
            begun.append(kept.make(WHO))

    kept.make(WHO, going_on=lambda: another_begins() is None)  # each listed the place before the other wrote
    assert len(parts_of(tmp_path, "objects/")) == 4
    kept.make(WHO)
    assert len(parts_of(tmp_path, "objects/")) == 4, "what is young may be another's work"
    for path in parts_of(tmp_path, "objects/"):
        os.utime(path, (0, 0))
    kept.make(WHO)
    assert len(parts_of(tmp_path, "objects/")) == 2
    assert kept.check(WHO, None) == []


def test_one_file_that_its_disk_does_not_give_stops_neither_backup_nor_check_nor_mending(
    house: WebHouse, kept: Safekeeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = next(iter(house.services.store.list()))
    bad = a_bad_sector(monkeypatch, tmp_path / "objects", content.key)
    with pytest.raises(Damaged):  # it is told, and the set is made all the same
        kept.make(WHO)
    made = kept.backups().find(None)
    assert (made.objects, made.copied, made.faults) == (2, 1, (content.key,))
    bad.clear()
    assert (kept.make(WHO).copied, kept.check(WHO, None)) == (1, [])

    care, mending = house.services.house.fixity, house.services.house.mending
    bad.update({tmp_path / "objects": content.key, tmp_path / "backups": content.key})
    assert kept.check(WHO, None) == [f"objects/{content.key}"]
    care.run(WHO, everything=True)
    assert care.alarm() == 1
    assert mending.mend(WHO).left == (content.key,)
    del bad[tmp_path / "backups"]
    assert kept.check(WHO, None) == []


def test_a_store_that_gives_nothing_is_no_fault_of_its_files(
    kept: Safekeeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = a_bad_sector(monkeypatch, tmp_path / "objects", "", errno.ESTALE)
    with pytest.raises(Unavailable):
        kept.make(WHO)
    assert kept.backups().sets() == []
    bad[tmp_path / "objects"] = next(iter(kept_objects(tmp_path))).partition("@")[0]
    with pytest.raises(Damaged):  # of this one alone: the other is given
        kept.make(WHO)
    assert kept.backups().find(None).copied == 1


def kept_objects(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "objects" / "objects").rglob("*@*"))


def a_bad_sector(monkeypatch: pytest.MonkeyPatch, folder: Path, key: str, says: int = errno.EIO) -> dict[Path, str]:
    """Have the disk refuse an object under a folder; return what it refuses, to be changed."""
    bad, real = {folder: key}, os.pread

    def pread(handle: int, length: int, at: int) -> bytes:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if any(path.is_relative_to(each) and name.replace("/", "_") in path.name for each, name in bad.items()):
            raise OSError(says, os.strerror(says))
        return real(handle, length, at)

    monkeypatch.setattr("storage.objects.os.pread", pread)
    return bad
