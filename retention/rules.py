"""When a record's term has run out: pure functions of a rule and a record's facts, and nothing else.

Kept days, previews, checks and explanations all come from here; that nothing falls due too early is proved here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from archive.model import DueState
from archive.terms import FOREVER, Term


class Trigger(StrEnum):
    """What starts the clock."""

    FILING = "filing"
    DRAWN_UP = "drawn_up"
    YEAR_END = "year_end"  # of the year in which it was drawn up
    FISCAL_YEAR_END = "fiscal_year_end"
    EVENT = "event"


class Start(StrEnum):
    """From which day on the clock counts."""

    NEXT_JANUARY = "next_january"
    NEXT_DAY = "next_day"
    SAME_DAY = "same_day"


class Action(StrEnum):
    """What is to be done when the term has run out. None of these is done by itself."""

    APPRAISE = "appraise"
    REVIEW = "review"
    TRANSFER = "transfer"
    KEEP = "keep"


@dataclass(frozen=True)
class Rule:
    """A schedule's rule.

    ``term`` None: the term that each record has. ``exact`` False: the rule's term is the least, and a record's own
    counts where it is longer; True: the rule's counts, whatever the record's. ``event`` is the code of the event that
    starts the clock; ``fiscal_end`` month and day on which a fiscal year ends.
    """

    term: Term | None
    trigger: Trigger = Trigger.YEAR_END
    start: Start = Start.NEXT_JANUARY
    action: Action = Action.APPRAISE
    exact: bool = False
    event: str = ""
    fiscal_end: tuple[int, int] = (12, 31)
    source: str = ""


@dataclass(frozen=True)
class Facts:
    """What a clock needs to know of a record.

    ``term`` is the record's own, ``drawn_to`` the last day that its date may mean, ``events`` the last day of each kind
    of event that concerns it, ``kept_until`` the last day until which an appraisal or a renewal has kept it on
    (``FOREVER``: for good).
    """

    term: Term
    filed_on: date
    drawn_to: date | None = None
    events: Mapping[str, date] = field(default_factory=dict)
    kept_until: date | None = None


@dataclass(frozen=True)
class Due:
    """How a clock stands: ``trigger`` is the day of what started it, ``start`` the day it counts from.

    ``kept_on``: the day is later than that, or there is none, for an appraisal or a renewal has kept the record on.
    """

    state: DueState
    day: date | None = None
    trigger: date | None = None
    start: date | None = None
    term: Term | None = None
    kept_on: bool = False


NEVER, WAITING, UNDATED, UNRULED = (
    Due(state) for state in (DueState.NEVER, DueState.WAITING, DueState.UNDATED, DueState.UNRULED)
)
KEPT = Due(DueState.NEVER, kept_on=True)


def own_due(rule: Rule | None, facts: Facts) -> Due:
    """Return how the clock of one record stands, by itself.

    A record whose own term is permanent never falls due, whatever a rule says: someone decided that it stays.
    """
    if facts.term.permanent or facts.kept_until == FOREVER:
        return NEVER if facts.term.permanent else KEPT
    if rule is None:
        return UNRULED
    if rule.term is not None and rule.term.permanent:
        return NEVER
    trigger = _triggered(rule, facts)
    if trigger is None:
        return WAITING if rule.trigger is Trigger.EVENT else UNDATED
    start = _started(rule.start, trigger)
    terms = [rule.term or facts.term] if rule.exact or rule.term is None else [rule.term, facts.term]
    day, term = max(((after(start, term), term) for term in terms), key=lambda each: each[0])
    if facts.kept_until is not None and facts.kept_until > day:
        return Due(DueState.DATED, facts.kept_until, trigger, start, term, kept_on=True)
    return Due(DueState.DATED, day, trigger, start, term)


def after(start: date, term: Term) -> date:
    """Return the first day on which a term that counts from ``start`` has run out; never an earlier one.

    Where the month has no such day, it is the first of the next.
    """
    months = start.year * 12 + start.month - 1 + term.years * 12 + term.months
    year, month = months // 12, months % 12 + 1
    try:
        return date(year, month, start.day)
    except ValueError:
        return date(year + month // 12, month % 12 + 1, 1)


_ORDER = (DueState.NEVER, DueState.UNRULED, DueState.UNDATED, DueState.WAITING, DueState.DATED)


def sooner(before: tuple[DueState | None, date | None], after: tuple[DueState, date | None]) -> bool:
    """Return whether a clock that stood so would come to an end sooner; what had none comes to any too soon.

    One that was never reckoned (None) had no end that could be lost.
    """
    if before[0] is None:
        return False
    (was, ended), (will, ends) = ((_ORDER.index(state), day or date.min) for state, day in (before, after) if state)
    return will > was or (will == was and ends < ended)


def together(clocks: Iterable[Due]) -> Due:
    """Return how the clock of a dossier stands: its items are appraised together, so the longest of all counts.

    Args:
        clocks: of the dossier and of each of its items; one at least. Their order does not matter.
    """
    return min(clocks, key=lambda each: (_ORDER.index(each.state), -(each.day or date.min).toordinal()))


def _triggered(rule: Rule, facts: Facts) -> date | None:
    if rule.trigger is Trigger.EVENT:
        return facts.events.get(rule.event)
    if rule.trigger is Trigger.FILING:
        return facts.filed_on
    drawn = facts.drawn_to
    if drawn is None or rule.trigger is Trigger.DRAWN_UP:
        return drawn
    if rule.trigger is Trigger.YEAR_END:
        return date(drawn.year, 12, 31)
    ends = _end_of(drawn.year, rule.fiscal_end)
    return ends if drawn <= ends else _end_of(drawn.year + 1, rule.fiscal_end)


def _end_of(year: int, month_day: tuple[int, int]) -> date:
    month, day = month_day
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(1)).day
    return date(year, month, min(day, last))


def _started(start: Start, trigger: date) -> date:
    if start is Start.NEXT_JANUARY:
        return date(trigger.year + 1, 1, 1)
    return trigger + timedelta(1) if start is Start.NEXT_DAY else trigger
