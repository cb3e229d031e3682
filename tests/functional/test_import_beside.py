"""The second process of an import: what it was to do is done if it dies, and it does not outlive the command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive.model import Job, JobKind, Record
from tests.factories.archives import Archive, alive, children_of, wait_for

COUNT = 5


@pytest.fixture
def begun(archive: Archive, tmp_path: Path) -> subprocess.Popen[str]:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:03}.txt").write_text(f"第{number}号巡检,二〇二四年三月五日", "utf-8")
    words = [sys.executable, "-m", "runtime", "import", str(folder), "--category", "WYYZ", "--json"]
    return subprocess.Popen(
        words, env=archive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )


def second(begun: subprocess.Popen[str]) -> int:
    """Return the first child that a command has: it forks that before anything else."""
    wait_for(lambda: children_of(begun.pid), 60)
    return min(children_of(begun.pid))


def test_what_a_killed_second_process_was_to_do_is_done_by_the_command(
    archive: Archive, begun: subprocess.Popen[str]
) -> None:
    os.kill(second(begun), signal.SIGKILL)
    _out, told = begun.communicate(timeout=120)
    assert begun.returncode == 0, told
    assert "its queues are run here" in told
    with archive.parts().db.reading() as session:
        left = select(func.count()).select_from(Job).where(Job.kind.in_((JobKind.INDEX, JobKind.COMPARE)))
        filed = select(func.count()).select_from(Record).where(Record.title.in_([f"{n:03}" for n in range(COUNT)]))
        assert (session.scalar(left), session.scalar(filed)) == (0, COUNT)


def test_a_second_process_ends_with_its_command(begun: subprocess.Popen[str]) -> None:
    child = second(begun)
    begun.kill()
    begun.communicate()
    wait_for(lambda: not alive(child))
