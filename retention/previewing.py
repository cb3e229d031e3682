"""What a drafted schedule would move, record by record, before anyone approves it. Nothing is written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from archive.database import Database
from archive.identity import Identity
from archive.model import DueState, Record, ScheduleDraft
from archive.policy.guard import Guard
from archive.policy.rules import Act
from retention.change import affected, candidates, drafted
from retention.reckoning import DueDays, as_kept, kept, world
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
    """One record that would move. Of one that they do not read, only the registration number is told (no title)."""

    record_id: UUID
    number: str
    title: str | None
    before: tuple[DueState | None, date | None]
    after: tuple[DueState, date | None]
    how: Moved


@dataclass(frozen=True)
class Preview:
    """What a draft would do to the records that this person may see: how many of each kind, and how many stay."""

    counts: Mapping[Moved, int]
    same: int

    @property
    def moved(self) -> int:
        """How many records would move."""
        return sum(self.counts.values())


class Previews:
    """Looks at drafts."""

    def __init__(self, db: Database, guard: Guard, schedules: Schedules, due_days: DueDays) -> None:
        self._db = db
        self._guard = guard
        self._schedules = schedules
        self._due_days = due_days

    def count(self, identity: Identity, draft_id: UUID) -> Preview:
        """Count what a draft would move. Raises ``NotFound``."""
        draft = self._schedules.one_draft(identity, draft_id)
        counts: Counter[Moved] = Counter()
        same = 0
        with self._db.reading(long=True) as session:
            for _row, how, _before, _after in self._walk(session, identity, draft, None):
                if how is None:
                    same += 1
                else:
                    counts[how] += 1
        return Preview(counts, same)

    def moves(
        self, identity: Identity, draft_id: UUID, *, after: UUID | None = None, limit: int | None = None
    ) -> Sequence[Move]:
        """Return the records that a draft would move, by their ids behind ``after``. Raises ``NotFound``."""
        draft = self._schedules.one_draft(identity, draft_id)
        found: list[Move] = []
        with self._db.reading(long=True) as session:
            for row, how, before, now in self._walk(session, identity, draft, after):
                if how is not None:
                    found.append(Move(row.id, row.registration_number, row.title, before, now, how))
                if limit is not None and len(found) == limit:
                    break
            read: dict[UUID, Any] = {}
            for start in range(0, len(found), _LOOK):
                part = [each.record_id for each in found[start : start + _LOOK]]
                mine = self._guard.visible(session, identity).with_only_columns(Record.id, Record.archive_number)
                read |= {row.id: row.archive_number for row in session.execute(mine.where(Record.id.in_(part)))}
        return [
            Move(m.record_id, read[m.record_id] or m.number, m.title, m.before, m.after, m.how)
            if m.record_id in read
            else Move(m.record_id, m.number, None, m.before, m.after, m.how)
            for m in found
        ]

    def _walk(self, session: Session, identity: Identity, draft: ScheduleDraft, after: UUID | None) -> Iterator[Any]:
        """Yield each record that the draft concerns: row, how it moves (None: it stays), before, after."""
        now, day = world(session), self._guard.day()
        then, key = drafted(now, draft)
        seen = self._guard.visible(session, identity, Act.SEE)
        columns = seen.with_only_columns(Record.id, Record.registration_number, Record.title)
        query = columns.where(*candidates(affected(now, then, key), key)).order_by(Record.id).limit(_LOOK)
        while True:
            rows = session.execute(query if after is None else query.where(Record.id > after)).all()
            ids = [row.id for row in rows]
            before, found = kept(session, ids), self._due_days.reckon(session, ids, then)
            for row in rows:
                was, will = before.get(row.id, (None, None, None))[:2], as_kept(found[row.id])[:2]
                yield row, moved(was, will, day), was, will
            if len(rows) < _LOOK:
                return
            after = ids[-1]


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
