"""From days as typed to the moments between which the log is read."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from web.days import first_of, last_of


def days_between(since: str, until: str, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return the moments from the first day's beginning to the last day's end, in the house's zone.

    Raises:
        InvalidInput: names the field that holds no date.
    """
    first, last = first_of(since, "since"), last_of(until, "until")
    return (
        _begin(first, zone) if first else None,
        _begin(last + timedelta(days=1), zone) if last else None,
    )


def _begin(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
