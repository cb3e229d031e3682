"""A subject's personal fields are sealed, found whole by number, and called by name for who may read."""

from pathlib import Path

import pytest
from sqlalchemy import event, select

from archive.errors import InvalidInput, NotAllowed
from archive.identity import Identity, system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.model import Subject, SubjectToken
from archive.policy.guard import Guard
from archive.subject_facts import names_of_subjects
from archive.subjects import Subjects
from runtime.wiring.parts import NoWaker
from tests.factories.schemes import SchemeHouse, scheme_house
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog
from tests.fakes.vault import MemoryVault

OPERATOR = system("operator")
OWNER = {"name": "王芳", "phone": "13800138000", "identity": "11010519491231002X", "moved_in_on": "2024-3"}


@pytest.fixture
def house(tmp_path: Path) -> SchemeHouse:
    return scheme_house(tmp_path)


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
def subjects(house: SchemeHouse, vault: MemoryVault) -> Subjects:
    log = RememberingLog()
    return Subjects(
        house.db,
        Guard(house.db, log, FixedClock(), "Asia/Shanghai"),
        vault,
        log,
        Outbox(FixedClock(), NoWaker()),
        FixedClock(),
    )


def test_an_owner_is_found_by_the_whole_number_never_by_a_part(house: SchemeHouse, subjects: Subjects) -> None:
    key = subjects.add(OPERATOR, house.fonds, "owner", OWNER)
    assert subjects.find(OPERATOR, "138 0013 8000") == [key]
    assert subjects.find(OPERATOR, "11010519491231002x") == [key]
    assert subjects.find(OPERATOR, "1380013800") == []


def test_the_records_of_a_subject_are_read_while_others_may_write(house: SchemeHouse, subjects: Subjects) -> None:
    key, seen = subjects.add(OPERATOR, house.fonds, "owner", OWNER), list[str]()

    def asked(_connection: object, _cursor: object, words: str, *_more: object) -> None:
        if words.startswith("SELECT record."):
            seen.append("records")

    event.listen(house.db.engine, "before_cursor_execute", asked)
    event.listen(house.db.engine, "commit", lambda _connection: seen.append("written"))
    subjects.show(OPERATOR, key)
    assert seen[:2] == ["written", "records"]


def test_no_personal_field_stands_in_clear(house: SchemeHouse, subjects: Subjects) -> None:
    subjects.add(OPERATOR, house.fonds, "owner", OWNER)
    for row in house.db.engine.raw_connection().cursor().execute("select * from subject, subject_token"):
        assert not any(str(plain).encode() in repr(row).encode() for plain in ("王芳", "13800138000", "110105"))


def test_names_are_shown_and_lost_with_the_key(house: SchemeHouse, subjects: Subjects, vault: MemoryVault) -> None:
    owner = subjects.add(OPERATOR, house.fonds, "owner", OWNER)
    lift = subjects.add(OPERATOR, house.fonds, "equipment", {"title": "1号电梯", "model": "K-7"})
    with house.db.reading() as session:
        assert names_of_subjects(session, vault, [lift, owner]) == ["1号电梯", "王芳"]
        vault.erase(owner)
        assert names_of_subjects(session, vault, [lift, owner]) == ["1号电梯"]


def test_a_changed_number_is_found_and_the_old_one_no_more(house: SchemeHouse, subjects: Subjects) -> None:
    key = subjects.add(OPERATOR, house.fonds, "owner", OWNER)
    assert subjects.change(OPERATOR, key, {"name": "王芳", "phone": "13900139000"}, version=1) == 2
    assert subjects.find(OPERATOR, "13900139000") == [key]
    assert subjects.find(OPERATOR, "13800138000") == []
    with house.db.reading() as session:
        assert len(session.scalars(select(SubjectToken)).all()) == 1


def test_a_nameless_owner_is_refused_by_the_field(house: SchemeHouse, subjects: Subjects) -> None:
    with pytest.raises(InvalidInput) as refused:
        subjects.add(OPERATOR, house.fonds, "owner", {"phone": "13800138000"})
    assert refused.value.faults[0].field == "name"


def test_a_stranger_finds_no_one(house: SchemeHouse, subjects: Subjects) -> None:
    with pytest.raises(NotAllowed):
        subjects.find(Identity("nobody", new_id()), "13800138000")
    with house.db.reading() as session:
        assert session.scalars(select(Subject)).all() == []
