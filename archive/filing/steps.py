"""The way into custody 收 → 整 → 编 → 登 → 存: at which step each record stands, and what stands where.

Nothing of it is stored: a step follows from state, dossier, number and where the copies lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, not_, or_, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.database.bounded import count_up_to
from archive.filing.deadlines import FilingDeadlines, due_of, overdue
from archive.identity import Identity
from archive.model import Copy, FilingDeadline, Medium, Record, RecordKind, RecordState, SentBack
from archive.policy.guard import Guard
from archive.scheme.tree import below

Place = tuple[datetime, UUID]


class Step(StrEnum):
    """Where a record stands. A dossier is arranged as soon as it is made; a paper lies on a shelf, a file in store."""

    RECEIVED = "received"
    ARRANGED = "arranged"
    FILED = "filed"
    SHELVED = "shelved"


@dataclass(frozen=True)
class Which:
    """Which records a board is about. ``department`` and ``category`` (with what lies below it) None: any."""

    department_id: UUID | None = None
    category_id: UUID | None = None


@dataclass(frozen=True)
class Stands:
    """A record on the board: ``late`` days over, ``due`` the last day in time, ``sent_back`` whether it waits there."""

    record: Record
    due: date | None
    late: int
    sent_back: bool


@dataclass(frozen=True)
class Way:
    """One record's way: the steps it has taken, where it stands, until when it is to be filed and how late it is."""

    taken: frozenset[str]
    due: date | None
    late: int


STEPS = ("received", "arranged", "numbered", "filed", "shelved")
"""The five steps of a record's own way; a number and the filing come in one act."""

_PROVISIONAL = Record.state == RecordState.PROVISIONAL
_FILED = Record.state == RecordState.FILED
_LIES = exists().where(Copy.record_id == Record.id, Copy.place_id.is_not(None)).correlate(Record)
_ARRANGED = or_(Record.dossier_id.is_not(None), Record.kind == RecordKind.DOSSIER)
_IN_CUSTODY = or_(Record.medium == Medium.ELECTRONIC, _LIES)

AT: Mapping[Step, ColumnElement[bool]] = {
    Step.RECEIVED: and_(_PROVISIONAL, not_(_ARRANGED)),
    Step.ARRANGED: and_(_PROVISIONAL, _ARRANGED),
    Step.FILED: and_(_FILED, Record.medium != Medium.ELECTRONIC, not_(_LIES)),
    Step.SHELVED: and_(_FILED, _IN_CUSTODY),
}
"""The condition of each step: every record that is neither in the bin nor destroyed stands at one."""

WAITING = (Step.RECEIVED, Step.ARRANGED)
"""Steps before the filing, where a record may be late."""


class Steps:
    """The board, and each record's own way."""

    def __init__(self, db: Database, guard: Guard, deadlines: FilingDeadlines) -> None:
        self._db = db
        self._guard = guard
        self._deadlines = deadlines

    def counts(self, identity: Identity, which: Which, most: int) -> Mapping[Step, tuple[int, int]]:
        """Return for each step how many records the person sees there, and how many of them are late.

        Each up to one more than ``most``.
        """
        with self._db.reading() as session:

            def count(step: Step, *, late_only: bool) -> int:
                return count_up_to(session, self._at(session, identity, step, which, late_only=late_only), most)

            late = {step: count(step, late_only=True) for step in WAITING}
            return {step: (count(step, late_only=False), late.get(step, 0)) for step in Step}

    def late_count(self, session: Session, identity: Identity, most: int) -> int:
        """Count what waits to be filed, and is late, up to one more than ``most``."""
        late = and_(_PROVISIONAL, self._deadlines.late(session, self._guard.day()))
        return count_up_to(session, self._guard.visible(session, identity).where(late), most)

    def at(
        self,
        identity: Identity,
        step: Step,
        which: Which,
        *,
        late_only: bool = False,
        after: Place | None = None,
        limit: int = 50,
    ) -> list[Stands]:
        """Return the records of a step that the person sees, the oldest first; ``after`` is the last one's place."""
        with self._db.reading() as session:
            query = self._at(session, identity, step, which, late_only=late_only)
            if after is not None:
                at, key = after
                query = query.where(Record.created_at >= at, or_(Record.created_at > at, Record.id > key))
            records = session.scalars(query.order_by(Record.created_at, Record.id).limit(limit)).all()
            return self._stands(session, records)

    def places_at(
        self, identity: Identity, step: Step, which: Which, *, late_only: bool, until: Place | None = None, most: int
    ) -> list[Place]:
        """Return the places (moment and id) of at most ``most`` records of a step, the oldest first.

        None stands behind ``until``.
        """
        with self._db.reading() as session:
            query = self._at(session, identity, step, which, late_only=late_only)
            if until is not None:
                at, key = until
                query = query.where(Record.created_at <= at, or_(Record.created_at < at, Record.id <= key))
            places = query.with_only_columns(Record.created_at, Record.id).order_by(Record.created_at, Record.id)
            return [(at, key) for at, key in session.execute(places.limit(most))]

    def way(self, session: Session, record: Record) -> Way:
        """Return a record's own way. Asks nobody: the caller has."""
        conditions = (_ARRANGED, _LIES, exists(select(FilingDeadline.category_id)))
        arranged, lies, any_deadline = session.execute(select(*conditions).where(Record.id == record.id)).one()
        filed = record.state is RecordState.FILED
        taken = {"received"} | ({"arranged"} if arranged else set())
        if filed:
            taken |= {"arranged", "numbered", "filed"}  # what is filed by itself, without a dossier, is arranged so
        if filed and (lies or record.medium is Medium.ELECTRONIC):
            taken.add("shelved")
        deadline = self._deadlines.of_categories(session).get(record.category_id) if any_deadline else None
        until = self._guard.day(record.filed_at)
        return Way(frozenset(taken), due_of(deadline, record.drawn_to), overdue(deadline, record.drawn_to, until))

    def _at(self, session: Session, identity: Identity, step: Step, which: Which, *, late_only: bool) -> Select[Record]:
        query = self._which(self._guard.visible(session, identity), which).where(AT[step])
        if late_only:
            query = query.where(_PROVISIONAL, self._deadlines.late(session, self._guard.day()))
        return query

    def _which(self, query: Select[Record], which: Which) -> Select[Record]:
        if which.department_id is not None:
            query = query.where(Record.department_id == which.department_id)
        if which.category_id is not None:
            query = query.where(Record.category_id.in_(below(which.category_id)))
        return query

    def _stands(self, session: Session, records: Sequence[Record]) -> list[Stands]:
        deadlines = self._deadlines.of_categories(session)
        sent = select(SentBack.record_id).where(
            SentBack.record_id.in_([row.id for row in records]), SentBack.ended_at.is_(None)
        )
        back = set(session.scalars(sent)) if records else set[UUID]()
        today, found = self._guard.day(), []
        for row in records:
            deadline = deadlines.get(row.category_id) if row.state is RecordState.PROVISIONAL else None
            late = overdue(deadline, row.drawn_to, today)
            found.append(Stands(row, due_of(deadline, row.drawn_to), late, row.id in back))
        return found
