"""The second process of an import: what it was to do is done if it dies, and it does not outlive the command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from archive.model import Job, JobKind, Record
from tests.factories.archives import Archive, alive, children_of, wait_for

COUNT = 5


@contextmanager
def begun(archive: Archive, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Begin an import; yield it, and its first child: it forks that before anything else.

    Inside the block it comes to its first write, where it waits: it cannot be through before the test has acted.
    """
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:03}.txt").write_text(f"第{number}号巡检,二〇二四年三月五日", "utf-8")
    words = [sys.executable, "-m", "runtime", "import", str(folder), "--category", "WYYZ", "--json"]
    with archive.parts().db.writing():
        process = subprocess.Popen(
            words, env=archive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        wait_for(lambda: children_of(process.pid))
        yield process, min(children_of(process.pid))


def test_what_a_killed_second_process_was_to_do_is_done_by_the_command(archive: Archive, tmp_path: Path) -> None:
    with begun(archive, tmp_path) as (command, second):
        os.kill(second, signal.SIGKILL)
    try:
        _out, told = command.communicate(timeout=180)
    finally:
        command.kill()
    assert command.returncode == 0, told
    assert "its queues are run here" in told
    with archive.parts().db.reading() as session:
        left = select(func.count()).select_from(Job).where(Job.kind.in_((JobKind.INDEX, JobKind.COMPARE)))
        filed = select(func.count()).select_from(Record).where(Record.title.in_([f"{n:03}" for n in range(COUNT)]))
        assert (session.scalar(left), session.scalar(filed)) == (0, COUNT)


def test_a_second_process_ends_with_its_command(archive: Archive, tmp_path: Path) -> None:
    with begun(archive, tmp_path) as (command, second):
        command.kill()
        command.communicate()
        wait_for(lambda: not alive(second))
