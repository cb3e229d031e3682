"""Clocks: nothing falls due before its least term, a longer term never sooner, and what is kept is what is true."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from archive.errors import ArchiveError, Held
from archive.ids import new_id
from archive.model import (
    CategorySchedule,
    DueState,
    HoldKind,
    Record,
    RecordSchedule,
    RecordState,
    RecordSubject,
    RetentionEvent,
    RetentionSchedule,
    Subject,
)
from archive.terms import Term, parse_term
from retention import holding, reckoning
from retention.documents import rule_of
from retention.holds import Wanted
from retention.rules import Due, Facts, Rule, Start, Trigger, after, own_due, together
from tests.factories.retained import YEAR_END, RetainedHouse, retained_house

DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))
YEARS, MONTHS = (
    st.integers(1, most).map(lambda n, mark=mark: parse_term(f"{mark}{n}")) for mark, most in (("D", 100), ("M", 600))
)
FINITE = YEARS | MONTHS
TERMS = FINITE | st.just(parse_term("Y"))
RULES = st.builds(
    Rule,
    term=st.none() | TERMS,
    trigger=st.sampled_from(Trigger),
    start=st.sampled_from(Start),
    exact=st.booleans(),
    event=st.just("scrapping"),
    fiscal_end=st.sampled_from([(12, 31), (3, 31), (2, 29), (6, 30)]),
)
FACTS = st.builds(
    Facts,
    term=TERMS,
    filed_on=DAYS,
    drawn_to=st.none() | DAYS,
    events=st.dictionaries(st.sampled_from(["scrapping", "leaving"]), DAYS),
)


def whole_years_after(start: date, years: int, due: date) -> bool:
    """Whether so many years have gone by from start to due, said without the code under test."""
    return (due.year - start.year, due.month, due.day) >= (years, start.month, start.day)


@given(RULES, FACTS)
def test_nothing_falls_due_before_the_least_term_from_what_started_its_clock(rule_: Rule, facts: Facts) -> None:
    due = own_due(rule_, facts)
    assert (due.state is DueState.DATED) is (due.day is not None)
    if due.day is None:
        return
    assert due.start is not None
    assert due.trigger is not None
    least = rule_.term or facts.term
    assert due.start >= due.trigger
    assert due.day > due.start
    assert (due.day.year - due.start.year) * 12 + due.day.month - due.start.month >= least.years * 12 + least.months
    if least.years:
        assert whole_years_after(due.start, least.years, due.day)
    assert not facts.term.permanent
    assert not least.permanent


@given(RULES, FACTS, FINITE, FINITE)
def test_a_longer_term_is_never_due_sooner(rule_: Rule, facts: Facts, one: Term, other: Term) -> None:
    length = [each.years * 12 + each.months for each in (one, other)]
    short, long = (one, other) if length[0] <= length[1] else (other, one)
    own = [own_due(rule_, Facts(t, facts.filed_on, facts.drawn_to, facts.events)) for t in (short, long)]
    ruled = [
        own_due(Rule(t, rule_.trigger, rule_.start, exact=rule_.exact, event="scrapping"), facts) for t in (short, long)
    ]
    for first, second in (own, ruled):
        if first.day and second.day:
            assert first.day <= second.day
        assert first.state is second.state


@given(DAYS, FINITE)
def test_a_day_that_its_month_does_not_have_is_the_first_of_the_next(start: date, term: Term) -> None:
    due = after(start, term)
    assert due.day in {start.day, 1}


@given(st.lists(st.tuples(RULES, FACTS), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_dossier_has_the_longest_clock_of_all_whatever_their_order(
    members: list[tuple[Rule, Facts]], random: Random
) -> None:
    clocks = [own_due(*each) for each in members]
    due = together(clocks)
    shuffled = clocks[:]
    random.shuffle(shuffled)
    other = together(shuffled)
    assert (due.state, due.day) == (other.state, other.day)
    assert together([due, *clocks]).day == due.day
    if due.state is DueState.DATED:
        assert due.day == max(each.day for each in clocks if each.day)
        assert all(each.day for each in clocks)
    if any(each.state is DueState.NEVER for each in clocks):
        assert due.state is DueState.NEVER


@given(FACTS)
def test_without_a_rule_there_is_no_day(facts: Facts) -> None:
    assert own_due(None, facts).day is None


IDS = st.sampled_from([UUID(int=n) for n in range(1, 5)])
HELD = st.builds(
    holding.Facts,
    id=IDS,
    dossier=st.none() | IDS,
    categories=st.frozensets(IDS),
    place=st.sampled_from(["", "A001/", "A001/01/", "A002/"]),
    title=st.sampled_from(["电梯合同", "消防检查 2024", ""]),
    drawn_from=st.none() | DAYS,
    rows=st.frozensets(IDS),
)
KEYED = st.fixed_dictionaries({"id": IDS.map(str)})
HOLDS = st.builds(
    holding.Rule,
    id=IDS,
    kind=st.sampled_from([HoldKind.RECORD, HoldKind.DOSSIER, HoldKind.CATEGORY]),
    covers=KEYED,
) | st.builds(
    holding.Rule,
    id=IDS,
    kind=st.just(HoldKind.QUERY),
    covers=st.fixed_dictionaries({"words": st.lists(st.sampled_from(["电梯", "消防", "2024"]), min_size=1)}),
)


@given(st.lists(HOLDS), HELD, st.randoms(use_true_random=False))
def test_what_holds_a_record_is_named_whole_in_any_order_and_each_hold_alone_suffices(
    rules: list[holding.Rule], facts: holding.Facts, random: Random
) -> None:
    named = holding.holds_on(rules, facts)
    shuffled = rules[:]
    random.shuffle(shuffled)
    assert holding.holds_on(shuffled, facts) == named
    for each in rules:
        assert holding.holds_on([each], facts) <= named
    assert named == {each.id for each in rules if holding.holds_on([each], facts)}
    assert facts.rows & {each.id for each in rules} <= named


def test_a_walk_over_all_says_of_each_record_what_is_said_of_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, random = retained_house(tmp_path), Random(7)
    house, both = made.house, (made.house.category, made.house.other)
    dossiers = [house.dossier(f"卷{n}", category=both[n % 2]) for n in range(4)]
    items = [house.add(f"件{n}", category=random.choice(both), drawn_up=f"{1990 + 2 * n}") for n in range(16)]
    for n, item in enumerate(items[:12]):  # no dossier's items stand beside each other by id
        house.arranging.put_in(house.archivist, dossiers[n % 4], [item], source=None)
    schedules = [made.schedule(code, category) for code, category in zip("AB", both, strict=True)]
    made.filed(*dossiers[:3], *items)
    for at, which in ((0, 1), (5, 0), (14, 1)):
        made.retention.schedules.choose(
            house.archivist, items[at], schedules[which], authority="档案馆", reason="鉴定"
        )  # fmt: skip
    for key, year in ((dossiers[0], 2011), (items[4], 2015), (items[13], 2012), (items[6], 2020)):
        made.retention.events.enter_of_record(house.archivist, key, "scrapping", date(year, 5, 6))
    monkeypatch.setattr(reckoning, "AT_ONCE", 3)
    filed = Record.state == RecordState.FILED
    with house.db.reading() as session:
        ids = session.scalars(select(Record.id).where(filed)).all()
        assert len(ids) == 19
        for _ in range(30):
            here = reckoning.world(session)
            for key in schedules:
                definition = {
                    "term": random.choice([None, "D1", "D10", "M18", "Y"]), "event": "scrapping",
                    "trigger": random.choice(["filing", "drawn_up", "year_end", "event"]),
                    "exact": random.random() < 0.5,
                }  # fmt: skip
                on = random.sample([each.id for each in both], random.randint(0, 2))
                here = here.with_schedule(key, rule_of(YEAR_END | definition), on)
            alone = {key: made.retention.due_days.reckon(session, [key], here)[key] for key in ids}
            walked = {row.id: each for row, each in made.retention.due_days.each(session, here, where=[filed])}
            told = [{key: (each.schedule, each.own, each.due) for key, each in m.items()} for m in (alone, walked)]
            assert told[0] == told[1]
    house.db.close()


AT = st.integers(0, 7)
DEFINITIONS = st.fixed_dictionaries(
    {
        "term": st.sampled_from([None, "D1", "D10", "M18", "Y"]),
        "trigger": st.sampled_from(["filing", "drawn_up", "year_end", "event"]),
        "event": st.just("scrapping"),
        "start": st.sampled_from(["next_january", "next_day", "same_day"]),
        "exact": st.booleans(),
    }
)


class Clocks(RuleBasedStateMachine):
    """Two dossiers and six items of two categories; whatever is done to them, the days that are kept are true."""

    made: RetainedHouse

    @initialize()
    def _begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.at_once, reckoning.AT_ONCE = reckoning.AT_ONCE, 2  # a walk ends many times between dossiers
        self.made = made = retained_house(Path(self.folder.name))
        house = made.house
        both = (house.category, house.other)
        self.dossiers = [house.dossier(f"卷{n}", category=both[n]) for n in range(2)]
        self.items = [house.add(f"件{n}", category=both[n % 2], drawn_up=f"{2000 + n}") for n in range(6)]
        self.every = [*self.dossiers, *self.items]
        self.entered: list[UUID] = []
        self.held: list[UUID] = []
        with house.db.writing() as work:
            row = Subject(
                id=(key := new_id()), fonds_id=house.category.fonds_id, kind="equipment", facts={},
                created_at=made.clock.now(),
            )  # fmt: skip
            work.session.add(row)
            work.session.flush()
            house.vault.add_owner(work.session, key, due_year=None)
            work.commit()
        self.subject = key
        self.schedules = [made.schedule(code, category) for code, category in zip(("A", "B"), both, strict=True)]

    def teardown(self) -> None:
        if hasattr(self, "made"):
            reckoning.AT_ONCE = self.at_once
            self.made.house.db.close()
            self.folder.cleanup()

    @rule(at=AT)
    def file(self, at: int) -> None:
        self.made.house.filing.file(self.made.house.archivist, [self.every[at]])

    @rule(at=AT, to=AT)
    def put_in(self, at: int, to: int) -> None:
        house, item = self.made.house, self.items[at % 6]
        try:
            house.arranging.put_in(house.archivist, self.dossiers[to % 2], [item], source=house.row(item).dossier_id)
        except ArchiveError:
            return

    @rule(at=AT)
    def take_out(self, at: int) -> None:
        house, item = self.made.house, self.items[at % 6]
        if (dossier := house.row(item).dossier_id) is None:
            return
        try:
            house.arranging.take_out(house.archivist, dossier, [item])
        except ArchiveError:
            return

    @rule(at=AT, term=st.sampled_from(["D1", "D30", "M6", "Y"]), year=st.integers(1990, 2030))
    def correct(self, at: int, term: str, year: int) -> None:
        house, key = self.made.house, self.every[at]
        row = house.row(key)
        if row.state is not RecordState.FILED:
            return
        changes = {"term": term, "drawn_up": str(year)}
        try:
            asked = self.made.corrections.ask(house.archivist, key, changes, "更正", row.version)
        except Held:
            assert self.held
            return
        except ArchiveError:
            return
        self.made.corrections.decide(house.colleague, asked, "同意", approve=True)

    @rule(at=AT, which=st.none() | st.integers(0, 1))
    def choose(self, at: int, which: int | None) -> None:
        chosen = None if which is None else self.schedules[which]
        try:
            self.made.retention.schedules.choose(
                self.made.house.archivist, self.every[at], chosen, authority="档案馆", reason="鉴定"
            )
        except ArchiveError:
            return

    @rule(which=st.integers(0, 1), on=st.sets(st.integers(0, 1)), definition=DEFINITIONS)
    def change(self, which: int, on: set[int], definition: dict[str, object]) -> None:
        both = (self.made.house.category, self.made.house.other)
        try:
            self.made.change(self.schedules[which], "AB"[which], *(both[each] for each in sorted(on)), **definition)
        except ArchiveError:
            return

    @rule(at=AT, year=st.integers(2000, 2030), subject=st.booleans())
    def enter(self, at: int, year: int, subject: bool) -> None:
        events, who = self.made.retention.events, self.made.house.archivist
        if subject:
            self.entered.append(events.enter_of_subject(who, self.subject, "scrapping", date(year, 5, 6)))
        else:
            self.entered.append(events.enter_of_record(who, self.every[at], "scrapping", date(year, 5, 6)))

    @rule(at=AT)
    def undo(self, at: int) -> None:
        if not self.entered:
            return
        try:
            self.made.retention.events.undo(self.made.house.archivist, self.entered[at % len(self.entered)], "误")
        except ArchiveError:
            return

    @rule(at=AT)
    def link(self, at: int) -> None:
        try:
            self.made.subjects.link(self.made.house.archivist, self.every[at], self.subject)
        except ArchiveError:
            return

    @rule(at=AT, kind=st.sampled_from(["record", "dossier", "category", "query"]))
    def hold(self, at: int, kind: str) -> None:
        house = self.made.house
        covers: dict[str, object] = {
            "record": {"id": str(self.every[at])},
            "dossier": {"id": str(self.dossiers[at % 2])},
            "category": {"id": str((house.category, house.other)[at % 2].id)},
            "query": {"words": [f"件{at}"]},
        }[kind]  # type: ignore[assignment]
        wanted = Wanted(HoldKind(kind), covers, "诉讼", "证据保全", "法院", date(2030, 1, 1))
        self.held.append(self.made.retention.holds.place(house.archivist, wanted))
        if at % 2:
            self.made.work()

    @rule(at=AT)
    def release(self, at: int) -> None:
        if not self.held:
            return
        self.made.retention.holds.release(self.made.house.colleague, self.held.pop(at % len(self.held)), "结案")

    @rule(which=st.integers(0, 1), on=st.sets(st.integers(0, 1)), definition=DEFINITIONS)
    def look_ahead(self, which: int, on: set[int], definition: dict[str, object]) -> None:
        house, previews = self.made.house, self.made.retention.previews
        categories = [(house.category, house.other)[each] for each in sorted(on)]
        try:
            draft = self.made.draft(self.schedules[which], "AB"[which], *categories, **definition)
        except ArchiveError:
            return
        now, then = self.known(), self.known()
        then.rules[self.schedules[which]] = rule_of(YEAR_END | definition)
        then.on = {key: each for key, each in now.on.items() if each != self.schedules[which]}
        then.on |= {each.id: self.schedules[which] for each in categories}
        one_by_one = {row.id: (told(row, now), told(row, then)) for row in now.rows}
        moves = previews.moves(house.archivist, draft)
        moved = {each.record_id: (each.before, each.after) for each in moves}
        assert moved == {key: each for key, each in one_by_one.items() if each[0] != each[1]}
        assert previews.count(house.archivist, draft).counts == Counter(each.how for each in moves)
        self.made.retention.schedules.withdraw(house.archivist, draft)

    def known(self) -> "Known":
        with self.made.house.db.reading() as session:
            rows = session.scalars(select(Record).where(Record.id.in_(self.every))).all()
            rules = {row.id: rule_of(row.definition) for row in session.scalars(select(RetentionSchedule))}
            on = {row.category_id: row.schedule_id for row in session.scalars(select(CategorySchedule))}
            own = {row.record_id: row.schedule_id for row in session.scalars(select(RecordSchedule))}
            happened: dict[UUID, list[date]] = {}
            for event in session.scalars(select(RetentionEvent).where(RetentionEvent.undone_at.is_(None))):
                hung = select(RecordSubject.record_id).where(RecordSubject.subject_id == event.subject_id)
                for key in [event.record_id] if event.record_id else session.scalars(hung):
                    happened.setdefault(key, []).append(event.day)
        return Known(rows, rules, on, own, happened)

    @invariant()
    def kept_is_true(self) -> None:
        if not hasattr(self, "made"):
            return
        assert self.made.wrong() == []
        known = self.known()
        for row in known.rows:
            assert self.made.kept(row.id) == told(row, known)


@dataclass
class Known:
    """All that days hang on, as it stands in the database."""

    rows: Sequence[Record]
    rules: dict[UUID, Rule]
    on: dict[UUID, UUID]
    own: dict[UUID, UUID]
    happened: dict[UUID, list[date]]


def told(record: Record, known: Known) -> tuple[DueState, date | None] | None:
    """Say what should be kept of a record, plainly: one after another, from the rows as they are."""
    if record.state is not RecordState.FILED:
        return None

    def dossier(row: Record) -> UUID:
        return row.dossier_id or row.id

    clocks: list[Due] = []
    for row in known.rows:
        if row.state is RecordState.FILED and dossier(row) == dossier(record):
            schedule = known.own.get(row.id) or known.own.get(dossier(row)) or known.on.get(row.category_id)
            days = [*known.happened.get(row.id, ()), *known.happened.get(dossier(row), ())]
            assert row.filed_at is not None
            facts = Facts(
                parse_term(row.term), row.filed_at.date(), row.drawn_to, {"scrapping": max(days)} if days else {}
            )
            clocks.append(own_due(known.rules[schedule] if schedule else None, facts))
    for state in (DueState.NEVER, DueState.UNRULED, DueState.UNDATED, DueState.WAITING):
        if any(each.state is state for each in clocks):
            return state, None
    return DueState.DATED, max(each.day for each in clocks if each.day)


TestClocks = Clocks.TestCase
TestClocks.settings = settings(
    max_examples=5,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
