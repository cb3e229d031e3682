"""What is closed on a day stands until that day begins in the house's zone, and is closed from then on."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.model import House

ZONE = "Asia/Shanghai"
"""Where a house lies that does not say."""


def house_day(session: Session, now: datetime) -> date:
    """Return the civil day that ``now`` falls on in the house's zone."""
    return now.astimezone(ZoneInfo(session.scalar(select(House.zone)) or ZONE)).date()


def is_closed(on: date | None, day: date) -> bool:
    """Whether what is to be closed ``on`` a day (None: never) is closed on ``day``."""
    return on is not None and on <= day


def open_on(column: InstrumentedAttribute[date | None], day: date) -> ColumnElement[bool]:
    """Return the condition that what ``column`` says when to close is open on ``day``."""
    return or_(column.is_(None), column > day)
