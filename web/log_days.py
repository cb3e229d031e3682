"""From days as typed to the moments between which the log is read."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from archive.dates import BadDate, CivilDate, parse_civil
from archive.errors import InvalidInput


def days_between(since: str, until: str, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return the moments from the first day's beginning to the last day's end, in the house's zone.

    Raises:
        InvalidInput: names the field that holds no date.
    """
    first, last = _read(since, "since"), _read(until, "until")
    return (
        _begin(first.first, zone) if first else None,
        _begin(last.last + timedelta(days=1), zone) if last else None,
    )


def _read(text: str, field: str) -> CivilDate | None:
    if not text.strip():
        return None
    try:
        return parse_civil(text)
    except BadDate as bad:
        raise InvalidInput(bad.fault(field)) from bad


def _begin(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
