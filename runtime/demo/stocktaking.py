"""Counts and checks of the demonstration: a stock-taking that is over, with faults; one going on; rules of checks."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select

from archive.checking import Findings
from archive.identity import Identity
from archive.model import Copy, Record, ShelfKind, ShelfPlace, StockItem, Stocktaking
from archive.stocktaking.counting import MOST_SCANS, Scan
from runtime.wiring.parts import Parts

LEAST = 3
"""Papers that a shelf holds at least, to be worth counting."""

COUNTER = "archivist"


def count_shelves(parts: Parts) -> None:
    """Count two shelves as the archivist would. Does nothing where stock was taken, or no shelf holds enough."""
    with parts.db.reading() as session:
        if session.scalar(select(func.count()).select_from(Stocktaking)):
            return
    who = parts.people.identity_of(COUNTER)
    shelves = _shelves(parts)
    if shelves:
        over = parts.stock.counting.begin(who, shelves[0])
        labels, boxes = _labels(parts, over), _boxes(parts, shelves[0])
        if len(labels) >= LEAST and len(boxes) > 1:
            (wrong, box), *right = labels[1:]
            elsewhere = next(each for each in boxes if each != box)
            _scan(parts, who, over, [*right, (wrong, elsewhere)])
        parts.stock.counting.close(who, over)
        parts.stock.following.mark_missing(who, over)
    if len(shelves) > 1:
        going_on = parts.stock.counting.begin(who, shelves[1])
        labels = _labels(parts, going_on)
        _scan(parts, who, going_on, labels[: len(labels) // 2])


def plan_checks(parts: Parts) -> None:
    """Have a fifth of the papers checked every two years, those of level 3 each month, and check one. Once only."""
    who = parts.people.identity_of(COUNTER)
    if parts.checks.rules(who):
        return
    parts.checks.set_rule(who, None, None, 24, 20)
    parts.checks.set_rule(who, 3, None, 1, 100)
    for _check, record in parts.checks.due(who, until=date.max, limit=1):
        remark = "封底脱落，已粘好；其余与著录相符"
        found = Findings(label_ok=True, number_ok=True, state_ok=False, description_ok=True, remark=remark)
        parts.checks.check(who, record.id, found)


def _shelves(parts: Parts) -> Sequence[UUID]:
    """Return the shelves whose boxes hold enough, the fullest first."""
    held = (
        select(ShelfPlace.parent_id)
        .join(Copy, Copy.place_id == ShelfPlace.id)
        .where(ShelfPlace.kind == ShelfKind.BOX)
        .group_by(ShelfPlace.parent_id)
        .having(func.count() >= LEAST)
        .order_by(func.count().desc(), ShelfPlace.parent_id)
        .limit(2)
    )
    with parts.db.reading() as session:
        return [key for key in session.scalars(held) if key is not None]


def _boxes(parts: Parts, shelf: UUID) -> Sequence[UUID]:
    with parts.db.reading() as session:
        return session.scalars(
            select(ShelfPlace.id).where(ShelfPlace.parent_id == shelf).order_by(ShelfPlace.path)
        ).all()


def _labels(parts: Parts, stocktaking_id: UUID) -> list[tuple[str, UUID]]:
    """Return the numbers that are expected, each with its place."""
    query = (
        select(Record.archive_number, StockItem.expected_at)
        .join(StockItem, StockItem.record_id == Record.id)
        .where(StockItem.stocktaking_id == stocktaking_id, StockItem.expected_at.is_not(None))
        .order_by(Record.archive_number)
    )
    with parts.db.reading() as session:
        return [(number, place) for number, place in session.execute(query) if number and place]


def _scan(parts: Parts, who: Identity, stocktaking_id: UUID, labels: Sequence[tuple[str, UUID]]) -> None:
    for at in range(0, len(labels), MOST_SCANS):
        scans = [Scan(uuid4(), place, number, number) for number, place in labels[at : at + MOST_SCANS]]
        parts.stock.counting.scan(who, stocktaking_id, scans)
