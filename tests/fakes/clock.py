"""Clocks: one that stands still until it is moved, and the machine's, some time later."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)  # noon in Shanghai


class FixedClock:
    """Tells the moment it was given."""

    def __init__(self, now: datetime = START) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def move(self, **step: float) -> None:
        """Go on by a ``timedelta``'s arguments, for example ``minutes=5``."""
        self.moment += timedelta(**step)


class LaterClock:
    """The machine's clock, some time later."""

    later = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later
