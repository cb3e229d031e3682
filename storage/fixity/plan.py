"""Whose turn it is to be checked: every object once in a period, spread over its days, the oldest check first.

An object's turn is the moment it was checked last, or came; a moment that lies in the future (the clock was wrong) and
a bad finding put it first. A day's share is the number of objects by the days of the period; what would pass the period
before the next day comes is added to it, so that no arrival of many, no standstill and no clock makes an object wait
longer than the period while the checks run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, literal, or_, select
from sqlalchemy.orm import Session

from archive.database import Moment
from archive.model import Content, ContentState, Fixity

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
STORED = (Content.state != ContentState.RECEIVING, Content.store_version.is_not(None))


@dataclass(frozen=True)
class Turn:
    """An object whose turn comes; ``turn`` is when it was checked last, or came (1970: it is to be checked first)."""

    id: UUID
    record_id: UUID
    object_key: str
    store_version: str | None
    cipher_size: int | None
    cipher_sha256: str | None
    fixity: Fixity | None
    turn: datetime


def share(total: int, days: int) -> int:
    """Return how many of all objects are looked at each day."""
    return -(-total // days)


def due_before(began: datetime, days: int) -> datetime:
    """Return the moment such that what was checked before it would pass the period by the next day's run."""
    return began - (days - 1) * DAY


def turn_at(now: datetime) -> ColumnElement[datetime]:
    """Return the expression of an object's turn, seen at ``now``."""
    last = func.coalesce(Content.checked_at, Content.created_at, type_=Moment())
    first = or_(last > literal(now, Moment()), Content.fixity != Fixity.WHOLE)
    return case((first, literal(FIRST, Moment())), else_=last)


def count(session: Session) -> int:
    """Return how many objects there are to check."""
    return session.scalar(select(func.count()).select_from(Content).where(*STORED)) or 0


def next_turns(session: Session, began: datetime, now: datetime, limit: int) -> Sequence[Turn]:
    """Return the objects that come next in a run that began at ``began``, without those it has looked at."""
    turn = turn_at(now)
    seen = (Content.checked_at.is_(None), Content.checked_at < began, Content.checked_at > now)
    query = _turns(turn).where(or_(*seen))
    return [Turn(*row) for row in session.execute(query.order_by(turn, Content.id).limit(limit))]


def turns_of(session: Session, content_id: UUID) -> Sequence[Turn]:
    """Return one object as the one whose turn it is; none where it is gone."""
    query = _turns(literal(FIRST, Moment())).where(Content.id == content_id)
    return [Turn(*row) for row in session.execute(query)]


def _turns(turn: ColumnElement[datetime]) -> Any:
    return select(
        Content.id,
        Content.record_id,
        Content.object_key,
        Content.store_version,
        Content.cipher_size,
        Content.cipher_sha256,
        Content.fixity,
        turn,
    ).where(*STORED)
