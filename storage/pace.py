"""Reading no faster than a rate, so that work without hurry leaves the disks to people."""

import time
from collections.abc import Callable

SHORT = 0.05
"""Seconds that are not worth a pause of their own."""

IDLE = 1.0
"""Seconds of unused time that may be made up for; more is forgotten, or a rest would end in a burst."""


class Pace:
    """Pauses whoever reads when they are ahead of the rate.

    Args:
        rate: bytes a second.
        pause: waits for some seconds.
        timer: tells seconds that only go on.
    """

    def __init__(
        self, rate: int, pause: Callable[[float], object], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._pause = pause
        self._timer = timer
        self._free_at = timer()

    def passed(self, size: int) -> None:
        """Count bytes, and pause if they came too fast."""
        now = self._timer()
        self._free_at = max(self._free_at, now - IDLE) + size / self._rate
        if self._free_at - now > SHORT:
            self._pause(self._free_at - now)
