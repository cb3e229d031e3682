"""What holds for a house through the years: a file lost for good, a clock that was wrong, runs that were killed."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from archive.errors import Damaged, Interrupted, StorageFull
from archive.identity import system
from archive.jobs.runner import JobRunner
from archive.model import BackupAct, BackupRun, Content, Job, JobKind, JobState, LogEntry, RecordState
from archive.ports import StoredObject
from runtime.jobs.backing_up import MakeBackups
from runtime.jobs.checking_fixity import CheckFixity
from runtime.jobs.destroying import KeyBackups
from storage.objects import FileStore
from storage.ring import KeyRing
from storage.safekeeping import Safekeeping
from tests.factories.web_house import WebHouse, a_web_house

WHO = system("backup")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def kept(house: WebHouse) -> Safekeeping:
    a_file(house, b"one")
    a_file(house, b"two")
    return house.services.house.safekeeping


def a_file(house: WebHouse, words: bytes) -> None:
    record = house.a_record(title="电梯维保合同", state=RecordState.PROVISIONAL)
    house.services.intake.receive(WHO, record.id, "a.txt", [words])


def lying(folder: Path, place: str, begins: str) -> list[Path]:
    found = folder.joinpath(place, "objects").rglob(f"{begins.replace('/', '_')}*@*")
    return sorted(path for path in found if path.is_file())


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_one(house: WebHouse, folder: Path) -> str:
    """Have a file changed in the store; return its key."""
    info = next(iter(house.services.store.list()))
    flip(next(iter((folder / "objects" / "objects").rglob(f"*@{info.version}"))))
    return info.key


def runs(house: WebHouse) -> Sequence[BackupRun]:
    with house.services.db.reading() as session:
        return session.scalars(select(BackupRun).order_by(BackupRun.began_at, BackupRun.id)).all()


def test_a_backup_that_lacks_only_what_is_known_to_be_lost_is_good_and_what_it_lacks_is_told(
    house: WebHouse, kept: Safekeeping, tmp_path: Path
) -> None:
    lost = lose_one(house, tmp_path)
    with pytest.raises(Damaged):
        kept.make(WHO)
    assert kept.last_good() is None, "nobody has told of this file yet"
    last = kept.last_finished()
    assert last
    assert (last.set_id, last.error, last.facts["faults"]) == (kept.backups().find(None).id, "damaged", [lost])

    care, mending = house.services.house.fixity, house.services.house.mending
    assert JobRunner(house.services.db, house.clock, [CheckFixity(care, mending, lambda: False)]).run() == 1
    assert care.alarm() == 1, "what a backup found is looked at, and told"
    house.clock.move(days=3)  # type: ignore[attr-defined]
    with pytest.raises(Damaged):
        kept.make(WHO)
    last = kept.last_finished()
    assert last
    assert (last.error, kept.is_late(kept.last_good())) == ("damaged_known", False)
    with house.services.db.writing() as work:
        work.session.execute(update(BackupRun).values(ended_at=None).where(BackupRun.error == "damaged_known"))
        work.commit()
    assert kept.last_good() is None


def test_what_no_whole_copy_is_left_of_is_lacking_in_each_set_though_it_lies_there(
    house: WebHouse, kept: Safekeeping, tmp_path: Path
) -> None:
    kept.make(WHO)
    lost = lose_one(house, tmp_path)
    (copy,) = lying(tmp_path, "backups", f"objects/{lost}")
    flip(copy)
    assert kept.check(WHO, None) == [f"objects/{lost}"]
    for _ in range(3):
        house.clock.move(seconds=1)  # type: ignore[attr-defined]
        with pytest.raises(Damaged):
            kept.make(WHO)
        assert kept.backups().find(None).faults == (lost,)
    flip(next(iter((tmp_path / "objects" / "objects").rglob(f"{lost.replace('/', '_')}@*"))))
    assert kept.make(WHO).copied == 1, "it is copied once it is whole again"
    assert kept.check(WHO, None) == []


def test_an_older_set_that_is_damaged_makes_no_new_one_late_and_its_key_goes_when_a_person_takes_it_away(
    house: WebHouse, kept: Safekeeping, tmp_path: Path
) -> None:
    first, second = kept.make(WHO), kept.make(WHO)
    flip(lying(tmp_path, "backups", f"sets/{first.id}/manifest")[0])
    house.clock.move(days=3)  # type: ignore[attr-defined]
    with pytest.raises(Damaged, match=str(first.id)):
        kept.make(WHO)
    assert not kept.is_late(kept.last_good())
    assert [each.error for each in runs(house)] == [None, None, "damaged_older"]

    ring = KeyRing.open(tmp_path / "ring")
    there = {path: path.read_bytes() for path in lying(tmp_path, "backups", "")}
    for path in there:
        path.unlink()
    kept.make(WHO)
    assert not ring.is_destroyed(first.id), "another place, that is empty, says nothing of it"
    for path in lying(tmp_path, "backups", ""):
        path.unlink()
    for path, data in there.items():
        path.write_bytes(data)
    with pytest.raises(Damaged):
        kept.make(WHO)
    for path in lying(tmp_path, "backups", f"sets/{first.id}/"):
        path.unlink()
    kept.make(WHO)
    assert (ring.is_destroyed(first.id), ring.is_destroyed(second.id)) == (True, False)


def test_a_set_that_was_never_finished_leaves_no_key(
    kept: Safekeeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing.open(tmp_path / "ring")
    before = set(ring.generations())
    put = FileStore.put

    def full(store: FileStore, key: str, blocks: Iterator[bytes]) -> StoredObject:
        if key.endswith("/objects"):
            raise StorageFull
        return put(store, key, blocks)

    monkeypatch.setattr(FileStore, "put", full)
    with pytest.raises(StorageFull):
        kept.make(WHO)
    assert set(ring.generations()) == before
    monkeypatch.undo()

    killed = kept.make(WHO)  # as a process would leave it that was killed before its manifest
    lying(tmp_path, "backups", f"sets/{killed.id}/manifest")[0].unlink()
    kept.make(WHO)
    assert not ring.is_destroyed(killed.id), "what is young may be another's work"
    for path in lying(tmp_path, "backups", f"sets/{killed.id}/"):
        os.utime(path, (0, 0))
    kept.make(WHO)
    assert ring.is_destroyed(killed.id)


def test_a_set_of_a_clock_that_was_ahead_is_neither_the_newest_nor_the_last_good_one(
    house: WebHouse, kept: Safekeeping
) -> None:
    house.clock.move(days=400)  # type: ignore[attr-defined]
    ahead = kept.make(WHO)
    house.clock.move(days=-400)  # type: ignore[attr-defined]
    assert kept.last_good() is None
    assert kept.last_finished() is None
    made = kept.make(WHO)
    assert made.made_at < ahead.made_at
    assert kept.backups().find(None).id == made.id
    assert kept.last_good() == house.clock.now()


def test_the_keys_of_the_set_that_ends_last_are_the_newest_whichever_was_begun_first(
    house: WebHouse, kept: Safekeeping
) -> None:
    between: list[object] = []

    def meanwhile() -> bool:
        if not between:
            between.append(True)
            between.append(kept.make(WHO))  # begun later, and finished while the first still copies
            a_file(house, b"three")
        return True

    made = kept.make(WHO, going_on=meanwhile)
    assert made.objects == 3
    packs = sorted(info.key for info in kept.backups().target.list("keys/"))
    assert packs[-1] == f"keys/{made.id}", "a restore opens the set with keys that are as new as its rows"


def test_a_bad_copy_of_the_key_pack_is_told(kept: Safekeeping, tmp_path: Path) -> None:
    made = kept.make(WHO)
    for room in ("keys", "keys-again"):
        (path,) = lying(tmp_path, "backups", f"{room}/{made.id}")
        flip(path)
        assert kept.check(WHO, None) == [f"{room}/{made.id}"]
        flip(path)
    assert kept.check(WHO, None) == []
    kept.make(WHO)
    assert len(lying(tmp_path, "backups", "keys")) == 2, "with the newest pack alone what was destroyed stays so"


def test_a_process_that_is_to_end_leaves_the_backup_to_the_next(house: WebHouse, kept: Safekeeping) -> None:
    kept.ask(house.services.people.identity_of("system"))
    assert JobRunner(house.services.db, house.clock, [MakeBackups(kept, lambda: True)]).run(JobKind.BACKUP) == 1
    with house.services.db.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == JobKind.BACKUP)).one()
    assert (job.state, job.error) == (JobState.QUEUED, "interrupted")
    assert kept.backups().sets() == []


def test_a_process_that_is_to_end_leaves_the_backup_of_new_keys_to_the_next(house: WebHouse, kept: Safekeeping) -> None:
    ending = [True]
    backups = KeyBackups(kept, house.clock, timedelta(90), ending=lambda: ending[0])
    with pytest.raises(Interrupted):
        backups.renew()
    ending[0] = False
    with pytest.raises(Interrupted):
        backups.renew(lambda: False)
    assert kept.backups().sets() == []
    assert backups.renew() == house.clock.now()
    assert len(kept.backups().sets()) == 1


def test_a_run_that_was_killed_is_ended_by_the_next_and_one_that_was_at_work_tells_its_own_end(
    house: WebHouse, kept: Safekeeping
) -> None:
    with house.services.db.writing() as work:
        work.session.add(BackupRun(act=BackupAct.MAKE, began_at=house.clock.now(), facts={}))
        work.session.add(BackupRun(act=BackupAct.CHECK, began_at=house.clock.now(), facts={}))
        work.commit()
    house.clock.move(seconds=1)  # type: ignore[attr-defined]
    between: list[object] = []

    def another() -> bool:
        if not between:
            between.append(True)
            kept.make(WHO)
        return True

    kept.make(WHO, going_on=another)
    assert [(each.act, each.error) for each in runs(house) if each.ended_at] == [
        (BackupAct.MAKE, "broken_off"), (BackupAct.MAKE, None), (BackupAct.MAKE, None),
    ]  # fmt: skip
    assert [each.act for each in runs(house) if not each.ended_at] == [BackupAct.CHECK], "it may be at work still"
    house.clock.move(days=2)  # type: ignore[attr-defined]
    kept.check(WHO, None)
    assert not [each for each in runs(house) if not each.ended_at]
    with house.services.db.reading() as session:
        assert len(session.scalars(select(LogEntry).where(LogEntry.act == "backup.check")).all()) == 2


def test_a_vital_record_whose_file_could_not_be_copied_is_not_saved(
    house: WebHouse, kept: Safekeeping, tmp_path: Path
) -> None:
    lost = lose_one(house, tmp_path)
    with house.services.db.reading() as session:
        record = session.scalars(select(Content.record_id).where(Content.object_key == lost)).one()
    who = house.services.people.identity_of("archivist")
    house.services.vital.mark(who, [record], house.services.guard.day() + timedelta(30))
    house.clock.move(seconds=1)  # type: ignore[attr-defined]
    with pytest.raises(Damaged):
        kept.make(WHO)
    assert kept.vital() == (1, 1)


def test_a_copy_that_an_upgrade_left_outlasts_a_destruction_until_it_is_removed(
    house: WebHouse, kept: Safekeeping
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    backups = KeyBackups(kept, house.clock, timedelta(90), lambda: [(Path("/data/juanku-0063.db"), at)])
    assert backups.older(at + timedelta(1)) == [("juanku-0063.db", at, None)]
    assert backups.older(at - timedelta(1)) == []
