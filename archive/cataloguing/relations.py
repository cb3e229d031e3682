"""Relations between records: each stands once, and is read from both ends by whoever may read both."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Record, RecordRelation, RelationKind
from archive.policy.guard import Guard
from archive.policy.rules import Act

MOST = 500
"""Relations of one record that are told."""

EQUAL = frozenset({RelationKind.SAME_MATTER})
"""Kinds that say the same from both ends."""


@dataclass(frozen=True)
class Related:
    """A relation as one of its ends shows it: ``outward``, this record is the first of "first replaces second"."""

    kind: RelationKind
    outward: bool
    other: Record


class Relations:
    """Keeps how records belong together."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def of(self, identity: Identity, record_id: UUID) -> Sequence[Related]:
        """Return a record's relations to records that this person may read, by kind, those outward first.

        Asks nothing of the record itself: the caller has.
        """
        with self._db.reading() as session:
            ends = or_(RecordRelation.record_id == record_id, RecordRelation.other_id == record_id)
            rows = session.scalars(select(RecordRelation).where(ends).limit(MOST)).all()
            if not rows:
                return ()
            ids = {row.other_id if row.record_id == record_id else row.record_id for row in rows}
            seen = {
                row.id: row for row in session.scalars(self._guard.visible(session, identity).where(Record.id.in_(ids)))
            }
        told = []
        for row in rows:
            outward = row.record_id == record_id
            other = seen.get(row.other_id if outward else row.record_id)
            if other is not None:
                told.append(Related(row.kind, outward or row.kind in EQUAL, other))
        order = list(RelationKind)
        return sorted(told, key=lambda each: (order.index(each.kind), not each.outward, each.other.id))

    def add(self, identity: Identity, record_id: UUID, kind: RelationKind, other_id: UUID) -> None:
        """Relate two records: ``record_id`` replaces, replies to … ``other_id``. Doing it twice changes nothing more.

        Raises:
            NotFound: one of them is not there for this person.
            NotAllowed: an archivist does this.
            InvalidInput: field ``other``: the record itself; or a record derived at a lower level is not lower.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record, other = self._ends(session, identity, record_id, other_id)
            if kind is RelationKind.DERIVED_FROM and record.level_rank >= other.level_rank:
                raise InvalidInput(Fault("other", "not_lower"))
            if self._standing(session, record_id, kind, other_id):
                return
            session.add(
                RecordRelation(
                    record_id=record_id, kind=kind, other_id=other_id, made_by=identity.person_id,
                    made_at=self._clock.now(),
                )
            )  # fmt: skip
            session.flush()
            self._note(session, identity, "relation.add", record_id, kind, other_id)
            work.commit()

    def remove(self, identity: Identity, record_id: UUID, kind: RelationKind, other_id: UUID) -> None:
        """Take a relation away.

        Raises:
            NotFound: one of them is not there for this person, or they are not related so.
            NotAllowed: an archivist does this.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._ends(session, identity, record_id, other_id)
            if not self._standing(session, record_id, kind, other_id):
                raise NotFound
            stands = delete(RecordRelation).where(_which(record_id, kind, other_id))
            session.execute(stands.execution_options(synchronize_session=False))
            self._note(session, identity, "relation.remove", record_id, kind, other_id)
            work.commit()

    def _ends(self, session: Session, identity: Identity, record_id: UUID, other_id: UUID) -> tuple[Record, Record]:
        record = self._guard.require(session, identity, Act.RELATE, record_id)
        if record_id == other_id:
            raise InvalidInput(Fault("other", "same_record"))
        other = self._guard.require(session, identity, Act.READ, other_id)
        return record, other

    @staticmethod
    def _standing(session: Session, record_id: UUID, kind: RelationKind, other_id: UUID) -> bool:
        return session.scalars(select(RecordRelation).where(_which(record_id, kind, other_id))).first() is not None

    def _note(
        self, session: Session, identity: Identity, act: str, record_id: UUID, kind: RelationKind, other_id: UUID
    ) -> None:
        # of neither record: who reads the history of one may not be allowed to know of the other
        body = {"records": [str(record_id), str(other_id)], "kind": kind.value}
        self._log.note(session, identity, act, body=body)


def _which(record_id: UUID, kind: RelationKind, other_id: UUID) -> ColumnElement[bool]:
    ways = [(record_id, other_id)] + ([(other_id, record_id)] if kind in EQUAL else [])
    return and_(
        RecordRelation.kind == kind,
        or_(*(and_(RecordRelation.record_id == a, RecordRelation.other_id == b) for a, b in ways)),
    )
