"""Secrecy periods: kept in the transactions that change levels, and noticed before they end."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, delete, insert, select
from sqlalchemy.orm import Session

from archive.database import Base, Database
from archive.identity import Role, system
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import DeadlineKind, JobKind, Level, Record, RecordOpening, RecordSecrecy, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines
from archive.reminding.rules import Rule
from archive.reminding.watches import RecordWatch
from retention.secrecy.rules import AHEAD, ends

BATCH = 100
"""Records of one transaction: it stays well under 100 ms."""

RULE = Rule(before=(AHEAD.days, 30, 7), after=(14,), head=(30,))
"""Days before, on and after the end of a period on which it is told of."""

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_STANDING = (
    select(
        Record.id, Record.state, Record.level_rank, Record.filed_at, Record.group_id, Level.secrecy_months,
        RecordSecrecy.level_rank.label("kept"), RecordOpening.released,
    )
    .join(Level, Level.rank == Record.level_rank)
    .outerjoin(RecordSecrecy, RecordSecrecy.record_id == Record.id)
    .outerjoin(RecordOpening, RecordOpening.record_id == Record.id)
    .where(Record.id.in_(_IDS))
)  # fmt: skip
_BEGIN = insert(Base.metadata.tables["record_secrecy"])
"""Built once: that takes longer than running them."""


class SecrecyDays:
    """Keeps the periods of filed records, in the transactions that file them or change their levels.

    A period begins on the day on which the record was filed, or came to its level later.
    """

    def __init__(self, guard: Callable[[], Guard]) -> None:
        self._guard = guard  # not before it is needed: the house may not be set up yet

    def follow(self, session: Session, ids: Sequence[UUID]) -> None:
        """Keep what is true now of these records."""
        session.flush()
        rows = session.connection().execute(_STANDING, {"ids": ids}).all()
        begun: list[dict[str, Any]] = []
        for row in rows:
            secret = row.state is RecordState.FILED and row.secrecy_months is not None
            if row.kept is not None and (not secret or row.kept != row.level_rank):
                session.execute(delete(RecordSecrecy).where(RecordSecrecy.record_id == row.id))
                Deadlines(self._guard()).meet(session, DeadlineKind.SECRECY_END, row.id)
            if secret and row.kept != row.level_rank:
                begun.append(self._begun(row))
        if begun:
            session.connection().execute(_BEGIN, begun)
        closed = (row for row in rows if row.secrecy_months is not None or row.group_id is not None)
        if shut := [row.id for row in closed if row.released]:
            session.execute(delete(RecordOpening).where(RecordOpening.record_id.in_(shut)))

    def _begun(self, row: Any) -> dict[str, Any]:
        since = self._guard().day(row.filed_at if row.kept is None else None)
        end = ends(since, row.secrecy_months)
        return {
            "record_id": row.id, "level_rank": row.level_rank, "since": since, "months": row.secrecy_months, "ends": end
        }  # fmt: skip


class SecrecyWatch(RecordWatch):
    """A period that ends: the secrecy officers who may review the record are told; late, those who approve too."""

    rule = RULE

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.kind = DeadlineKind.SECRECY_END
        self.act = Act.READ
        self._roles = (Role.SECRECY_OFFICER,)
        self._head = (Role.APPROVER,)


class KeepSecrecy:
    """Every day begins the periods that are missing, and puts what ends soon among what falls due.

    With a review as its subject it goes on with what that decided.
    """

    kind = JobKind.SECRECY
    batch = 1
    deadline = 3600.0
    max_attempts = 20
    keep_done = True

    def __init__(self, db: Database, guard: Guard, log: Log, days: SecrecyDays, go_on: Callable[[UUID], bool]) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._days = days
        self._go_on = go_on

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do what each job names, in short batches."""
        for job in jobs:
            if job.subject_id is not None:
                while job.still_held() and self._go_on(job.subject_id):
                    pass
                continue
            while job.still_held() and self._begin():
                pass
            while job.still_held() and self._notice():
                pass
        return {job.id: Outcome.done() for job in jobs}

    def _begin(self) -> bool:
        """Begin one batch of missing periods; return whether there may be more."""
        there = select(RecordSecrecy.record_id).where(RecordSecrecy.record_id == Record.id).correlate(Record).exists()
        query = (
            select(Record.id)
            .join(Level, Level.rank == Record.level_rank)
            .where(Record.state == RecordState.FILED, Level.secrecy_months.is_not(None), ~there)
            .limit(BATCH)
        )
        with self._db.writing() as work:
            ids = work.session.scalars(query).all()
            if ids:
                self._days.follow(work.session, ids)
                work.commit()
        return len(ids) == BATCH

    def _notice(self) -> bool:
        """Put one batch of what ends soon among what falls due; return whether there may be more."""
        day = self._guard.day()
        query = (
            select(RecordSecrecy)
            .where(RecordSecrecy.ends <= day + AHEAD, RecordSecrecy.noticed_on.is_(None))
            .order_by(RecordSecrecy.ends, RecordSecrecy.record_id)
            .limit(BATCH)
        )
        with self._db.writing() as work:
            rows = work.session.scalars(query).all()
            deadlines = Deadlines(self._guard)
            bodies: list[tuple[UUID, Mapping[str, Any] | None]] = []
            for row in rows:
                row.noticed_on = day
                if row.ends is not None:
                    deadlines.set(work.session, DeadlineKind.SECRECY_END, row.record_id, row.ends, row.record_id)
                    bodies.append((row.record_id, {"ends": row.ends.isoformat()}))
            if rows:
                self._log.note_many(work.session, system("retention"), "secrecy.notice", bodies)
                work.commit()
        return len(rows) == BATCH
