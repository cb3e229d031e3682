"""What a stock-taking expects at a place, and what is out from there by a noted act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from archive.identity import Identity
from archive.model import Copy, CopyMove, Record, ShelfPlace
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.shelving.rules import within


@dataclass(frozen=True)
class Expected:
    """A copy that a count asks for: where it lies by the books, or None: it is out from there."""

    copy_id: UUID
    record_id: UUID
    place_id: UUID | None


def expected(session: Session, guard: Guard, identity: Identity, place: ShelfPlace) -> Sequence[Expected]:
    """Return the copies of a place and of all that stands in it that this person may shelve, lying there or out."""
    places = select(ShelfPlace.id).where(within(place))
    mine = (
        guard.visible(session, identity, Act.SHELVE)
        .join(Copy, Copy.record_id == Record.id)
        .with_only_columns(Copy.id, Record.id, Copy.place_id)
    )
    lying = session.execute(mine.where(Copy.place_id.in_(places))).all()
    out = session.execute(mine.where(is_out_from(places))).all()
    return [Expected(*row) for row in (*lying, *out)]


def is_out_from(places: Select[Any]) -> ColumnElement[bool]:
    """Return the condition that a copy is lawfully out, and lay in one of ``places`` before.

    This is the one place that knows what "out" is: today a copy that is noted to be with someone. What lends papers
    hands them out by the same note, so that a loan needs nothing here.
    """
    last = (
        select(CopyMove.from_id)
        .where(CopyMove.copy_id == Copy.id, CopyMove.from_id.is_not(None))
        .order_by(CopyMove.at.desc(), CopyMove.id.desc())
        .limit(1)
        .correlate(Copy)
        .scalar_subquery()
    )
    return Copy.holder_id.is_not(None) & last.in_(places)
