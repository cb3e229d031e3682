"""What stands of a dossier against its template, as pure functions: conditions, papers, completeness and clocks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from archive.reminding.workdays import Calendar, add_working_days
from archive.required.template import ClockRule, Condition, Match, Paper, Template

Facts = Mapping[str, Any]
"""What is known of a dossier by code: true, false, or a day (ISO); what is not known is absent or None."""

EVERY_WEEK = Calendar()
"""A calendar without holidays."""


class Stands(StrEnum):
    """How a paper stands."""

    THERE = "there"
    MISSING = "missing"
    WAITS = "waits"  # whether it is needed cannot be told before a fact is known
    OPTIONAL = "optional"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class PaperStands:
    """A paper of a template, how many of it are there, and how it stands."""

    paper: Paper
    there: int
    stands: Stands


@dataclass(frozen=True)
class ClockRuns:
    """A clock that runs: from which day, to which, and the day on which it was met (None: not yet)."""

    rule: ClockRule
    since: date
    due: date
    met_on: date | None

    def late(self, day: date) -> bool:
        """Whether its day has passed without being met, or it was met behind it."""
        return (self.met_on or day) > self.due


@dataclass(frozen=True)
class Standing:
    """What stands of a dossier. ``facts`` and ``people`` are codes of what is required and not known.

    ``linked``: whether the other dossier that must be whole is; None where none is asked for.
    """

    papers: Sequence[PaperStands]
    facts: Sequence[str]
    people: Sequence[str]
    linked: bool | None

    @property
    def missing(self) -> int:
        """How many papers are missing, or wait for a fact."""
        return sum(each.stands in {Stands.MISSING, Stands.WAITS} for each in self.papers)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and nothing waits."""
        return not (self.missing or self.facts or self.people or self.linked is False)


def judged(condition: Condition | None, facts: Facts) -> bool | None:
    """Return whether a condition holds; None where that turns on a fact that is not known. Without one: it holds."""
    if condition is None:
        return True
    ((kind, value),) = condition.items()
    if kind == "fact":
        known = facts.get(value)
        return None if known is None else bool(known)
    if kind == "not":
        inner = judged(value, facts)
        return None if inner is None else not inner
    parts = [judged(each, facts) for each in value]
    decisive = kind == "any"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def stand(
    template: Template, facts: Facts, there: Mapping[str, int], people: Collection[str], *, linked: bool | None = None
) -> Standing:
    """Return what stands of a dossier.

    Args:
        template: what it should hold.
        facts: what is known of it.
        there: how many items meet each paper, by code.
        people: codes of the people that are named.
        linked: whether the other dossier is whole; left out of account where the template asks for none.
    """
    return Standing(
        [_paper(each, facts, there.get(each.code, 0)) for each in template.papers],
        [each.code for each in template.facts if each.required and facts.get(each.code) is None],
        [each.code for each in template.people if each.code not in people],
        bool(linked) if template.link else None,
    )


def _paper(paper: Paper, facts: Facts, there: int) -> PaperStands:
    needed = judged(paper.when, facts)
    if needed is False:
        return PaperStands(paper, there, Stands.NOT_NEEDED)
    if there >= paper.count:
        return PaperStands(paper, there, Stands.THERE)
    if not paper.required:
        return PaperStands(paper, there, Stands.OPTIONAL)
    return PaperStands(paper, there, Stands.WAITS if needed is None else Stands.MISSING)


def matches(match: Match, category: str, keywords: Iterable[str]) -> bool:
    """Whether an item marks a paper met by itself. A paper that names neither keyword nor category never does."""
    if not match.keywords and not match.categories:
        return False
    wanted = {word.casefold() for word in match.keywords}
    by_word = not wanted or any(word.casefold() in wanted for word in keywords)
    return by_word and (not match.categories or category in match.categories)


def clocks(template: Template, facts: Facts, calendar: Calendar = EVERY_WEEK) -> list[ClockRuns]:
    """Return the clocks that run: those whose event has a day, and whose condition holds.

    Working days are those of ``calendar``; a clock that would end beyond it does not run.
    """
    running = []
    for rule in template.clocks:
        since = day_of(facts, rule.event)
        if since is None or judged(rule.when, facts) is not True:
            continue
        days = -rule.days if rule.before else rule.days
        try:
            due = add_working_days(calendar, since, days) if rule.working else since + timedelta(days)
        except (OverflowError, ValueError):
            continue
        running.append(ClockRuns(rule, since, due, day_of(facts, rule.met)))
    return running


def day_of(facts: Facts, code: str) -> date | None:
    """Return the day that a fact holds."""
    text = facts.get(code)
    return date.fromisoformat(text) if isinstance(text, str) else None
