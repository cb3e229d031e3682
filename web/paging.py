"""Where the next page of a list begins, in its address: behind the last row of this one, and not after so many.

A row that comes or goes meanwhile neither repeats nor skips another then, and a page far back costs what the first
does.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar
from uuid import UUID

from archive.database.newest import Place

T = TypeVar("T")


def page(found: Sequence[T], limit: int, place: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """Return a page of ``found``, of which one more was asked for, and the place behind it; None: it is the last."""
    shown = found[:limit]
    return shown, place(shown[-1]) if len(found) > limit else None


def told_hit(date_key: int, key: UUID) -> str:
    """Return where a hit stands in an order by date (see ``indexer.engine.date_key``), as the address holds it."""
    return f"{date_key:x}_{key.hex}"


def read_hit(text: str) -> tuple[int, UUID] | None:
    """Return the date key and id that an address holds; None (the first page) when they cannot be read."""
    at, _, key = text.partition("_")
    try:
        found = int(at, 16), UUID(key)
    except ValueError:
        return None
    return found if 0 <= found[0] < 1 << 63 else None


def told(place: Place) -> str:
    """Return a place as the address holds it."""
    return f"{place[0].isoformat()}_{place[1].hex}"


def told_end(at: datetime | None, key: UUID) -> str:
    """Return where what ended at a moment stands, as ``read`` reads it; what never did stands last."""
    return told((at or datetime.min.replace(tzinfo=UTC), key))


def read(text: str) -> Place | None:
    """Return the place that an address holds; None (the first page) when it cannot be read."""
    moment, _, key = text.replace(" ", "+").rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
        return (at.astimezone(UTC), UUID(key)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def told_day(place: tuple[date, UUID]) -> str:
    """Return a place of a list by days, as the address holds it."""
    return f"{place[0].isoformat()}_{place[1].hex}"


def read_day(text: str) -> tuple[date, UUID] | None:
    """Return the day and id that an address holds; None (the first page) when they cannot be read."""
    day, _, key = text.rpartition("_")
    try:
        return date.fromisoformat(day), UUID(key)
    except ValueError:
        return None


def read_id(text: str) -> UUID | None:
    """Return the id that an address holds, where ids say the order; None (the first page) when it cannot be read."""
    try:
        return UUID(text)
    except ValueError:
        return None


def read_position(text: str) -> int | None:
    """Return the position in a list that an address holds; None when it cannot be read."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


def told_open(is_open: bool, place: Place) -> str:
    """Return where a row stands in a list of what is open, and then of what is not, as the address holds it."""
    return f"{int(is_open)}_{told(place)}"


def read_open(text: str) -> tuple[bool, Place] | None:
    """Return the place that an address holds in such a list; None when it cannot be read."""
    is_open, _, rest = text.partition("_")
    place = read(rest) if is_open in {"0", "1"} else None
    return (is_open == "1", place) if place else None


def told_path(path: str, key: UUID) -> str:
    """Return where a row stands in a list by places, as the address holds it."""
    return f"{key.hex}_{path}"


def read_path(text: str) -> tuple[str, UUID] | None:
    """Return the path and id that an address holds; None (the first page) when they cannot be read."""
    key, _, path = text[:300].partition("_")
    try:
        return (path, UUID(key)) if "\0" not in path else None  # PostgreSQL takes no such sign
    except ValueError:
        return None
