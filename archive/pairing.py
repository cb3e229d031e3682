"""Pairs of records that may be the same: found when one of them changes, and why they are one.

Kept as rows, so that a list of what waits for a decision asks no question of every record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select
from sqlalchemy.orm import Session, aliased

from archive.model import AlikeRecord, AlikeText, Content, NotTheSame, Record

MOST_MET = 20
"""Others that a record is paired with for each reason: the newest. A form that lies here a thousand times is one thing
to decide on, not half a million."""


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
    stands = {pair(*row) for row in session.execute(_touching(ids))}
    gone = stands - reasons_of(session, stands).keys()
    for newer, older in gone:
        part(session, newer, older)
    found = {pair(one, other) for one, other in _met(session, ids) if one != other} - stands
    apart = select(NotTheSame.record_id, NotTheSame.other_id).where(NotTheSame.record_id.in_(ids))
    new = found - {pair(*row) for row in session.execute(apart)} if found else found
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
    described = {row.id: row for row in session.execute(_described().where(Record.id.in_(ids)))}
    sums: dict[UUID, set[str | None]] = defaultdict(set)
    contents = select(Content.record_id, Content.plain_sha256).where(Content.record_id.in_(ids))
    for key, digest in session.execute(contents.where(Content.plain_sha256.is_not(None))):
        sums[key].add(digest)
    texts: dict[Pair, Reason] = {}
    alike = select(AlikeText.record_id, AlikeText.other_record_id, AlikeText.percent, AlikeText.same)
    for one, other, percent, same in session.execute(alike.where(AlikeText.record_id.in_(ids))):
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


def _described() -> Any:
    columns = (Record.fonds_id, Record.title_key, Record.document_key)
    return select(Record.id, *columns, Record.drawn_up, Record.drawn_from, Record.drawn_to)


def _touching(ids: Collection[UUID]) -> Any:
    where = or_(AlikeRecord.record_id.in_(ids), AlikeRecord.other_id.in_(ids))
    return select(AlikeRecord.record_id, AlikeRecord.other_id).where(where)


def _met(session: Session, ids: Collection[UUID]) -> Iterator[Pair]:
    """Yield each of these records with others that may be the same."""
    rows = session.execute(_described().where(Record.id.in_(ids))).all()
    numbers = {row.id: row.document_key for row in rows if row.document_key}
    yield from _sharing(session, numbers, Record.id, Record.document_key)
    yield from session.execute(_same_title_and_day({row.id for row in rows if _title_and_day(row)}))
    contents = select(Content.id, Content.record_id, Content.plain_sha256).where(Content.record_id.in_(ids))
    held = session.execute(contents.where(Content.plain_sha256.is_not(None))).all()
    owners = {row.id: row.record_id for row in held}
    sums = {row.id: row.plain_sha256 for row in held}
    for content, other in _sharing(session, sums, Content.record_id, Content.plain_sha256):
        yield owners[content], other
    texts = select(AlikeText.record_id, AlikeText.other_record_id).where(AlikeText.record_id.in_(ids))
    for one, other in session.execute(texts):
        yield one, other


def _same_title_and_day(ids: Collection[UUID]) -> Any:
    """Return a query for each of these with the newest of the same title and day: a join, for the index' sake.

    SQLite answers ``(a, b, c) IN …`` by reading every record.
    """
    mine, other = aliased(Record), aliased(Record)
    same = and_(*(getattr(mine, name) == getattr(other, name) for name in ("fonds_id", "title_key", "drawn_up")))
    place = func.row_number().over(partition_by=mine.id, order_by=other.id.desc()).label("place")
    columns = (mine.id.label("one"), other.id.label("other"), place)
    some = select(*columns).join(other, same).where(mine.id.in_(ids), other.id != mine.id).subquery()
    return select(some.c.one, some.c.other).where(some.c.place <= MOST_MET)


def _sharing(session: Session, mine: Mapping[UUID, str | None], whose: Any, column: Any) -> Iterator[Pair]:
    """Yield each key of ``mine`` with the newest records that have the same value in ``column``."""
    if not mine:
        return
    place = func.row_number().over(partition_by=column, order_by=whose.desc()).label("place")
    some = select(whose.label("whose"), column.label("value"), place).where(column.in_(set(mine.values()))).subquery()
    sharing: dict[str, list[UUID]] = defaultdict(list)
    for key, value in session.execute(select(some.c.whose, some.c.value).where(some.c.place <= MOST_MET + 1)):
        sharing[value].append(key)
    for key, value in mine.items():
        for other in sharing[value or ""]:
            yield key, other
