"""Leases: a job is held by a token for a while, and only the holder of the token may renew or finish it."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work, once_more
from archive.database.postgres import claim_alone
from archive.errors import ArchiveError
from archive.model.jobs import Job, JobKind, JobState

LEASE_EXPIRED = "lease_expired"
"""Error code of a job whose worker went away without a word; it is then taken alone, for it may be the cause."""

ONE_AT_A_TIME = frozenset((JobKind.INDEX,))
"""Kinds of which no two jobs of one subject run side by side: the later one has read later, and must write later."""


@dataclass(frozen=True)
class Held:
    """A claimed row, as read at the claim."""

    id: UUID
    kind: JobKind
    subject_id: UUID | None
    payload: Mapping[str, Any]
    attempts: int
    requested_by: UUID | None
    request: str | None = None


@dataclass(frozen=True)
class Claim:
    """Jobs held under one token since ``taken``."""

    lease: UUID
    taken: datetime
    jobs: Sequence[Held]


def due_of(session: Session, kinds: Sequence[JobKind], now: datetime) -> list[JobKind]:
    """Return those of ``kinds`` that have a job due, in that order, without taking the write lock."""
    if not kinds:
        return []
    found = session.connection().execute(_any_due(tuple(kinds)), {"now": now}).scalars()
    return [kinds[place] for place in sorted(found)]


def claim(
    session: Session,
    kind: JobKind,
    now: datetime,
    *,
    due: datetime,
    batch: int,
    until: datetime,
    attempts: int,
    job_id: UUID | None,
    spared: Collection[UUID] = (),
) -> Claim | None:
    """Take up to ``batch`` jobs of a kind, due at ``due``, under a new token, in the caller's short transaction.

    A job that was lost by an earlier worker is taken alone; after ``attempts`` losses it is failed instead. Those of
    ``spared`` subjects are left for later.
    """
    lease = uuid4()
    if kind in ONE_AT_A_TIME:
        claim_alone(session)
    _fail_worn(session, kind, now, attempts)
    ids = _suspect(session, kind, due, job_id) or _fresh(session, kind, due, batch, job_id, spared)
    if not ids:
        return None
    session.execute(
        update(Job)
        .where(Job.id.in_(ids), _takeable(due))
        .values(state=JobState.RUNNING, lease=lease, lease_until=until, attempts=Job.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    columns = (Job.id, Job.kind, Job.subject_id, Job.payload, Job.attempts, Job.requested_by, Job.request)
    mine = select(*columns).where(Job.kind == kind, Job.state == JobState.RUNNING, Job.lease == lease)
    rows = session.execute(mine.order_by(Job.run_after, Job.id))
    jobs = [Held(*row) for row in rows]
    return Claim(lease, now, jobs) if jobs else None


def requeue_lost(session: Session, now: datetime, attempts: Mapping[JobKind, int], limit: int) -> int:
    """Put back jobs whose lease ran out, or fail those that used up their attempts; return how many were put back.

    Kinds that are not in ``attempts`` are left to a worker that knows them.
    """
    found = session.scalars(select(Job.kind).where(Job.kind.in_(attempts), _lost(now)).distinct()).all()
    if not found:
        return 0
    for kind in found:
        _fail_worn(session, kind, now, attempts[kind])
    lost = session.scalars(select(Job.id).where(Job.kind.in_(attempts), _lost(now)).limit(limit)).all()
    if lost:
        session.execute(
            update(Job)
            .where(Job.id.in_(lost), _lost(now))
            .values(state=JobState.QUEUED, lease=None, lease_until=None, run_after=now, error=LEASE_EXPIRED)
            .execution_options(synchronize_session=False)
        )
    return len(lost)


def renew(session: Session, claim: Claim, until: datetime) -> int:
    """Hold what is still held until ``until``; return how many jobs that is."""
    done = session.execute(
        update(Job)
        .where(Job.lease == claim.lease, Job.id.in_([job.id for job in claim.jobs]), Job.state == JobState.RUNNING)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result counts its rows


def held(session: Session, claim: Claim, job_id: UUID, now: datetime) -> bool:
    """Whether this claim still holds the job."""
    found = select(Job.id).where(
        Job.id == job_id, Job.lease == claim.lease, Job.state == JobState.RUNNING, Job.lease_until >= now
    )
    return session.scalar(found) is not None


def held_among(session: Session, leases: Mapping[UUID, UUID]) -> set[UUID]:
    """Return which of these jobs (each with the token it was taken under) nobody else has taken since.

    Asked inside the transaction that writes what they made: it can't be taken away before that is valid.
    """
    running = select(Job.id, Job.lease).where(Job.id.in_(leases), Job.state == JobState.RUNNING)
    return {job for job, lease in session.execute(running) if lease == leases[job]}


def untaken(kind: JobKind, subjects: Collection[UUID]) -> Select[UUID | None]:
    """Return the query for those subjects that have a job of this kind which nobody has taken yet.

    With its rows locked it stays so until the transaction ends: the job then sees what the transaction wrote.
    """
    waits = Job.kind == kind, Job.state == JobState.QUEUED, Job.attempts == 0
    return select(Job.subject_id).where(Job.subject_id.in_(subjects), *waits)


def remove(work: Work, kind: JobKind, lease: UUID, ids: Sequence[UUID] | None) -> None:
    """Delete finished jobs (None: all) that this token still holds."""
    if ids is None or ids:
        held = delete(Job).where(Job.kind == kind, Job.state == JobState.RUNNING, Job.lease == lease)
        gone = held if ids is None else held.where(Job.id.in_(ids))
        work.session.execute(gone.execution_options(synchronize_session=False))


def settle(work: Work, lease: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the ends of jobs that this token still holds.

    Args:
        work: the unit of work that is committed after it.
        lease: the token.
        rows: mappings of ``job`` (its id), ``state``, ``error``, ``run_after`` (None: as it was), ``finished_at``.
    """
    if rows:
        jobs = Job.__table__
        statement = (
            update(jobs)  # type: ignore[arg-type]  # the declarative table is a Table
            .where(jobs.c.id == bindparam("job"), jobs.c.lease == lease, jobs.c.state == JobState.RUNNING)
            .values(
                state=bindparam("to_state"),
                error=bindparam("to_error"),
                run_after=func.coalesce(bindparam("to_run_after", type_=jobs.c.run_after.type), jobs.c.run_after),
                finished_at=bindparam("to_finished_at"),
                lease=None,
                lease_until=None,
            )
        )
        work.session.connection().execute(
            statement,
            [{"job" if name == "job" else f"to_{name}": value for name, value in row.items()} for row in rows],
        )


