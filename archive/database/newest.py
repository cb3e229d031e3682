"""Lists by a moment and then by id, the newest first, and where their next page begins."""

from datetime import datetime
from typing import Any, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

Place = tuple[datetime, UUID]
"""The moment by which a list is ordered, and the id of the row."""

Ts = TypeVarTuple("Ts")


def older(moment: InstrumentedAttribute[Any], key: InstrumentedAttribute[UUID], place: Place) -> ColumnElement[bool]:
    """Return what holds for the rows behind a place; an index by the moment leads straight to it."""
    at, last = place
    return and_(moment <= at, or_(moment < at, key < last))


def newest_first(
    query: Select[*Ts], moment: InstrumentedAttribute[Any], key: InstrumentedAttribute[UUID], after: Place | None
) -> Select[*Ts]:
    """Order the rows of a query by their moment, the newest first, and begin behind a place (None: with the first)."""
    if after is not None:
        query = query.where(older(moment, key, after))
    return query.order_by(moment.desc(), key.desc())
