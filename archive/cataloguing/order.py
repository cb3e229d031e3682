"""The order of lists of records: by the moment of their making and then by id, the newest or the oldest first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from archive.model import Record

Place = tuple[datetime, UUID]
"""The moment at which a record was made, and its id."""


def made_after(place: Place) -> ColumnElement[bool]:
    """Return what holds for the records behind a place where the oldest stand first."""
    moment, key = place
    return and_(Record.created_at >= moment, or_(Record.created_at > moment, Record.id > key))


def made_before(place: Place) -> ColumnElement[bool]:
    """Return what holds for the records behind a place where the newest stand first; an index leads straight to it."""
    moment, key = place
    return and_(Record.created_at <= moment, or_(Record.created_at < moment, Record.id < key))
