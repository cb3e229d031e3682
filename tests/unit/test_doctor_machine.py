"""The doctor's looks at the machine: a clock that went back, disks that fill, a ring that others can open."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archive.database import Database
from archive.identity import system
from archive.log.sealer import Sealer
from archive.log.writer import Log
from runtime.doctor import machine as doctor_machine
from runtime.doctor.words import WORDS
from tests.fakes.clock import FixedClock
from tests.fakes.vault import MemoryVault


def parts_of(db: Database, clock: FixedClock, folder: Path) -> Any:
    for name in ("home", "keys", "store"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    settings = SimpleNamespace(
        home=folder / "home", keys=folder / "keys", backup_url="", store_url=(folder / "store").as_uri()
    )
    return SimpleNamespace(db=db, clock=clock, settings=settings, minios=None)


def messages(found: Any) -> list[tuple[str, str]]:
    return [(state, message) for state, message, _facts in found]


def test_a_clock_that_went_back_is_told_by_what_was_written_before(db: Database, tmp_path: Path) -> None:
    clock = FixedClock()
    parts = parts_of(db, clock, tmp_path)
    with db.writing() as work:
        Log(MemoryVault(), clock).note(work.session, system("test"), "system.reread")
        work.commit()
    Sealer(db, clock).seal_all()
    assert ("ok", "clock") in messages(doctor_machine.clock(parts))
    clock.moment -= timedelta(minutes=1)
    assert ("ok", "clock") in messages(doctor_machine.clock(parts))
    clock.moment -= timedelta(days=1)
    assert ("broken", "clock_behind") in messages(doctor_machine.clock(parts))


@pytest.mark.parametrize(
    ("free", "told"),
    [(50 * 1024**3, ("ok", "disk")), (10**9, ("warning", "disk_low")), (10**6, ("broken", "disk_full"))],
)
def test_each_disk_is_looked_at_once_with_all_that_lies_on_it(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, told: tuple[str, str]
) -> None:
    monkeypatch.setattr(doctor_machine.shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    found = list(doctor_machine.disks(parts_of(db, FixedClock(), tmp_path)))
    assert messages(found)[0] == told
    assert found[0][2]["places"] == ["data", "ring", "store"]


def test_the_disk_of_backups_is_found_by_its_address(db: Database, tmp_path: Path) -> None:
    parts = parts_of(db, FixedClock(), tmp_path)
    (folder := tmp_path / "备 份").mkdir()
    parts.settings.backup_url = folder.as_uri()
    assert doctor_machine.places(parts)["backup"] == folder
    parts.settings.backup_url = "s3+https://host/bucket"
    assert "backup" not in doctor_machine.places(parts)


def test_a_ring_that_others_can_open_is_told(db: Database, tmp_path: Path) -> None:
    parts = parts_of(db, FixedClock(), tmp_path)
    assert messages(doctor_machine.rights(parts)) == [("ok", "ring_own")]
    (tmp_path / "keys").chmod(0o750)
    assert messages(doctor_machine.rights(parts)) == [("warning", "ring_open")]


@pytest.mark.parametrize("message", ["clock_behind", "disk_low", "disk_full", "ring_open", "not_whole", "checks_late"])
def test_what_is_wrong_comes_with_what_to_do(message: str) -> None:
    assert any(word in WORDS[message] for word in ("Run:", "Make room", "Set it", "Let serve"))
