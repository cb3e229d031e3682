"""The order of lists of records: by the moment of their making and then by id, the newest or the oldest first."""

from sqlalchemy import ColumnElement, and_, or_

from archive.database.newest import Place, older
from archive.model import Record


def made_after(place: Place) -> ColumnElement[bool]:
    """Return what holds for the records behind a place where the oldest stand first."""
    moment, key = place
    return and_(Record.created_at >= moment, or_(Record.created_at > moment, Record.id > key))


def made_before(place: Place) -> ColumnElement[bool]:
    """Return what holds for the records behind a place where the newest stand first."""
    return older(Record.created_at, Record.id, place)
