"""Looking at places: how full each is, what lies there as far as the person may see it, and what moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from archive.cataloguing.showing import number_of
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import NotFound
from archive.identity import Identity
from archive.model import Copy, CopyMove, Person, Record, ShelfKind, ShelfPlace
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act
from archive.shelving.rules import ceiling, custodian_of, needs, way_to
from archive.spelling import number_words

MOST = 500
"""Copies of one place that a page lists."""

LATEST = 30
"""Moves that a page lists."""


@dataclass(frozen=True)
class PlaceShown:
    """A place with how full it is: ``taken`` of ``capacity``, or neither where that is not theirs to know."""

    place: ShelfPlace
    taken: int | None
    capacity: int | None
    below: int

    @property
    def share(self) -> int | None:
        """How full it is, in percent."""
        return None if not self.capacity or self.taken is None else round(100 * self.taken / self.capacity)


@dataclass(frozen=True)
class Lying:
    """A copy at a place. ``title`` is None for who keeps custody of it without reading.

    ``order``: its archive number, by which a place is listed; empty while there is none.
    """

    copy: Copy
    record_id: UUID
    number: str
    level: int
    title: str | None
    to_move: bool
    order: str


@dataclass(frozen=True)
class MoveShown:
    """A move: of a copy (``number`` and ``copy``), or of a place; paths from and to, or whom it went to."""

    id: UUID
    at: datetime
    number: str | None
    copy: int | None
    record_id: UUID | None
    moved: str | None
    before: str | None
    after: str | None
    holder: str | None
    by: str | None


@dataclass(frozen=True)
class ShelfView:
    """A place: the way to it, what stands in it, what lies in it, its custodian, and the last moves."""

    here: PlaceShown
    way: Sequence[ShelfPlace]
    inside: Sequence[PlaceShown]
    standing: Mapping[UUID, Sequence[PlaceShown]]
    lying: Sequence[Lying]
    custodian: str | None
    moves: Sequence[MoveShown]


class ShelfLooks:
    """Shows places and moves."""

    def __init__(self, db: Database, guard: Guard) -> None:
        self._db = db
        self._guard = guard

    def rooms(self, identity: Identity) -> Sequence[PlaceShown]:
        """Return the open rooms. Raises ``NotAllowed``."""
        return self.below(identity, None)

    def below(self, identity: Identity, path: str | None) -> Sequence[PlaceShown]:
        """Return the open places directly in one, or the rooms. Raises ``NotAllowed``, ``NotFound``."""
        with self._db.reading() as session:
            reach = self._guard.require_house(session, identity, Act.SEE_SHELVES)
            above = self._at(session, path) if path else None
            return self._inside(session, reach, above.id if above else None)

    def id_at(self, identity: Identity, path: str) -> UUID:
        """Return the place of a path, in any case and with any hyphens. Raises ``NotAllowed``, ``NotFound``."""
        with self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_SHELVES)
            return self._at(session, path).id

    def show(
        self, identity: Identity, place_id: UUID, *, after: tuple[str, UUID] | None = None,
        moved: tuple[datetime, UUID] | None = None, most: int = MOST, latest: int = LATEST,
    ) -> ShelfView:  # fmt: skip
        """Show one place: of what lies in it ``most``, behind a number and a copy; the ``latest`` moves before one.

        Raises:
            NotAllowed: they see no shelves.
            NotFound: there is none.
        """
        with self._db.reading() as session:
            reach = self._guard.require_house(session, identity, Act.SEE_SHELVES)
            row = session.get(ShelfPlace, place_id)
            if row is None:
                raise NotFound
            custodian = custodian_of(session, row)
            inside = self._inside(session, reach, row.id)
            deep = row.kind in {ShelfKind.ROOM, ShelfKind.CABINET}
            standing: dict[UUID, list[PlaceShown]] = {each.place.id: [] for each in inside if deep}
            for each in self._inside(session, reach, *standing) if standing else ():
                standing[cast("UUID", each.place.parent_id)].append(each)
            return ShelfView(
                here=self._shown(session, reach, [row])[0],
                way=way_to(session, row),
                inside=inside,
                standing=standing,
                lying=self._lying(session, identity, row, after, most),
                custodian=session.scalar(select(Person.name).where(Person.id == custodian)) if custodian else None,
                moves=self._moves(session, identity, row, moved, latest),
            )

    def history(
        self, identity: Identity, copy_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = LATEST
    ) -> Sequence[MoveShown]:
        """Return the moves of a copy, and those of what it lies in since it was put there, the latest first.

        Those before the move of a moment and an id.

        Raises:
            NotFound: no such copy for this person.
        """
        with self._db.reading() as session:
            row = session.get(Copy, copy_id)
            self._guard.require(session, identity, Act.SEE, row.record_id if row else copy_id)
            if row is None:
                raise NotFound
            own = CopyMove.copy_id == row.id
            place = session.get(ShelfPlace, row.place_id) if row.place_id else None
            if place is not None:
                since = select(func.max(CopyMove.at)).where(CopyMove.copy_id == row.id).scalar_subquery()
                carried = CopyMove.moved_id.in_([each.id for each in way_to(session, place)])
                own = or_(own, carried & (CopyMove.at >= since))
            query = newest_first(select(CopyMove).where(own), CopyMove.at, CopyMove.id, after)
            return self._told(session, session.scalars(query.limit(limit)).all(), {row.id: row})

    def _at(self, session: Session, path: str) -> ShelfPlace:
        row = session.scalar(select(ShelfPlace).where(ShelfPlace.path == folded(path)))
        if row is None:
            raise NotFound
        return row

    def _inside(self, session: Session, reach: Reach, *parents: UUID | None) -> list[PlaceShown]:
        """Return the open places directly in some (None: the rooms), by path."""
        of = ShelfPlace.parent_id.is_(None) if None in parents else ShelfPlace.parent_id.in_(parents)
        query = select(ShelfPlace).where(of, ShelfPlace.closed_at.is_(None))
        return self._shown(session, reach, session.scalars(query.order_by(ShelfPlace.path)).all())

    def _shown(self, session: Session, reach: Reach, rows: Sequence[ShelfPlace]) -> list[PlaceShown]:
        """Count what lies in places; in a cabinet or a room, what lies on its shelves."""
        most, shown = ceiling(session, reach), []
        ids = [row.id for row in rows]
        below = dict(
            session.execute(
                select(ShelfPlace.parent_id, func.count())
                .where(ShelfPlace.parent_id.in_(ids), ShelfPlace.closed_at.is_(None))
                .group_by(ShelfPlace.parent_id)
            ).all()
        )
        sums = _on_shelves(session, [row.id for row in rows if row.capacity is None], most)
        for row in rows:
            taken, capacity = (row.taken, row.capacity) if row.capacity is not None else sums.get(row.id, (0, 0))
            known = row.strength <= most
            shown.append(PlaceShown(row, taken if known else None, capacity if known else None, below.get(row.id, 0)))
        return shown

    def _lying(
        self, session: Session, identity: Identity, place: ShelfPlace, after: tuple[str, UUID] | None, most: int
    ) -> Sequence[Lying]:
        number = func.coalesce(Record.archive_number, "")
        query = (
            self._guard.visible(session, identity, Act.SEE)
            .add_columns(Copy)
            .join(Copy, Copy.record_id == Record.id)
            .where(Copy.place_id == place.id)
            .order_by(number, Copy.id)
        )
        if after is not None:
            query = query.where(or_(number > after[0], and_(number == after[0], Copy.id > after[1])))
        rows = session.execute(query.limit(most)).all()
        ids = {record.id for record, _ in rows}
        readable = self._guard.visible(session, identity).where(Record.id.in_(ids)).with_only_columns(Record.id)
        read, needed = set(session.scalars(readable)), needs(session)
        return [
            Lying(
                copy, record.id, number_of(record), record.level_rank, record.title if record.id in read else None,
                place.strength < needed[record.level_rank], record.archive_number or "",
            )
            for record, copy in rows
        ]  # fmt: skip

    def _moves(
        self, session: Session, identity: Identity, place: ShelfPlace, after: tuple[datetime, UUID] | None, latest: int
    ) -> Sequence[MoveShown]:
        touched = or_(CopyMove.from_id == place.id, CopyMove.to_id == place.id, CopyMove.moved_id == place.id)
        seen = self._guard.opens(session, identity, Copy.record_id, Act.SEE)
        mine = select(Copy.id).where(Copy.id == CopyMove.copy_id, seen).correlate(CopyMove).exists()
        query = select(CopyMove).where(touched, or_(CopyMove.copy_id.is_(None), mine))
        rows = session.scalars(newest_first(query, CopyMove.at, CopyMove.id, after).limit(latest)).all()
        ids = {row.copy_id for row in rows if row.copy_id}
        copies = {row.id: row for row in session.scalars(select(Copy).where(Copy.id.in_(ids)))}
        return self._told(session, rows, copies)

    def _told(self, session: Session, rows: Sequence[CopyMove], copies: Mapping[UUID, Copy]) -> Sequence[MoveShown]:
        places = {key for row in rows for key in (row.from_id, row.to_id, row.moved_id) if key}
        people = {key for row in rows for key in (row.holder_id, row.person_id) if key}
        paths = dict(session.execute(select(ShelfPlace.id, ShelfPlace.path).where(ShelfPlace.id.in_(places))).all())
        names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
        wanted = {copy.record_id for copy in copies.values()}
        numbers = {row.id: number_of(row) for row in session.scalars(select(Record).where(Record.id.in_(wanted)))}

        def told(row: CopyMove) -> MoveShown:
            copy = copies.get(row.copy_id) if row.copy_id else None
            return MoveShown(
                id=row.id,
                at=row.at,
                number=numbers.get(copy.record_id) if copy else None,
                copy=copy.number if copy else None,
                record_id=copy.record_id if copy else None,
                moved=paths.get(row.moved_id) if row.moved_id else None,
                before=paths.get(row.from_id) if row.from_id else None,
                after=paths.get(row.to_id) if row.to_id else None,
                holder=names.get(row.holder_id) if row.holder_id else None,
                by=names.get(row.person_id) if row.person_id else None,
            )

        return [told(row) for row in rows]


def _on_shelves(session: Session, ids: Sequence[UUID], most: int) -> Mapping[UUID, tuple[int, int]]:
    """Return what lies on the open shelves of rooms and cabinets, and how much there is room for."""
    shelf = aliased(ShelfPlace)
    sums = (
        select(ShelfPlace.id, func.sum(shelf.taken), func.sum(shelf.capacity))
        .join(shelf, shelf.path.like(ShelfPlace.path + "-%"))
        .where(ShelfPlace.id.in_(ids), shelf.kind == ShelfKind.SHELF, shelf.closed_at.is_(None), shelf.strength <= most)
        .group_by(ShelfPlace.id)
    )
    return {key: (int(taken or 0), int(room or 0)) for key, taken, room in session.execute(sums)} if ids else {}


def folded(text: str) -> str:
    """Return how a place's code is kept: capitals and digits with hyphens between, however it was written."""
    return "-".join(word.upper() for word in number_words(text))
