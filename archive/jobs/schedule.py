"""What is done again and again, as data; each once per period, however many clocks ask."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from archive.clock import Clock
from archive.database import Database
from archive.jobs.outbox import queue_of
from archive.model.jobs import Job, JobKind, JobState
from archive.ports import Waker

PERIODIC: Mapping[JobKind, int] = {
    JobKind.CHECKPOINT: 10 * 60,
    JobKind.SWEEP_ORPHANS: 60 * 60,
    JobKind.EMPTY_BIN: 24 * 60 * 60,
    JobKind.FORGET_ANSWERS: 60 * 60,
    JobKind.PLAN_CHECKS: 24 * 60 * 60,
    JobKind.BACKUP: 24 * 60 * 60,
    JobKind.LOCK: 6 * 60 * 60,
    JobKind.FIXITY: 24 * 60 * 60,
    JobKind.EXPUNGE: 60 * 60,
    JobKind.LOANS: 60 * 60,
    JobKind.DUE: 60 * 60,
    JobKind.FIND_DUE: 24 * 60 * 60,
    JobKind.HOLD: 6 * 60 * 60,
    JobKind.SECRECY: 24 * 60 * 60,
}
"""Seconds of each kind's period. Periods begin at multiples of it since 1970-01-01 UTC."""

_NAMESPACE = UUID("6f6f7d1e-5d6b-5c0f-9a5e-6a75616e6b75")
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


def period_start(kind: JobKind, now: datetime) -> datetime:
    """Return when the period of ``kind`` began in which ``now`` lies."""
    seconds = PERIODIC[kind]
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def period_id(kind: JobKind, start: datetime) -> UUID:
    """Return the id of a kind's job of one period: the same for everyone, so that it is inserted once."""
    return uuid5(_NAMESPACE, f"{kind.value}:{int(start.timestamp())}")


def enqueue_due(db: Database, clock: Clock, waker: Waker | None = None) -> int:
    """Queue each periodic job of the present period that is not there yet; return how many.

    A kind whose last job is still waiting or running gets no second one: after a standstill each runs once. Where
    another clock was faster, nothing is left to do.
    """
    with suppress(IntegrityError):
        return _enqueue(db, clock, waker)
    return 0


def _enqueue(db: Database, clock: Clock, waker: Waker | None) -> int:
    now = clock.now()
    wanted = {kind: period_id(kind, period_start(kind, now)) for kind in PERIODIC}
    with db.reading() as session:
        if set(wanted.values()) <= set(session.scalars(select(Job.id).where(Job.id.in_(wanted.values())))):
            return 0
    with db.writing() as work:
        there = set(work.session.scalars(select(Job.id).where(Job.id.in_(wanted.values()))))
        busy = set(work.session.scalars(select(Job.kind).where(Job.kind.in_(wanted), Job.state.in_(_UNFINISHED))))
        missing = {kind: job for kind, job in wanted.items() if job not in there and kind not in busy}
        rows = [
            {
                "id": job,
                "kind": kind,
                "payload": {"period": period_start(kind, now).isoformat()},
                "state": JobState.QUEUED,
                "attempts": 0,
                "run_after": now,
                "created_at": now,
            }
            for kind, job in missing.items()
        ]
        if rows:
            work.session.execute(insert(Job), rows)
        if waker:
            for queue, job in {queue_of(kind): job for kind, job in missing.items()}.items():
                work.after_commit(partial(waker.wake, queue, job))
        work.commit()
    return len(rows)
