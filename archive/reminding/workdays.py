"""The house's calendar: which days are worked, as data, and counting in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import delete, extract, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import DayRule, JobKind, WeekdayRule
from archive.policy.guard import Guard
from archive.policy.rules import Act

WORKED = frozenset(range(5))
"""Days of the week that are worked unless the house says otherwise (0: Monday)."""

LONGEST_NAME = 100
MOST = 400
"""Days that are entered at once."""

FARTHEST = 3660
"""Days ahead within which a working day must come: a calendar that has none for ten years is a mistake."""

_ONE = timedelta(1)


@dataclass(frozen=True)
class Calendar:
    """Which days are worked: the days of the week (0: Monday), and days that are otherwise."""

    worked: frozenset[int] = WORKED
    days: Mapping[date, bool] = field(default_factory=dict)


def with_days(calendar: Calendar, days: Iterable["NamedDay"]) -> Calendar:
    """Return a calendar with days entered."""
    return Calendar(calendar.worked, {**calendar.days, **{each.day: each.works for each in days}})


def is_working(calendar: Calendar, day: date) -> bool:
    """Whether a day is worked."""
    return calendar.days.get(day, day.weekday() in calendar.worked)


def next_working_day(calendar: Calendar, day: date) -> date:
    """Return the day itself when it is worked, else the next one that is. Raises as ``add_working_days``."""
    return day if is_working(calendar, day) else add_working_days(calendar, day, 1)


def add_working_days(calendar: Calendar, day: date, count: int) -> date:
    """Return the day that lies ``count`` working days after (negative: before) a day, which itself is not counted.

    Raises:
        ValueError: there is no such day within ten years of the one before it.
    """
    step = _ONE if count > 0 else -_ONE
    left, idle = abs(count), 0
    while left:
        day += step
        if is_working(calendar, day):
            left, idle = left - 1, 0
        else:
            idle += 1
            if idle > FARTHEST:
                raise ValueError(day)
    return day


def working_days_between(calendar: Calendar, since: date, until: date) -> int:
    """Count the working days after ``since`` up to ``until`` (included); negative when ``until`` lies before."""
    if until < since:
        return -working_days_between(calendar, until, since)
    days = (since + timedelta(number) for number in range(1, (until - since).days + 1))
    return sum(is_working(calendar, day) for day in days)


def calendar_of(session: Session) -> Calendar:
    """Read the house's calendar."""
    said = dict(session.execute(select(WeekdayRule.weekday, WeekdayRule.works)).all())
    worked = frozenset(day for day in range(7) if said.get(day, day in WORKED))
    return Calendar(worked, dict(session.execute(select(DayRule.day, DayRule.works)).all()))


@dataclass(frozen=True)
class NamedDay:
    """A day that is not as its day of the week."""

    day: date
    works: bool
    name: str = ""


class WorkDays:
    """Changes the calendar, and shows it. Everyone may see it; those who manage schemes change it.

    What is counted in working days and still runs follows in a job (``archive.calendar_moves``).
    """

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox

    def calendar(self) -> Calendar:
        """Return the calendar."""
        with self._db.reading() as session:
            return calendar_of(session)

    def year(self, year: int) -> Sequence[NamedDay]:
        """Return the days of a year that are not as their day of the week."""
        with self._db.reading() as session:
            query = select(DayRule).where(extract("year", DayRule.day) == year).order_by(DayRule.day)
            return [NamedDay(row.day, row.works, row.name) for row in session.scalars(query)]

    def set_week(self, identity: Identity, worked: Iterable[int]) -> None:
        """Say which days of the week are worked (0: Monday).

        Raises:
            NotAllowed: not one of those who manage schemes.
            InvalidInput: field ``week``: no day is worked, or there is no such day.
        """
        chosen = frozenset(worked)
        if not chosen or not chosen <= frozenset(range(7)):
            raise InvalidInput(Fault("week", "required" if not chosen else "unknown"))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            before = sorted(calendar_of(session).worked)
            session.execute(delete(WeekdayRule))
            session.add_all(WeekdayRule(weekday=day, works=day in chosen) for day in range(7))
            self._log.note(session, identity, "calendar.week", body={"before": before, "after": sorted(chosen)})
            self._outbox.add(work, JobKind.CALENDAR)
            work.commit()

    def set_days(self, identity: Identity, days: Sequence[NamedDay]) -> int:
        """Enter days; what was said of the same days before is replaced. Return how many there were.

        Raises:
            NotAllowed: not one of those who manage schemes.
            InvalidInput: fields ``days`` (too many, or none) and ``name``.
        """
        wanted = {each.day: each for each in days}
        if not 1 <= len(wanted) <= MOST:
            raise InvalidInput(Fault("days", "out_of_range", {"low": 1, "high": MOST}))
        if any(len(each.name) > LONGEST_NAME for each in days):
            raise InvalidInput(Fault("name", "too_long", {"limit": LONGEST_NAME}))
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            session.execute(delete(DayRule).where(DayRule.day.in_(wanted)))
            session.add_all(DayRule(day=each.day, works=each.works, name=each.name) for each in wanted.values())
            told = {each.day.isoformat(): each.works for each in wanted.values()}
            self._log.note(session, identity, "calendar.days", body={"days": told})
            self._outbox.add(work, JobKind.CALENDAR)
            work.commit()
        return len(wanted)

    def forget_day(self, identity: Identity, day: date) -> None:
        """Let a day be as its day of the week again. Raises ``NotAllowed``; what was never entered is no error."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            gone = session.get(DayRule, day)
            if gone is not None:
                session.delete(gone)
                self._log.note(session, identity, "calendar.forget", body={"day": day.isoformat()})
                self._outbox.add(work, JobKind.CALENDAR)
                work.commit()
