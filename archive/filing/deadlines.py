"""Until when records are to be filed: days per category, as data of the house, and which records are late by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Category, CountedFrom, FilingDeadline, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme.tree import parents

MOST_DAYS = 3650


@dataclass(frozen=True)
class Deadline:
    """How long a category's records may wait. ``category_id`` is where that is said: it, or one above it."""

    days: int
    counted_from: CountedFrom
    category_id: UUID

    def due(self, drawn_to: date) -> date:
        """Return the last day on which a record drawn up by a day is filed in time."""
        start = drawn_to if self.counted_from is CountedFrom.DRAWN_UP else date(drawn_to.year, 12, 31)
        return start + timedelta(days=self.days)

    def newest_late(self, today: date) -> date:
        """Return the newest day by which a record that is late today was drawn up."""
        newest = today - timedelta(days=self.days + 1)
        if self.counted_from is CountedFrom.DRAWN_UP:
            return newest
        return newest if (newest.month, newest.day) == (12, 31) else date(newest.year - 1, 12, 31)


class FilingDeadlines:
    """Keeps deadlines. Everyone signed in may look; who manages the scheme sets them."""

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log

    def of_categories(self, session: Session) -> Mapping[UUID, Deadline]:
        """Return the deadline of each category that has one, its own or that of the nearest one above it."""
        own = {row.category_id: row for row in session.scalars(select(FilingDeadline))}
        if not own:
            return {}
        above = parents(session)
        found: dict[UUID, Deadline] = {}
        for key in above:
            at: UUID | None = key
            while at is not None and at not in own:
                at = above.get(at)
            if at is not None:
                found[key] = Deadline(own[at].days, own[at].counted_from, at)
        return found

    def own(self, _identity: Identity) -> Mapping[UUID, FilingDeadline]:
        """Return what is said of categories themselves, with its version."""
        with self._db.reading() as session:
            return {row.category_id: row for row in session.scalars(select(FilingDeadline))}

    def late(self, session: Session, today: date) -> ColumnElement[bool]:
        """Return the condition over records that they are late, should they wait to be filed still."""
        by_day: dict[date, list[UUID]] = {}
        for key, each in self.of_categories(session).items():
            by_day.setdefault(each.newest_late(today), []).append(key)
        parts = [and_(Record.category_id.in_(keys), Record.drawn_to <= newest) for newest, keys in by_day.items()]
        return or_(false(), *parts)

    def set(
        self, identity: Identity, category_id: UUID, days: int | None, counted_from: CountedFrom, version: int
    ) -> None:
        """Say how long a category's records may wait; None: what holds above it.

        Args:
            identity: who asks.
            category_id: of the category.
            days: 0 to ``MOST_DAYS``.
            counted_from: the day they were drawn up, or the end of that year.
            version: of what was said before (0: nothing).

        Raises:
            NotAllowed: not one of those who manage the scheme.
            InvalidInput: ``days``, or no such category.
            Conflict: someone said another meanwhile.
        """
        if days is not None and not 0 <= days <= MOST_DAYS:
            raise InvalidInput(Fault("days", "out_of_range", {"low": 0, "high": MOST_DAYS}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            if session.get(Category, category_id) is None:
                raise InvalidInput(Fault("category", "unknown"))
            row = session.get(FilingDeadline, category_id)
            if (row.version if row else 0) != version:
                raise Conflict(what="deadline")
            before = [row.days, row.counted_from.value] if row else None
            if days is None and row is not None:
                session.delete(row)
            elif days is not None and row is not None:
                row.days, row.counted_from, row.version = days, counted_from, row.version + 1
            elif days is not None:
                session.add(FilingDeadline(category_id=category_id, days=days, counted_from=counted_from))
            session.flush()
            after = None if days is None else [days, counted_from.value]
            body = {"category": str(category_id), "before": before, "after": after}
            self._log.note(session, identity, "deadline.set", body=body)
            work.commit()


def overdue(deadline: Deadline | None, drawn_to: date | None, until: date) -> int:
    """Return by how many days a record is late on a day, or was when it was filed; 0: it is not."""
    if deadline is None or drawn_to is None:
        return 0
    return max(0, (until - deadline.due(drawn_to)).days)


def due_of(deadline: Deadline | None, drawn_to: date | None) -> date | None:
    """Return the last day on which a record is filed in time; None: nothing is said of it."""
    return deadline.due(drawn_to) if deadline is not None and drawn_to is not None else None
