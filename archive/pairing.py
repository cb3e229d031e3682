"""Pairs of records that may be the same: found when one of them changes, and why they are one.

Kept as rows, so that a list of what waits for a decision asks no question of every record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select, tuple_
from sqlalchemy.orm import Session

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

_COLUMNS: Mapping[Why, Sequence[Any]] = {
    Why.DOCUMENT_NUMBER: (Record.document_key,),
    Why.TITLE_AND_DATE: (Record.fonds_id, Record.title_key, Record.drawn_up),
}


def _described() -> Any:
    columns = (Record.fonds_id, Record.title_key, Record.document_key)
    return select(Record.id, *columns, Record.drawn_up, Record.drawn_from, Record.drawn_to)


def _touching(ids: Collection[UUID]) -> Any:
    where = or_(AlikeRecord.record_id.in_(ids), AlikeRecord.other_id.in_(ids))
    return select(AlikeRecord.record_id, AlikeRecord.other_id).where(where)


def _met(session: Session, ids: Collection[UUID]) -> Iterator[Pair]:
    """Yield each of these records with others that may be the same."""
    rows = session.execute(_described().where(Record.id.in_(ids))).all()
    for why, key_of in KEYS.items():
        mine = {row.id: key for row in rows if (key := key_of(row))}
        yield from _sharing(session, mine, Record.id, _COLUMNS[why])
    contents = select(Content.id, Content.record_id, Content.plain_sha256).where(Content.record_id.in_(ids))
    held = session.execute(contents.where(Content.plain_sha256.is_not(None))).all()
    owners = {row.id: row.record_id for row in held}
    sums = {row.id: row.plain_sha256 for row in held}
    for content, other in _sharing(session, sums, Content.record_id, (Content.plain_sha256,)):
        yield owners[content], other
    texts = select(AlikeText.record_id, AlikeText.other_record_id).where(AlikeText.record_id.in_(ids))
    for one, other in session.execute(texts):
        yield one, other


def _sharing(
    session: Session, mine: Mapping[UUID, Any], whose: Any, columns: Sequence[Any]
) -> Iterator[tuple[UUID, UUID]]:
    """Yield each key of ``mine`` with the newest records that have the same values in ``columns``."""
    if not mine:
        return
    wanted = set(mine.values())
    among = tuple_(*columns).in_(wanted) if len(columns) > 1 else columns[0].in_(wanted)
    place = func.row_number().over(partition_by=columns, order_by=whose.desc()).label("place")
    some = select(whose.label("whose"), *columns, place).where(among).subquery()
    by_value: dict[Any, list[UUID]] = defaultdict(list)
    for key, *values, _ in session.execute(select(some).where(some.c.place <= MOST_MET + 1)):
        by_value[tuple(values) if len(columns) > 1 else values[0]].append(key)
    for key, value in mine.items():
        for other in by_value[value]:
            yield key, other
