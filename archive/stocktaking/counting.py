"""Counting: a stock-taking begun, its scans taken, and its end, after which nothing of it changes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from archive.blocks import Cause, end_missing
from archive.cataloguing.showing import number_of
from archive.clock import Clock
from archive.database import Database
from archive.errors import Ended, Fault, InvalidInput, NotAllowed, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    BlockCause,
    Copy,
    Record,
    ScanVerdict,
    ShelfPlace,
    StockItem,
    StockScan,
    StockState,
    Stocktaking,
    Tally,
)
from archive.numbering.lookup import holders
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.rules import ceiling, is_charged
from archive.shelving.tree import HOLDERS
from archive.stocktaking.expecting import Expected, expected

ROWS_AT_ONCE = 200
"""Rows that one transaction writes: well under 100 ms."""

SCANS_TOGETHER = 2
"""Scans that one transaction takes; each may end a block, which writes to the log."""

MOST_SCANS = 20
"""Scans that are taken at once."""

LONGEST_LABEL = 100

T = TypeVar("T")

_FRESH = {
    "postgresql": postgresql.insert(StockItem).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(StockItem).on_conflict_do_nothing(),
}
"""Of two who begin the same count at once, each writes what the other has not."""


@dataclass(frozen=True)
class Scan:
    """A label that was scanned at a place. ``id`` is the browser's own: a scan that is sent again counts once.

    ``number`` and ``copy`` are what the label says (``WY01-2024-A0001*2``), ``text`` is the label as it was read.
    """

    id: UUID
    place_id: UUID
    text: str
    number: str
    copy: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a scan was, told at once. ``belongs`` is the path where a misplaced copy lies by the books, if anywhere."""

    id: UUID
    verdict: ScanVerdict
    label: str
    place: str
    belongs: str | None


