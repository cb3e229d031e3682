"""Locks on what is filed: a store that can lock keeps each object of a filed record from removal.

A lock is set after the filing's commit, by a job; its day only moves upward, and only jobs move it. A lock lasts to
the day on which the record's term runs out, but at least a year and at most ten: what is filed ends by destruction
alone, whose own credential lifts locks, so a lock that draws near its end is moved on. Days are the house's.
What is attached to acts is evidence of them, and is locked as the record that they are about, or, where they are about
none, as what has no term; but for the letters of readers from outside, which go when their visit does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock, local_day
from archive.database import Base, Database
from archive.errors import NotFound
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import AttachedTo, Attachment, Content, ContentState, JobKind, Record, RecordState
from archive.ports import ObjectLocks
from archive.terms import due_on

LEAST = timedelta(days=366)
MOST = timedelta(days=3653)
MOVED_ON = timedelta(days=183)
"""A lock that ends sooner than this is moved on."""

BATCH = 200

_Locked = type[Content] | type[Attachment]
_KINDS: tuple[_Locked, ...] = (Content, Attachment)


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
    """How many objects filed records and acts have, how many of them are locked, and which lock ends first."""

    filed: int
    locked: int
    first_end: datetime | None


def progress(session: Session, now: datetime) -> Progress:
    """Return how far the locks have come."""
    found = [session.execute(_to_lock(kind, _counted(kind, now))).one() for kind in _KINDS]
    firsts = [first for _, _, first in found if first is not None]
    return Progress(sum(each[0] for each in found), sum(each[1] for each in found), min(firsts, default=None))


def _counted(kind: _Locked, now: datetime) -> Any:
    return select(func.count(), func.count().filter(kind.locked_until > now), func.min(kind.locked_until))


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
        for kind in _KINDS:
            if records:
                self._walk(jobs[0].still_held, kind, kind.record_id.in_(records))
            if len(records) < len(jobs):
                self._walk(jobs[0].still_held, kind)
        return {job.id: Outcome.done() for job in jobs}

    def _walk(self, still_held: Callable[[], bool], kind: _Locked, *which: ColumnElement[bool]) -> None:
        table = Base.metadata.tables[kind.__tablename__]
        last: UUID | None = None
        while self._locks is not None and still_held():
            rows = self._next(kind, last, *which)
            ends = [each for row in rows if (each := self._lock(self._locks, row))]
            if ends:
                with self._db.writing() as work:
                    moved = update(table).where(table.c.id == bindparam("key"))
                    work.session.connection().execute(moved.values(locked_until=bindparam("end")), ends)
                    work.commit()
            if len(rows) < BATCH:
                return
            last = rows[-1].id

    def _next(self, kind: _Locked, last: UUID | None, *which: ColumnElement[bool]) -> Sequence[Any]:
        soon = self._clock.now() + MOVED_ON
        columns = (kind.id, kind.object_key, kind.store_version, kind.locked_until)
        query = _to_lock(kind, select(*columns, Record.term, Record.drawn_to, Record.filed_at)).where(
            or_(kind.locked_until.is_(None), kind.locked_until < soon), *which
        )
        if last is not None:
            query = query.where(kind.id > last)
        with self._db.reading() as session:
            return session.execute(query.order_by(kind.id).limit(BATCH)).all()

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


def _to_lock(kind: _Locked, query: Any) -> Any:
    """Have a query look at what is locked: of filed records all, and of acts on none."""
    here = query.select_from(kind).outerjoin(Record, Record.id == kind.record_id)
    if kind is Content:
        return here.where(
            Record.state == RecordState.FILED,
            Content.state != ContentState.RECEIVING,
            Content.store_version.is_not(None),
        )
    of_no_record = and_(Attachment.record_id.is_(None), Attachment.about != AttachedTo.USE)
    return here.where(or_(Record.state == RecordState.FILED, of_no_record), Attachment.store_version.is_not(None))
