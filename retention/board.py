"""What is due: lists by year, category and project, and what one record's clock says in facts that pages put in words.

Who does not read a record, but keeps custody of it, sees its registration number and days; nothing else of it can be
asked for or counted by them, so that filters tell nothing either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, extract, func, or_, select
from sqlalchemy.orm import Session

from archive.counting import Counted, Counting
from archive.database import Database
from archive.identity import Identity
from archive.model import DueState, Place, Record, RecordDue, RecordState, RetentionSchedule
from archive.policy.condition import Condition
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.policy.sql import where
from archive.scheme.tree import below
from retention.documents import rule_of
from retention.reckoning import DueDays, Reckoned, world
from retention.rules import Rule
from retention.schedules import Chosen, Schedules

EXPORTED = 20_000
"""Rows that one spreadsheet holds at most."""

Forecast = Sequence[tuple[UUID, int, int]]
"""A category, a year, and how many of its records fall due in it."""


@dataclass(frozen=True)
class Asked:
    """What of the due list is asked for.

    ``state`` DATED: what has a day; with ``ahead`` False only what is due by today. ``year`` of the day; ``category``
    and ``place`` with all below them; ``schedule`` is the one that its day comes from.
    """

    state: DueState = DueState.DATED
    ahead: bool = False
    year: int | None = None
    category: UUID | None = None
    place: UUID | None = None
    schedule: UUID | None = None


@dataclass(frozen=True)
class DueRow:
    """One line. For who does not read the record, title, archive number, category and schedule are None."""

    record_id: UUID
    registration_number: str | None
    archive_number: str | None
    title: str | None
    level_rank: int
    category: UUID | None
    schedule: UUID | None
    state: DueState
    due: date | None
    noticed_on: date | None


@dataclass(frozen=True)
class Told:
    """What a record's clock says: its schedule and rule, how it stands, and where the longest clock is another's.

    ``other`` is the record of its dossier whose clock counts (None: its own does), if this person may read that;
    ``of_dossier``: the clock of another record counts.
    """

    reckoned: Reckoned
    schedule: RetentionSchedule | None
    rule: Rule | None
    chosen: Chosen | None
    of_dossier: bool
    other: Record | None


class DueBoard:
    """Lists what is due, to whoever may see it."""

    def __init__(self, db: Database, guard: Guard, due_days: DueDays, schedules: Schedules) -> None:
        self._db = db
        self._guard = guard
        self._due_days = due_days
        self._schedules = schedules
        self.counting = Counting(db, guard)

    def list(
        self, identity: Identity, asked: Asked, *, after: tuple[date | None, UUID] | None = None, limit: int
    ) -> Sequence[DueRow]:
        """Return lines, the earliest day first, behind a day and record.

        What has no day never stands among what is due; it is listed by its state alone, in the order of ids.
        """
        with self._db.reading() as session:
            query = self.query(session, identity, asked).with_only_columns(
                Record.id, Record.registration_number, Record.archive_number, Record.title, Record.level_rank,
                Record.category_id, RecordDue.schedule_id, RecordDue.state, RecordDue.due, RecordDue.noticed_on,
            )  # fmt: skip
            if after is not None:
                day, key = after
                behind = RecordDue.record_id > key
                if day is not None:
                    behind = or_(RecordDue.due > day, and_(RecordDue.due == day, behind))
                query = query.where(behind)
            # without a day the index by state has the order: by the empty day, all of the state would be sorted
            order = (RecordDue.due, RecordDue.record_id) if asked.state is DueState.DATED else (RecordDue.record_id,)
            rows = session.execute(query.order_by(*order).limit(limit)).all()
            mine = self._guard.visible(session, identity).with_only_columns(Record.id)
            read: set[UUID] = set()
            for start in range(0, len(rows), 1000):
                part = [row.id for row in rows[start : start + 1000]]
                read |= set(session.scalars(mine.where(Record.id.in_(part))))
        return [_row(row, row.id in read) for row in rows]

    def years(self, identity: Identity, asked: Asked) -> Counted[Mapping[int, int]] | None:
        """Count by year of their day the records of this person's that fit all else that is asked for.

        None, here and below: it is being counted.
        """
        wider = Asked(state=DueState.DATED, ahead=True, category=asked.category, place=asked.place)

        def count(session: Session, rule: Condition) -> Mapping[int, int]:
            year = extract("year", RecordDue.due)
            query = self._narrowed(session, _ruled(rule), wider).with_only_columns(year, func.count()).group_by(year)
            return {int(when): many for when, many in session.execute(query.order_by(year))}

        return self.counting.soon(identity, _act(wider), ("years", wider), count)

    def forecast(self, identity: Identity, until: int) -> Counted[Forecast] | None:
        """Count by category and year of their day, to the end of ``until``, the records that this person reads."""
        return self.counting.soon(identity, Act.READ, ("forecast", until), partial(_forecast, until))

    def forecast_now(self, identity: Identity, until: int) -> Forecast:
        """Count the same while whoever asks waits."""
        return self.counting.now(identity, Act.READ, partial(_forecast, until))

    def states(self, identity: Identity) -> Counted[Mapping[DueState, int]] | None:
        """Count by state the records that this person may see."""
        return self.counting.soon(identity, Act.SEE, "states", _states)

    def fallen(self, session: Session, identity: Identity) -> Select[UUID]:
        """Return a query for the ids of the records that this person reads and that are due today."""
        mine = self._guard.opens(session, identity, RecordDue.record_id)
        return select(RecordDue.record_id).where(RecordDue.due <= self._guard.day(), mine)

    def told(self, identity: Identity, record_id: UUID) -> Told | None:
        """Return what a filed record's clock says; None: it is not filed. Raises as ``Guard.require``."""
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.READ, record_id)
            if record.state is not RecordState.FILED:
                return None
            found = self._due_days.reckon(session, [record_id], world(session))[record_id]
            schedule = session.get(RetentionSchedule, found.schedule) if found.schedule else None
            other = None
            if found.by != record_id:
                seen = self._guard.visible(session, identity).where(Record.id == found.by)
                other = session.scalars(seen).one_or_none()
            chosen = self._schedules.chosen(session, record_id) if found.instead else None
            rule = rule_of(schedule.definition) if schedule else None
            return Told(found, schedule, rule, chosen, found.by != record_id, other)

    def query(self, session: Session, identity: Identity, asked: Asked) -> Select[Any]:
        """Return a query for the records of this person's that are asked for, joined with their days."""
        return self._narrowed(session, self._guard.visible(session, identity, _act(asked)), asked)

    def _narrowed(self, session: Session, mine: Select[Record], asked: Asked) -> Select[Any]:
        """Join records with their days and leave those that are asked for."""
        seen = mine.join(RecordDue, RecordDue.record_id == Record.id)
        conditions: list[ColumnElement[bool]] = [RecordDue.state == asked.state]
        if asked.state is DueState.DATED:
            conditions.append(RecordDue.due.is_not(None))
            if not asked.ahead and asked.year is None:
                conditions.append(RecordDue.due <= self._guard.day())
            if asked.year is not None:
                conditions.append(RecordDue.due.between(date(asked.year, 1, 1), date(asked.year, 12, 31)))
        if asked.category is not None:
            conditions.append(Record.category_id.in_(below(asked.category)))
        if asked.schedule is not None:
            conditions.append(RecordDue.schedule_id == asked.schedule)
        if asked.place is not None:
            path = session.scalar(select(Place.path).where(Place.id == asked.place)) or "?"
            conditions.append(Record.place_path.startswith(path, autoescape=True))
        return seen.where(*conditions)


