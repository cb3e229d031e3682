"""The order of a dossier's items as rows: read whole, changed as a list, written as positions 1 to n without gap.

A person changes the order of what they see. Items that are hidden from them keep their places among the others.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from archive.database import Base
from archive.model import RecordState

_TABLE = Base.metadata.tables["record"]
_ROWS = (
    select(_TABLE.c.id, _TABLE.c.volume, _TABLE.c.state != RecordState.PROVISIONAL, _TABLE.c.position)
    .where(_TABLE.c.dossier_id == bindparam("dossier"))
    .order_by(_TABLE.c.position)
    .with_for_update()
)
_PLACE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("key"))
    .values(position=bindparam("to_position"), volume=bindparam("to_volume"))
)
_LIES = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("key"))
    .values(
        dossier_id=bindparam("to_dossier"),
        position=bindparam("to_position"),
        volume=bindparam("to_volume"),
        version=_TABLE.c.version + 1,
    )
)

_RUNS = 40
"""So many runs of neighbours are moved by one statement; more are written row by row."""

_TOUCH = update(_TABLE).where(_TABLE.c.id == bindparam("key")).values(version=_TABLE.c.version + 1)


class Placed(NamedTuple):
    """An item where it lies; ``volume`` None: not divided, or to be taken from what stands before it.

    A tuple: a dossier may hold thousands, all made anew while others wait to write.
    """

    id: UUID
    volume: int | None
    filed: bool = False
    position: int | None = None


def placed(session: Session, dossier_id: UUID) -> list[Placed]:
    """Return all items of a dossier in order, hidden ones too, and hold them."""
    rows = session.connection().execute(_ROWS, {"dossier": dossier_id})
    return [Placed(*row) for row in rows]


def write(session: Session, dossier_id: UUID, before: Sequence[Placed], after: Sequence[Placed]) -> None:
    """Write an order of a dossier's items: those that change, and those that are new in it.

    Who is in ``before`` alone is not written: the caller lays it elsewhere.
    """
    stood = {item.id: (item.position, item.volume) for item in before}
    now = settled(after)
    changed = [item for item in now if item.id in stood and stood[item.id] != (item.position, item.volume)]
    runs = _runs([(stood[item.id][0] or 0, item.position or 0) for item in changed])
    if len(runs) < min(_RUNS, len(changed)) and all(stood[item.id][1] == item.volume for item in changed):
        here = _TABLE.c.position
        moves = [(here.between(first, last), here + by) for first, last, by in runs]
        line = and_(_TABLE.c.dossier_id == dossier_id, or_(*(moved for moved, _ in moves)))
        session.connection().execute(update(_TABLE).where(line).values(position=case(*moves, else_=here)))
    elif changed:
        rows = [{"key": item.id, "to_position": item.position, "to_volume": item.volume} for item in changed]
        session.connection().execute(_PLACE, rows)
    # last: what is new must not move on with what it was put before
    lay(session, dossier_id, [item for item in now if item.id not in stood])


def _runs(moves: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return moves from place to place as runs of neighbours that move alike: first, last, by how much."""
    runs: list[tuple[int, int, int]] = []
    for was, to in sorted(moves):
        if runs and runs[-1][1] == was - 1 and runs[-1][2] == to - was:
            runs[-1] = (runs[-1][0], was, to - was)
        else:
            runs.append((was, was, to - was))
    return runs


def lay(session: Session, dossier_id: UUID | None, items: Iterable[Placed]) -> None:
    """Write which dossier items lie in, and where; None: in none."""
    rows = [
        {"key": each.id, "to_dossier": dossier_id, "to_position": each.position, "to_volume": each.volume}
        if dossier_id
        else {"key": each.id, "to_dossier": None, "to_position": None, "to_volume": None}
        for each in items
    ]
    if rows:
        session.connection().execute(_LIES, rows)


def close_up(session: Session, dossier_id: UUID, item_id: UUID) -> None:
    """Close the gap that an item will leave in its dossier; the caller takes it out."""
    close_gaps(session, dossier_id, {item_id})


def close_gaps(session: Session, dossier_id: UUID, leaving: Collection[UUID]) -> None:
    """Close the gaps that items will leave in their dossier; the caller takes them out."""
    before = placed(session, dossier_id)
    write(session, dossier_id, before, [item for item in before if item.id not in leaving])
    session.connection().execute(_TOUCH, {"key": dossier_id})


