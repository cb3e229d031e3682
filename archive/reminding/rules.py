"""When who is reminded of what falls due: pure functions of a rule, the facts of a deadline, and the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property


@dataclass(frozen=True)
class Stage:
    """A reminder: ``offset`` days after the due day (negative: before it); ``head``: those above are told too."""

    offset: int
    head: bool = False

    @property
    def code(self) -> str:
        """Return its name: ``before_7``, ``on``, ``after_14``, ``head_30``."""
        if self.offset < 0:
            return f"before_{-self.offset}"
        if self.head:
            return f"head_{self.offset}"
        return f"after_{self.offset}" if self.offset else "on"


@dataclass(frozen=True)
class Rule:
    """When a kind of deadline is told of: days ``before`` it, ``on`` it, ``after`` it, and to those above (``head``).

    ``passes``: it ends with its day by itself, and nobody has to do anything for that.

    Raises:
        ValueError: two reminders fall on one day, or one is not on the side of the due day that it should be on.
    """

    before: tuple[int, ...] = ()
    on: bool = True
    after: tuple[int, ...] = ()
    head: tuple[int, ...] = ()
    passes: bool = False

    def __post_init__(self) -> None:
        days = [each.offset for each in self.stages]
        if len(set(days)) != len(days) or min((*self.before, *self.after, *self.head), default=1) < 1:
            raise ValueError(self)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Return every reminder, the earliest first."""
        found = [Stage(-days) for days in self.before] + [Stage(days) for days in self.after]
        found += [Stage(days, head=True) for days in self.head] + ([Stage(0)] if self.on else [])
        return tuple(sorted(found, key=lambda each: each.offset))


@dataclass(frozen=True)
class Judged:
    """What is to be done on a day.

    ``stage`` is to be told (None: nothing is), ``late`` when its own day is over; ``look_on`` is the next day on which
    there is anything to do (None: never); ``over``: it has passed by itself.
    """

    stage: Stage | None
    late: bool
    look_on: date | None
    over: bool


def judge(rule: Rule, due: date, since: date | None, told: Sequence[str], day: date) -> Judged:
    """Say what is to be done for a deadline on ``day``.

    Of several stages that came since the last one told, only the newest is told. Stages before ``since`` never were;
    but of what was due already when it was noted, the newest is told.
    """
    begin = None if since is None else min(since, due)
    known = [each for each in rule.stages if begin is None or _on(due, each) >= begin]
    newest = max((each.offset for each in rule.stages if each.code in told), default=None)
    come = [each for each in known if _on(due, each) <= day and (newest is None or each.offset > newest)]
    to_come = [_on(due, each) for each in known if _on(due, each) > day]
    over = rule.passes and day > due
    if rule.passes and not over:
        to_come.append(due + timedelta(1))
    stage = come[-1] if come and not over else None
    late = stage is not None and _on(due, stage) < day
    return Judged(stage, late, None if over else min(to_come, default=None), over)


def _on(due: date, stage: Stage) -> date:
    return due + timedelta(stage.offset)
