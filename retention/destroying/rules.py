"""Where a destruction can stand, which state may follow which, who may do what in it, and what a count must show.

All of it is pure: facts in, a decision out.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.errors import Ended
from archive.model import Destruction, DestructionMethod, DestructionState, Duty

NEXT: Mapping[DestructionState, frozenset[DestructionState]] = {
    DestructionState.DRAFT: frozenset({DestructionState.ASKED, DestructionState.WITHDRAWN}),
    DestructionState.ASKED: frozenset({DestructionState.COOLING, DestructionState.REFUSED, DestructionState.WITHDRAWN}),
    DestructionState.COOLING: frozenset({DestructionState.CONFIRMED, DestructionState.WITHDRAWN}),
    DestructionState.CONFIRMED: frozenset({DestructionState.COUNTED, DestructionState.WITHDRAWN}),
    # what is stopped after the count is pulled out, and the rest is counted again
    DestructionState.COUNTED: frozenset(
        {DestructionState.RUNNING, DestructionState.CONFIRMED, DestructionState.WITHDRAWN}
    ),
    DestructionState.RUNNING: frozenset({DestructionState.GONE}),
    DestructionState.GONE: frozenset({DestructionState.CLOSED}),
    DestructionState.CLOSED: frozenset(),
    DestructionState.REFUSED: frozenset(),
    DestructionState.WITHDRAWN: frozenset(),
}
"""Which state may follow which. From ``RUNNING`` there is no way back."""

BEFORE_RUNNING = tuple(state for state in DestructionState if DestructionState.WITHDRAWN in NEXT[state])
"""States from which it can be withdrawn."""

OPEN = tuple(state for state in DestructionState if NEXT[state])
"""States that wait for something."""

WEIGHED_IN = (
    DestructionState.CONFIRMED, DestructionState.COUNTED, DestructionState.RUNNING, DestructionState.GONE,
)  # fmt: skip
"""States in which it is noted what paper weighs and who takes it away, until somebody signs at the end."""

APPOINTED = (Duty.EXECUTOR, Duty.WITNESS, Duty.SUPERVISOR)
"""Duties that who asks gives to people."""

WITNESSES = 2

STAGES: Sequence[DestructionState] = (
    DestructionState.DRAFT, DestructionState.ASKED, DestructionState.COOLING, DestructionState.CONFIRMED,
    DestructionState.COUNTED, DestructionState.RUNNING, DestructionState.GONE, DestructionState.CLOSED,
)  # fmt: skip
"""The way, in its order."""


def move(row: Destruction, state: DestructionState, act: str) -> None:
    """Set the state of a destruction. Raises ``Ended`` where that may not follow."""
    if state not in NEXT[row.state]:
        raise Ended(state=row.state.value, act=act)
    row.state, row.version = state, row.version + 1


def require_state(row: Destruction, act: str, *states: DestructionState) -> None:
    """Refuse an act in any other state than these. Raises ``Ended``."""
    if row.state not in states:
        raise Ended(state=row.state.value, act=act)


def free_for(duties: Mapping[Duty, Collection[UUID]], person: UUID) -> bool:
    """Return whether a person has no duty yet, and so may take one: each is another person's."""
    return not any(person in people for people in duties.values())


def all_apart(duties: Mapping[Duty, Collection[UUID]]) -> bool:
    """Return whether nobody has two duties, nor one twice."""
    everyone = [person for people in duties.values() for person in people]
    return len(everyone) == len(set(everyone))


def needed(*, electronic: bool) -> Mapping[Duty, int]:
    """Return how many people each appointed duty needs; electronic files need who runs the system, too."""
    return {Duty.EXECUTOR: 1, Duty.WITNESS: WITNESSES, Duty.SUPERVISOR: 1 if electronic else 0}


def lacking(duties: Sequence[Duty], *, electronic: bool) -> Sequence[Duty]:
    """Return the duties that nobody has yet, each as often as people lack."""
    lack: list[Duty] = []
    for duty, count in needed(electronic=electronic).items():
        lack += [duty] * max(0, count - sum(1 for each in duties if each is duty))
    return lack


def signs_before(duty: Duty) -> bool:
    """Return whether a duty signs the count: those who watch."""
    return duty in {Duty.WITNESS, Duty.SUPERVISOR}


def signs_after(duty: Duty) -> bool:
    """Return whether a duty signs at the end: those who watch, and who did it."""
    return duty in APPOINTED


def cooled(until: datetime | None, now: datetime) -> bool:
    """Return whether the time in which anyone concerned may object is over."""
    return until is not None and now >= until


def missing_and_extra(expected: Collection[UUID], scanned: Collection[UUID | None]) -> tuple[set[UUID], int]:
    """Return the copies that were not scanned, and how many scans are of nothing on the list."""
    return set(expected) - {each for each in scanned if each}, sum(1 for each in scanned if each not in expected)


def fits(method: DestructionMethod, *, paper: bool) -> bool:
    """Return whether a method destroys what is on the list: paper is not destroyed by deletion."""
    return not paper or method is not DestructionMethod.DELETION


def digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of a list: SHA-256 of its rows as JSON with sorted keys, in their order."""
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
