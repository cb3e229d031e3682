"""Putting copies where they lie: what a scan means, which place is free and fits, and what must be moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from archive.blocks import Cause, end_missing
from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.database.bounded import count_up_to
from archive.errors import Ambiguous, Conflict, Fault, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    BlockCause,
    Copy,
    CopyMove,
    FollowUp,
    Loan,
    Record,
    RecordState,
    ShelfPlace,
    StockItem,
    Tally,
)
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.copies import CopyFacts, add_copy, first_facts
from archive.shelving.rules import ceiling, check_level, check_not_lent, is_charged, needs, release, take
from archive.shelving.sealed import note_move
from archive.shelving.tree import HOLDERS

OFTEN = 3
"""So many loans of its papers within a year, and a record is often used."""

PLACED = Cause(BlockCause.PLACING)
"""What lies on a shelf by a person's act is not missing."""


@dataclass(frozen=True)
class Placed:
    """A copy where it lies now. ``moved`` is false when it lay there already."""

    copy_id: UUID
    record_id: UUID
    number: str
    copy: int
    place_id: UUID
    path: str
    taken: int
    capacity: int
    moved: bool


@dataclass(frozen=True)
class Asked:
    """A copy that was scanned, for whoever may shelve it: ``lies`` is the path of its place, ``free`` one that fits."""

    copy_id: UUID
    record_id: UUID
    number: str
    copy: int
    level: int
    lies: str | None
    free: str | None


@dataclass(frozen=True)
class ToMove:
    """A copy whose level forbids the place where it lies."""

    copy: Copy
    record: Record
    place: ShelfPlace


