"""An import that is killed is gone on with by asking for the same again: nothing is doubled, lost or left lying."""

import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from archive.model import File, ImportEntry, JobKind, Record, RecordState
from retention.bin import GIVE_UP_DAYS
from runtime.fsck import fsck
from tests.factories import hostile_files as hostile
from tests.factories.archives import Archive, wait_for
from tests.factories.packed import a_zip
from tests.fakes.clock import FixedClock

COUNTS = {"filed": 3, "waiting": 0, "quarantined": 1, "failed": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    for name in ("甲", "乙", "丙"):
        (made / f"{name}.txt").write_text(f"{name}栋维修记录,二〇二四年三月五日", "utf-8")
    (made / "空.txt").touch()
    (made / "锁.pdf").write_bytes(hostile.a_locked_pdf())
    return made


def run(archive: Archive, folder: Path, failpoint: str = "") -> Any:
    words = ("import", folder, "--category", "WYYZ", "--json")
    return archive.run(*words, more={"JUANKU_FAILPOINT": f"{failpoint}:kill"} if failpoint else None)


@pytest.mark.parametrize("failpoint", ["unpack.before_commit", "unpack.group_done"])
def test_files_in_an_archive_come_in_once_however_often_the_import_is_killed(
    archive: Archive, folder: Path, failpoint: str
) -> None:
    inside = [(f"{number:03}.txt", f"第{number}份".encode()) for number in range(70)]
    (folder / "甲.zip").write_bytes(a_zip(*inside, ("锁.pdf", hostile.a_locked_pdf())))
    for _ in range(2):
        assert run(archive, folder, failpoint).code == -signal.SIGKILL
    again = run(archive, folder).document
    (item,) = (item for item in again["items"] if item["path"].endswith("甲.zip"))
    assert (item["state"], item["reason"]) == ("quarantined", "encrypted"), "the locked one in it is put aside"
    with archive.parts().db.reading() as session:
        rows = session.execute(select(File.inside_path, File.record_id).where(File.inside_id.is_not(None))).all()
    assert sorted(row.inside_path for row in rows) == [*(name for name, _ in inside), "锁.pdf"]
    assert {str(row.record_id) for row in rows} == {item["record"]}
    assert fsck(archive.parts()).violations == ()


def counts_of(document: dict[str, Any]) -> dict[str, int]:
    return {state: document[state] for state in COUNTS}


def records(archive: Archive) -> Counter[tuple[str, str]]:
    with archive.parts().db.reading() as session:
        rows = session.execute(
            select(Record.title, Record.state).where(Record.title.in_(("甲", "乙", "丙", "空", "锁")))
        )
        return Counter((title, state.value) for title, state in rows)


def entries(archive: Archive) -> int:
    with archive.parts().db.reading() as session:
        return session.scalar(select(func.count()).select_from(ImportEntry)) or 0


ONCE = {("甲", "filed"): 1, ("乙", "filed"): 1, ("丙", "filed"): 1, ("锁", "provisional"): 1}


@pytest.mark.parametrize(
    "failpoint",
    [
        "record.created",
        "intake.received",
        "intake.object_put",
        "intake.before_commit",
        "intake.stored",
        "extract.before_commit",
        "extract.done",
        "filing.before_commit",
        "filing.done",
        "index.written",
    ],
)
def test_a_killed_import_ends_as_if_nothing_had_happened(archive: Archive, folder: Path, failpoint: str) -> None:
    assert run(archive, folder, failpoint).code == -signal.SIGKILL
    again = run(archive, folder).document
    assert counts_of(again) == COUNTS
    assert again["resumed"] == 5
    found = records(archive)
    assert {key: found[key] for key in found if key[0] != "空"} == ONCE
    assert ("空", "provisional") not in found
    assert [item["doubles"] for item in again["items"]] == [[]] * 5
    assert len({item["number"] for item in again["items"] if item["number"]}) == 3
    assert entries(archive) == 0
    assert fsck(archive.parts()).violations == ()


def test_an_import_that_is_killed_again_and_again_goes_on_each_time(archive: Archive, folder: Path) -> None:
    for failpoint in ("record.created", "intake.object_put", "filing.before_commit", "filing.done"):
        assert run(archive, folder, failpoint).code == -signal.SIGKILL
    answer = run(archive, folder)
    assert "broke off before and is gone on with" in answer.err
    assert counts_of(answer.document) == COUNTS
    assert {key: n for key, n in records(archive).items() if key[0] != "空"} == ONCE


def test_after_a_run_that_ended_the_same_folder_comes_in_anew_and_each_double_is_told(
    archive: Archive, folder: Path
) -> None:
    run(archive, folder, "filing.done")
    first = run(archive, folder).document
    second = run(archive, folder).document
    assert (second["resumed"], counts_of(second)) == (0, COUNTS)
    filed = [item for item in second["items"] if item["state"] == "filed"]
    before = {item["path"]: item["record"] for item in first["items"]}
    assert [item["doubles"] for item in filed] == [[before[item["path"]]] for item in filed]


def test_a_file_that_changed_since_the_break_comes_in_as_it_is_now(archive: Archive, folder: Path) -> None:
    run(archive, folder, "filing.done")
    (folder / "甲.txt").write_text("甲栋维修记录,更正,二〇二四年三月六日", "utf-8")
    assert counts_of(run(archive, folder).document) == COUNTS
    found = records(archive)
    assert (found["甲", "filed"], found["乙", "filed"]) == (2, 1)


def test_new_and_vanished_files_are_no_hindrance_and_leave_no_empty_record(archive: Archive, folder: Path) -> None:
    run(archive, folder, "record.created")
    (folder / "甲.txt").unlink()
    (folder / "丁.txt").write_text("丁栋维修记录,二〇二四年三月五日", "utf-8")
    assert counts_of(run(archive, folder).document) == COUNTS
    assert records(archive)["甲", "binned"] == 1
    assert records(archive)["甲", "provisional"] == 0


def test_a_large_import_that_is_killed_between_its_batches_goes_on(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(130):
        (folder / f"{number:03}.txt").write_text(f"第{number}号巡检,二〇二四年三月五日", "utf-8")

    def filed() -> int:
        numbered = select(func.count()).select_from(Record).where(Record.title.in_([f"{n:03}" for n in range(130)]))
        with archive.parts().db.reading() as session:
            return session.scalar(numbered.where(Record.state == RecordState.FILED)) or 0

    assert run(archive, folder, "filing.done").code == -signal.SIGKILL
    assert filed() == 100, "the first batch is filed, of the second nothing is done"
    answer = run(archive, folder)
    assert (answer.code, answer.document["filed"], filed()) == (0, 130, 130)
    assert answer.document["resumed"] >= 100
    assert fsck(archive.parts()).violations == ()


def test_what_nobody_goes_on_with_goes_into_the_bin_after_a_week(archive: Archive, folder: Path) -> None:
    run(archive, folder, "record.created")
    clock = FixedClock(archive.parts().clock.now())
    parts = archive.parts(clock)

    def daily() -> None:
        with parts.db.writing() as work:
            parts.outbox.add(work, JobKind.EMPTY_BIN)
            work.commit()
        parts.runner.run(JobKind.EMPTY_BIN)

    daily()
    assert (records(archive)["甲", "provisional"], entries(archive)) == (1, 5)
    clock.moment += timedelta(days=GIVE_UP_DAYS, minutes=1)
    daily()
    assert (records(archive)["甲", "binned"], entries(archive)) == (1, 0)


def test_the_same_import_twice_at_once_is_refused(archive: Archive, folder: Path) -> None:
    words = [sys.executable, "-m", "runtime", "import", str(folder), "--category", "WYYZ"]
    with archive.parts().db.writing():  # the first comes to its first write, and waits there
        first = subprocess.Popen(words, env=archive.environment, stdout=subprocess.DEVNULL)
        wait_for(lambda: list((archive.home / "run").glob("import-*.lock")))
        first.send_signal(signal.SIGSTOP)
    try:
        second = run(archive, folder)
    finally:
        first.send_signal(signal.SIGCONT)
        first.wait()
    assert second.document["error"] == "invalid", (second.document, second.err)
    assert "running already" in second.err
    assert {key: n for key, n in records(archive).items() if key[0] != "空"} == ONCE
