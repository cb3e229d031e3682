"""How many requests are taken: a bucket of tokens for each program, filled again as time goes by."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import ceil

REMEMBERED = 10_000
"""Buckets kept in memory; the one used longest ago goes first, and would be full again."""

UNKNOWN_PER_MINUTE = 30
"""Requests without a valid token that one address may send."""


class Rates:
    """Counts requests in this process.

    Args:
        per_minute: how many a minute, and how many at once after a rest; 0: any number.
        now: seconds that only grow.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, who: Hashable) -> int:
        """Take one request of ``who``; return 0, or the seconds until one will be taken."""
        if not self._most:
            return 0
        now, each = self._now(), 60 / self._most
        with self._lock:
            left, since = self._buckets.pop(who, (self._most, now))
            left = min(self._most, left + (now - since) / each)
            taken = left >= 1
            self._buckets[who] = (left - 1 if taken else left, now)
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        return 0 if taken else max(1, ceil((1 - left) * each))
