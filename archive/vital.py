"""Vital records: those without which the house could not go on after a disaster.

The mark carries the day on which someone is to look whether it still holds. Marked records are copied first into
backups, and come back first.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import DeadlineKind, JobKind, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines

MOST = 500
"""Records that are marked at once."""

LONGEST = timedelta(days=3653)
"""How far ahead a review may lie."""

UNMARKED = "record.not_vital"
_TOGETHER = 20
_DUE = aliased(Record)


class VitalRecords:
    """Marks vital records, and lists them by the day of their review."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._deadlines = Deadlines(guard)

    def mark(self, identity: Identity, record_ids: Sequence[UUID], review: date | None) -> int:
        """Mark records as vital until a review, or (None) take the mark off; return how many changed.

        A record that is marked already gets the new day.

        Raises:
            NotFound, NotAllowed: one of them is not there for this person, or they are no archivist; what came before
                it in ``record_ids`` stays marked.
            InvalidInput: the day has passed or lies more than ten years ahead, or there are too many records.
        """
        day = self._guard.day()
        if len(record_ids) > MOST:
            raise InvalidInput(Fault("records", "out_of_range", {"low": 1, "high": MOST}))
        if review is not None and not day < review <= day + LONGEST:
            raise InvalidInput(Fault("review", "not_ahead", {"last": (day + LONGEST).isoformat()}))
        changed = 0
        wanted = list(dict.fromkeys(record_ids))
        for start in range(0, len(wanted), _TOGETHER):
            with self._guard.refusals(identity), self._db.writing() as work:
                for each in wanted[start : start + _TOGETHER]:
                    record = self._guard.require(work.session, identity, Act.VITAL, each)
                    if record.vital_review == review:
                        continue
                    record.vital_review = review
                    record.version += 1
                    work.session.flush()
                    if review is None:
                        self._deadlines.lapse(work.session, DeadlineKind.VITAL_REVIEW, each)
                    else:
                        self._deadlines.set(work.session, DeadlineKind.VITAL_REVIEW, each, review, each)
                    body = {"review": review.isoformat()} if review else None
                    self._log.note(
                        work.session, identity, Act.VITAL.value if review else UNMARKED, record=each, body=body
                    )
                    self._outbox.add(work, JobKind.INDEX, each)
                    changed += 1
                work.commit()
        return changed

    def list(
        self, identity: Identity, *, due: bool = False, after: tuple[date, UUID] | None = None, limit: int
    ) -> Sequence[Record]:
        """Return the vital records that a person may read, the earliest review first.

        Args:
            identity: who asks.
            due: only those whose review has come.
            after: day and id of the record behind which to go on.
            limit: how many at most.
        """
        with self._db.reading() as session:
            query = self._guard.visible(session, identity).where(Record.vital_review.is_not(None))
            if due:
                query = query.where(Record.vital_review <= self._guard.day())
            if after is not None:
                day, key = after
                later = and_(Record.vital_review == day, Record.id > key)
                query = query.where(Record.vital_review >= day, or_(Record.vital_review > day, later))
            return session.scalars(query.order_by(Record.vital_review, Record.id).limit(limit)).all()

    def due(self, session: Session, identity: Identity) -> int:
        """Return how many records this person may review now."""
        mine = self._guard.opens(session, identity, _DUE.id, Act.VITAL)
        return session.scalar(select(func.count(_DUE.id)).where(_DUE.vital_review <= self._guard.day(), mine)) or 0