class Counting:
    """The acts of a stock-taking. Scans are rows of their own, which tell who scanned what, where and when."""

    def __init__(self, db: Database, guard: Guard, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._clock = clock

    def begin(self, identity: Identity, place_id: UUID) -> UUID:
        """Begin to count a place with all that stands in it; one that was cut off while it began goes on.

        Raises:
            NotFound: no such place.
            NotAllowed: they shelve nothing, or not there.
            StandsAlready: this place is being counted.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            place = self._place(session, identity, place_id)
            row = session.scalar(_going_on(place.id))
            if row is not None and row.state is not StockState.OPENING:
                raise StandsAlready(what="stocktaking", field="place")
            if row is None:
                row = Stocktaking(
                    id=new_id(), place_id=place.id, path=place.path, begun_by=identity.person_id,
                    begun_at=self._clock.now(),
                )  # fmt: skip
                session.add(row)
            work.commit()
        with self._db.reading() as session:
            asked_for = expected(session, self._guard, identity, place)
            there = set(session.scalars(select(StockItem.copy_id).where(StockItem.stocktaking_id == row.id)))
        for some in _batches([each for each in asked_for if each.copy_id not in there]):
            with self._db.writing() as work:
                connection = work.session.connection()
                connection.execute(_FRESH[connection.dialect.name], [_item(row.id, each) for each in some])
                work.commit()
        with self._db.writing() as work:
            kept = work.session.get_one(Stocktaking, row.id)
            if kept.state is not StockState.OPENING:  # another who began it was quicker
                return row.id
            kept.state, kept.version = StockState.OPEN, kept.version + 1
            body = {"where": kept.path, "stocktaking": str(kept.id), "expected": len(asked_for)}
            self._log.note(work.session, identity, "stocktaking.begin", body=body)
            work.commit()
        return row.id

    def going_on(self, identity: Identity, place_id: UUID) -> UUID | None:
        """Return the stock-taking of just this place that goes on. Raises ``NotFound``, ``NotAllowed`` as ``begin``."""
        with self._db.reading() as session:
            row = session.scalar(_going_on(self._place(session, identity, place_id).id))
            return row.id if row else None

    def scan(self, identity: Identity, stocktaking_id: UUID, scans: Sequence[Scan]) -> Sequence[Outcome]:
        """Take scans in their order, each once, and say what each was. What is found is no longer missing.

        Raises:
            NotFound: no such stock-taking.
            NotAllowed: they shelve nothing, or not there.
            Ended: it is closed, or being closed.
            InvalidInput: field ``scans``: more than ``MOST_SCANS``; ``id``: it was used in another stock-taking.
        """
        if len(scans) > MOST_SCANS:
            raise InvalidInput(Fault("scans", "too_many", {"limit": MOST_SCANS, "found": len(scans)}))
        with self._guard.refusals(identity), self._db.reading() as session:
            _, root = self._open(session, identity, stocktaking_id)
            meant = [(each, self._meant(session, identity, each)) for each in scans]
        told: list[Outcome] = []
        for some in _batches(meant, SCANS_TOGETHER):
            with self._db.writing() as work:
                row = work.session.get_one(Stocktaking, stocktaking_id)
                if row.state is not StockState.OPEN:
                    raise Ended(state=row.state.value, act="stocktaking.scan")
                told += [self._taken(work.session, identity, row, root, *each) for each in some]
                work.commit()
        return told

    def close(self, identity: Identity, stocktaking_id: UUID) -> None:
        """Close a stock-taking: say of each copy what became of it. One that was cut off is gone on with.

        Raises:
            NotFound, NotAllowed: as ``scan``.
            Ended: it is closed.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            row, _ = self._open(work.session, identity, stocktaking_id)
            if row.state in {StockState.CLOSED, StockState.OPENING}:
                raise Ended(state=row.state.value, act="stocktaking.close")
            row.state = StockState.CLOSING
            work.commit()
        last: UUID | None = None
        while (last := self._tallied(stocktaking_id, last)) is not None:
            pass
        with self._db.writing() as work:
            session = work.session
            row = session.get_one(Stocktaking, stocktaking_id)
            if row.state is StockState.CLOSED:
                return  # another closed it meanwhile, from the same rows
            row.state, row.version = StockState.CLOSED, row.version + 1
            row.closed_at, row.closed_by = self._clock.now(), identity.person_id
            body = {"where": row.path, "stocktaking": str(row.id), **figures(session, row.id)}
            self._log.note(session, identity, "stocktaking.close", body=body)
            work.commit()

    def _taken(
        self, session: Session, identity: Identity, row: Stocktaking, root: ShelfPlace, scan: Scan, meant: UUID | None
    ) -> Outcome:
        known = session.get(StockScan, scan.id)
        if known is not None:
            if known.stocktaking_id != row.id or known.person_id != identity.person_id:
                raise InvalidInput(Fault("id", "taken"))
            copy = session.get(Copy, known.copy_id) if known.copy_id else None
            place = session.get_one(ShelfPlace, known.place_id)
            return self._told(session, scan.id, known.verdict, scan.text, place, copy)
        place = session.get(ShelfPlace, scan.place_id) or root
        if place.kind not in HOLDERS or not _stands_in(place, root):
            place = root
        copy = self._copy(session, row, place, meant, scan.copy) if meant else None
        verdict = ScanVerdict.UNKNOWN if copy is None else self._count(session, identity, row, place, copy)
        session.add(
            StockScan(
                id=scan.id, stocktaking_id=row.id, at=self._clock.now(), person_id=identity.person_id,
                place_id=place.id, copy_id=copy.id if copy else None, verdict=verdict,
                label=None if copy else scan.text[:LONGEST_LABEL],
            )
        )  # fmt: skip
        session.flush()
        return self._told(session, scan.id, verdict, scan.text, place, copy)

    def _meant(self, session: Session, identity: Identity, scan: Scan) -> UUID | None:
        """Return the record whose number a label bears, of those that this person shelves."""
        held = holders(session, scan.number)
        visible = self._guard.visible(session, identity, Act.SHELVE)
        mine = visible.where(Record.id.in_({each.record_id for each in held})).with_only_columns(Record.id)
        seen = set(session.scalars(mine))
        near = [each for each in held if each.record_id in seen]
        records = {each.record_id for each in near if each.apart == near[0].apart}
        return records.pop() if len(records) == 1 else None

    def _copy(
        self, session: Session, row: Stocktaking, place: ShelfPlace, record_id: UUID, number: int | None
    ) -> Copy | None:
        """Return the copy that a label means.

        Of several, the one that is to lie here and was not scanned yet, else one of this count, else the first.
        """
        query = (
            select(Copy, StockItem)
            .outerjoin(StockItem, and_(StockItem.copy_id == Copy.id, StockItem.stocktaking_id == row.id))
            .where(Copy.record_id == record_id, Copy.withdrawn_at.is_(None))
            .order_by(Copy.number)
        )
        found = [(copy, item) for copy, item in session.execute(query) if number in {None, copy.number}]

        def likeness(each: tuple[Copy, StockItem | None]) -> tuple[bool, bool]:
            copy, item = each
            return (copy.place_id == place.id, item is not None and item.found_at is None)

        return max(found, key=likeness, default=(None, None))[0]

    def _count(
        self, session: Session, identity: Identity, row: Stocktaking, place: ShelfPlace, copy: Copy
    ) -> ScanVerdict:
        item = session.get(StockItem, (row.id, copy.id))
        if item is not None and item.found_at == place.id and item.belonged_at == copy.place_id:
            return ScanVerdict.TWICE
        if item is None:
            item = StockItem(stocktaking_id=row.id, copy_id=copy.id, record_id=copy.record_id, expected=False)
            session.add(item)
        item.found_at, item.belonged_at = place.id, copy.place_id
        end_missing(session, identity, copy, Cause(BlockCause.STOCKTAKING, row.id), self._log, self._clock)
        return ScanVerdict.FOUND if copy.place_id == place.id else ScanVerdict.MISPLACED

    def _told(
        self, session: Session, key: UUID, verdict: ScanVerdict, text: str, place: ShelfPlace, copy: Copy | None
    ) -> Outcome:
        if copy is None:
            return Outcome(key, verdict, text[:LONGEST_LABEL], place.path, None)
        lies = session.get(ShelfPlace, copy.place_id) if copy.place_id else None
        label = f"{number_of(session.get_one(Record, copy.record_id))}*{copy.number}"
        return Outcome(key, verdict, label, place.path, lies.path if lies else None)

    def _tallied(self, stocktaking_id: UUID, last: UUID | None) -> UUID | None:
        """Say of the copies behind ``last`` what became of them; return the last one of them, None when all have."""
        own = StockItem.stocktaking_id == stocktaking_id
        with self._db.writing() as work:
            session = work.session
            behind = select(StockItem.copy_id).where(own, *([StockItem.copy_id > last] if last else []))
            keys = session.scalars(behind.order_by(StockItem.copy_id).limit(ROWS_AT_ONCE)).all()
            if not keys:
                return None
            mine = (own, StockItem.copy_id >= keys[0], StockItem.copy_id <= keys[-1], StockItem.tally.is_(None))
            lies = select(Copy.place_id).where(Copy.id == StockItem.copy_id).scalar_subquery()
            put_right = or_(lies == StockItem.found_at, lies.is_distinct_from(StockItem.belonged_at))
            not_there = and_(StockItem.expected_at.is_not(None), lies == StockItem.expected_at)
            tally = case(
                (and_(StockItem.found_at.is_not(None), put_right), Tally.FOUND.value),
                (StockItem.found_at.is_not(None), Tally.MISPLACED.value),
                (not_there, Tally.MISSING.value),
                else_=Tally.OUT.value,
            )
            session.execute(
                update(StockItem).where(*mine).values(tally=tally).execution_options(synchronize_session=False)
            )
            work.commit()
            return keys[-1]

    def _open(self, session: Session, identity: Identity, stocktaking_id: UUID) -> tuple[Stocktaking, ShelfPlace]:
        self._guard.require_house(session, identity, Act.TAKE_STOCK)
        row = session.get(Stocktaking, stocktaking_id)
        if row is None:
            raise NotFound
        return row, self._place(session, identity, row.place_id)

    def _place(self, session: Session, identity: Identity, place_id: UUID) -> ShelfPlace:
        reach = self._guard.require_house(session, identity, Act.TAKE_STOCK)
        place = session.get(ShelfPlace, place_id)
        if place is None:
            raise NotFound
        if place.strength > ceiling(session, reach) or not is_charged(session, identity, place):
            raise NotAllowed(act=Act.TAKE_STOCK.value)
        return place


def figures(session: Session, stocktaking_id: UUID) -> dict[str, int]:
    """Count a closed stock-taking whole: ``expected``, each of ``Tally``, and ``unknown`` labels. Asks nobody."""
    own = StockItem.stocktaking_id == stocktaking_id
    by_tally = dict(session.execute(select(StockItem.tally, func.count()).where(own).group_by(StockItem.tally)).all())
    asked_for = session.scalar(select(func.count()).select_from(StockItem).where(own, StockItem.expected)) or 0
    counts = {tally.value: by_tally.get(tally, 0) for tally in Tally}
    return {
        "expected": asked_for,
        **counts,
        "unknown": unknown_labels(session, [stocktaking_id]).get(stocktaking_id, 0),
    }


def unknown_labels(session: Session, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Count the labels of stock-takings that nobody could place, each once; where there are none, nothing is said."""
    counted = select(StockScan.stocktaking_id, func.count(StockScan.label.distinct())).where(
        StockScan.stocktaking_id.in_(ids), StockScan.verdict == ScanVerdict.UNKNOWN
    )
    return dict(session.execute(counted.group_by(StockScan.stocktaking_id)).all())


def _going_on(place_id: UUID) -> Select[Stocktaking]:
    return select(Stocktaking).where(Stocktaking.place_id == place_id, Stocktaking.state != StockState.CLOSED)


def _item(stocktaking_id: UUID, each: Expected) -> dict[str, Any]:
    return {
        "stocktaking_id": stocktaking_id,
        "copy_id": each.copy_id,
        "record_id": each.record_id,
        "expected": True,
        "expected_at": each.place_id,
    }


def _stands_in(place: ShelfPlace, root: ShelfPlace) -> bool:
    return place.id == root.id or place.path.startswith(f"{root.path}-")


def _batches(rows: Sequence[T], most: int = ROWS_AT_ONCE) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, most)):
        yield some
