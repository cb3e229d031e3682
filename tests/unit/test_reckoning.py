"""Which rule a record's clock follows, and what is kept of it: examples that mutation testing is held against."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    Category,
    CategorySchedule,
    DueState,
    LogEntry,
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
from retention import applying, reckoning
from retention.documents import rule_of
from retention.reckoning import DueDays, as_kept, differences, kept, world
from retention.rules import UNRULED
from tests.factories import records
from tests.factories.databases import an_engine
from tests.factories.retained import claimed, retained_house

MADE, NOW = date(2020, 2, 3), datetime(2024, 6, 30, 20, tzinfo=UTC)  # in Shanghai 1 July
DEFINITION = {"trigger": "drawn_up", "start": "same_day", "source": "x", "exact": True}
TERMS = {"short": "D1", "middle": "D5", "long": "D20", "leaving": "D1"}


class Shelf:
    """A database of three categories: ``top`` with a schedule, ``below`` it, and ``bare`` without one."""

    def __init__(self, session: Session) -> None:
        self.session, self.days = session, DueDays(lambda: "Asia/Shanghai")
        records.a_house(session)
        fonds = records.a_fonds(session, "H001")
        self.top = records.a_category(session, fonds, "T")
        self.below = records.a_category(session, fonds, "TB", self.top)
        self.bare = records.a_category(session, fonds, "N")
        self.schedules = {code: new_id() for code in TERMS}
        for code, term in TERMS.items():
            event = {"trigger": "event", "event": "leaving"} if code == "leaving" else {}
            definition = DEFINITION | {"term": term} | event
            session.add(RetentionSchedule(id=self.schedules[code], code=code, names={}, definition=definition))
        session.add(CategorySchedule(category_id=self.top.id, schedule_id=self.schedules["middle"]))
        session.flush()

    def add(self, category: Category | None = None, schedule: str | None = None, **more: Any) -> UUID:
        """Put a filed record in, with a schedule of its own if one is named."""
        values = {"drawn_from": MADE, "drawn_to": MADE, "filed_at": NOW} | more
        term = values.pop("term", "D2")
        row = records.a_record(self.session, category or self.top, **values)
        row.term = term
        if schedule:
            chosen = self.schedules[schedule]
            self.session.add(RecordSchedule(record_id=row.id, schedule_id=chosen, set_at=NOW, sealed=b""))
        self.session.flush()
        return row.id

    def event(self, year: int, *, undone: bool = False, kind: str = "leaving", **of: UUID) -> None:
        """Have something happen in a year, of a record or a subject."""
        at = NOW if undone else None
        row = RetentionEvent(id=new_id(), kind=kind, day=date(year, 5, 6), entered_at=NOW, undone_at=at, **of)
        self.session.add(row)
        self.session.flush()

    def subject(self, *records_of: UUID, merged_into: UUID | None = None) -> UUID:
        """Put a subject in on which records hang."""
        fonds, key = self.top.fonds_id, new_id()
        values: dict[str, Any] = {"fonds_id": fonds, "kind": "employee", "facts": {}, "created_at": NOW}
        self.session.add(Subject(id=key, merged_into=merged_into, **values))
        self.session.flush()
        self.session.add_all([RecordSubject(record_id=each, subject_id=key) for each in records_of])
        self.session.flush()
        return key

    def year(self, key: UUID) -> int | str:
        """Return in which year a record falls due, or how its clock stands."""
        due = self.days.reckon(self.session, [key])[key].due
        return due.day.year if due.day else due.state.value

    def row(self, key: UUID) -> RecordDue | None:
        """Return what is kept of a record, read anew."""
        self.session.expire_all()
        return self.session.get(RecordDue, key)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return an_engine()


@pytest.fixture
def shelf(engine: Engine) -> Iterator[Shelf]:
    with Session(engine) as session:
        yield Shelf(session)  # taken back: nothing is committed


def test_the_nearest_schedule_counts_and_a_dossier_waits_for_the_longest(shelf: Shelf) -> None:
    assert shelf.year(shelf.add()) == 2025
    assert shelf.year(shelf.add(shelf.below)) == 2025
    assert shelf.year(shelf.add(shelf.bare)) == "unruled"
    assert shelf.year(shelf.add(shelf.bare, "short")) == 2021
    assert shelf.year(shelf.add(shelf.below, "long")) == 2040
    assert shelf.year(shelf.add(term="nobody reads this")) == "unruled"
    assert shelf.year(shelf.add(term="Y")) == "never"
    dossier = shelf.add(schedule="short", kind=RecordKind.DOSSIER)
    items = [shelf.add(dossier_id=dossier), shelf.add(schedule="long", dossier_id=dossier)]
    draft = shelf.add(dossier_id=dossier, state=RecordState.PROVISIONAL, term="Y")
    found = shelf.days.reckon(shelf.session, [items[0]])
    assert {key: (each.own.day.year, each.due.day.year, each.by) for key, each in found.items()} == {
        dossier: (2021, 2040, items[1]),
        items[0]: (2021, 2040, items[1]),
        items[1]: (2040, 2040, items[1]),
    }, "what lies in a dossier follows its schedule unless it has its own; what is not filed counts for nothing"
    assert [found[key].instead for key in (dossier, *items)] == [True, False, True]
    assert [found[key].schedule for key in (dossier, *items)] == [
        shelf.schedules[n] for n in ("short", "short", "long")
    ]
    assert shelf.days.reckon(shelf.session, [dossier]) == found
    assert shelf.days.reckon(shelf.session, [draft]) == found
    lone = shelf.add(schedule="short")
    [one] = shelf.days.reckon(shelf.session, [lone]).values()
    assert (one.by, one.instead, one.own) == (lone, True, one.due)
    empty = shelf.add(kind=RecordKind.DOSSIER)
    assert shelf.days.reckon(shelf.session, [empty])[empty].by == empty
    assert shelf.days.reckon(shelf.session, []) == {}


def test_a_filing_counts_by_the_day_of_the_house_and_what_is_kept_on_by_the_later_day(shelf: Shelf) -> None:
    filing = DEFINITION | {"term": "M1", "trigger": "filing"}
    schedule = shelf.schedules["short"]
    shelf.session.execute(update(RetentionSchedule).where(RetentionSchedule.code == "short").values(definition=filing))
    key = shelf.add(shelf.bare, "short")
    assert shelf.days.reckon(shelf.session, [key])[key].due.day == date(2024, 8, 1)
    for until in (date(2031, 1, 1), date(2033, 2, 3), date(2032, 1, 1)):
        more = {"until": until, "appraisal_id": new_id(), "set_at": NOW, "sealed": b""}
        shelf.session.add(RecordExtension(id=new_id(), record_id=key, **more))
    [one] = shelf.days.reckon(shelf.session, [key]).values()
    assert (one.schedule, one.due.day, one.due.kept_on) == (schedule, date(2033, 2, 3), True)


def test_the_last_standing_event_of_a_record_its_dossier_or_a_subject_starts_the_clock(shelf: Shelf) -> None:
    key = shelf.add(schedule="leaving")
    assert shelf.year(key) == "waiting"
    shelf.event(2030, record_id=key, kind="scrapping")
    shelf.event(2031, record_id=key, undone=True)
    assert shelf.year(key) == "waiting"
    shelf.event(2012, record_id=key)
    shelf.event(2011, record_id=key)
    assert shelf.year(key) == 2013
    shelf.event(2008, subject_id=shelf.subject(key))
    assert shelf.year(key) == 2013, "an earlier one of a subject changes nothing"
    subject = shelf.subject(key)
    shelf.event(2014, subject_id=subject)
    shelf.event(2009, subject_id=shelf.subject(key))
    assert shelf.year(key) == 2015
    stands = shelf.subject(key)
    shelf.event(2016, subject_id=shelf.subject(merged_into=stands))
    assert shelf.year(key) == 2017, "what happened to who was merged into it"
    dossier = shelf.add(schedule="leaving", kind=RecordKind.DOSSIER)
    item = shelf.add(dossier_id=dossier)
    shelf.event(2003, record_id=dossier)
    assert [shelf.year(each) for each in (item, dossier)] == [2004, 2004]
    shelf.event(2005, record_id=item)
    found = shelf.days.reckon(shelf.session, [item])
    assert [found[each].own.day for each in (item, dossier)] == [date(2006, 5, 6), date(2004, 5, 6)]
    other = shelf.add()
    shelf.event(2050, record_id=other)
    assert shelf.year(other) == 2025, "a clock that waits for nothing hears of no event"


def test_what_is_kept_follows_and_a_day_that_moved_is_noticed_anew(shelf: Shelf) -> None:
    one, two = shelf.add(), shelf.add(shelf.bare)
    draft = shelf.add(state=RecordState.PROVISIONAL)
    assert shelf.days.again(shelf.session, [one, two, draft]) == 2
    assert shelf.days.again(shelf.session, [one, two, draft]) == 0
    both = kept(shelf.session, [one, two, draft])
    middle = shelf.schedules["middle"]
    assert both == {one: (DueState.DATED, date(2025, 2, 3), middle), two: (DueState.UNRULED, None, None)}
    here = world(shelf.session)
    assert list(differences(shelf.session, shelf.days, [one, two, draft], here)) == []
    shelf.session.execute(update(RecordDue).values(noticed_on=MADE))
    shelf.session.add(CategorySchedule(category_id=shelf.below.id, schedule_id=shelf.schedules["long"]))
    same = {"term": "D5"}  # another schedule that gives the same day
    definition = DEFINITION | same
    shelf.session.execute(
        update(RetentionSchedule).where(RetentionSchedule.code == "long").values(definition=definition)
    )
    shelf.session.execute(update(Record).where(Record.id == one).values(category_id=shelf.below.id))
    shelf.session.execute(update(Record).where(Record.id == two).values(category_id=shelf.top.id))
    here = world(shelf.session)
    assert set(differences(shelf.session, shelf.days, [one, two, draft], here)) == {one, two}
    assert shelf.days.again(shelf.session, [one, two], here) == 2
    first, second = shelf.row(one), shelf.row(two)
    assert first
    assert second
    assert (first.schedule_id, first.due, first.noticed_on) == (shelf.schedules["long"], date(2025, 2, 3), MADE)
    assert (second.schedule_id, second.due, second.noticed_on) == (middle, date(2025, 2, 3), None)
    shelf.session.execute(update(Record).where(Record.id == one).values(state=RecordState.BINNED))
    assert shelf.days.again(shelf.session, [one, draft]) == 1
    assert shelf.row(one) is None
    assert shelf.row(two) is not None


def test_one_item_that_changes_moves_all_of_its_dossier_and_nothing_else(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reckoning, "_PART", 2)
    monkeypatch.setattr(reckoning, "AT_ONCE", 3)
    before = [shelf.add(), shelf.add()]  # so that as many are held in the middle of the dossier
    dossier = shelf.add(kind=RecordKind.DOSSIER)
    items = [shelf.add(dossier_id=dossier) for _ in range(3)]
    others = [shelf.add(), shelf.add(schedule="leaving"), shelf.add(kind=RecordKind.DOSSIER)]
    items.append(shelf.add(dossier_id=dossier))  # put in last, walked with its dossier
    every = [*before, dossier, *items, *others]
    assert shelf.days.again(shelf.session, every) == 10
    shelf.session.execute(update(Record).where(Record.id == items[1]).values(term="Y"))
    shelf.days.follow(shelf.session, [items[1]])
    states = {key: row[0] for key, row in kept(shelf.session, every).items()}
    assert [key for key in every if states[key] is DueState.NEVER] == [dossier, *items]
    whole = shelf.add(schedule="long", kind=RecordKind.DOSSIER)
    assert shelf.days.again(shelf.session, [whole, shelf.add(schedule="short", dossier_id=whole)]) == 2
    shelf.session.execute(update(Record).where(Record.id == whole).values(state=RecordState.PROVISIONAL))
    assert shelf.days.again(shelf.session, [whole]) == 2, "a dossier that is not filed is asked for its items"
    shelf.session.execute(update(Record).where(Record.dossier_id == whole).values(state=RecordState.BINNED))
    shelf.session.execute(update(Record).where(Record.id == items[1]).values(term="D2"))
    assert shelf.days.again(shelf.session, [dossier]) == 5
    here = world(shelf.session)
    filed = [Record.state == RecordState.FILED]
    walked = {row.id: each for row, each in shelf.days.each(shelf.session, here, Record.title, where=filed)}
    assert walked == shelf.days.reckon(shelf.session, every, here)
    assert {key: as_kept(each) for key, each in walked.items()} == kept(shelf.session, every)
    rows = shelf.session.execute(reckoning.FACTS.where(Record.id == items[0])).all()
    assert set(shelf.days.reckon_rows(shelf.session, rows, here)) == {dossier, *items}
    rows = shelf.session.execute(reckoning.FACTS.where(Record.id == others[1])).all()
    assert shelf.days.reckon_rows(shelf.session, rows, here)[others[1]].due.state is DueState.WAITING
    draft, late = shelf.add(state=RecordState.PROVISIONAL), shelf.add()
    assert shelf.days.again(shelf.session, [draft, late]) == 1, "what is not filed holds up nothing behind it"


def test_a_world_in_which_a_schedule_stands_elsewhere(shelf: Shelf) -> None:
    here, short, middle = world(shelf.session), shelf.schedules["short"], shelf.schedules["middle"]
    rule = rule_of(DEFINITION | {"term": "D7"})
    there = here.with_schedule(short, rule, [shelf.bare.id])
    assert [there.of_category(each.id) for each in (shelf.top, shelf.below, shelf.bare)] == [middle, middle, short]
    assert (there.rules[short], there.rules[middle]) == (rule, here.rules[middle])
    taken = there.with_schedule(short, rule, [shelf.top.id])
    assert [taken.of_category(each.id) for each in (shelf.top, shelf.below, shelf.bare)] == [short, short, None]
    assert here.of_category(shelf.bare.id) is None
    assert here.events == {shelf.schedules["leaving"]: "leaving"}
    key = shelf.add(shelf.bare)
    assert shelf.days.reckon(shelf.session, [key], there)[key].due.day == date(2027, 2, 3)
    assert shelf.days.reckon(shelf.session, [key])[key].due == UNRULED


def test_a_daily_look_marks_each_day_that_came_once_whatever_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "NOTICED", 2)
    made = retained_house(tmp_path)
    house, today = made.house, made.house.guard.day()
    days = [MADE, MADE, MADE, today, today, today + timedelta(1), MADE]
    keys = [house.add(f"件{at}") for at in range(7)]
    with house.db.writing() as work:
        for key, day in zip(keys, days, strict=True):
            before = MADE if key == keys[6] else None
            work.session.add(RecordDue(record_id=key, state=DueState.DATED, due=day, noticed_on=before))
        work.commit()
    for _ in range(2):
        assert applying.FindDue(house.db, house.guard, Log(house.vault, made.clock)).run([claimed()])
    with house.db.reading() as session:
        found = dict(session.execute(select(RecordDue.record_id, RecordDue.noticed_on)).all())
        entries = session.scalars(select(LogEntry).where(LogEntry.act == "record.fall_due")).all()
        told = Log(house.vault, made.clock).opened_many(session, entries)
    assert [found[key] for key in keys] == [*[today] * 5, None, MADE]
    assert sorted(each["records"] for each in told if each) == [1, 2, 2]
    house.db.close()
