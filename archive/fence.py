"""Fences: what search must leave out until the index has caught up (requirement C4).

The transaction that raises a level, takes a name off, or moves a branch or place writes the fact here; every search
adds the fences as conditions that must not hold, so hits, counts and facets are right from the commit on.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from archive.errors import Unavailable
from archive.ids import new_id
from archive.model import Fence
from archive.policy.condition import Condition, Has, Within

LIMIT: Final = 1000
"""With more fences than this a search does not list them; it answers that it is being brought up to date."""

PATHS: Final = frozenset(("place",))
IDS: Final = frozenset(("record", "category", "fonds"))


def raise_fence(session: Session, fact: str, value: str, now: datetime) -> None:
    """Keep every record with this fact out of search, as ``raise_fences`` does for several."""
    raise_fences(session, fact, [value], now)


def raise_fences(session: Session, fact: str, values: Collection[str], now: datetime) -> None:
    """Keep every record with one of these facts out of search, from this transaction's commit on.

    Raising a fence that stands moves its moment to ``now``, so that a job begun before cannot lift it. ``fact`` is
    ``record``, ``category``, ``fonds`` (values: ids) or ``place`` (values: paths ended by ``/``).

    Raises:
        ValueError: the fact cannot be fenced, or a value is not of its kind.
    """
    if fact in IDS:
        values = {str(UUID(value)) for value in values}
    elif fact not in PATHS or not all(value.endswith("/") for value in values):
        msg = f"no fence on {fact!r} {values!r}"
        raise ValueError(msg)
    named = (Fence.fact == fact, Fence.value.in_(values))
    standing = set(session.scalars(select(Fence.value).where(*named)))
    session.execute(update(Fence).where(*named, Fence.since < now).values(since=now))
    new = [{"id": new_id(), "fact": fact, "value": value, "since": now} for value in sorted(set(values) - standing)]
    if new:
        session.execute(insert(Fence), new)


def lift(session: Session, fact: str, value: str, before: datetime) -> None:
    """Take a fence away if it was raised at or before ``before``: the moment whose state the index now shows.

    Call it in the writing transaction that has found the row unchanged since it was indexed: a change that is being
    committed meanwhile may have raised the fence before ``before``.
    """
    session.execute(delete(Fence).where(Fence.fact == fact, Fence.value == value, Fence.since <= before))


def fences(session: Session) -> list[Condition]:
    """Return what must not hold, as at most one condition per fact. Empty when no fence stands.

    Raises:
        Unavailable: more stand than a search lists (``part="index_updating"``).
    """
    rows = session.connection().execute(_STANDING).all()
    if len(rows) > LIMIT:
        raise Unavailable(part="index_updating")
    values: dict[str, set[Any]] = defaultdict(set)
    for fact, value in rows:
        values[fact].add(value if fact in PATHS else UUID(value))
    return [
        Within(fact, frozenset(kept)) if fact in PATHS else Has(fact, frozenset(kept))
        for fact, kept in sorted(values.items())
    ]


_STANDING = select(Fence.fact, Fence.value).limit(LIMIT + 1)
