"""From the database to the rules and back: which rule a record has, how its clock stands, and the day that is kept."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from archive.category_lines import with_above
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
from retention.rules import UNRULED, Due, Facts, Rule, Trigger, own_due, together

_PART = 5000  # ids in one question: databases bound how many values it may hold
AT_ONCE = 2000  # rows in memory, but for a dossier that has more
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
        passed: set[UUID] = set()
        while at is not None and at not in passed:  # of two moves at once a ring may be asked for, and is refused
            if (found := self.on_category.get(at)) is not None:
                return found
            passed.add(at)
            at = self.parents.get(at)
        return None

    @cached_property
    def _by_category(self) -> Mapping[UUID, UUID | None]:
        return {key: self.of_category(key) for key in self.parents}

    def of_record(self, row: Any) -> UUID | None:
        """Return the schedule of a record (of ``FACTS``): its own, its dossier's, else its category's."""
        return row.chosen or row.chosen_above or self._by_category.get(row.category_id)

    @cached_property
    def events(self) -> Mapping[UUID | None, str]:
        """Return by schedule the code of the event that starts its clocks, of those that wait for one."""
        return {key: rule.event for key, rule in self.rules.items() if rule.trigger is Trigger.EVENT}

    def due(self, schedule: UUID | None, row: Any, happened: date | None, zone: str) -> Due:
        """Return how the clock of a record (of ``FACTS``) stands by itself; ``happened``: the event of its rule."""
        try:
            term = parse_term(row.term)
        except InvalidInput:  # what nobody can read is never due
            return UNRULED
        rule = self.rules.get(schedule) if schedule else None
        events = {rule.event: happened} if rule and happened else {}
        return own_due(rule, Facts(term, local_day(row.filed_at, zone), row.drawn_to, events, row.longer))

    def with_schedule(self, schedule: UUID, rule: Rule, categories: Collection[UUID]) -> "World":
        """Return the world in which a schedule has this rule, and stands on these categories and no others."""
        others = {key: each for key, each in self.on_category.items() if each != schedule and key not in categories}
        return replace(
            self,
            rules={**self.rules, schedule: rule},
            on_category=others | dict.fromkeys(categories, schedule),
        )

    def with_parents(self, to: Mapping[UUID, UUID | None]) -> "World":
        """Return the world in which these categories stand below others, or at the top."""
        return replace(self, parents={**self.parents, **to})


def world(session: Session) -> World:
    """Return what stands now."""
    session.flush()
    connection = session.connection()
    return World(_read(connection.execute(_RULES)), dict(connection.execute(_ON).all()), parents(session))


def _world_of(session: Session, rows: Collection[Any]) -> World:
    """Return what stands now as far as it concerns some rows of ``FACTS``."""
    connection = session.connection()
    above = with_above(session, {row.category_id for row in rows})
    on = dict(connection.execute(_ON_SOME, {"ids": list(above)}).all())
    named = {*on.values(), *(key for row in rows for key in (row.chosen, row.chosen_above) if key)}
    rules = _read(connection.execute(_RULES_SOME, {"ids": list(named)})) if named else {}
    return World(rules, on, {key: row.parent_id for key, row in above.items()})


def _read(rows: Iterable[Any]) -> dict[UUID, Rule]:
    return {row.id: rule_of(row.definition) for row in rows}


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


_OF_RECORD, _OF_UNIT = aliased(RecordSchedule), aliased(RecordSchedule)

UNIT = func.coalesce(Record.dossier_id, Record.id)
"""What is appraised together: a dossier with its items, or an item by itself."""


_LONGER = select(func.max(RecordExtension.until)).where(RecordExtension.record_id == Record.id).scalar_subquery()
FACTS: Select[*tuple[Any, ...]] = (
    select(
        Record.id, Record.kind, Record.dossier_id, Record.category_id, Record.state, Record.term, Record.filed_at,
        Record.drawn_to, _OF_RECORD.schedule_id.label("chosen"), _OF_UNIT.schedule_id.label("chosen_above"),
        _LONGER.label("longer"), RecordDue.state.label("kept_state"), RecordDue.due.label("kept_due"),
        RecordDue.schedule_id.label("kept_schedule"),
    )
    .outerjoin(_OF_RECORD, _OF_RECORD.record_id == Record.id)
    .outerjoin(_OF_UNIT, _OF_UNIT.record_id == UNIT)
    .outerjoin(RecordDue, RecordDue.record_id == Record.id)
)  # fmt: skip
"""All that the clocks of records hang on, but events; and what is kept of them."""

# built once: for one record that takes longer than running them
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_BY_ID = FACTS.where(Record.id.in_(_IDS))
_BY_DOSSIER = FACTS.where(Record.dossier_id.in_(_IDS), Record.state == RecordState.FILED)
_RULES = select(RetentionSchedule.id, RetentionSchedule.definition)
_RULES_SOME = _RULES.where(RetentionSchedule.id.in_(_IDS))
_ON = select(CategorySchedule.category_id, CategorySchedule.schedule_id)
_ON_SOME = _ON.where(CategorySchedule.category_id.in_(_IDS))
_STANDING = RetentionEvent.undone_at.is_(None)
_OWN_EVENTS = (
    select(RetentionEvent.record_id, RetentionEvent.kind, func.max(RetentionEvent.day))
    .where(_STANDING, RetentionEvent.record_id.in_(_IDS))
    .group_by(RetentionEvent.record_id, RetentionEvent.kind)
)
_HUNG_EVENTS = (
    select(RecordSubject.record_id, RetentionEvent.kind, func.max(RetentionEvent.day))
    .join(Subject, or_(Subject.id == RecordSubject.subject_id, Subject.merged_into == RecordSubject.subject_id))
    .join(RetentionEvent, RetentionEvent.subject_id == Subject.id)
    .where(_STANDING, RecordSubject.record_id.in_(_IDS))
    .group_by(RecordSubject.record_id, RetentionEvent.kind)
)


def _clocks(session: Session, here: World, rows: Iterable[Any], zone: str) -> Iterator[tuple[Any, Reckoned]]:
    """Yield the filed ones of ``rows`` with how their clocks stand; dossiers must be whole among them."""
    filed = [(row, here.of_record(row)) for row in rows if row.state is RecordState.FILED]
    waiting = {key for row, schedule in filed if schedule in here.events for key in (row.id, _unit(row))}
    events = _events(session, waiting)
    dossiers: dict[UUID, list[tuple[Any, UUID | None, Due]]] = defaultdict(list)
    for row, schedule in filed:
        happened = None
        if schedule in here.events:
            days = [events[key].get(here.events[schedule]) for key in (row.id, _unit(row)) if key in events]
            happened = max((day for day in days if day), default=None)
        own = here.due(schedule, row, happened, zone)
        if row.dossier_id is None and row.kind is not RecordKind.DOSSIER:
            yield row, Reckoned(schedule, own, own, row.id, instead=row.chosen is not None)
        else:
            dossiers[_unit(row)].append((row, schedule, own))
    for members in dossiers.values():
        due = together(own for _, _, own in members)
        by = next(row.id for row, _, own in members if own is due)
        for row, schedule, own in members:
            yield row, Reckoned(schedule, own, due, by, instead=row.chosen is not None)


def _unit(row: Any) -> UUID:
    key: UUID = row.dossier_id or row.id
    return key


def _whole(session: Session, known: Iterable[Any]) -> dict[UUID, Any]:
    """Return by id the rows that are known and all filed ones that are in one dossier with them."""
    rows = {row.id: row for row in known}
    dossiers = {row.dossier_id for row in rows.values() if row.dossier_id is not None}
    dossiers |= {row.id for row in rows.values() if row.kind is RecordKind.DOSSIER}
    for query in (_BY_ID, _BY_DOSSIER):
        rows |= {row.id: row for row in _rows(session, query, dossiers)}
    return rows


def _parts(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    every = list(ids)
    for start in range(0, len(every), _PART):
        yield every[start : start + _PART]


def _rows(session: Session, query: Any, ids: Collection[UUID]) -> Iterator[Any]:
    for part in _parts(ids):
        yield from session.connection().execute(query, {"ids": part})


def _events(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, date]]:
    """Return by record the last day of each kind of event: its own, and those of the subjects that it hangs on."""
    found: dict[UUID, dict[str, date]] = defaultdict(dict)
    for query in (_OWN_EVENTS, _HUNG_EVENTS):
        for key, kind, day in _rows(session, query, ids):
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


def _in_units(session: Session, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """Yield rows some thousands at a time, those of a dossier together."""
    rows = session.connection().execute(query.order_by(UNIT), execution_options={"yield_per": AT_ONCE})
    held: list[Any] = []
    for row in rows:
        if len(held) >= AT_ONCE and _unit(row) != _unit(held[-1]):
            yield held
            held = []
        held.append(row)
    yield held


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
        rows = list(_rows(session, _BY_ID, ids))
        if all(row.state is not RecordState.FILED and row.kind is not RecordKind.DOSSIER for row in rows):
            return self._write(session, {}, rows)
        # two who file items of one dossier at a time would each miss the other's
        rows_by_id(session, Record, {row.dossier_id for row in rows} - {None}, lock=True)
        every = _whole(session, rows).values()
        here = here or _world_of(session, every)
        found = {row.id: each for row, each in _clocks(session, here, every, self._zone)}
        return self._write(session, found, every)

    def each(
        self, session: Session, here: World, *columns: ColumnElement[Any], where: Sequence[ColumnElement[bool]]
    ) -> Iterator[tuple[Any, Reckoned]]:
        """Yield all filed records that fit, dossier by dossier, with how their clocks stand; memory stays flat.

        Args:
            session: of a snapshot that may last.
            here: what stands where.
            columns: more that rows are to have beside ``FACTS``.
            where: conditions that hold for all records of a dossier or for none.
        """
        for rows in _in_units(session, FACTS.add_columns(*columns).where(*where)):
            yield from _clocks(session, here, rows, self._zone)

    def each_in_both(
        self, session: Session, here: World, there: World, *columns: ColumnElement[Any],
        where: Sequence[ColumnElement[bool]],
    ) -> Iterator[tuple[Any, Reckoned, Reckoned]]:  # fmt: skip
        """Yield all that fit, with how their clocks stand here and there. As ``each``."""
        for rows in _in_units(session, FACTS.add_columns(*columns).where(*where)):
            other = {row.id: each for row, each in _clocks(session, there, rows, self._zone)}
            for row, each in _clocks(session, here, rows, self._zone):
                yield row, each, other[row.id]

    def reckon(self, session: Session, ids: Collection[UUID], here: World | None = None) -> dict[UUID, Reckoned]:
        """Return how the clocks stand of all filed records among these and of those in one dossier with them."""
        session.flush()
        rows = _whole(session, _rows(session, _BY_ID, ids)).values()
        here = here or _world_of(session, rows)
        return {row.id: each for row, each in _clocks(session, here, rows, self._zone)}

    def reckon_rows(self, session: Session, rows: Iterable[Any], here: World) -> dict[UUID, Reckoned]:
        """As ``reckon``, of rows of ``FACTS`` that were read already."""
        return {row.id: each for row, each in _clocks(session, here, _whole(session, rows).values(), self._zone)}

    @staticmethod
    def _write(session: Session, found: Mapping[UUID, Reckoned], rows: Iterable[Any]) -> int:
        gone, fresh, moved = [], [], []
        for row in rows:
            if row.id not in found:
                gone += [row.id] if row.kept_state is not None else []
                continue
            now = as_kept(found[row.id])
            if row.kept_state is None:
                fresh.append({"record_id": row.id, "state": now[0], "due": now[1], "schedule_id": now[2]})
            elif (row.kept_state, row.kept_due, row.kept_schedule) != now:
                same = (row.kept_state, row.kept_due) == now[:2]
                moved.append((same, {"key": row.id, "new_state": now[0], "new_due": now[1], "new_schedule": now[2]}))
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
