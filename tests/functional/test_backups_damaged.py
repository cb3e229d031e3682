"""Backups of which a part is damaged, or that were made two at once: what is good is used, and what is bad is told."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.errors import Damaged
from archive.identity import system
from archive.model import LogEntry, RecordState
from runtime.jobs.destroying import KeyBackups
from storage import safekeeping
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
