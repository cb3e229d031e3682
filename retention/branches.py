"""Categories that are to stand elsewhere in the tree: what that does to the terms of their records.

Who keeps the scheme moves a branch alone, so no term may end sooner by that: a shorter one comes by a schedule's draft,
which another person approves.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity
from archive.model import DueState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import TermsMoved
from retention.change import candidates
from retention.previewing import Change, Looking, Move, Preview, moved
from retention.reckoning import DueDays, World, as_kept, world
from retention.rules import sooner

Term = tuple[DueState, date | None]
"""How a clock stands, and its day."""


@dataclass(frozen=True)
class Seen:
    """What a move would do to the records that someone reads; ``shorter``: it may not, for a term would end sooner."""

    preview: Preview
    shorter: bool


class Branches:
    """Looks at moves of categories before they are made. Implements ``archive.ports.BranchTerms``."""

    def __init__(self, db: Database, guard: Guard, due_days: DueDays) -> None:
        self._db = db
        self._guard = guard
        self._due_days = due_days
        self._looking = Looking(guard, due_days)

    def look(self, identity: Identity, category: UUID, parent: UUID | None) -> Seen:
        """Count what would move of the records that this person reads. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            now = world(session)
            change = _change(now, {category: parent})
            if change is None:
                return Seen(Preview({}, 0), shorter=False)
            counted, shorter = self._looking.tally(), False
            for row, was, will in self._terms(session, now, change, self._looking.seen(session, identity)):
                shorter = shorter or sooner(was, will)
                if row.seen:
                    counted.add((row.kept_state, row.kept_due), will)
            return Seen(counted.preview(), shorter)

    def moves(
        self, identity: Identity, category: UUID, parent: UUID | None, *, after: UUID | None = None, limit: int
    ) -> Sequence[Move]:
        """Return the records that would move, by their ids behind ``after``. Raises as ``look``."""
        with self._guard.refusals(identity), self._db.reading(long=True) as session:
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            change = _change(world(session), {category: parent})
            return list(islice(self._looking.moves(session, identity, change, after), limit)) if change else []

    def moved(self, session: Session, to: Mapping[UUID, UUID | None]) -> TermsMoved:
        """See ``BranchTerms``."""
        now, day = world(session), self._guard.day()
        counts: Counter[str] = Counter()
        if change := _change(now, to):
            for _row, was, will in self._terms(session, now, change):
                if sooner(was, will):
                    raise InvalidInput(Fault("parent", "terms_shorter"))
                if how := moved(was, will, day):
                    counts[how.value] += 1
        return TermsMoved(counts, now)

    def unchanged(self, session: Session, found: TermsMoved) -> bool:
        """See ``BranchTerms``."""
        return world(session) == found.seen

    def _terms(
        self, session: Session, now: World, change: Change, *columns: ColumnElement[Any]
    ) -> Iterator[tuple[Any, Term, Term]]:
        """Yield what is in force and what would be; kept days may still have to follow a schedule that was approved."""
        for row, before, after in self._due_days.each_in_both(session, now, change.then, *columns, where=change.which):
            yield row, as_kept(before)[:2], as_kept(after)[:2]


def _change(now: World, to: Mapping[UUID, UUID | None]) -> Change | None:
    """Return what would be; None: no category would have another schedule."""
    then = now.with_parents(to)
    other = {key for key in now.parents if now.of_category(key) != then.of_category(key)}
    return Change(then, candidates(other)) if other else None
