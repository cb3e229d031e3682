"""Figures over the whole archive: counted at once where it is small, beside the pages where it is large.

What a person may see is a condition over few facts of a record (``archive.policy``), and a figure is a function of
that condition, of what is asked for and of the day. By these three it is kept, as numbers alone, in the memory of the
process: who reaches anything else, or no longer reaches it, asks for another figure from that moment.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.identity import Identity
from archive.model import Record
from archive.policy.condition import Condition
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition

T = TypeVar("T")
Count = Callable[[Session, Condition], T]
"""Counts, in a snapshot, records on which a condition holds. It reads nothing of whoever asks."""

LARGE = 100_000
"""Records above which figures are counted beside the pages."""

LASTING = timedelta(minutes=10)
"""How old a figure may be that a page shows."""

MOST = 256
"""Figures that are kept or being counted; the oldest makes room."""


@dataclass(frozen=True)
class Counted(Generic[T]):
    """A figure, and the moment it was counted at (None: just now)."""

    figure: T
    at: datetime | None = None


@dataclass(frozen=True)
class _Key:
    rule: Condition
    what: Hashable
    day: date


class Counting:
    """Counts, and keeps for ten minutes what is long to count.

    Attributes:
        large: number of records above which nothing is counted while a page waits.
    """

    def __init__(self, db: Database, guard: Guard, large: int = LARGE) -> None:
        self.large = large
        self._db = db
        self._guard = guard
        self._found_large = False
        self._lock = Lock()
        self._figures: dict[_Key, Future[Counted[Any]]] = {}

    def now(self, identity: Identity, act: Act, count: Count[T]) -> T:
        """Count what ``identity`` may do ``act`` on, while whoever asks waits."""
        with self._db.reading(long=True) as session:
            return count(session, condition(act, self._guard.reach(session, identity)))

    def soon(self, identity: Identity, act: Act, what: Hashable, count: Count[T]) -> Counted[T] | None:
        """Return a figure over what ``identity`` may do ``act`` on; None: it is being counted.

        ``what`` names the figure and all that it is asked for by: equal ones are counted alike.
        """
        with self._db.reading() as session:
            rule = condition(act, self._guard.reach(session, identity))
            if not self._is_large(session):
                return Counted(count(session, rule))
        return self._kept(_Key(rule, what, self._guard.day()), count)

    @cached_property
    def beside(self) -> Executor:
        """What counts beside the pages: one thread, so that figures do not take the database from the pages."""
        return ThreadPoolExecutor(1, thread_name_prefix="counting")

    def close(self) -> None:
        """Count no more of what waits: a process that ends is not held up by it."""
        if "beside" in self.__dict__:
            self.beside.shutdown(wait=False, cancel_futures=True)

    def _is_large(self, session: Session) -> bool:
        """Return whether the archive is large. Once it is, it is not asked for again: archives hardly shrink."""
        if not self._found_large:
            beyond = select(Record.id).order_by(Record.id).offset(self.large).limit(1)
            self._found_large = session.scalar(beyond) is not None
        return self._found_large

    def _kept(self, key: _Key, count: Count[T]) -> Counted[T] | None:
        with self._lock:
            found = self._figures.get(key)
            if found is not None and not found.done():
                return None
            if found is not None:
                del self._figures[key]
                counted: Counted[T] = found.result()  # what went wrong is told once, then counted anew
                if counted.at is not None and self._guard.now() - counted.at < LASTING:
                    self._figures[key] = found
                    return counted
            self._make_room(key.day)
            self._figures[key] = self.beside.submit(self._count, key.rule, count)
            return None

    def _count(self, rule: Condition, count: Count[T]) -> Counted[T]:
        at = self._guard.now()
        with self._db.reading(long=True) as session:
            return Counted(count(session, rule), at)

    def _make_room(self, day: date) -> None:
        gone = [key for key in self._figures if key.day != day]
        gone += [key for key in self._figures if key.day == day][: max(0, len(self._figures) - len(gone) - MOST + 1)]
        for key in gone:
            self._figures.pop(key).cancel()
