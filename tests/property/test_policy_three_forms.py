"""One rule, three forms: whatever Python allows, SQL selects and the engines find; nothing else.

A form is opened on a session and the facts of all its records, and answers a condition with the ids of the records for
which it holds. A search engine joins by one line in ``ENGINES``.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from archive.identity import Role
from archive.ids import new_id
from archive.model import Category, Department, Person, Place, Post, Record, RecordKind, RecordPerson, RecordState
from archive.policy.condition import All, AnyOf, Between, Condition, Has, Not, Within, has, holds
from archive.policy.facts import FACTS, facts_of
from archive.policy.reach import Reach, load_reach
from archive.policy.rules import RULES, Act, condition
from archive.policy.sql import where
from indexer.engine import IndexEntry, SearchEngine, SearchRequest, partition_of
from indexer.query.tree import Everything
from indexer.tantivy.engine import TantivyEngine
from tests.factories import people, records
from tests.factories.databases import an_engine
from tests.fakes.clock import FixedClock
from tests.fakes.reference_engine import ReferenceEngine

pytestmark = pytest.mark.postgres

ZONE = "Asia/Shanghai"
TODAY = date(2026, 3, 5)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
Facts = Mapping[UUID, Mapping[str, Any]]
Answers = Callable[[Condition], set[UUID]]
Form = Callable[[Session, Facts], AbstractContextManager[Answers]]

ENGINES: dict[str, Callable[[Path], SearchEngine]] = {
    "reference": lambda _folder: ReferenceEngine(),
    "tantivy": TantivyEngine,
}


@contextmanager
def python_form(_session: Session, facts: Facts) -> Iterator[Answers]:
    yield lambda asked: {record for record, known in facts.items() if holds(asked, known)}


@contextmanager
def sql_form(session: Session, _facts: Facts) -> Iterator[Answers]:
    yield lambda asked: set(session.scalars(select(Record.id).where(where(asked))))


def engine_form(make: Callable[[Path], SearchEngine]) -> Form:
    """The filter of an engine that was told the facts, asked for every level."""

    @contextmanager
    def form(_session: Session, facts: Facts) -> Iterator[Answers]:
        with TemporaryDirectory() as folder, closing(make(Path(folder) / "index")) as engine:
            parts = {record: partition_of(known["level"], known["need_to_know"]) for record, known in facts.items()}
            engine.write([IndexEntry(record, 1, parts[record], known, {}) for record, known in facts.items()])
            engine.commit()
            everywhere = sorted(set(parts.values()))

            def ask(asked: Condition) -> set[UUID]:
                request = SearchRequest(Everything(), everywhere, condition=asked, limit=len(facts))
                return {hit.id for hit in engine.search(request).hits}

            yield ask

    return form


FORMS: dict[str, Form] = {
    "python": python_form,
    "sql": sql_form,
    **{name: engine_form(make) for name, make in ENGINES.items()},
}


@contextmanager
def an_archive(database: Engine) -> Iterator[Session]:
    """An empty archive, in one transaction that is taken back."""
    with Session(database) as session:
        yield session
        session.rollback()


def _database() -> Iterator[Engine]:
    database = an_engine()
    yield database
    database.dispose()


@pytest.fixture(scope="module", name="database")
def _shared_database() -> Iterator[Engine]:
    yield from _database()


class World:
    """A house of random people and records."""

    def __init__(self, session: Session, dice: random.Random) -> None:
        self.session, self.dice = session, dice
        records.a_house(session)
        self.categories: list[Category] = []
        self.places: list[Place] = []
        self.groups = []
        for number in range(2):
            fonds = records.a_fonds(session, f"F{number}")
            for step in range(4):
                above = dice.choice([None, *[c for c in self.categories if c.fonds_id == fonds.id]])
                self.categories.append(records.a_category(session, fonds, f"C{step}", above))
            # P1 and P10 begin alike, and are two projects
            self.places += [records.a_place(session, fonds, path) for path in ("P1/", "P1/B1/", "P1/B1/U1/", "P10/")]
            self.groups.append(records.a_group(session, fonds, f"X{number}"))
        self.departments: list[Department] = []
        for step in range(4):
            self.departments.append(people.a_department(session, f"D{step}", dice.choice([None, *self.departments])))
        self.posts: list[Post] = [people.a_post(session, f"T{step}") for step in range(3)]
        self.people = [self.a_person() for _ in range(4)]
        for _ in range(dice.randrange(5)):
            self.distribute()
        self.records = [self.a_record() for _ in range(14)]
        for person in self.people:
            self.give_rights(person)

    def maybe(self, choices: Sequence[Any]) -> Any:
        return self.dice.choice([None, *choices])

    def a_person(self) -> Person:
        dice = self.dice
        roles = dice.sample(list(Role), dice.choice([0, 1, 1, 1, 2]))
        return people.a_person(self.session, roles=roles, clearance=dice.randrange(5), active=dice.random() > 0.1)

    def distribute(self) -> None:
        people.distributed_to(
            self.session, self.dice.randint(1, 4), self.maybe(self.posts), self.maybe(self.departments)
        )

    def a_record(self) -> Record:
        dice = self.dice
        category = dice.choice(self.categories)
        return records.a_record(
            self.session,
            category,
            level=dice.randint(1, 4),
            state=dice.choice([RecordState.FILED, RecordState.FILED, *RecordState]),
            kind=dice.choice(list(RecordKind)),
            group=dice.choice([None, None, *[g for g in self.groups if g.fonds_id == category.fonds_id]]),
            place=self.maybe([p for p in self.places if p.fonds_id == category.fonds_id]),
            department=self.maybe(self.departments),
            created_by=self.maybe(self.people),
            named=dice.sample(self.people, dice.choice([0, 0, 1, 2])),
        )

    def span(self) -> tuple[date | None, date | None]:
        return self.dice.choice(
            [(None, None), (TODAY, TODAY), (None, YESTERDAY), (TOMORROW, None), (YESTERDAY, TOMORROW)]
        )

    def give_rights(self, person: Person) -> None:
        dice, session = self.dice, self.session
        for _ in range(dice.randrange(3)):
            since, until = self.span()
            people.holds_post(session, person, dice.choice(self.posts), dice.choice(self.departments), since, until)
        for _ in range(dice.randrange(3)):
            since, until = self.span()
            what = dice.choice(
                [
                    {"fonds": dice.choice(self.categories).fonds_id},
                    {"category": dice.choice(self.categories).id},
                    {"place": dice.choice(self.places).id},
                ]
            )
            people.grants(session, person, **what, since=since, until=until)
        for record in dice.sample(self.records, dice.randrange(3)):
            begun = people.NOW + timedelta(days=dice.randint(-2, 1))
            people.a_loan(session, person, record.id, since=begun, until=begun + timedelta(days=dice.randint(1, 2)))
        if dice.random() < 0.3:
            people.is_custodian(session, person, dice.randint(1, 4))

    def facts(self) -> Facts:
        named: dict[UUID, set[UUID]] = {record.id: set() for record in self.records}
        for record, person in self.session.execute(select(RecordPerson.record_id, RecordPerson.person_id)):
            named[record].add(person)
        return {record.id: facts_of(record, named[record.id]) for record in self.records}

    def reach(self, person: Person) -> Reach:
        return load_reach(self.session, people.identity_of(person), FixedClock(), ZONE)


class Agreement:
    """Asks every form, and gives the one answer."""

    def __init__(self, forms: Mapping[str, Answers]) -> None:
        self.forms = forms

    def __call__(self, asked: Condition) -> set[UUID]:
        answers = {name: form(asked) for name, form in self.forms.items()}
        assert all(answer == answers["python"] for answer in answers.values()), (asked, answers)
        return answers["python"]


@contextmanager
def agreement(session: Session, facts: Facts) -> Iterator[Agreement]:
    with ExitStack() as stack:
        yield Agreement({name: stack.enter_context(form(session, facts)) for name, form in FORMS.items()})


@pytest.fixture(scope="module")
def settled() -> Iterator[tuple[World, Agreement]]:
    """One house that stays, to ask it many things."""
    database = next(databases := _database())
    with closing(databases), an_archive(database) as session:
        world = World(session, random.Random(2))
        with agreement(session, world.facts()) as agree:
            yield world, agree


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dice=st.randoms(use_true_random=False))
def test_every_act_is_open_on_the_same_records_in_every_form(database: Engine, dice: random.Random) -> None:
    with an_archive(database) as session:
        world = World(session, dice)
        with agreement(session, world.facts()) as agree:
            for person in world.people:
                reach = world.reach(person)
                for act in RULES:
                    agree(condition(act, reach))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dice=st.randoms(use_true_random=False))
def test_whoever_may_change_a_record_may_see_it_and_no_officer_reads_one(database: Engine, dice: random.Random) -> None:
    with an_archive(database) as session:
        world = World(session, dice)
        for person in world.people:
            reach = world.reach(person)
            for known in world.facts().values():
                open_acts = {act for act in RULES if holds(condition(act, reach), known)}
                seeing = {Act.READ, Act.READ_CONTENT, Act.CUSTODY, Act.SEE, Act.CREATE}
                unread = {Act.SHELVE, Act.BLOCK, Act.LEND}  # a custodian does these on what they do not read
                judged = {Act.JUDGE}  # a member of a panel is shown what their clearance reaches, without a grant
                assert not open_acts - seeing - unread - judged or Act.READ in open_acts
                assert not judged & open_acts or known["level"] <= person.clearance
                assert not unread & open_acts or Act.SEE in open_acts
                if Act.READ in open_acts:
                    assert known["level"] <= person.clearance
                    assert known["state"] != RecordState.DESTROYED.value
                    assert person.active
                    assert not reach.roles & {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}


def conditions(world: World) -> st.SearchStrategy[Condition]:
    """Conditions of every shape, over facts that are there, absent, and never heard of."""
    ids = [UUID(int=7), *(p.id for p in world.people)]
    values: dict[str, Sequence[Any]] = {
        "record": [r.id for r in world.records],
        "fonds": [c.fonds_id for c in world.categories],
        "category": [c.id for c in world.categories],
        "department": [d.id for d in world.departments],
        "level": [0, 1, 2, 3, 4],
        "need_to_know": [True, False],
        "named": ids,
        "created_by": ids,
        "state": [s.value for s in RecordState],
        "kind": [k.value for k in RecordKind],
    }
    leaves = [st.builds(Has, st.just(fact), st.frozensets(st.sampled_from(known))) for fact, known in values.items()]
    prefixes = st.frozensets(st.sampled_from(["P1/", "P1/B1/", "P10/", "P1/B1/U1/", "P2/", "%/", "P_/"]))
    ends = st.none() | st.integers(0, 5)
    leaf = st.one_of(
        *leaves, st.builds(Within, st.just("place"), prefixes), st.builds(Between, st.just("level"), ends, ends)
    )
    return st.recursive(
        leaf,
        lambda part: (
            st.builds(All, st.lists(part, max_size=3).map(tuple))
            | st.builds(AnyOf, st.lists(part, max_size=3).map(tuple))
            | st.builds(Not, part)
        ),
        max_leaves=8,
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_condition_holds_for_the_same_records_in_every_form(
    settled: tuple[World, Agreement], data: st.DataObject
) -> None:
    world, agree = settled
    agree(data.draw(conditions(world)))


@pytest.mark.parametrize("fact", ["record", "category", "department", "created_by", "named", "fonds"])
def test_a_set_of_forty_thousand_ids_is_no_fault(settled: tuple[World, Agreement], fact: str) -> None:
    world, agree = settled
    known = next(values[fact] for values in world.facts().values() if values[fact])
    many = frozenset(new_id() for _ in range(40_000))
    wanted = many | (known if isinstance(known, frozenset) else {known})
    assert agree(Has(fact, wanted))
    agree(Not(Has(fact, wanted)))


def test_five_thousand_places_are_no_fault(settled: tuple[World, Agreement]) -> None:
    _, agree = settled
    many = frozenset(f"Q{number}/" for number in range(5_000)) | {"P1/"}
    assert agree(Within("place", many))
    agree(Not(Within("place", many)))


def test_a_place_whose_code_begins_alike_is_another_place(database: Engine) -> None:
    with an_archive(database) as session:
        records.a_house(session)
        fonds = records.a_fonds(session)
        category = records.a_category(session, fonds)
        rows = [
            records.a_record(session, category, place=records.a_place(session, fonds, path))
            for path in ("P1/", "P1/B1/", "P10/", "P1.5/")
        ]
        with agreement(session, {row.id: facts_of(row, ()) for row in rows}) as agree:
            assert agree(Within("place", frozenset({"P1/"}))) == {rows[0].id, rows[1].id}


def test_a_fact_without_a_column_is_refused_and_every_known_one_has_its_own() -> None:
    with pytest.raises(ValueError, match="colour"):
        where(has("colour", "red"))
    assert {fact for fact in FACTS if _compiles(fact)} == FACTS


def _compiles(fact: str) -> bool:
    return str(where(Within(fact, frozenset({"P/"})) if fact == "place" else has(fact, _example(fact)))) != ""


def _example(fact: str) -> Any:
    return {"level": 1, "need_to_know": True, "state": "filed", "kind": "item"}.get(fact, UUID(int=1))


def test_what_a_record_lacks_is_not_something_else(database: Engine) -> None:
    with an_archive(database) as session:
        records.a_house(session)
        row = records.a_record(session, records.a_category(session, records.a_fonds(session)))
        for absent in (has("department", new_id()), has("created_by", new_id()), Within("place", frozenset({"P1/"}))):
            assert session.scalars(select(Record.id).where(where(Not(absent)))).all() == [row.id]
            assert holds(Not(absent), facts_of(row, ()))
