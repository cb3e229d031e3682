"""Pairs of records that may be the same: found when one of them changes, and why they are one.

Kept as rows, so that a list of what waits for a decision asks no question of every record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Column, Select, and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from archive.database import Base
from archive.model import AlikeRecord, NotTheSame

MOST_MET = 20
"""Others that a record is paired with for each reason: the newest. A form that lies here a thousand times is one thing
to decide on, not half a million."""


_RECORD, _ALIKE, _TEXT, _CONTENT = (
    Base.metadata.tables[name] for name in ("record", "alike_record", "alike_text", "content")
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_TOUCHING = select(_ALIKE.c.record_id, _ALIKE.c.other_id).where(
    or_(_ALIKE.c.record_id.in_(_IDS), _ALIKE.c.other_id.in_(_IDS))
)
_DESCRIBED = select(
    *(_RECORD.c[name] for name in ("id", "fonds_id", "title_key", "document_key", "drawn_up", "drawn_from", "drawn_to"))
).where(_RECORD.c.id.in_(_IDS))
_CONTENTS = select(_CONTENT.c.id, _CONTENT.c.record_id, _CONTENT.c.plain_sha256).where(
    _CONTENT.c.record_id.in_(_IDS), _CONTENT.c.plain_sha256.is_not(None)
)
_TEXTS = select(_TEXT.c.record_id, _TEXT.c.other_record_id, _TEXT.c.percent, _TEXT.c.same).where(
    _TEXT.c.record_id.in_(_IDS)
)
"""Built once: that takes longer than asking."""


class Why(StrEnum):
    """Why two records may be the same, the strongest reason first."""

    SAME_BYTES = "same_bytes"
    SAME_TEXT = "same_text"
    NEAR_TEXT = "near_text"
    DOCUMENT_NUMBER = "document_number"
    TITLE_AND_DATE = "title_and_date"


_ORDER = list(Why)


@dataclass(frozen=True)
class Reason:
    """One reason; ``percent`` tells how much of a near text is in common, None with other reasons."""

    why: Why
    percent: int | None = None

    @property
    def strength(self) -> tuple[int, int]:
        """Sorts the strongest first."""
        return _ORDER.index(self.why), -(self.percent or 0)


Pair = tuple[UUID, UUID]
"""Two records, the newer first."""


def pair(one: UUID, other: UUID) -> Pair:
    """Return two records as a pair."""
    return max(one, other), min(one, other)


def meet(session: Session, ids: Collection[UUID]) -> None:
    """Bring the pairs of these records up to what stands now, in the caller's transaction.

    Call it when records, their contents or what is known of their texts changed; flush before.
    """
    ids = set(ids)
    stands = {pair(*row) for row in session.connection().execute(_TOUCHING, {"ids": list(ids)})}
    gone = stands - reasons_of(session, stands).keys()
    for newer, older in gone:
        part(session, newer, older)
    found = {pair(one, other) for one, other in _met(session, ids) if one != other} - stands
    apart = select(NotTheSame.record_id, NotTheSame.other_id).where(NotTheSame.record_id.in_(ids))
    _pair(session, found - {pair(*row) for row in session.execute(apart)} if found else found)


def meet_new(session: Session, described: Collection[Mapping[str, Any]]) -> None:
    """As ``meet`` for records that were just written, by their rows: they have no files and no pairs yet."""
    rows = [SimpleNamespace(**row) for row in described]
    _pair(session, {pair(one, other) for one, other in _alike(session, rows) if one != other})


def _pair(session: Session, new: Collection[Pair]) -> None:
    if new:
        session.execute(insert(AlikeRecord), [{"record_id": a, "other_id": b} for a, b in sorted(new)])


def part(session: Session, one: UUID, other: UUID) -> None:
    """Remove the pair of two records, in the caller's transaction."""
    newer, older = pair(one, other)
    where = and_(AlikeRecord.record_id == newer, AlikeRecord.other_id == older)
    session.execute(delete(AlikeRecord).where(where).execution_options(synchronize_session=False))


