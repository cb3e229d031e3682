"""Two processes write into one archive: whoever waits is next, however quickly the other begins again."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from archive.database import Database

GREEDY = """
import sys
from sqlalchemy import text
from archive.database import Database
db = Database(sys.argv[1])
print("begun", flush=True)
for _ in range(1_000):
    with db.writing() as work:
        work.session.execute(text("INSERT INTO t VALUES (1)"))
        for _ in range(20_000):
            pass
        work.commit()
"""
ROUNDS = 20


def test_who_waits_is_next(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    db = Database(url)
    with db.writing() as work:
        work.session.execute(text("CREATE TABLE t (n INTEGER)"))
        work.commit()
    with subprocess.Popen([sys.executable, "-c", GREEDY, url], stdout=subprocess.PIPE, text=True) as greedy:
        assert greedy.stdout
        assert greedy.stdout.readline() == "begun\n"
        written = []
        for _ in range(ROUNDS):
            before = _count(db)
            with db.writing() as work:
                written.append(_count(db) - before)
                work.commit()
        assert greedy.poll() is None, "the other wrote to the end before this one had its turns"
        greedy.kill()
    db.close()
    assert max(written) <= 8, written  # without turns: dozens


def _count(db: Database) -> int:
    with db.reading() as session:
        return int(session.execute(text("SELECT count(*) FROM t")).scalar_one())
