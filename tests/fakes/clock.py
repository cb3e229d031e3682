"""A clock that stands still until it is moved."""

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