def _act(asked: Asked) -> Act:
    """By category or schedule a record is found by its readers alone: custody does not show that."""
    return Act.READ if asked.category is not None or asked.schedule is not None else Act.SEE


def _ruled(rule: Condition) -> Select[Record]:
    return select(Record).where(where(rule))


def _forecast(until: int, session: Session, rule: Condition) -> Forecast:
    year = extract("year", RecordDue.due)
    seen = _ruled(rule).join(RecordDue, RecordDue.record_id == Record.id)
    query = seen.where(RecordDue.due.is_not(None), RecordDue.due <= date(until, 12, 31))
    columns = query.with_only_columns(Record.category_id, year, func.count())
    rows = session.execute(columns.group_by(Record.category_id, year).order_by(year))
    return [(category, int(when), count) for category, when, count in rows]


def _states(session: Session, rule: Condition) -> Mapping[DueState, int]:
    seen = _ruled(rule).join(RecordDue, RecordDue.record_id == Record.id)
    query = seen.with_only_columns(RecordDue.state, func.count().label("counted")).group_by(RecordDue.state)
    return {row.state: row.counted for row in session.execute(query)}


def _row(row: Any, read: bool) -> DueRow:
    return DueRow(
        record_id=row.id,
        registration_number=row.registration_number,
        archive_number=row.archive_number if read else None,
        title=row.title if read else None,
        level_rank=row.level_rank,
        category=row.category_id if read else None,
        schedule=row.schedule_id if read else None,
        state=row.state,
        due=row.due,
        noticed_on=row.noticed_on,
    )
