"""Whose turn it becomes in a destruction is told them once, by the act that made it theirs or with the day."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.model import Deadline, DeadlineState, DestructionState, Message, Person, Record
from archive.reminding.deadlines import DueBoard, DueSweep
from archive.reminding.messages import Messages
from retention.destroying.telling import destruction_watches
from tests.factories.destroying import DECIDE, DestroyingHouse, a_destroying_house
from tests.unit.test_destroying import hold

State = DestructionState


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DestroyingHouse]:
    with a_destroying_house(tmp_path) as made:
        yield made


def told(house: DestroyingHouse, topic: str) -> list[str]:
    """Return the sign-in names of whom a topic was told, one for each message."""
    with house.lent.db.reading() as session:
        query = select(Person.login).join(Message, Message.person_id == Person.id)
        return sorted(session.scalars(query.where(Message.topic == topic)))


def sweep(house: DestroyingHouse) -> None:
    lent = house.lent
    watches = destruction_watches(lent.guard)
    DueSweep(lent.db, lent.guard, lent.log, Messages(lent.db, lent.guard), watches).run()


def seen(house: DestroyingHouse, login: str) -> set[str]:
    board = DueBoard(house.lent.db, house.lent.guard, destruction_watches(house.lent.guard))
    return {each.deadline.kind.value for each in board.list(house.who(login), limit=9)}


def made_by(house: DestroyingHouse, record: UUID, login: str) -> None:
    with house.lent.db.writing() as work:
        work.session.get_one(Record, record).created_by = house.lent.person(login)
        work.commit()


def test_each_turn_is_told_once_to_those_whose_it_is(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.ASKED)
    first = told(house, "destruction.decide")
    assert DECIDE[0] in first
    assert "archivist" not in first  # who asked
    assert not set(first) & {"witness", "witness2", "executor", "system"}  # who have a duty
    house.approve(key)
    assert set(DECIDE) <= set(told(house, "destruction.decide"))
    assert told(house, "destruction.count") == []
    house.cool()
    house.acts.deciding.confirm(house.who("secrecy"), key)
    assert told(house, "destruction.count") == ["system", "witness", "witness2"]
    house.count(key)
    assert told(house, "destruction.count") == ["system", "witness", "witness2"]  # once
    assert told(house, "destruction.run") == ["executor"]
    house.acts.running.run(house.who("executor"), key, house.row(key).number)
    house.erase(key)
    with house.lent.db.writing() as work:
        row = house.row(key)
        assert house.acts.turns.tell(work, row) == 4  # as the engine does when all is gone
        assert house.acts.turns.tell(work, row) == 0
        work.commit()
    assert told(house, "destruction.sign") == ["executor", "system", "witness", "witness2"]


def test_what_is_taken_out_after_the_count_is_told_as_a_new_count(house: DestroyingHouse) -> None:
    records = [house.record(), house.record()]
    key = house.to(State.COUNTED)
    hold(house, records[0])
    house.acts.running.run(house.who("executor"), key, house.row(key).number)
    assert house.row(key).state is State.CONFIRMED
    assert told(house, "destruction.count") == sorted(["system", "witness", "witness2"] * 2)


def test_who_is_appointed_late_is_told_then(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.CONFIRMED)
    counting = house.acts.counting
    [theirs] = [each.row for each in house.acts.looks.show(house.who("archivist"), key).duties
                if each.row.person_id == house.lent.person("witness2")]  # fmt: skip
    counting.dismiss(house.who("archivist"), key, theirs.id)
    counting.appoint(house.who("archivist"), key, theirs.duty, "staff")
    assert told(house, "destruction.count") == ["staff", "system", "witness", "witness2"]


def test_people_of_the_records_are_told_when_it_cools_off_and_confirmers_once_it_has(house: DestroyingHouse) -> None:
    record = house.record()
    made_by(house, record, "staff")
    made_by(house, house.record(), "audit")  # who reads no record
    key = house.to(State.COOLING)
    sweep(house)
    sweep(house)
    assert told(house, "due.destruction_objection") == ["staff"]
    assert told(house, "due.destruction_confirm") == []
    assert "destruction_objection" in seen(house, "staff")
    assert seen(house, "archivist") == set()  # who asked for it
    house.cool(8)
    sweep(house)
    confirmers = told(house, "due.destruction_confirm")
    assert "secrecy" in confirmers
    assert not set(confirmers) & {"archivist", *DECIDE, "witness", "system"}
    house.acts.deciding.confirm(house.who("secrecy"), key)
    with house.lent.db.reading() as session:
        assert set(session.scalars(select(Deadline.state))) <= {DeadlineState.MET, DeadlineState.LAPSED}
    assert seen(house, "secrecy") == set()


def test_nothing_is_due_of_what_was_taken_back(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.COOLING)
    house.acts.listing.withdraw(house.who("archivist"), key, "重新整理")
    house.cool(9)
    sweep(house)
    assert told(house, "due.destruction_confirm") == []


def test_a_message_names_no_record(house: DestroyingHouse) -> None:
    house.record()
    key = house.to(State.COUNTED)
    with house.lent.db.reading() as session:
        rows = session.scalars(select(Message).where(Message.topic.startswith("destruction."))).all()
    assert rows
    assert {(each.record_id, each.subject_id) for each in rows} == {(None, key)}
