"""Figures of loans over a span of days: by department, category, purpose and month; how quickly, how late."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.loans.states import PAPER
from archive.model import Category, Department, Loan, LoanState, Record
from archive.model.columns import Names
from archive.policy.guard import Guard
from archive.policy.rules import Act

MOST_DAYS = 3 * 366


@dataclass
class Statistics:
    """Figures of the loans asked for from ``since`` to ``until``, of records that whoever asks may see.

    Keys of ``months`` are years and months; of ``purposes`` and ``forms`` codes. ``waited`` is the median of hours from
    asking to a yes (None: nothing was approved). ``late`` are papers that came back late, or are out and late;
    ``handed`` all papers that were handed out.
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

    def gather(self, identity: Identity, since: date, until: date) -> Statistics:
        """Count the loans of a span, both days included, of records that this person sees.

        Raises:
            NotAllowed: not one of those who look at figures.
            InvalidInput: field ``until``: before ``since``, or too long after it.
        """
        if not since <= until <= since + timedelta(days=MOST_DAYS):
            high = since + timedelta(days=MOST_DAYS)
            raise InvalidInput(Fault("until", "not_within", {"low": str(since), "high": str(high)}))
        found, waits, day = Statistics(since, until), [], self._guard.day()
        zone = ZoneInfo(self._zone)
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.SEE_LOAN_FIGURES)
            sees = self._guard.visible(session, identity, Act.SEE).with_only_columns(Record.id)
            query = (
                select(
                    Loan.asked_at, Loan.ready_at, Loan.issued_on, Loan.due_on, Loan.ended_at, Loan.state, Loan.form,
                    Loan.purpose, Loan.department_id, Record.category_id,
                )
                .join(Record, Record.id == Loan.record_id)
                .where(sees.where(Record.id == Loan.record_id).correlate(Loan).exists())
                .where(Loan.asked_at >= _begin(since, zone), Loan.asked_at < _begin(until + timedelta(days=1), zone))
                .execution_options(yield_per=2000)
            )  # fmt: skip
            for asked, ready, issued, due, ended, state, form, purpose, department, category in session.execute(query):
                found.total += 1
                found.departments[department] += 1
                found.categories[category] += 1
                found.purposes[purpose] += 1
                found.forms[form.value] += 1
                found.months[asked.astimezone(zone).strftime("%Y-%m")] += 1
                found.refused += state is LoanState.REFUSED
                if ready is not None:
                    waits.append((ready - asked).total_seconds() / 3600)
                if form in PAPER and issued is not None and due is not None:
                    found.handed += 1
                    found.late += (ended.astimezone(zone).date() if ended is not None else day) > due
            found.waited = median(waits) if waits else None
            named = [*found.departments, *found.categories]
            found.names = {
                key: names
                for table in (Department, Category)
                for key, names in session.execute(select(table.id, table.names).where(table.id.in_(named)))
            }
        return found


def _begin(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day of the house begins."""
    return datetime.combine(day, time(), zone)
