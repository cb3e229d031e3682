"""Looking at what falls due. Run: ``juanku bench deadlines [LOANS] [--home FOLDER]``.

So many papers are lent (100,000), one in a hundred due today; then all of them are overdue at once, as after a long
standstill. Wall and processor time, the longest write transaction, and how the memory of the process grew.
"""

import argparse
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from archive.ids import new_id
from archive.model import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Deadline,
    DeadlineKind,
    DeadlineState,
    Loan,
    LoanForm,
    LoanState,
    Message,
    Person,
    Record,
)
from benchmarks._common import archive, opened, table
from benchmarks._past_loans import BORROWERS
from runtime.wiring.parts import Parts

BATCH = 5_000


def stand(parts: Parts, count: int, records: list[UUID]) -> None:
    """Write the loans: each of them out, and to come back in a month, but one in a hundred today."""
    day, now = parts.guard.day(), datetime.now(UTC)
    with parts.db.reading() as session:
        readers = list(session.scalars(select(Person.id).where(Person.login.in_(BORROWERS))))
        first = session.scalar(select(func.max(Loan.number))) or 0
    for start in range(0, count, BATCH):
        approvals, loans, rows = [], [], []
        for number in range(start, min(start + BATCH, count)):
            asked, key, reader = new_id(), new_id(), readers[number % len(readers)]
            due = day if number % 100 == 0 else day + timedelta(30)
            approvals.append({
                "id": asked, "kind": ApprovalKind.LOAN, "state": ApprovalState.APPROVED, "asked_by": reader,
                "record_id": records[number % len(records)], "asked_at": now, "sealed": b"",
            })  # fmt: skip
            loans.append({
                "id": key, "number": first + number + 1, "approval_id": asked, "borrower_id": reader, "days": 7,
                "record_id": records[number % len(records)], "form": LoanForm.OUT, "purpose": "work",
                "state": LoanState.OPEN, "asked_at": now, "issued_on": day, "due_on": due, "version": 1,
            })  # fmt: skip
            rows.append({
                "id": new_id(), "kind": DeadlineKind.LOAN, "subject_id": key, "record_id": None, "due": due,
                "state": DeadlineState.OPEN, "told": [], "version": 1, "look_on": due,
            })  # fmt: skip
        with parts.db.writing() as work:
            for model, some in ((Approval, approvals), (Loan, loans), (Deadline, rows)):
                work.session.execute(insert(model), some)
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
    parser.add_argument("loans", type=int, nargs="?", default=100_000)
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
        stand(parts, asked.loans, records)
        writes.clear()
        few, before = looked(parts), memory()
        with parts.db.writing() as work:
            due = parts.guard.day() - timedelta(1)
            work.session.execute(update(Deadline).values(due=due, look_on=parts.guard.day(), told=[]))
            work.commit()
        writes.clear()
        begun = memory()
        every, after = looked(parts), memory()
        with parts.db.reading() as session:
            told = session.scalar(select(func.count()).select_from(Message))
        table(
            f"What falls due, of {asked.loans:,} open loans",
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
