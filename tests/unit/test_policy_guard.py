"""Asking before acting: hidden and absent are one answer, and each refusal is written."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from archive.errors import NotAllowed, NotFound
from archive.identity import Role
from archive.ids import new_id
from archive.model import Category, House, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    log = RememberingLog()
    with db.writing() as work:
        session = work.session
        records.a_house(session)
        people.distributed_to(session, 4)
        fonds = records.a_fonds(session)
        category = records.a_category(session, fonds)
        reader = people.a_person(session, "reader", clearance=2)
        archivist = people.a_person(session, "archivist", roles=[Role.ARCHIVIST], clearance=2)
        for person in (reader, archivist):
            people.grants(session, person, fonds=fonds.id)
        shown = records.a_record(session, category, level=1)
        hidden = records.a_record(session, category, level=4)
        work.commit()
    yield SimpleNamespace(
        db=db,
        log=log,
        guard=Guard(db, log, FixedClock(), "Asia/Shanghai"),
        category=category,
        reader=people.identity_of(reader),
        archivist=people.identity_of(archivist),
        shown=shown.id,
        hidden=hidden.id,
    )
    db.close()


def test_what_may_be_read_is_returned_and_nothing_is_logged(house: SimpleNamespace) -> None:
    with house.db.reading() as session:
        assert house.guard.require(session, house.reader, Act.READ, house.shown).id == house.shown
    assert house.log.refused == []


def test_a_hidden_record_answers_as_an_absent_one_in_words_facts_and_queries(house: SimpleNamespace) -> None:
    answers, statements = [], []
    counted: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *given: counted.append(given[2]))
    for record in (house.hidden, new_id()):
        counted.clear()
        with house.db.reading() as session, pytest.raises(NotFound) as refused:
            house.guard.require(session, house.reader, Act.READ, record)
        answers.append((type(refused.value), str(refused.value), refused.value.facts, refused.value.args))
        statements.append(list(counted))
    assert answers[0] == answers[1]
    assert statements[0] == statements[1]
    assert [act for act, _, _, _ in house.log.refused] == ["record.read"] * 2
    assert house.log.refused[0][2] == house.hidden


def test_a_seen_record_refuses_the_act_by_name(house: SimpleNamespace) -> None:
    with house.db.reading() as session, pytest.raises(NotAllowed) as refused:
        house.guard.require(session, house.reader, Act.SET_LEVEL, house.shown)
    assert refused.value.facts == {"act": "record.set_level"}


def test_a_refusal_inside_a_write_does_not_wait_for_itself_and_undoes_the_write(house: SimpleNamespace) -> None:
    def act() -> None:
        with house.db.writing() as work:
            work.session.add(Category(**_a_category(house)))
            work.session.flush()
            house.guard.require(work.session, house.reader, Act.DESCRIBE, house.hidden)

    with pytest.raises(NotFound):
        act()
    with house.db.reading() as session:
        assert session.query(Category).count() == 1
    assert len(house.log.refused) == 1


def _a_category(house: SimpleNamespace) -> dict[str, object]:
    same = ("fonds_id", "names", "level_rank", "term", "fields", "required", "documents")
    return {name: getattr(house.category, name) for name in same} | {"code": "NEW"}


def test_refusals_gathered_around_a_write_are_logged_once_after_it(house: SimpleNamespace) -> None:
    with pytest.raises(NotFound), house.guard.refusals(house.reader), house.db.writing() as work:
        house.guard.require(work.session, house.reader, Act.DESCRIBE, house.hidden)
    assert [(act, record) for act, _, record, _ in house.log.refused] == [("record.describe", house.hidden)]


def test_what_a_service_refuses_itself_is_logged_too(house: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed), house.guard.refusals(house.reader), house.db.writing():
        raise NotAllowed(act="record.create")
    assert [entry[0] for entry in house.log.refused] == ["record.create"]


def test_a_missing_thing_that_no_rule_refused_is_no_refusal(house: SimpleNamespace) -> None:
    with pytest.raises(NotFound), house.guard.refusals(house.reader):
        raise NotFound
    assert house.log.refused == []


def test_the_house_is_not_for_everyone(house: SimpleNamespace) -> None:
    with house.db.reading() as session, pytest.raises(NotAllowed):
        house.guard.require_house(session, house.reader, Act.READ_LOG)
    assert [entry[0] for entry in house.log.refused] == ["log.read"]


def test_a_record_that_would_lie_out_of_reach_is_not_created(house: SimpleNamespace) -> None:
    facts = {"fonds": house.category.fonds_id, "level": 4, "need_to_know": False}
    with house.db.reading() as session:
        house.guard.require_facts(session, house.archivist, Act.CREATE, facts | {"level": 2})
        with pytest.raises(NotAllowed):
            house.guard.require_facts(session, house.archivist, Act.CREATE, facts)


def test_lists_hold_what_may_be_read_and_no_more(house: SimpleNamespace) -> None:
    with house.db.reading() as session:
        assert [r.id for r in session.scalars(house.guard.visible(session, house.reader))] == [house.shown]
        assert _count(session, house, Act.BIN) == 0


def _count(session: Session, house: SimpleNamespace, act: Act) -> int:
    return len(session.scalars(house.guard.visible(session, house.reader, act)).all())


def test_a_page_learns_which_acts_to_offer(house: SimpleNamespace) -> None:
    with house.db.reading() as session:
        reach = house.guard.reach(session, house.archivist)
        facts = {"fonds": house.category.fonds_id, "level": 1, "need_to_know": False}
        waiting = house.guard.acts(reach, facts | {"state": RecordState.PROVISIONAL.value})
        binned = house.guard.acts(reach, facts | {"state": RecordState.BINNED.value})
        assert {Act.DESCRIBE, Act.FILE, Act.BIN, Act.SET_LEVEL} <= waiting
        assert Act.RESTORE in binned
        assert not binned & {Act.DESCRIBE, Act.FILE, Act.BIN}
        assert session.query(House).count() == 1
