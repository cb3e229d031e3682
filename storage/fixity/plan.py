"""Whose turn it is to be checked: every object once in a period, spread over its days, the oldest check first.

Objects are those of contents and of attachments.

An object's turn is the moment it was checked last, or came; a moment that lies in the future (the clock was wrong) and
a bad finding put it first. A day's share is the number of objects by the days of the period; what would pass the period
before the next day comes is added to it, so that no arrival of many, no standstill and no clock makes an object wait
longer than the period while the checks run.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from archive.database import Moment
from archive.database.bounded import count_up_to
from archive.model import Attachment, Content, ContentState, Fixity

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


HELD: Sequence[tuple[type[Content] | type[Attachment], ColumnElement[bool]]] = (
    (Content, and_(Content.store_version.is_not(None), Content.state != ContentState.RECEIVING)),
    (Attachment, Attachment.store_version.is_not(None)),
)
"""What is to be whole, table by table: what is asked of one goes along its index."""


def _of(table: type[Content] | type[Attachment], held: ColumnElement[bool]) -> Any:
    columns = (table.id, table.record_id, table.object_key, table.store_version, table.cipher_size)
    more = (table.cipher_sha256, table.fixity, table.checked_at, table.created_at)
    return select(*columns, *more).where(held)


STORED = union_all(*(_of(table, held) for table, held in HELD)).subquery("stored").c
"""Every object that is to be whole: the columns of contents and attachments that a check needs."""


@dataclass(frozen=True)
class Turn:
    """An object whose turn comes; ``turn`` is when it was checked last, or came (1970: it is to be checked first)."""

    id: UUID
    record_id: UUID | None
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
    last = func.coalesce(STORED.checked_at, STORED.created_at, type_=Moment())
    first = or_(last > literal(now, Moment()), STORED.fixity != Fixity.WHOLE)
    return case((first, literal(FIRST, Moment())), else_=last)


def count(session: Session) -> int:
    """Return how many objects there are to check."""
    return session.scalar(select(func.count(STORED.id))) or 0


def held_up_to(session: Session, most: int, *, since: datetime | None = None, until: datetime | None = None) -> int:
    """Return how many objects there are, or were checked behind one moment up to another, at most ``most`` + 1."""
    found = 0
    for table, held in HELD:
        query = select(table.id).where(held)
        if since is not None and until is not None:
            query = query.where(table.checked_at > since, table.checked_at <= until)
        found += count_up_to(session, query, most)
    return min(found, most + 1)


def waiting_longest(session: Session) -> datetime | None:
    """Return when the object was checked, or came, that was not looked at for longest; None: there is none."""
    found: list[datetime] = []
    for table, held in HELD:
        checked = select(table.checked_at).where(held, table.checked_at.is_not(None)).order_by(table.checked_at)
        never = select(table.created_at).where(held, table.checked_at.is_(None))
        never = never.order_by(table.checked_at, table.created_at)  # as the index is ordered: nothing is sorted
        found += [each for query in (checked, never) if (each := session.scalar(query.limit(1))) is not None]
    return min(found, default=None)


def next_turns(session: Session, began: datetime, now: datetime, limit: int) -> Sequence[Turn]:
    """Return the objects that come next in a run that began at ``began``, without those it has looked at."""
    turn = turn_at(now)
    seen = (STORED.checked_at.is_(None), STORED.checked_at < began, STORED.checked_at > now)
    query = _turns(turn).where(or_(*seen))
    return [Turn(*row) for row in session.execute(query.order_by(turn, STORED.id).limit(limit))]


def turns_of(session: Session, ids: Collection[UUID] | Select[Any]) -> Sequence[Turn]:
    """Return objects as those whose turn it is, by id; what is gone is left out."""
    query = _turns(literal(FIRST, Moment())).where(STORED.id.in_(ids)).order_by(STORED.id)
    return [Turn(*row) for row in session.execute(query)]


def _turns(turn: ColumnElement[datetime]) -> Select[Any]:
    columns = (STORED.id, STORED.record_id, STORED.object_key, STORED.store_version)
    return select(*columns, STORED.cipher_size, STORED.cipher_sha256, STORED.fixity, turn)
