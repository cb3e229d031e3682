"""Time is passed in, so that rules about days and years can be tested."""

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


def today(clock: Clock, zone: str) -> date:
    """Return the civil day it is in the house's ``zone`` (an IANA name)."""
    return local_day(clock.now(), zone)


def local_day(moment: datetime, zone: str) -> date:
    """Return the civil day of a moment in ``zone``."""
    return moment.astimezone(ZoneInfo(zone)).date()
