"""How long a renewal keeps a record on: pure functions of what is wished and how its clock stands, and nothing else."""

from dataclasses import dataclass
from datetime import date

from archive.errors import Fault
from archive.model import DueState
from archive.terms import FOREVER, Term
from retention.rules import after

FARTHEST = 100
"""Years ahead at most; what is to be kept longer is kept for good."""


@dataclass(frozen=True)
class Extent:
    """How much longer: to the end of a year, for some years more, or (neither) for good."""

    through: int | None = None
    years: int | None = None


@dataclass(frozen=True)
class Facts:
    """How a record stands: its clock, and whether it is on the list of a destruction or of another open renewal."""

    state: DueState | None
    due: date | None
    leaving: bool = False
    asked: bool = False


def wrong(extent: Extent, today: date) -> list[Fault]:
    """Return what is wrong with an extent whatever the record."""
    if extent.through is not None and extent.years is not None:
        return [Fault("years", "one_of_both")]
    if extent.through is not None and not today.year <= extent.through <= today.year + FARTHEST:
        return [Fault("through", "out_of_range", {"low": today.year, "high": today.year + FARTHEST})]
    if extent.years is not None and not 1 <= extent.years <= FARTHEST:
        return [Fault("years", "out_of_range", {"low": 1, "high": FARTHEST})]
    return []


def until(extent: Extent, due: date | None, today: date) -> date:
    """Return the day on which the term would have run out then.

    Years more are counted from the day on which it has run out, and from today where that is past or there is none.
    """
    if extent.through is not None:
        return date(extent.through + 1, 1, 1)
    if extent.years is not None:
        return after(max(due or today, today), Term("", years=extent.years))
    return FOREVER


def refused(facts: Facts, day: date) -> str | None:
    """Return why a record cannot be kept on until a day (a code); None: it can. A renewal never shortens."""
    if facts.leaving:
        return "on_destruction_list"
    if facts.asked:
        return "under_renewal"
    if facts.state is DueState.NEVER:
        return "kept_for_good"
    return "not_longer" if facts.due is not None and day <= facts.due else None