class Placing:
    """Shelves copies. Each placing counts, checks and moves in one transaction: no place is ever over its capacity."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def place(self, identity: Identity, copy_id: UUID, place_id: UUID, version: int | None = None) -> Placed:
        """Put a copy where it is to lie; twice at the same place is no error.

        Raises:
            NotFound: no such copy for this person.
            NotAllowed: not theirs to shelve, or a place that is another custodian's or for higher levels than theirs.
            InvalidInput: it is not filed or was withdrawn; or no such place, a closed one, or one that holds no papers.
            PlaceForbidden: the level forbids the place.
            PlaceFull: there is no room.
            Conflict: it was moved or changed since ``version``.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            placed = self.in_work(work.session, identity, copy_id, place_id, version)
            work.commit()
            return placed

    def in_work(
        self,
        session: Session,
        identity: Identity,
        copy_id: UUID,
        place_id: UUID,
        version: int | None = None,
        *,
        cause: Cause = PLACED,
        seen: bool = True,
    ) -> Placed:
        """Do it inside the caller's transaction. Raises as ``place``.

        ``seen``: someone has the paper in hand: what was missing is found by it.
        """
        row, record = self._shelved(session, identity, copy_id)
        if version is not None and row.version != version:
            raise Conflict(what="copy")
        place = self.open_place(session, identity, place_id)
        check_level(session, record.level_rank, place)
        moved = row.place_id != place.id
        if moved:
            self._move(session, identity, row, place)
        if seen:
            end_missing(session, identity, row, cause, self._log, self._clock)
            # so is what a count did not find, and nobody marked yet
            missed = StockItem.copy_id == row.id, StockItem.tally == Tally.MISSING, StockItem.follow_up.is_(None)
            found = update(StockItem).where(*missed).values(follow_up=FollowUp.FOUND)
            session.execute(found.execution_options(synchronize_session=False))
        return Placed(
            row.id, record.id, number_of(record), row.number, place.id, place.path, place.taken, place.capacity or 0,
            moved,
        )  # fmt: skip

    def asked(self, identity: Identity, record_id: UUID, copy: int | None = None) -> Asked:
        """Return the copy that a scanned number means, with the next free place for it.

        A record on paper of which no copy is noted yet gets its first one.

        Raises:
            NotFound, NotAllowed, InvalidInput: as ``place``; it has no copy that could lie anywhere.
            Ambiguous: it has several: each of the names means one.
        """
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.SHELVE, record_id)
            found = self._chosen(session, record, copy)
            if found is not None:
                return self._told(session, identity, record, found)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SHELVE, record_id)
            found = self._chosen(session, record, copy)
            if found is None:
                found = add_copy(session, record.id, first_facts(record) or CopyFacts(), self._clock)
                self._log.note(session, identity, "copy.add", record=record.id, body={"copy": found.number})
            told = self._told(session, identity, record, found)
            work.commit()
            return told

    def propose(self, identity: Identity, copy_id: UUID) -> str | None:
        """Return the path of the next free place that fits a copy, None when there is none. Raises as ``place``."""
        with self._db.reading() as session:
            row, record = self._shelved(session, identity, copy_id)
            return self._free(session, identity, record, row)

    def to_move(
        self, identity: Identity, *, after: tuple[str, UUID] | None = None, limit: int = 100
    ) -> Sequence[ToMove]:
        """Return the copies that the person may shelve and whose level forbids their place, by place.

        Those behind the copy of an id at a place's path.
        """
        with self._db.reading() as session:
            query = self._misplaced(session, identity)
            if after is not None:
                same = and_(ShelfPlace.path == after[0], Copy.id > after[1])
                query = query.where(or_(ShelfPlace.path > after[0], same))
            rows = session.execute(query.order_by(ShelfPlace.path, Copy.id).limit(limit))
            return [ToMove(copy, record, place) for record, copy, place in rows]

    def count_to_move(self, session: Session, identity: Identity, most: int) -> int:
        """Count them, up to one more than ``most``: a desk asks this each time."""
        return count_up_to(session, self._misplaced(session, identity), most)

    def _misplaced(self, session: Session, identity: Identity) -> Select[Any]:
        level = aliased(Record)  # of every paper on a shelf, out of an index alone; only those too high are read whole
        return (
            self._guard.visible(session, identity, Act.SHELVE)
            .add_columns(Copy, ShelfPlace)
            .join(Copy, Copy.record_id == Record.id)
            .join(ShelfPlace, ShelfPlace.id == Copy.place_id)
            .join(level, level.id == Copy.record_id)
            .where(_too_weak(session, level))
        )

    def _shelved(self, session: Session, identity: Identity, copy_id: UUID) -> tuple[Copy, Record]:
        row = session.get(Copy, copy_id)
        record = self._guard.require(session, identity, Act.SHELVE, row.record_id if row else copy_id)
        if row is None:
            raise NotFound
        _check_filed(record)
        if row.withdrawn_at is not None:
            raise InvalidInput(Fault("copy", "withdrawn"))
        return row, record

    def open_place(self, session: Session, identity: Identity, place_id: UUID) -> ShelfPlace:
        """Return a place where this person may put papers. Raises as ``place``."""
        place = session.get(ShelfPlace, place_id)
        if place is None:
            raise InvalidInput(Fault("shelf", "unknown"))
        above = place.strength > ceiling(session, self._guard.reach(session, identity))
        if above or not is_charged(session, identity, place):
            raise NotAllowed(act=Act.SHELVE.value)
        if place.kind not in HOLDERS:
            raise InvalidInput(Fault("shelf", "holds_no_papers"))
        if place.closed_at is not None:
            raise InvalidInput(Fault("shelf", "place_closed"))
        return place

    def _move(self, session: Session, identity: Identity, row: Copy, place: ShelfPlace) -> None:
        check_not_lent(session, row)
        before = session.get(ShelfPlace, row.place_id) if row.place_id else None
        mine = update(Copy).where(Copy.id == row.id, Copy.version == row.version)
        values = {"place_id": place.id, "holder_id": None, "version": row.version + 1}
        done = session.execute(mine.values(values).execution_options(synchronize_session=False))
        if not isinstance(done, CursorResult) or done.rowcount != 1:
            raise Conflict(what="copy")
        take(session, place)
        if before is not None:
            release(session, before.id)
        moved = CopyMove(
            id=new_id(), at=self._clock.now(), copy_id=row.id, from_id=row.place_id, to_id=place.id,
            person_id=identity.person_id,
        )  # fmt: skip
        note_move(session, moved)
        session.refresh(row)
        body = {"copy": row.number, "before": before.path if before else None, "after": place.path}
        self._log.note(session, identity, "copy.place", record=row.record_id, body=body)

    def _chosen(self, session: Session, record: Record, copy: int | None) -> Copy | None:
        """Return the copy that is meant; None for the first one of a record on paper, which is not noted yet."""
        _check_filed(record)
        query = select(Copy).where(Copy.record_id == record.id, Copy.withdrawn_at.is_(None)).order_by(Copy.number)
        rows = [row for row in session.scalars(query) if copy in {None, row.number}]
        if len(rows) > 1:
            raise Ambiguous(names=[f"{number_of(record)}*{row.number}" for row in rows])
        if rows:
            return rows[0]
        ever = session.scalar(select(Copy.id).where(Copy.record_id == record.id).limit(1))
        if copy not in {None, 1} or ever is not None or first_facts(record) is None:
            raise InvalidInput(Fault("copy", "no_copy"))
        return None

    def _told(self, session: Session, identity: Identity, record: Record, row: Copy) -> Asked:
        place = session.get(ShelfPlace, row.place_id) if row.place_id else None
        free = self._free(session, identity, record, row)
        return Asked(
            row.id, record.id, number_of(record), row.number, record.level_rank, place.path if place else None, free
        )

    def _free(self, session: Session, identity: Identity, record: Record, row: Copy) -> str | None:
        """Return the next free place: just safe enough, beside its like (category and term), boxes first, by path.

        One that is often lent comes first of all beside those of its like that are, too.
        """
        other = aliased(Record)
        near = (
            select(func.count(Copy.id))
            .join(other, other.id == Copy.record_id)
            .where(Copy.place_id == ShelfPlace.id, other.category_id == record.category_id, other.term == record.term)
            .correlate(ShelfPlace)
        )
        like = [near.scalar_subquery().desc()]
        if session.scalar(select(self._often(record.id))):
            like.insert(0, near.where(self._often(other.id)).scalar_subquery().desc())
        most = ceiling(session, self._guard.reach(session, identity))
        fitting = select(ShelfPlace).where(
            ShelfPlace.kind.in_(HOLDERS),
            ShelfPlace.closed_at.is_(None),
            ShelfPlace.taken < ShelfPlace.capacity,
            ShelfPlace.strength.between(needs(session)[record.level_rank], most),
            ShelfPlace.id.is_distinct_from(row.place_id),
        )
        boxes_first = ShelfPlace.kind
        query = fitting.order_by(ShelfPlace.strength, *like, boxes_first, ShelfPlace.path)
        for place in session.scalars(query.limit(50)):
            if is_charged(session, identity, place):
                return place.path
        return None

    def _often(self, record_id: UUID | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """Return the condition that the papers of a record were lent at least ``OFTEN`` times within a year."""
        since = self._guard.day() - timedelta(days=365)
        lent = select(func.count(Loan.id)).where(
            Loan.record_id == record_id, Loan.copy_id.is_not(None), Loan.issued_on >= since
        )
        return lent.correlate_except(Loan).scalar_subquery() >= OFTEN


def _too_weak(session: Session, record: type[Record]) -> ColumnElement[bool]:
    """Return the condition that a place is too weak for a record's level."""
    weak = [
        and_(record.level_rank == rank, ShelfPlace.strength < strength) for rank, strength in needs(session).items()
    ]
    return or_(false(), *weak)


def _check_filed(record: Record) -> None:
    if record.state is not RecordState.FILED:
        raise InvalidInput(Fault("copy", "not_filed_yet"))
