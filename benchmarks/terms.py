"""Terms: a change of a schedule seen first and put in force, and the daily look for what fell due.

Run: ``juanku bench terms [--records N] [--home FOLDER]``. A schedule is drafted for every category, so that all records
move. Above 5,000 records, the archive is a demonstration of so many and copies of them, each with a key and a day. The
raw limit reads the days of all records by one statement. ``--home`` uses a kept archive, which is changed.
"""

import argparse
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from archive.database import Base
from archive.ids import new_id
from archive.model import Category, JobKind, Record, RecordDue
from benchmarks._common import archive, opened, table, timed
from runtime.processes.working import work_done
from runtime.wiring.parts import Parts

DEFINITION = {
    "term": "D3", "exact": "least", "trigger": "year_end", "start": "next_january", "action": "appraise",
    "source": "bench",
}  # fmt: skip
NAMES = {"zh_CN": "统一期限", "zh_TW": "統一期限", "en": "One term"}


BASE = 5_000
"""Records that the demonstration makes; the others are copies."""


def multiply(parts: Parts, wanted: int) -> None:
    """Add copies of the records that are there, with keys and days of their own, until there are ``wanted``."""
    records, days = (Base.metadata.tables[name] for name in ("record", "record_due"))
    with parts.db.reading() as session:
        there = [dict(row) for row in session.execute(select(records)).mappings()]
        kept = [dict(row) for row in session.execute(select(days)).mappings()]
    there.sort(key=lambda row: row["dossier_id"] is not None)
    for start in range(0, wanted - len(there), len(there)):
        copied = {row["id"]: new_id() for row in there[: wanted - len(there) - start]}
        rows = [_copy(row, start, copied) for row in there if row["id"] in copied]
        with parts.db.writing() as work:
            work.session.execute(insert(records), rows)
            due = [row | {"record_id": copied[row["record_id"]]} for row in kept if row["record_id"] in copied]
            work.session.execute(insert(days), due)
            parts.vault.add_owners(work.session, [(key, None) for key in copied.values()])
            work.commit()


def _copy(row: dict[str, Any], number: int, copied: Mapping[UUID, UUID]) -> dict[str, Any]:
    numbers = {name: f"{row[name]}-{number}" for name in ("archive_number", "registration_number") if row[name]}
    own = {"id": copied[row["id"]], "dossier_id": copied.get(row["dossier_id"]), "sealed_fields": None}
    return row | numbers | own | {"indexed_in": [], "version": 1}


@contextmanager
def quiet(parts: Parts) -> Iterator[None]:
    """See what waits through, so that nothing runs beside."""
    with work_done(parts, wait=True):
        yield


def run_all(parts: Parts, kind: JobKind) -> float:
    """Run the jobs of a kind in this thread; return the seconds."""
    with timed() as took:
        while parts.runner.run(kind):
            pass
    return took[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(min(BASE, asked.records), asked.home), opened() as parts:
        with quiet(parts):
            pass
        multiply(parts, asked.records)
        drafter, decider = (parts.people.identity_of(login) for login in ("archivist", "manager"))
        with parts.db.reading() as session:
            categories = session.scalars(select(Category.id)).all()
            count = session.scalar(select(func.count()).select_from(Record)) or 0
        with timed() as raw, parts.db.reading() as session:
            session.connection().exec_driver_sql("SELECT record_id, due, state FROM record_due").fetchall()
        draft = parts.retention.schedules.draft(
            drafter, None, code="bench.all", names=NAMES, definition=DEFINITION, categories=categories, why="bench"
        )
        with timed() as preview:
            seen = parts.retention.previews.count(drafter, draft)
        parts.retention.schedules.decide(decider, draft, "bench", approve=True)
        applied = run_all(parts, JobKind.RECKON)
        with parts.db.writing() as work:
            due = work.session.scalar(
                select(func.count()).select_from(RecordDue).where(RecordDue.due <= parts.guard.day())
            )
            work.session.execute(update(RecordDue).values(noticed_on=None))
            parts.outbox.add(work, JobKind.FIND_DUE)
            work.commit()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found = run_all(parts, JobKind.FIND_DUE)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with parts.db.writing() as work:
            parts.outbox.add(work, JobKind.FIND_DUE)
            work.commit()
        table(
            f"Terms of {count:,} records",
            [
                ("raw: read every day", f"{raw[0]:.2f} s"),
                ("preview: moved, stay", f"{seen.moved:,}, {seen.same:,}; {preview[0]:.2f} s"),
                ("put in force", f"{applied:.2f} s"),
                ("daily look, all that is due for the first time", f"{due:,}; {found:.2f} s"),
                ("daily look, nothing new", f"{run_all(parts, JobKind.FIND_DUE):.3f} s"),
                ("most memory: before and after the look", f"{before}; {after} MB"),
            ],
        )


if __name__ == "__main__":
    main()
