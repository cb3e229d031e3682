"""When a secrecy period ends, and what a review may do with a record: pure functions of facts and the day."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from archive.model import SecrecyVerdict
from archive.terms import Term
from retention.rules import after

MOST_MONTHS = 1200
"""The longest period, and the longest extension at once."""

AHEAD = timedelta(days=90)
"""So long before its end a period is noticed."""


def ends(since: date, months: int) -> date:
    """Return the first day on which a period from a day has run out; never an earlier one."""
    return after(since, Term("", 0, months))


class Standing(StrEnum):
    """How a period stands."""

    RUNS = "runs"
    SOON = "soon"  # it ends within ``AHEAD``
    LATE = "late"  # it has ended, and nothing was decided: the level holds
    CONDITION = "condition"  # it ends with a condition, not with a day


def standing(end: date | None, today: date) -> Standing:
    """Return how a period with this end stands; without a day it ends with a condition."""
    if end is None:
        return Standing.CONDITION
    if end <= today:
        return Standing.LATE
    return Standing.SOON if end <= today + AHEAD else Standing.RUNS


@dataclass(frozen=True)
class Facts:
    """What of a record decides what a review may do: its level, whether that has a period, its end, need-to-know."""

    level: int
    secret: bool
    end: date | None
    grouped: bool


@dataclass(frozen=True)
class Target:
    """What a review would come to: a level and whether it has a period, months of an extension, a day."""

    level: int | None = None
    secret: bool = False
    months: int | None = None
    until: date | None = None


def faults(verdict: SecrecyVerdict, facts: Facts, target: Target, today: date) -> dict[str, str]:
    """Return what stands against a verdict on a record, as codes by field; empty when nothing does."""
    found = _level_fault(verdict, facts, target)
    if verdict in _OF_PERIOD and not facts.secret:
        found["verdict"] = "open_already"
    if verdict in _RELEASING and (facts.secret or facts.grouped):
        found["verdict"] = "still_secret"
    if verdict in _EXTENDING:
        if not target.months or not 0 < target.months <= MOST_MONTHS:
            found["months"] = "required"
        elif extended(facts.end, target.months, today) <= today:
            found["months"] = "ends_in_the_past"
    if verdict is SecrecyVerdict.CONTROL and (target.until is None or target.until <= today):
        found["until"] = "day_not_ahead"
    return found


def _level_fault(verdict: SecrecyVerdict, facts: Facts, target: Target) -> dict[str, str]:
    if verdict not in _LEVELLED:
        return {}
    if target.level is None:
        return {"level": "required"}
    if verdict is SecrecyVerdict.RAISE:
        return {"level": "level_not_higher"} if target.level <= facts.level else {}
    if verdict is SecrecyVerdict.DECLASSIFY and target.secret:
        return {"level": "level_not_open"}
    return {"level": "level_not_lower"} if target.level >= facts.level else {}


def extended(end: date | None, months: int, today: date) -> date:
    """Return the end of a period that is extended: counted from its end; from today where it had no day."""
    return ends(end or today, months)


_LEVELLED = frozenset({SecrecyVerdict.LOWER, SecrecyVerdict.RAISE, SecrecyVerdict.DERIVE, SecrecyVerdict.DECLASSIFY})
_EXTENDING = frozenset({SecrecyVerdict.EXTEND, SecrecyVerdict.DERIVE})
_OF_PERIOD = _LEVELLED - {SecrecyVerdict.RAISE} | _EXTENDING
_RELEASING = frozenset({SecrecyVerdict.OPEN, SecrecyVerdict.CONTROL})
