"""Looking at what falls due. Run: ``juanku bench deadlines [DEADLINES] [--home FOLDER]``.

So many open deadlines stand (100,000), of them one in a hundred due today; then all of them are due at once, as after a
long standstill. Wall and processor time, the longest write transaction, and how the memory of the process grew.
"""

import argparse
import resource
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from archive.ids import new_id
from archive.model import Deadline, DeadlineKind, DeadlineState, Message, Record
from benchmarks._common import archive, opened, table
from runtime.wiring import Parts

BATCH = 5_000


def stand(parts: Parts, count: int, records: list[UUID]) -> None:
    """Write the deadlines: reviews of vital records in a year, but one in a hundred in seven days."""
    day = parts.guard.day()
    for start in range(0, count, BATCH):
        rows = [
            {
                "id": new_id(), "kind": DeadlineKind.VITAL_REVIEW, "subject_id": new_id(),
                "record_id": records[number % len(records)], "due": day + timedelta(7 if number % 100 == 0 else 365),
                "state": DeadlineState.OPEN, "told": [], "version": 1,
                "look_on": day if number % 100 == 0 else day + timedelta(335),
            }
            for number in range(start, min(start + BATCH, count))
        ]  # fmt: skip
        with parts.db.writing() as work:
            work.session.execute(insert(Deadline), rows)
            work.commit()


def looked(parts: Parts) -> tuple[int, float, float]:
    """Sweep; return messages, seconds on the clock and of processor time."""
    begun, used = time.perf_counter(), time.process_time()
    count = parts.telling.sweep.run()
    return count, time.perf_counter() - begun, time.process_time() - used


def memory() -> float:
    """Return the most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("deadlines", type=int, nargs="?", default=100_000)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(200, asked.home), opened() as parts:
        writes: list[float] = []
        parts.db._on_write = writes.append  # noqa: SLF001  (what a benchmark may do)
        with parts.db.writing() as work:
            work.session.execute(delete(Deadline))
            work.commit()
        with parts.db.reading() as session:
            records = list(session.scalars(select(Record.id)))
        stand(parts, asked.deadlines, records)
        writes.clear()
        few, before = looked(parts), memory()
        with parts.db.writing() as work:
            due = parts.guard.day() + timedelta(7)
            work.session.execute(update(Deadline).values(due=due, look_on=parts.guard.day(), told=[]))
            work.commit()
        writes.clear()
        begun = memory()
        every, after = looked(parts), memory()
        with parts.db.reading() as session:
            told = session.scalar(select(func.count()).select_from(Message))
        table(
            f"What falls due, of {asked.deadlines:,} open deadlines",
            [
                ("one in a hundred due: messages, wall, processor", f"{few[0]:,}, {few[1]:.2f} s, {few[2]:.2f} s"),
                ("all due at once: messages, wall, processor", f"{every[0]:,}, {every[1]:.1f} s, {every[2]:.1f} s"),
                ("longest write", f"{max(writes) * 1000:.0f} ms"),
                (
                    "most memory: before; after one in a hundred; after all",
                    f"{before:.0f}; {begun:.0f}; {after:.0f} MB",
                ),
                ("messages that stand", told),
            ],
        )


if __name__ == "__main__":
    main()
