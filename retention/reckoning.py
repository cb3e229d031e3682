"""From the database to the rules and back: which rule a record has, how its clock stands, and the day that is kept."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from archive.clock import local_day
from archive.database import Base, rows_by_id
from archive.errors import InvalidInput
from archive.model import (
    CategorySchedule,
    DueState,
    Record,
    RecordDue,
    RecordExtension,
    RecordKind,
    RecordSchedule,
    RecordState,
    RecordSubject,
    RetentionEvent,
    RetentionSchedule,
    Subject,
)
from archive.scheme.tree import parents
from archive.terms import parse_term
from retention.documents import rule_of
from retention.rules import UNRULED, Due, Facts, Rule, own_due, together

_PART = 5000  # ids in one question: databases bound how many values it may hold
_TABLE = Base.metadata.tables["record_due"]


@dataclass(frozen=True)
class World:
    """Which schedule stands where: rules by schedule, schedules by category and by record, and the tree."""

    rules: Mapping[UUID, Rule]
    on_category: Mapping[UUID, UUID]
    parents: Mapping[UUID, UUID | None]

    def of_category(self, category: UUID) -> UUID | None:
        """Return the schedule of a category: its own, else the nearest above it."""
        at: UUID | None = category
        while at is not None:
            if (found := self.on_category.get(at)) is not None:
                return found
            at = self.parents.get(at)
        return None

    def with_schedule(self, schedule: UUID, rule: Rule, categories: Collection[UUID]) -> "World":
        """Return the world in which a schedule has this rule, and stands on these categories and no others."""
        others = {key: each for key, each in self.on_category.items() if each != schedule and key not in categories}
        return replace(
            self,
            rules={**self.rules, schedule: rule},
            on_category=others | dict.fromkeys(categories, schedule),
        )


def world(session: Session) -> World:
    """Return what stands now."""
    rules = session.execute(select(RetentionSchedule.id, RetentionSchedule.definition))
    on = session.execute(select(CategorySchedule.category_id, CategorySchedule.schedule_id))
    return World(
        {row.id: rule_of(row.definition) for row in rules},
        {row.category_id: row.schedule_id for row in on},
        parents(session),
    )


@dataclass(frozen=True)
class Reckoned:
    """How a filed record's clock stands.

    ``own`` is its clock by itself, ``due`` the one that counts; ``by`` the record whose clock that is: itself, or, in a
    dossier, the one that is kept longest. ``instead``: it has a schedule of its own instead of its category's.
    """

    schedule: UUID | None
    own: Due
    due: Due
    by: UUID
    instead: bool = field(default=False, compare=False)


_COLUMNS = (
    Record.id, Record.kind, Record.dossier_id, Record.category_id, Record.state, Record.term, Record.filed_at,
    Record.drawn_to,
)  # fmt: skip


def reckon(session: Session, here: World, known: Iterable[Any], zone: str) -> dict[UUID, Reckoned]:
    """Return how the clocks stand of all filed records among ``known`` and of those in one dossier with them."""
    rows = {row.id: row for row in known}
    dossiers = {row.dossier_id for row in rows.values() if row.dossier_id is not None}
    dossiers |= {row.id for row in rows.values() if row.kind is RecordKind.DOSSIER}
    for column in (Record.id, Record.dossier_id):
        rows |= {row.id: row for row in _rows(session, column, dossiers)}
    filed = [row for row in rows.values() if row.state is RecordState.FILED]
    if not filed:
        return {}
    chosen, longer = _instead(session, rows)
    events = _events(session, rows) if any(rule.event for rule in here.rules.values()) else {}
    units: dict[UUID, list[tuple[UUID, UUID | None, Due]]] = defaultdict(list)
    for row in filed:
        unit = row.dossier_id or row.id
        schedule = chosen.get(row.id) or chosen.get(unit) or here.of_category(row.category_id)
        happened = dict(events.get(unit, {}))
        if unit != row.id:
            for kind, day in events.get(row.id, {}).items():
                happened[kind] = max(day, happened.get(kind, day))
        own = _own(here, schedule, row, happened, longer.get(row.id), zone)
        units[unit].append((row.id, schedule, own))
    found: dict[UUID, Reckoned] = {}
    for members in units.values():
        due = together(own for _, _, own in members)
        by = next(key for key, _, own in members if own is due)
        found |= {key: Reckoned(schedule, own, due, by, instead=key in chosen) for key, schedule, own in members}
    return found


def _own(
    here: World, schedule: UUID | None, row: Any, happened: Mapping[str, date], kept_until: date | None, zone: str
) -> Due:
    try:
        term = parse_term(row.term)
    except InvalidInput:  # what nobody can read is never due
        return UNRULED
    facts = Facts(term, local_day(row.filed_at, zone), row.drawn_to, happened, kept_until)
    return own_due(here.rules.get(schedule) if schedule else None, facts)


def _parts(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    every = list(ids)
    for start in range(0, len(every), _PART):
        yield every[start : start + _PART]


def _rows(session: Session, column: Any, ids: Collection[UUID]) -> Iterator[Any]:
    for part in _parts(ids):
        yield from session.execute(select(*_COLUMNS).where(column.in_(part)))


def _instead(session: Session, ids: Collection[UUID]) -> tuple[dict[UUID, UUID], dict[UUID, date]]:
    """Return the schedules that records have instead of their category's, and until when appraisals keep them on."""
    chosen: dict[UUID, UUID] = {}
    longer: dict[UUID, date] = {}
    until = select(func.max(RecordExtension.until)).where(RecordExtension.record_id == Record.id).scalar_subquery()
    query = select(Record.id, RecordSchedule.schedule_id, until.label("until")).outerjoin(
        RecordSchedule, RecordSchedule.record_id == Record.id
    )
    for part in _parts(ids):
        for row in session.execute(query.where(Record.id.in_(part))):
            if row.schedule_id is not None:
                chosen[row.id] = row.schedule_id
            if row.until is not None:
                longer[row.id] = row.until
    return chosen, longer


