"""Filing: many at once, and eight clients one by one. Run: ``juanku bench filing [--records N] [--seconds N]``.

The raw limit writes the same number of records as bare rows (the record alone, no number, key, log or job) by
SQLite's own driver, in transactions of the same size.
"""

import argparse
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from archive.database import Database
from archive.identity import system
from benchmarks._common import archive, opened, spread, table, timed
from runtime.demo.fill import BARE as BATCH
from runtime.demo.fill import _grounds
from runtime.demo.writing import Writer
from runtime.wiring.parts import Parts, settle

OPERATOR = system("bench")


def raw(path: Path, drafts: list[Any]) -> float:
    """Return the seconds that bare rows take."""
    connection = sqlite3.connect(path, isolation_level=None)
    for words in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE r (id BLOB PRIMARY KEY, a, b, c, d, e, f)",
    ):
        connection.execute(words)
    with timed() as took:
        for start in range(0, len(drafts), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO r VALUES (randomblob(16), ?, ?, ?, ?, ?, ?)",
                [
                    (d.title, d.responsible, d.drawn_up, d.category_id.bytes, d.pages, str(d.fields))
                    for d in drafts[start : start + BATCH]
                ],
            )
            connection.execute("COMMIT")
    connection.close()
    return took[0]


def bulk(parts: Parts, drafts: list[Any]) -> tuple[float, float]:
    """Catalogue and file in batches; return seconds on the clock and of this thread's processor time."""
    cpu = time.thread_time()
    with timed() as took:
        for start in range(0, len(drafts), BATCH):
            with parts.db.writing() as work:
                ids = parts.records.insert(work, OPERATOR, drafts[start : start + BATCH])
                parts.filing.in_work(work, OPERATOR, ids)
                work.commit()
    return took[0], time.thread_time() - cpu


def one_by_one(parts: Parts, grounds: Any, seconds: float, clients: int = 8) -> list[float]:
    """Have clients catalogue and file one record at a time; return how long each took."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        mine = Writer(seed=number)
        while time.perf_counter() < until:
            draft = mine.draft(grounds[0], 1)
            begun = time.perf_counter()
            (record,) = parts.records.create_many(OPERATOR, [draft])
            (filed,) = parts.filing.file(OPERATOR, [record])
            if filed.archive_number is None:
                raise SystemExit(f"not filed: {filed}")
            took.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    with archive() as folder, opened() as parts:
        held: list[float] = []
        parts.db = Database(parts.settings.database_url, on_write=held.append)
        with parts.db.reading() as session:
            grounds = _grounds(session)
        writer = Writer(seed=1)
        drafts = [writer.draft(grounds[n % 4 == 3], 100_000 + n) for n in range(asked.records)]
        settle()  # the drafts of the whole run lie ready, as no product's do
        bulk(parts, drafts[:BATCH])
        held.clear()
        bare = raw(folder / "raw.sqlite", drafts)
        wall, cpu = bulk(parts, drafts)
        longest = max(held)
        held.clear()
        took = one_by_one(parts, grounds, asked.seconds)
        table(
            "Filing",
            [
                ("raw: bare rows by SQLite's driver", f"{asked.records / bare:,.0f} records/s"),
                ("catalogue and file, 100 at a time", f"{asked.records / wall:,.0f} records/s"),
                ("ratio", f"{bare / wall:.3f}"),
                ("processor time a record", f"{cpu / asked.records * 1000:.2f} ms"),
                ("longest write transaction, of 100", f"{longest * 1000:.0f} ms"),
                ("8 clients, one by one", f"{len(took) / asked.seconds:,.0f} records/s, {spread(took)}"),
                ("longest write transaction, one by one", f"{max(held) * 1000:.0f} ms"),
            ],
        )


if __name__ == "__main__":
    main()
