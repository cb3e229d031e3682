"""What is left when a worker goes: a command that waits for it takes its place, and the log is signed to its end."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from archive.errors import ReadOnly
from archive.jobs.outbox import queue_of
from archive.model import Closed, Job, JobKind, JobState
from runtime.celery_app import CeleryWaker
from runtime.locks import held
from runtime.moving.closure import close
from runtime.processes.working import Worker
from tests.factories.archives import Archive, wait_for

IMPORT = ("--category", "WYYZ", "--fonds", "H001", "--json")


@pytest.fixture
def archive(archive_template: Archive, tmp_path: Path) -> Iterator[Archive]:
    copy = archive_template.copy(tmp_path / "archive")
    yield copy
    copy.close()


def asked(archive: Archive) -> int:
    with sqlite3.connect(archive.home / "juanku.db") as raw:
        count: int = raw.execute("SELECT count(*) FROM job WHERE kind = 'extract' AND state = 'queued'").fetchone()[0]
        return count


def test_a_worker_of_a_house_that_moves_lets_its_work_wait(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.writing() as work:
        job = parts.outbox.add(work, JobKind.SWEEP_ORPHANS)
        work.commit()
    close(parts, Closed.READ_ONLY, uuid4())
    worker, queue = Worker(parts), queue_of(JobKind.SWEEP_ORPHANS)
    with pytest.raises(ReadOnly):
        worker.run_queue(queue)
    worker.woken(queue)
    with parts.db.reading() as session:
        assert session.get_one(Job, job).state is JobState.QUEUED


def test_an_import_whose_worker_is_gone_does_the_work_itself(archive: Archive, tmp_path: Path) -> None:
    paper = tmp_path / "会议.txt"
    paper.write_text("二〇二四年三月五日的会议。\n")
    with held(archive.home / "run" / "worker.lock") as ours:  # a worker is there, and does nothing any more
        assert ours
        begun = subprocess.Popen(
            [sys.executable, "-m", "runtime", "import", str(paper), *IMPORT],
            env=archive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_for(lambda: asked(archive))
    out, err = begun.communicate(timeout=180)
    assert begun.returncode == 0, (out.decode(), err.decode())
    assert archive.run("search", "会议.txt OR 会议", "--as", "archivist", "--json").document["total"] >= 1


def test_entries_cut_off_the_end_of_the_log_are_missed_though_no_worker_ever_ran(archive: Archive) -> None:
    whole = archive.run("log", "verify", "--json")
    assert whole.code == 0
    with sqlite3.connect(archive.home / "juanku.db") as raw:
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        last = whole.document["sealed"]
        raw.execute("DELETE FROM log_entry WHERE id = (SELECT entry_id FROM log_seal WHERE seq = ?)", (last,))
        raw.execute("DELETE FROM log_seal WHERE seq = ?", (last,))
    cut = archive.run("log", "verify", "--json")
    assert (cut.code, cut.document["first_bad"]["seq"], cut.document["first_bad"]["fault"]) == (
        1, last, "checkpoint_beyond",
    )  # fmt: skip


def test_a_message_of_the_file_broker_appears_whole(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = archive.home / "run" / "broker" / "queue"
    seen: list[int] = []
    replace = Path.replace

    def watched(part: Path, place: Path) -> Path:
        seen.append(len(list(broker.glob("*.msg"))))
        return replace(part, place)

    monkeypatch.setattr(Path, "replace", watched)
    CeleryWaker(archive.settings).wake("index", uuid4())
    (message,) = broker.glob("*.msg")
    assert seen == [0]
    assert message.stat().st_size > 0
    assert not list(broker.glob("*.part"))
