"""Locks on what is filed: a store that can lock keeps each object of a filed record from removal.

A lock is set after the filing's commit, by a job; its day only moves upward, and only jobs move it. A lock lasts to
the day on which the record's term runs out, but at least a year and at most ten: what is filed ends by destruction
alone, whose own credential lifts locks, so a lock that draws near its end is moved on. Days are the house's.
Attachments, which end with their acts, are not locked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock, local_day
from archive.database import Base, Database
from archive.errors import NotFound
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Content, ContentState, JobKind, Record, RecordState
from archive.ports import ObjectLocks
from archive.terms import due_on

LEAST = timedelta(days=366)
MOST = timedelta(days=3653)
MOVED_ON = timedelta(days=183)
"""A lock that ends sooner than this is moved on."""

BATCH = 200
_CONTENT = Base.metadata.tables["content"]


def lock_end(due: date | None, now: datetime, zone: str) -> datetime:
    """Return until when an object is locked whose record's term runs out on ``due`` (None: never, or not known).

    It is the moment at which a day begins in the house's ``zone``.
    """
    here = ZoneInfo(zone)
    wanted = now + MOST if due is None else datetime.combine(due, time(), here)
    end = min(max(wanted, now + LEAST), now + MOST)
    return datetime.combine(local_day(end, zone), time(), here).astimezone(UTC)


@dataclass(frozen=True)
class Progress:
    """How many objects of filed records there are, how many of them are locked, and which lock ends first."""

    filed: int
    locked: int
    first_end: datetime | None


def progress(session: Session, now: datetime) -> Progress:
    """Return how far the locks have come."""
    locked = func.count().filter(Content.locked_until > now)
    filed, now_locked, first = session.execute(
        _filed(select(func.count(), locked, func.min(Content.locked_until)))
    ).one()
    return Progress(filed, now_locked, first)


class LockObjects:
    """The job that locks the objects of one record, or, without a subject, of all whose lock is absent or ends soon."""

    kind = JobKind.LOCK
    batch = 50
    deadline = 6 * 3600.0
    max_attempts = 20
    keep_done = False

    def __init__(self, db: Database, locks: ObjectLocks | None, clock: Clock, zone: str) -> None:
        self._db = db
        self._locks = locks
        self._clock = clock
        self._zone = zone

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Lock what the jobs name; a store that does not answer raises, and all is tried again."""
        records = [job.subject_id for job in jobs if job.subject_id]
        if records:
            self._walk(jobs[0].still_held, Content.record_id.in_(records))
        if len(records) < len(jobs):
            self._walk(jobs[0].still_held)
        return {job.id: Outcome.done() for job in jobs}

    def _walk(self, still_held: Callable[[], bool], *which: ColumnElement[bool]) -> None:
        last: UUID | None = None
        while self._locks is not None and still_held():
            rows = self._next(last, *which)
            ends = [each for row in rows if (each := self._lock(self._locks, row))]
            if ends:
                with self._db.writing() as work:
                    moved = update(_CONTENT).where(_CONTENT.c.id == bindparam("key"))
                    work.session.connection().execute(moved.values(locked_until=bindparam("end")), ends)
                    work.commit()
            if len(rows) < BATCH:
                return
            last = rows[-1].id

    def _next(self, last: UUID | None, *which: ColumnElement[bool]) -> Sequence[Any]:
        soon = self._clock.now() + MOVED_ON
        columns = (Content.id, Content.object_key, Content.store_version, Content.locked_until)
        query = _filed(select(*columns, Record.term, Record.drawn_to, Record.filed_at)).where(
            or_(Content.locked_until.is_(None), Content.locked_until < soon), *which
        )
        if last is not None:
            query = query.where(Content.id > last)
        with self._db.reading() as session:
            return session.execute(query.order_by(Content.id).limit(BATCH)).all()

    def _lock(self, locks: ObjectLocks, row: Any) -> dict[str, Any] | None:
        counted = row.drawn_to or (local_day(row.filed_at, self._zone) if row.filed_at else None)
        end = lock_end(due_on(row.term, counted) if counted else None, self._clock.now(), self._zone)
        if row.locked_until is not None and row.locked_until >= end:
            return None
        try:
            locks.lock(row.object_key, row.store_version, end)
        except NotFound:
            return None  # fsck tells of an object that is missing
        return {"key": row.id, "end": end}


def _filed(query: Any) -> Any:
    return (
        query.select_from(Content)
        .join(Record, Record.id == Content.record_id)
        .where(
            Record.state == RecordState.FILED,
            Content.state != ContentState.RECEIVING,
            Content.store_version.is_not(None),
        )
    )