def reasons_of(session: Session, pairs: Collection[Pair]) -> Mapping[Pair, tuple[Reason, ...]]:
    """Return why these pairs may be the same now, the strongest reason first; without those that no reason holds."""
    ids = {key for each in pairs for key in each}
    if not ids:
        return {}
    connection, asked = session.connection(), {"ids": list(ids)}
    described = {row.id: row for row in connection.execute(_DESCRIBED, asked)}
    sums: dict[UUID, set[str | None]] = defaultdict(set)
    for _, key, digest in connection.execute(_CONTENTS, asked):
        sums[key].add(digest)
    texts: dict[Pair, Reason] = {}
    for one, other, percent, same in connection.execute(_TEXTS, asked):
        reason = Reason(Why.SAME_TEXT) if same else Reason(Why.NEAR_TEXT, percent)
        two = pair(one, other)
        texts[two] = min(texts.get(two, reason), reason, key=lambda known: known.strength)
    found: dict[Pair, tuple[Reason, ...]] = {}
    for each in pairs:
        newer, older = described.get(each[0]), described.get(each[1])
        reasons = [Reason(Why.SAME_BYTES)] if sums[each[0]] & sums[each[1]] else []
        reasons += [texts[each]] if each in texts else []
        if newer and older:
            reasons += [Reason(why) for why, key_of in KEYS.items() if key_of(newer) and key_of(newer) == key_of(older)]
        if reasons:
            found[each] = tuple(reasons)
    return found


def _document(row: Any) -> Any:
    return row.document_key


def _title_and_day(row: Any) -> Any:
    whole = row.title_key and row.drawn_from and row.drawn_from == row.drawn_to
    return (row.fonds_id, row.title_key, row.drawn_up) if whole else None


KEYS = {Why.DOCUMENT_NUMBER: _document, Why.TITLE_AND_DATE: _title_and_day}
"""What two records have alike for a reason that needs no file; None: nothing to compare."""


def _met(session: Session, ids: Collection[UUID]) -> Iterator[Pair]:
    """Yield each of these records with others that may be the same."""
    connection, asked = session.connection(), {"ids": list(ids)}
    rows = connection.execute(_DESCRIBED, asked).all()
    yield from _alike(session, rows)
    held = connection.execute(_CONTENTS, asked).all()
    owners = {row.id: row.record_id for row in held}
    sums = {row.id: row.plain_sha256 for row in held}
    for content, other in _sharing(session, sums, _SAME_BYTES):
        yield owners[content], other
    for one, other, *_ in connection.execute(_TEXTS, asked):
        yield one, other


def _alike(session: Session, rows: Collection[Any]) -> Iterator[Pair]:
    """Yield records with others of the same document number, or of the same title and day."""
    yield from _sharing(session, {row.id: row.document_key for row in rows if row.document_key}, _SAME_NUMBER)
    if dated := [row.id for row in rows if _title_and_day(row)]:
        pairs: Any = session.connection().execute(_SAME_TITLE_AND_DAY, {"ids": dated})
        yield from pairs


def _same_title_and_day() -> Select[Any]:
    """Return a query for each record with the newest of the same title and day: a join, for the index' sake.

    SQLite answers ``(a, b, c) IN …`` by reading every record.
    """
    mine, other = _RECORD.alias("mine"), _RECORD.alias("other")
    same = and_(*(mine.c[name] == other.c[name] for name in ("fonds_id", "title_key", "drawn_up")))
    place = func.row_number().over(partition_by=mine.c.id, order_by=other.c.id.desc()).label("place")
    columns = (mine.c.id.label("one"), other.c.id.label("other"), place)
    some = select(*columns).join(other, same).where(mine.c.id.in_(_IDS), other.c.id != mine.c.id).subquery()
    return select(some.c.one, some.c.other).where(some.c.place <= MOST_MET)


def _newest_with(whose: Column[Any], column: Column[Any]) -> Select[Any]:
    """Return a query for the newest records that have one of some values in ``column``."""
    place = func.row_number().over(partition_by=column, order_by=whose.desc()).label("place")
    some = select(whose.label("whose"), column.label("value"), place)
    some_of = some.where(column.in_(bindparam("values", expanding=True))).subquery()
    return select(some_of.c.whose, some_of.c.value).where(some_of.c.place <= MOST_MET + 1)


_SAME_TITLE_AND_DAY = _same_title_and_day()
_SAME_NUMBER = _newest_with(_RECORD.c.id, _RECORD.c.document_key)
_SAME_BYTES = _newest_with(_CONTENT.c.record_id, _CONTENT.c.plain_sha256)


def _sharing(session: Session, mine: Mapping[UUID, str | None], newest: Select[Any]) -> Iterator[Pair]:
    """Yield each key of ``mine`` with the newest records that have the same value."""
    if not mine:
        return
    sharing: dict[str, list[UUID]] = defaultdict(list)
    for key, value in session.connection().execute(newest, {"values": list(set(mine.values()))}):
        sharing[value].append(key)
    for key, value in mine.items():
        for other in sharing[value or ""]:
            yield key, other
