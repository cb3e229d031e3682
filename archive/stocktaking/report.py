"""Stock-takings as people see them: numbers and places of what they may see, never a title."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from archive.cataloguing.showing import number_of
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import NotAllowed, NotFound
from archive.identity import Identity
from archive.model import (
    Copy,
    FollowUp,
    Person,
    Record,
    ScanVerdict,
    ShelfPlace,
    StockItem,
    StockScan,
    StockState,
    Stocktaking,
    Tally,
)
from archive.policy.guard import Guard
from archive.policy.reach import Reach
from archive.policy.rules import Act, may
from archive.shelving.rules import ceiling, is_charged, within
from archive.shelving.tree import HOLDERS
from archive.stocktaking.counting import unknown_labels

MOST = 500
"""Rows of one kind that a page lists."""


@dataclass(frozen=True)
class Figures:
    """A count in figures, of what a person may see of it. ``scanned`` counts copies, ``unknown`` labels, each once."""

    expected: int
    scanned: int
    found: int
    missing: int
    misplaced: int
    out: int
    unknown: int


@dataclass(frozen=True)
class ItemShown:
    """A copy in a count: by the books at ``should``, scanned at ``found``, or with ``holder``."""

    copy_id: UUID
    record_id: UUID
    number: str
    copy: int
    tally: Tally | None
    should: str | None
    found: str | None
    holder: str | None
    follow_up: FollowUp | None


@dataclass(frozen=True)
class UnknownShown:
    """A label that nobody could place, where it was scanned last, and by whom."""

    label: str
    place: str
    at: datetime
    by: str | None


@dataclass(frozen=True)
class StocktakingView:
    """A stock-taking. ``places`` are those that papers lie in, by path: a browser knows them when the line is down."""

    row: Stocktaking
    begun_by: str | None
    closed_by: str | None
    figures: Figures
    may_take: bool
    items: Sequence[ItemShown] = ()
    unknown: Sequence[UnknownShown] = ()
    places: Sequence[tuple[UUID, str]] = field(default=())


class Reports:
    """Shows stock-takings to whoever sees shelves."""

    def __init__(self, db: Database, guard: Guard) -> None:
        self._db = db
        self._guard = guard

    def every(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> Sequence[StocktakingView]:
        """Return stock-takings, the newest first, behind the one begun at ``after`` with that id.

        Raises:
            NotAllowed: they see no shelves.
        """
        with self._db.reading() as session:
            reach = self._guard.require_house(session, identity, Act.SEE_SHELVES)
            query = (
                select(Stocktaking)
                .join(ShelfPlace, ShelfPlace.id == Stocktaking.place_id)
                .where(Stocktaking.state != StockState.OPENING, ShelfPlace.strength <= ceiling(session, reach))
            )
            rows = session.scalars(newest_first(query, Stocktaking.begun_at, Stocktaking.id, after).limit(limit)).all()
            return self._views(session, identity, reach, rows)

    def show(
        self, identity: Identity, stocktaking_id: UUID, *, tallies: Sequence[Tally] = tuple(Tally), most: int = MOST
    ) -> StocktakingView:
        """Show a stock-taking with its copies of these tallies, at most ``most`` of each; while open with its places.

        Raises:
            NotAllowed: they see no shelves, or not this one.
            NotFound: there is none.
        """
        with self._db.reading() as session:
            reach, row, place = self._seen(session, identity, stocktaking_id)
            [view] = self._views(session, identity, reach, [row])
            if row.state is not StockState.CLOSED:
                return StocktakingView(
                    row, view.begun_by, view.closed_by, view.figures, view.may_take,
                    unknown=self._unknown(session, row, most), places=self._places(session, place),
                )  # fmt: skip
            items = [each for tally in tallies for each in self._items(session, identity, row, tally, most)]
            return StocktakingView(
                row, view.begun_by, view.closed_by, view.figures, view.may_take, items,
                self._unknown(session, row, most),
            )  # fmt: skip

    def figures(self, identity: Identity, stocktaking_id: UUID) -> Figures:
        """Return the figures alone. Raises as ``show``."""
        with self._db.reading() as session:
            _, row, _ = self._seen(session, identity, stocktaking_id)
            return self._figures(session, identity, [row.id])[row.id]

    def _seen(
        self, session: Session, identity: Identity, stocktaking_id: UUID
    ) -> tuple[Reach, Stocktaking, ShelfPlace]:
        reach = self._guard.require_house(session, identity, Act.SEE_SHELVES)
        row = session.get(Stocktaking, stocktaking_id)
        if row is None:
            raise NotFound
        place = session.get_one(ShelfPlace, row.place_id)
        if place.strength > ceiling(session, reach):
            raise NotAllowed(act=Act.SEE_SHELVES.value)
        return reach, row, place

    def _views(
        self, session: Session, identity: Identity, reach: Reach, rows: Sequence[Stocktaking]
    ) -> Sequence[StocktakingView]:
        """Return counts with their figures: as many questions for fifty as for one."""
        people = {key for row in rows for key in (row.begun_by, row.closed_by) if key}
        names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
        most, taken = ceiling(session, reach), set()
        if may(Act.TAKE_STOCK, reach):
            wanted = select(ShelfPlace).where(
                ShelfPlace.id.in_({row.place_id for row in rows}), ShelfPlace.strength <= most
            )
            taken = {each.id for each in session.scalars(wanted).all() if is_charged(session, identity, each)}
        figures = self._figures(session, identity, [row.id for row in rows])
        return [
            StocktakingView(
                row,
                names.get(row.begun_by) if row.begun_by else None,
                names.get(row.closed_by) if row.closed_by else None,
                figures[row.id],
                row.place_id in taken,
            )
            for row in rows
        ]

    def _mine(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> Select[Any]:
        """Return a query over the copies of counts whose records this person may see."""
        return (
            self._guard.visible(session, identity, Act.SEE)
            .join(StockItem, StockItem.record_id == Record.id)
            .where(StockItem.stocktaking_id.in_(ids))
        )

    def _figures(self, session: Session, identity: Identity, ids: Sequence[UUID]) -> Mapping[UUID, Figures]:
        def count(of: Any) -> Any:
            return func.coalesce(func.sum(case((of, 1), else_=0)), 0)

        columns = (
            count(StockItem.expected),
            count(StockItem.found_at.is_not(None)),
            *(count(StockItem.tally == tally) for tally in (Tally.FOUND, Tally.MISSING, Tally.MISPLACED, Tally.OUT)),
        )
        mine = self._mine(session, identity, ids).with_only_columns(StockItem.stocktaking_id, *columns)
        rows = session.execute(mine.group_by(StockItem.stocktaking_id)).all()
        unknown = unknown_labels(session, ids)
        found = {key: Figures(0, 0, 0, 0, 0, 0, unknown.get(key, 0)) for key in ids}
        for key, *counted in rows:
            expected, scanned, here, missing, misplaced, out = map(int, counted)
            found[key] = Figures(expected, scanned, here, missing, misplaced, out, unknown.get(key, 0))
        return found

    def _items(
        self, session: Session, identity: Identity, row: Stocktaking, tally: Tally, most: int
    ) -> Sequence[ItemShown]:
        query = (
            self._mine(session, identity, [row.id])
            .join(Copy, Copy.id == StockItem.copy_id)
            .outerjoin(Person, Person.id == Copy.holder_id)
            .where(StockItem.tally == tally)
            .with_only_columns(Record, Copy.number, StockItem, Person.name)
            .order_by(Record.archive_number, Copy.number)
            .limit(most)
        )
        rows = session.execute(query).all()
        keys = {key for _, _, item, _ in rows for key in (item.expected_at, item.found_at, item.belonged_at) if key}
        paths = _paths(session, keys)
        return [
            ItemShown(
                item.copy_id, record.id, number_of(record), number, item.tally,
                paths.get(item.belonged_at if item.found_at else item.expected_at),
                paths.get(item.found_at), holder, item.follow_up,
            )
            for record, number, item, holder in rows
        ]  # fmt: skip

    def _unknown(self, session: Session, row: Stocktaking, most: int) -> Sequence[UnknownShown]:
        mine = (StockScan.stocktaking_id == row.id, StockScan.verdict == ScanVerdict.UNKNOWN)
        query = (
            select(StockScan.label, ShelfPlace.path, StockScan.at, Person.name)
            .join(ShelfPlace, ShelfPlace.id == StockScan.place_id)
            .outerjoin(Person, Person.id == StockScan.person_id)
            .where(*mine)
            .order_by(StockScan.at.desc(), StockScan.id.desc())
            .limit(most)
        )
        last: dict[str, UnknownShown] = {}
        for label, path, at, name in session.execute(query):
            last.setdefault(label or "", UnknownShown(label or "", path, at, name))
        return list(last.values())

    def _places(self, session: Session, place: ShelfPlace) -> Sequence[tuple[UUID, str]]:
        query = select(ShelfPlace.id, ShelfPlace.path).where(
            within(place), ShelfPlace.kind.in_(HOLDERS), ShelfPlace.closed_at.is_(None)
        )
        return [(key, path) for key, path in session.execute(query.order_by(ShelfPlace.path))]


def _paths(session: Session, keys: set[UUID]) -> dict[UUID | None, str]:
    """Return the paths of places by id, some hundreds at a time."""
    known: dict[UUID | None, str] = {}
    wanted = list(keys)
    for at in range(0, len(wanted), MOST):
        some = select(ShelfPlace.id, ShelfPlace.path).where(ShelfPlace.id.in_(wanted[at : at + MOST]))
        known.update(dict(session.execute(some).all()))
    return known
