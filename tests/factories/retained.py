"""A house with clocks, over the one in which dossiers are arranged; an approver stands beside the archivists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from archive.approving.engine import Approvals
from archive.cataloguing.corrections import Corrections
from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob
from archive.log.writer import Log
from archive.model import Category, DueState, Job, Record, RecordDue, RetentionSchedule
from archive.subjects import Subjects
from retention.holding import HoldCheck
from retention.holds import HoldRows
from retention.reckoning import DueDays, differences, world
from retention.secrecy.periods import SecrecyDays
from retention.whole import Retention
from tests.factories.arranged import ArrangedHouse, arranged_house
from tests.fakes.clock import FixedClock

NAMES = {"zh_CN": "试用"}
YEAR_END = {"trigger": "year_end", "start": "next_january", "source": "8号令"}


class Nobody:
    """Wakes nobody."""

    def wake(self, _queue: str, _job_id: object) -> None:
        """Do nothing."""


@dataclass
class RetainedHouse:
    """The house: ``house`` arranges; ``retention`` keeps clocks; its outbox is followed by the due days."""

    house: ArrangedHouse
    retention: Retention
    corrections: Corrections
    subjects: Subjects
    clock: FixedClock

    def schedule(self, code: str, *categories: Category, **definition: Any) -> UUID:
        """Draft a schedule as one archivist, approve it as the other, apply it, and return its id."""
        self.change(None, code, *categories, **definition)
        with self.house.db.reading() as session:
            return session.scalars(select(RetentionSchedule.id).where(RetentionSchedule.code == code)).one()

    def change(self, key: UUID | None, code: str, *categories: Category, **definition: Any) -> UUID:
        """Change a schedule in the same way; return the draft."""
        draft = self.draft(key, code, *categories, **definition)
        self.retention.schedules.decide(self.house.colleague, draft, "同意", approve=True)
        self.work()
        return draft

    def draft(self, key: UUID | None, code: str, *categories: Category, **definition: Any) -> UUID:
        """Draft a schedule as one archivist."""
        return self.retention.schedules.draft(
            self.house.archivist, key, code=code, names=NAMES, definition=YEAR_END | definition,
            categories=[each.id for each in categories], why="按保管期限表",
        )  # fmt: skip

    def filed(self, *keys: UUID) -> Sequence[UUID]:
        """File records."""
        outcomes = self.house.filing.file(self.house.archivist, keys)
        assert [each.reason for each in outcomes] == [None] * len(keys), outcomes
        return keys

    def kept(self, key: UUID) -> tuple[DueState, date | None] | None:
        """Return what is kept of a record."""
        with self.house.db.reading() as session:
            row = session.get(RecordDue, key)
            return row and (row.state, row.due)

    def day(self, key: UUID) -> date | None:
        """Return a record's day."""
        kept = self.kept(key)
        return kept and kept[1]

    def wrong(self) -> list[UUID]:
        """Return the records of which something else is kept than is true."""
        with self.house.db.reading() as session:
            ids = session.scalars(select(Record.id)).all()
            return list(differences(session, self.retention.due_days, ids, world(session)))

    def work(self) -> None:
        """Do the jobs of clocks that wait."""
        for handler in self.retention.handlers:
            with self.house.db.writing() as work:
                jobs = work.session.scalars(select(Job).where(Job.kind == handler.kind)).all()
                for job in jobs:
                    work.session.delete(job)
                work.commit()
            for job in jobs:
                handler.run([claimed(job.subject_id)])


def claimed(subject: UUID | None = None, *, held: int = 10**9) -> ClaimedJob:
    """Return a job as a worker holds it; it is lost to another after being asked ``held`` times."""
    left = iter([True] * min(held, 10**6))
    return ClaimedJob(uuid4(), subject, {}, 1, uuid4(), lambda: next(left, False))


def retained_house(folder: Path, db: Database | None = None) -> RetainedHouse:
    """Make the house."""
    house = arranged_house(folder, db)
    clock = FixedClock()
    log, due_days = Log(house.vault, clock), DueDays(lambda: "Asia/Shanghai")
    outbox = Outbox(clock, Nobody(), due_days.follow, HoldRows(clock).follow, SecrecyDays(lambda: house.guard).follow)
    retention = Retention(house.db, house.guard, house.vault, log, outbox, clock, due_days)
    corrections = Corrections(house.db, house.guard, Approvals(house.vault, log, clock), house.records, HoldCheck())
    subjects = Subjects(house.db, house.guard, house.vault, log, outbox, clock)
    return RetainedHouse(house, retention, corrections, subjects, clock)
