"""What days a range in a query means, as the numbers that both engines compare (20240305)."""

from datetime import date

from archive.dates import parse_civil
from indexer.query.tree import Range


def bounds(query: Range) -> tuple[int | None, int | None]:
    """Return the first and the last day of a range; None where it is open.

    A bound may be a year, a month or a day: the lower one counts from its first day, the upper one to its last.

    Raises:
        InvalidInput: a bound names no day.
    """
    low = None if query.low is None else parse_civil(query.low).first
    high = None if query.high is None else parse_civil(query.high).last
    return day_number(low), day_number(high)


def day_number(day: date | None) -> int | None:
    """Return a day as a number that sorts like it."""
    return None if day is None else day.year * 10_000 + day.month * 100 + day.day


def years(query: Range) -> tuple[int | None, int | None]:
    """Return the first and the last year of a range of years; None where it is open."""
    return (None if query.low is None else int(query.low)), (None if query.high is None else int(query.high))
