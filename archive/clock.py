"""Time is passed in, so that rules about days and years can be tested."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
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


def offsets(zone: ZoneInfo, since: date, until: date) -> Sequence[tuple[datetime, timedelta]]:
    """Return how far a zone is ahead of UTC from ``since`` to ``until``: each offset with the moment it begins at."""
    begins = [datetime.combine(since + timedelta(each), time(), zone) for each in range((until - since).days + 1)]
    found = [(begins[0].astimezone(UTC), begins[0].utcoffset() or timedelta())]
    for begin, end in pairwise(begins):
        if begin.utcoffset() != end.utcoffset():
            at = begin.astimezone(UTC)
            while at.astimezone(zone).utcoffset() == begin.utcoffset():
                at += timedelta(minutes=1)
            found.append((at, end.utcoffset() or timedelta()))
    return found
