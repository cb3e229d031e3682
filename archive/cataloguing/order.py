"""The order of lists of records: newest first, by the moment of their making and then by id."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from archive.model import Record


def made_before(place: tuple[datetime, UUID]) -> ColumnElement[bool]:
    """Return what holds for the records behind a place in that order; an index leads straight to it."""
    moment, key = place
    return and_(Record.created_at <= moment, or_(Record.created_at < moment, Record.id < key))