class Renewal:
    """Keeps a claim's lease fresh from a thread of its own, until the deadline or the end of the block.

    Args:
        seconds: how long one lease lasts; it is renewed at each third of that.
        deadline: after this moment it is renewed no more, and another worker may take the jobs.
    """

    def __init__(self, db: Database, clock: Clock, claim: Claim, *, seconds: float, deadline: datetime) -> None:
        self._db = db
        self._clock = clock
        self._claim = claim
        self._seconds = seconds
        self._deadline = deadline
        self._renewed = claim.taken
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self._clock.now() > self._deadline

    def still_held(self, job_id: UUID) -> bool:
        """Whether the job is still ours; renews the lease when a third of it is gone.

        False after the deadline, and when the database cannot tell. Not to be called inside ``db.writing()``.
        """
        now = self._clock.now()
        if now > self._deadline:
            return False
        try:
            with self._db.reading() as session:
                ours = held(session, self._claim, job_id, now)
            if ours and now - self._renewed > timedelta(seconds=self._seconds / 3):
                self._renew()
        except ArchiveError:
            return False
        return ours

    def _run(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            if self.late():
                return
            try:
                self._renew()
            except ArchiveError:
                continue  # the next round tries again; if all fail, the lease runs out and the result is dropped

    @once_more
    def _renew(self) -> None:
        with self._lock, self._db.writing(shared=True) as work:
            now = self._clock.now()
            renew(work.session, self._claim, min(now + timedelta(seconds=self._seconds), self._deadline))
            work.commit()
            self._renewed = now


@lru_cache
def _any_due(kinds: tuple[JobKind, ...]) -> CompoundSelect[int]:
    """Return the statement that tells the places of those kinds that have a job due: it is asked all day."""
    now: BindParameter[datetime] = bindparam("now")
    each = [[select(Job.id).where(Job.kind == kind, held(now)).exists() for held in (_queued, _lost)] for kind in kinds]
    return union_all(*(select(literal_column(str(place))).where(or_(*one)) for place, one in enumerate(each)))


def _queued(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    return and_(Job.state == JobState.QUEUED, Job.run_after <= now)


def _lost(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    return and_(Job.state == JobState.RUNNING, Job.lease_until < now)


def _takeable(now: datetime) -> ColumnElement[bool]:
    """Return the condition of jobs that may be taken: queued and due, or running under a lease that ran out."""
    return or_(_queued(now), _lost(now))


def _one(asked: Select[UUID], job_id: UUID | None) -> Select[UUID]:
    return asked if job_id is None else asked.where(Job.id == job_id)


def _apart(asked: Select[UUID], kind: JobKind, now: datetime) -> Select[UUID]:
    """Leave out the jobs of subjects at which another job of the kind is at work, where no two may be."""
    if kind not in ONE_AT_A_TIME:
        return asked
    at_work = Job.kind == kind, Job.state == JobState.RUNNING, Job.lease_until >= now, Job.subject_id.is_not(None)
    return asked.where(Job.subject_id.not_in(select(Job.subject_id).where(*at_work)))


def _suspect(session: Session, kind: JobKind, now: datetime, job_id: UUID | None) -> Sequence[UUID]:
    for condition in (_lost(now), and_(_queued(now), Job.error == LEASE_EXPIRED)):
        asked = select(Job.id).where(Job.kind == kind, condition).order_by(Job.run_after, Job.id).limit(1)
        if found := session.scalars(_one(_apart(asked, kind, now), job_id).with_for_update(skip_locked=True)).all():
            return found
    return ()


def _fresh(
    session: Session, kind: JobKind, now: datetime, batch: int, job_id: UUID | None, spared: Collection[UUID]
) -> Sequence[UUID]:
    asked = select(Job.id).where(Job.kind == kind, _queued(now)).order_by(Job.run_after).limit(batch)
    if spared:
        asked = asked.where(or_(Job.subject_id.is_(None), Job.subject_id.not_in(spared)))
    return session.scalars(_one(_apart(asked, kind, now), job_id).with_for_update(skip_locked=True)).all()


def _fail_worn(session: Session, kind: JobKind, now: datetime, attempts: int) -> None:
    session.execute(
        update(Job)
        .where(Job.kind == kind, _lost(now), Job.attempts >= attempts)
        .values(state=JobState.FAILED, lease=None, lease_until=None, error=LEASE_EXPIRED, finished_at=now)
        .execution_options(synchronize_session=False)
    )
