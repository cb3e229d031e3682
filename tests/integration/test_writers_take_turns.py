"""Two processes write into one archive: whoever waits is next, however quickly the other begins again."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from archive.database import Database

WAITING = """
import sys
from sqlalchemy import text
from archive.database import Database
db = Database(sys.argv[1])
with db.reading() as session:
    session.execute(text("SELECT 1"))
print("there", flush=True)
for asked in sys.stdin:
    with db.writing() as work:
        work.session.execute(text("INSERT INTO t VALUES (1)"))
        work.commit()
    print("written", flush=True)
"""
ROUNDS = 20
SECONDS = 5
"""Half of what a writer waits before it goes past the others."""


def test_who_waits_is_next(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    db = Database(f"sqlite:///{file}")
    with db.writing() as work:
        work.session.execute(text("CREATE TABLE t (n INTEGER)"))
        work.commit()
    other = [sys.executable, "-c", WAITING, f"sqlite:///{file}"]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdin
        assert waiting.stdout
        assert waiting.stdout.readline() == "there\n"  # to begin and to import takes as long as the machine is busy
        for nth in range(ROUNDS):
            with db.writing() as work:
                waiting.stdin.write("go\n")
                waiting.stdin.flush()
                assert _someone_is_next(file), "the other never asked for its turn"
                work.commit()
            with db.writing() as work:  # at once again, while the other still sleeps between two looks
                seen = work.session.execute(text("SELECT count(*) FROM t")).scalar_one()
                assert seen == nth + 1, "one that waited was passed"
            assert waiting.stdout.readline() == "written\n"
        waiting.stdin.close()
    db.close()


def _someone_is_next(file: Path) -> bool:
    until = time.monotonic() + SECONDS
    with file.with_name(f"{file.name}-turn").open("rb") as turn:
        while time.monotonic() < until:
            try:
                fcntl.flock(turn, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            fcntl.flock(turn, fcntl.LOCK_UN)
    return False
