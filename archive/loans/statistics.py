"""Figures of loans over a span of days: by department, category, purpose and month; how quickly, how late."""

from bisect import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import accumulate
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    extract,
    func,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.clock import offsets
from archive.counting import Counted, Counting
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.loans.states import PAPER
from archive.model import Category, Department, Loan, LoanState, Record
from archive.model.columns import Names
from archive.policy.condition import Condition
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.policy.sql import where

MOST_DAYS = 3 * 366


@dataclass
class Statistics:
    """Figures of the loans asked for from ``since`` to ``until``, of records that whoever asks may see.

    Keys of ``months`` are years and months; of ``purposes`` and ``forms`` codes. ``waited`` is the median of hours from
    asking to a yes, to the minute (None: nothing was approved). ``late`` are papers that came back late, or are out and
    late; ``handed`` all papers that were handed out.
    """

    since: date
    until: date
    total: int = 0
    refused: int = 0
    handed: int = 0
    late: int = 0
    waited: float | None = None
    departments: Counter[UUID | None] = field(default_factory=Counter)
    categories: Counter[UUID] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    names: Mapping[UUID, Names] = field(default_factory=dict)
    """What departments and categories are called."""

    @property
    def late_share(self) -> float | None:
        """Return the share of handed papers that were late, in percent; None: none was handed out."""
        return 100 * self.late / self.handed if self.handed else None


class LoanStatistics:
    """Counts loans."""

    def __init__(self, db: Database, guard: Guard, zone: str) -> None:
        self._db = db
        self._guard = guard
        self._zone = zone
        self.counting = Counting(db, guard)

    def gather(self, identity: Identity, since: date, until: date) -> Statistics:
        """Count the loans of a span, both days included, of records that this person sees.

        Raises:
            NotAllowed: not one of those who look at figures.
            InvalidInput: field ``until``: before ``since``, or too long after it.
        """
        self._check(identity, since, until)
        return self._with_names(self.counting.now(identity, Act.SEE, partial(self._count, since, until)))

    def look(self, identity: Identity, since: date, until: date) -> Counted[Statistics] | None:
        """Return the same as it was counted lately; None: it is being counted. Raises as ``gather``."""
        self._check(identity, since, until)
        count = partial(self._count, since, until)
        found = self.counting.soon(identity, Act.SEE, (since, until), count)
        return Counted(self._with_names(found.figure), found.at) if found else None

    def _check(self, identity: Identity, since: date, until: date) -> None:
        if not since <= until <= since + timedelta(days=MOST_DAYS):
            high = since + timedelta(days=MOST_DAYS)
            raise InvalidInput(Fault("until", "not_within", {"low": str(since), "high": str(high)}))
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.SEE_LOAN_FIGURES)

    def _count(self, since: date, until: date, session: Session, rule: Condition) -> Statistics:
        found = Statistics(since, until)
        facts = self._facts(rule, since, until)
        for many, late, handed, refused, department, category, purpose, form, month in session.execute(_alike(facts)):
            found.total += many
            found.late += late
            found.handed += handed
            found.refused += refused
            found.departments[department] += many
            found.categories[category] += many
            found.purposes[purpose] += many
            found.forms[form.value] += many
            found.months[month] += many
        found.waited = _middle([(minutes, many) for minutes, many in session.execute(_waits(facts))])
        return found

    def _with_names(self, found: Statistics) -> Statistics:
        named = [*found.departments, *found.categories]
        with self._db.reading() as session:
            return replace(found, names={
                key: names
                for table in (Department, Category)
                for key, names in session.execute(select(table.id, table.names).where(table.id.in_(named)))
            })  # fmt: skip

    def _facts(self, rule: Condition, since: date, until: date) -> Subquery:
        """Return what is counted of each loan of the span, of records on which ``rule`` holds."""
        zone, day = ZoneInfo(self._zone), self._guard.day()
        known = None if not self._db.is_sqlite else offsets(zone, since, day + timedelta(days=1))

        def here(moment: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
            """Return a moment as the house's clocks show it. SQLite knows no zones."""
            if known is None:
                return func.timezone(self._zone, moment)
            ahead = [(moment >= begin, f"{offset.total_seconds()} seconds") for begin, offset in reversed(known)]
            return func.datetime(moment, case(*ahead, else_="0 seconds"))

        handed = and_(Loan.form.in_(PAPER), Loan.issued_on.is_not(None), Loan.due_on.is_not(None))
        late = and_(handed, func.coalesce(func.date(here(Loan.ended_at), type_=Date), day) > Loan.due_on)
        waited = (extract("epoch", Loan.ready_at) - extract("epoch", Loan.asked_at)) / 60
        return (
            select(
                Loan.department_id, Record.category_id, Loan.purpose, Loan.form,
                func.substr(cast(here(Loan.asked_at), String), 1, 7).label("month"),
                cast(func.round(waited), Integer).label("waited"), _one(late).label("late"),
                _one(handed).label("handed"), _one(Loan.state == LoanState.REFUSED).label("refused"),
            )
            .join(Record, Record.id == Loan.record_id)
            .where(where(rule))
            .where(Loan.asked_at >= _begin(since, zone), Loan.asked_at < _begin(until + timedelta(days=1), zone))
            .subquery()
        )  # fmt: skip


def _one(true: ColumnElement[bool]) -> ColumnElement[int]:
    return case((true, 1), else_=0)


def _alike(facts: Subquery) -> Select[Any]:
    """Count the loans that are alike in all that there is a table of."""
    each = facts.c
    keys = (each.department_id, each.category_id, each.purpose, each.form, each.month)
    sums = (func.sum(each.late), func.sum(each.handed), func.sum(each.refused))
    return select(func.count(), *sums, *keys).group_by(*keys)


def _waits(facts: Subquery) -> Select[Any]:
    """Count the loans that waited as many minutes for their yes, the shortest first."""
    waited = facts.c.waited
    return select(waited, func.count()).where(waited.is_not(None)).group_by(waited).order_by(waited)


def _middle(waits: Sequence[tuple[int, int]]) -> float | None:
    """Return the median of minutes that were counted, in hours."""
    ends = list(accumulate(many for _minutes, many in waits))
    if not ends:
        return None
    low, high = (waits[bisect(ends, place)][0] for place in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return (low + high) / 120


def _begin(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day of the house begins."""
    return datetime.combine(day, time(), zone)
