"""What a change of schedules or of the tree would move, record by record, before it is made. Nothing is written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import NotAllowed
from archive.identity import Identity
from archive.model import DueState, Record, ScheduleDraft
from archive.policy.guard import Guard
from archive.policy.rules import Act, may
from retention.change import affected, candidates, drafted
from retention.reckoning import FACTS, DueDays, World, as_kept, world
from retention.schedules import Schedules

_LOOK = 2000


class Moved(StrEnum):
    """How a record would move."""

    DUE_AT_ONCE = "due_at_once"
    SOONER = "sooner"
    LATER = "later"
    GETS_DAY = "gets_day"
    LOSES_DAY = "loses_day"
    OTHERWISE = "otherwise"  # no day before or after, for another reason


@dataclass(frozen=True)
class Move:
    """One record that would move."""

    record_id: UUID
    number: str
    title: str
    before: tuple[DueState | None, date | None]
    after: tuple[DueState, date | None]
    how: Moved


@dataclass(frozen=True)
class Preview:
    """What a draft would do to the records that this person reads: how many of each kind, and how many stay."""

    counts: Mapping[Moved, int]
    same: int

    @property
    def moved(self) -> int:
        """How many records would move."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Change:
    """A world that is not yet, and conditions on the filed records that it concerns."""

    then: World
    which: Sequence[ColumnElement[bool]]


class Tally:
    """Counts how records move."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._counts: Counter[Moved] = Counter()
        self._same = 0

    def add(self, was: tuple[DueState | None, date | None], will: tuple[DueState, date | None]) -> None:
        """Count one record."""
        if (how := moved(was, will, self._today)) is None:
            self._same += 1
        else:
            self._counts[how] += 1

    def preview(self) -> Preview:
        """Return what was counted."""
        return Preview(self._counts, self._same)


class Looking:
    """What a change would move of the records that someone reads. Asks for nothing else: the caller has."""

    def __init__(self, guard: Guard, due_days: DueDays) -> None:
        self._guard = guard
        self._due_days = due_days

    def count(self, session: Session, identity: Identity, change: Change) -> Preview:
        """Count what it would move, in a snapshot that may last."""
        counted = self.tally()
        for row, each in self._due_days.each(session, change.then, self.seen(session, identity), where=change.which):
            if row.seen:
                counted.add((row.kept_state, row.kept_due), as_kept(each)[:2])
        return counted.preview()

    def tally(self) -> Tally:
        """Return a count that begins, of today."""
        return Tally(self._guard.day())

    def seen(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        """Return a column ``seen``: whether this person reads a record."""
        return self._seen(session, identity).label("seen")

    def moves(self, session: Session, identity: Identity, change: Change, after: UUID | None) -> Iterator[Move]:
        """Yield each record that it would move, by their ids behind ``after``."""
        day = self._guard.day()
        query = FACTS.add_columns(Record.archive_number, Record.registration_number, Record.title).order_by(Record.id)
        query = query.where(*change.which, self._seen(session, identity))
        query = query if after is None else query.where(Record.id > after)
        for part in session.connection().execute(query, execution_options={"yield_per": _LOOK}).partitions():
            found = self._due_days.reckon_rows(session, part, change.then)
            for row in part:
                was, will = (row.kept_state, row.kept_due), as_kept(found[row.id])[:2]
                if how := moved(was, will, day):
                    yield Move(row.id, row.archive_number or row.registration_number, row.title, was, will, how)

    def _seen(self, session: Session, identity: Identity) -> ColumnElement[bool]:
        seen = self._guard.visible(session, identity).whereclause
        return true() if seen is None else seen


class Previews:
    """Looks at drafts, for who writes or decides them. By a schedule a record is found by its readers alone."""

    def __init__(self, db: Database, guard: Guard, schedules: Schedules, due_days: DueDays) -> None:
        self._db = db
        self._guard = guard
        self._schedules = schedules
        self._looking = Looking(guard, due_days)

    def count(self, identity: Identity, draft_id: UUID) -> Preview:
        """Count what a draft would move. Raises ``NotFound``, ``NotAllowed``."""
        draft = self._draft(identity, draft_id)
        with self._db.reading(long=True) as session:
            return self._looking.count(session, identity, self._drafted(session, draft))

    def moves(
        self, identity: Identity, draft_id: UUID, *, after: UUID | None = None, limit: int | None = None
    ) -> Sequence[Move]:
        """Return the records that a draft would move, by their ids behind ``after``. Raises as ``count``."""
        draft = self._draft(identity, draft_id)
        with self._db.reading(long=True) as session:
            return list(islice(self._looking.moves(session, identity, self._drafted(session, draft), after), limit))

    def _draft(self, identity: Identity, draft_id: UUID) -> ScheduleDraft:
        draft = self._schedules.one_draft(identity, draft_id)
        with self._guard.refusals(identity), self._db.reading() as session:
            if not may(Act.DECIDE_SCHEDULES, self._guard.reach(session, identity)):  # whoever writes may decide
                raise NotAllowed(act=Act.DECIDE_SCHEDULES.value)
        return draft

    @staticmethod
    def _drafted(session: Session, draft: ScheduleDraft) -> Change:
        now = world(session)
        then, key = drafted(now, draft)
        return Change(then, candidates(affected(now, then, key), key))


def moved(
    before: tuple[DueState | None, date | None], after: tuple[DueState, date | None], today: date
) -> Moved | None:
    """Say how a record moves; None: it stays."""
    if before == after:
        return None
    was, will = before[1], after[1]
    if will is None:
        return Moved.LOSES_DAY if was else Moved.OTHERWISE
    if will <= today and (was is None or was > today):
        return Moved.DUE_AT_ONCE
    if was is None:
        return Moved.GETS_DAY
    return Moved.SOONER if will < was else Moved.LATER