def _events(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, date]]:
    """Return by record the last day of each kind of event: its own, and those of the subjects that it hangs on."""
    found: dict[UUID, dict[str, date]] = defaultdict(dict)
    standing = RetentionEvent.undone_at.is_(None)
    for part in _parts(ids):
        own = (
            select(RetentionEvent.record_id, RetentionEvent.kind, func.max(RetentionEvent.day))
            .where(standing, RetentionEvent.record_id.in_(part))
            .group_by(RetentionEvent.record_id, RetentionEvent.kind)
        )
        hung = (
            select(RecordSubject.record_id, RetentionEvent.kind, func.max(RetentionEvent.day))
            .join(Subject, or_(Subject.id == RecordSubject.subject_id, Subject.merged_into == RecordSubject.subject_id))
            .join(RetentionEvent, RetentionEvent.subject_id == Subject.id)
            .where(standing, RecordSubject.record_id.in_(part))
            .group_by(RecordSubject.record_id, RetentionEvent.kind)
        )
        for query in (own, hung):
            rows: Any = session.execute(query)
            for key, kind, day in rows:
                found[key][kind] = max(day, found[key].get(kind, day))
    return found


Kept = tuple[DueState, date | None, UUID | None]


def kept(session: Session, ids: Collection[UUID]) -> dict[UUID, Kept]:
    """Return what is kept of records: state, day, schedule."""
    found: dict[UUID, Kept] = {}
    columns = (RecordDue.record_id, RecordDue.state, RecordDue.due, RecordDue.schedule_id)
    for part in _parts(ids):
        for row in session.execute(select(*columns).where(RecordDue.record_id.in_(part))):
            found[row.record_id] = (row.state, row.due, row.schedule_id)
    return found


def as_kept(each: Reckoned) -> Kept:
    """Return what is to be kept of a clock."""
    return each.due.state, each.due.day, each.schedule


class DueDays:
    """Keeps the days on which records fall due, in the transactions that change what they hang on."""

    def __init__(self, zone: Callable[[], str]) -> None:
        self._ask_zone = zone  # not before it is needed: the house may not be set up yet

    @cached_property
    def _zone(self) -> str:
        return self._ask_zone()

    def follow(self, session: Session, ids: Sequence[UUID]) -> None:
        """Keep what is true now of these records and of those in one dossier with them."""
        self.again(session, ids)

    def again(self, session: Session, ids: Collection[UUID], here: World | None = None) -> int:
        """As ``follow``; return how many rows changed. ``here`` spares loading what stands where."""
        session.flush()
        rows = list(_rows(session, Record.id, ids))
        if all(row.state is not RecordState.FILED and row.kind is not RecordKind.DOSSIER for row in rows):
            return self._write(session, {}, ids) if rows else 0
        # two who file items of one dossier at a time would each miss the other's
        rows_by_id(session, Record, {row.dossier_id for row in rows} - {None}, lock=True)
        return self._write(session, reckon(session, here or world(session), rows, self._zone), ids)

    def reckon(self, session: Session, ids: Collection[UUID], here: World | None = None) -> dict[UUID, Reckoned]:
        """Return how the clocks of filed records stand (see ``reckon``)."""
        return reckon(session, here or world(session), _rows(session, Record.id, ids), self._zone)

    @staticmethod
    def _write(session: Session, found: Mapping[UUID, Reckoned], ids: Collection[UUID]) -> int:
        before = kept(session, {*found, *ids})
        gone = [key for key in before if key not in found]
        fresh, moved = [], []
        for key, each in found.items():
            now = as_kept(each)
            if key not in before:
                fresh.append({"record_id": key, "state": now[0], "due": now[1], "schedule_id": now[2]})
            elif before[key] != now:
                same = before[key][:2] == now[:2]
                moved.append((same, {"key": key, "new_state": now[0], "new_due": now[1], "new_schedule": now[2]}))
        for part in _parts(gone):
            session.execute(delete(RecordDue).where(RecordDue.record_id.in_(part)))
        if fresh:
            session.connection().execute(insert(_TABLE), fresh)
        values: dict[str, Any] = {
            "state": bindparam("new_state"), "due": bindparam("new_due"), "schedule_id": bindparam("new_schedule")
        }  # fmt: skip
        for same, more in ((True, {}), (False, {"noticed_on": None})):
            if rows := [row for was, row in moved if was is same]:
                change = update(_TABLE).where(_TABLE.c.record_id == bindparam("key")).values(**values, **more)
                session.connection().execute(change, rows)
        return len(gone) + len(fresh) + len(moved)


def differences(session: Session, due_days: DueDays, ids: Collection[UUID], here: World) -> Iterator[UUID]:
    """Yield the records among ``ids`` of which something else is kept than is true."""
    found, before = due_days.reckon(session, ids, here), kept(session, ids)
    for key in ids:
        if before.get(key) != (as_kept(found[key]) if key in found else None):
            yield key