def settled(items: Sequence[Placed]) -> list[Placed]:
    """Return items numbered from 1 in their order; volumes never fall, are counted from 1, and one alone is none."""
    following = next((item.volume for item in items if item.volume is not None), None)
    if following is None:
        return [Placed(item.id, None, item.filed, at) for at, item in enumerate(items, 1)]
    volumes: list[int] = []
    for item in items:
        following = max(following, item.volume) if item.volume is not None and volumes else following
        volumes.append(following)
    counted = {volume: n for n, volume in enumerate(dict.fromkeys(volumes), 1)}
    divided = len(counted) > 1
    return [
        Placed(item.id, counted[volume] if divided else None, item.filed, at)
        for at, (item, volume) in enumerate(zip(items, volumes, strict=True), 1)
    ]


def reordered(items: Sequence[Placed], wanted: Sequence[UUID]) -> list[Placed]:
    """Return all items with those that a person sees in the order that they want: each hidden one stays in its place.

    An item that was moved lies in the volume of what it was moved behind.
    """
    seen = set(wanted)
    old = {item.id: item for item in items}
    stood = {key: at for at, key in enumerate(key for key in old if key in seen)}
    steady = _steady([stood[key] for key in wanted])
    moved = {key for key in wanted if stood[key] not in steady}
    line = iter(wanted)
    laid = [next(line) if item.id in seen else item.id for item in items]
    return [Placed(key, None, old[key].filed) if key in moved else old[key] for key in laid]


def placed_at(before: Sequence[UUID], places: Mapping[UUID, int]) -> list[UUID]:
    """Return ids with some put at their places (from 1, the least first); the others fill what is left in their order.

    A place behind the last means the last.
    """
    rest = iter([key for key in before if key not in places])
    asked = sorted(places, key=lambda key: places[key])
    found: list[UUID] = []
    for key in asked:
        while len(found) < places[key] - 1:
            other = next(rest, None)
            if other is None:
                break
            found.append(other)
        found.append(key)
    return [*found, *rest]


def put_back(
    items: Sequence[Placed], back: Sequence[Placed], stood: Mapping[UUID, tuple[int, int]], *, floor: int = 0
) -> list[Placed]:
    """Return items with others put back among them where they stood: each behind what stood before it.

    ``stood`` says of each that was moved away how many others stood before it, and its place among the moved. What came
    in behind since stays behind; nothing is put before the place ``floor``.
    """
    laid = list(items)
    places: list[tuple[int, int]] = []
    others = 0
    for item in items:
        others += item.id not in stood
        places.append(stood.get(item.id, (others, -1)))
    for item in back:
        mine = stood[item.id]
        at = max(floor, next((n for n, place in enumerate(places) if place > mine), len(laid)))
        laid.insert(at, item)
        places.insert(at, mine)
    return laid


def moved_among(before: Sequence[UUID], after: Sequence[UUID]) -> list[UUID]:
    """Return the fewest items whose moving turns one order into the other."""
    stood = {key: at for at, key in enumerate(before)}
    steady = _steady([stood[key] for key in after])
    return [key for key in after if stood[key] not in steady]


def merged(mine: Sequence[UUID], now: Sequence[UUID]) -> list[UUID]:
    """Return what lies there now in the order that someone had made of what lay there before.

    What is new stays behind what it is behind now; what is gone is left out.
    """
    there = set(now)
    known = set(mine)
    after: dict[UUID | None, list[UUID]] = {}
    last: UUID | None = None
    for key in now:
        if key in known:
            last = key
        else:
            after.setdefault(last, []).append(key)
    found = list(after.get(None, ()))
    for key in mine:
        if key in there:
            found += [key, *after.get(key, ())]
    return found


def _steady(places: Sequence[int]) -> set[int]:
    """Return one longest rising part of the places: those need not move."""
    ends: list[int] = []
    at_end: list[int] = []
    before: list[int | None] = []
    for at, value in enumerate(places):
        length = bisect_left(ends, value)
        before.append(at_end[length - 1] if length else None)
        if length == len(ends):
            ends.append(value)
            at_end.append(at)
        else:
            ends[length] = value
            at_end[length] = at
    kept: set[int] = set()
    step = at_end[-1] if at_end else None
    while step is not None:
        kept.add(places[step])
        step = before[step]
    return kept
