"""Accounts, roles and posts: who may change whose, and that it holds at once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from archive.errors import Conflict, InvalidInput, NotAllowed, SignInFailed
from archive.identity import OFFICERS, Role
from archive.ids import new_id
from archive.model import ApiToken, Person
from archive.people.passwords import check_password
from tests.factories import people
from tests.factories.accounts import GOOD, an_office

NEWER = "流水高山-2026-秋"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with an_office(tmp_path) as office:
        yield office


def add(office: SimpleNamespace, login: str = "li", **more: object) -> object:
    return office.people.add_person(office.guardian, **{"login": login, "name": "李", "password": GOOD} | more)


def test_the_security_administrator_adds_people_and_the_log_says_whom(office: SimpleNamespace) -> None:
    person = add(office, roles=[Role.CLERK], clearance=2, locale="zh_TW")
    identity = office.people.identity_of("LI ")
    assert (identity.person_id, identity.roles) == (person, {Role.CLERK})
    act, by, _, body = office.log.acts[-1]
    assert (act, by, body["person"], body["before"]) == ("person.add", office.guardian, str(person), None)
    assert body["after"] == {"login": "li", "roles": ["clerk"], "clearance": 2}


def test_no_one_else_adds_people(office: SimpleNamespace) -> None:
    for who in (office.wang, office.secrecy):
        with pytest.raises(NotAllowed):
            office.people.add_person(who, login="li", name="李", password=GOOD)
    assert [entry[0] for entry in office.log.refused] == ["person.manage"] * 2
    with pytest.raises(InvalidInput):
        office.people.identity_of("li")


def test_a_login_is_taken_once_however_it_is_written(office: SimpleNamespace) -> None:
    with pytest.raises(Conflict):
        add(office, "ＷＡＮＧ")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"login": ""}, "login"),
        ({"login": "a b"}, "login"),
        ({"login": "system:index"}, "login"),
        ({"login": "x" * 65}, "login"),
        ({"name": " "}, "name"),
        ({"locale": "fr"}, "locale"),
        ({"clearance": 5}, "clearance"),
        ({"clearance": -1}, "clearance"),
        ({"password": "short"}, "password"),
        ({"roles": [Role.AUDIT_ADMIN, Role.STAFF]}, "roles"),
        ({"roles": [Role.AUDIT_ADMIN], "clearance": 1}, "clearance"),
    ],
)
def test_a_fault_names_its_field_and_nothing_is_kept(
    office: SimpleNamespace, more: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(office, **more)
    assert [fault.field for fault in refused.value.faults] == [field]
    with office.db.reading() as session:
        assert len(session.scalars(select(Person)).all()) == 3


@pytest.mark.parametrize(
    "password", ["1234567", "12345678", "Password1", "Woaini1314", "aaaaaaaabb", "wang.lihua", "x" * 257]
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        check_password(password, login="wang.lihua")


@pytest.mark.parametrize("password", ["correct horse battery", "电梯维修请找老王", "kq7-zzzz"])
def test_a_password_needs_length_and_no_special_characters(password: str) -> None:
    check_password(password, login="wang")


@pytest.mark.parametrize("officer", sorted(OFFICERS))
@pytest.mark.parametrize("other", sorted(Role))
def test_the_three_officers_exclude_each_other_and_every_reader(
    office: SimpleNamespace, officer: Role, other: Role
) -> None:
    person = office.wang.person_id
    if officer is other:
        office.people.set_roles(office.guardian, person, [officer])
        assert office.people.identity_of("wang").roles == {officer}
        return
    with pytest.raises(InvalidInput):
        office.people.set_roles(office.guardian, person, [officer, other])
    assert office.people.identity_of("wang").roles == {Role.STAFF}


def test_someone_cleared_does_not_become_an_officer(office: SimpleNamespace) -> None:
    office.people.set_clearance(office.guardian, office.wang.person_id, 3)
    with pytest.raises(InvalidInput) as refused:
        office.people.set_roles(office.guardian, office.wang.person_id, [Role.SYSTEM_ADMIN])
    assert refused.value.faults[0].field == "clearance"


def test_no_one_changes_their_own_rights(office: SimpleNamespace) -> None:
    own = office.guardian.person_id
    for act in (
        lambda: office.people.set_roles(office.guardian, own, [Role.ARCHIVIST]),
        lambda: office.people.set_clearance(office.guardian, own, 4),
        lambda: office.people.assign_post(office.guardian, own, new_id(), new_id()),
        lambda: office.people.deactivate(office.guardian, own),
        lambda: office.rights.grant(office.guardian, own, fonds_id=new_id()),
        lambda: office.rights.entrust(office.guardian, own, 1),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert len(office.log.refused) == 6


def test_a_change_of_clearance_is_logged_with_before_and_after(office: SimpleNamespace) -> None:
    office.people.set_clearance(office.guardian, office.wang.person_id, 3)
    act, _, _, body = office.log.acts[-1]
    assert (act, body["before"], body["after"]) == ("person.clearance", 0, 3)


def test_a_closed_account_is_out_at_once_and_its_token_too(office: SimpleNamespace) -> None:
    _, session = office.people.sign_in("wang", GOOD)
    token = office.people.issue_token(office.wang, "wang", "scripts", 30)
    office.people.deactivate(office.guardian, office.wang.person_id)
    assert office.people.resume(session) is None
    assert office.people.resume_token(token) is None
    with pytest.raises(SignInFailed):
        office.people.sign_in("wang", GOOD)
    office.people.reactivate(office.guardian, office.wang.person_id)
    assert office.people.resume(session) is None
    assert office.people.resume_token(token) is None
    assert office.people.sign_in("wang", GOOD)


def test_changing_the_password_takes_the_present_one_and_ends_the_other_sessions(office: SimpleNamespace) -> None:
    here, token = office.people.sign_in("wang", GOOD)
    _, elsewhere = office.people.sign_in("wang", GOOD)
    program = office.people.issue_token(office.wang, "wang", "scripts", 30)
    with pytest.raises(SignInFailed):
        office.people.set_password(here, here.person_id, NEWER, present="a wrong one")
    office.people.set_password(here, here.person_id, NEWER, present=GOOD)
    assert office.people.resume(token)
    assert office.people.resume(elsewhere) is None
    assert office.people.resume_token(program) is None
    with pytest.raises(SignInFailed):
        office.people.sign_in("wang", GOOD)
    assert office.people.sign_in("wang", NEWER)


def test_who_manages_people_ends_sessions_and_tokens_each_noted_by_its_name(office: SimpleNamespace) -> None:
    own = office.wang.person_id
    tokens = [office.people.issue_token(office.wang, "wang", name, 30) for name in ("scripts", "scanner")]
    other = office.people.issue_token(office.secrecy, "secrecy", "mine", 30)
    with office.db.reading() as session:
        [scripts] = session.scalars(select(ApiToken.id).where(ApiToken.name == "scripts"))
    with pytest.raises(NotAllowed):
        office.people.end_token_of(office.secrecy, own, scripts)
    office.people.end_token_of(office.guardian, own, scripts)
    assert [office.people.resume_token(each) is None for each in tokens] == [True, False]
    assert office.people.end_sessions(office.guardian, own) == 0
    assert [office.people.resume_token(each) is None for each in (*tokens, other)] == [True, True, False]
    ended = [body["name"] for act, _, _, body in office.log.acts if act == "token.end"]
    assert ended == ["scripts", "scanner"]


def test_only_who_manages_people_sets_anothers_password(office: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        office.people.set_password(office.wang, office.secrecy.person_id, NEWER)
    office.people.set_password(office.guardian, office.wang.person_id, NEWER)
    assert office.people.sign_in("wang", NEWER)


def test_a_post_is_held_from_a_day_to_a_day(office: SimpleNamespace) -> None:
    with office.db.writing() as work:
        post, department = people.a_post(work.session), people.a_department(work.session)
        people.distributed_to(work.session, 4, post)
        work.commit()
    person = office.wang.person_id
    with pytest.raises(InvalidInput):
        office.people.assign_post(office.guardian, person, post.id, department.id, date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(InvalidInput):
        office.people.assign_post(office.guardian, person, new_id(), department.id)
    holding = office.people.assign_post(office.guardian, person, post.id, department.id, date(2026, 3, 1))
    assert _distributed(office) == {1, 2, 3, 4}
    office.people.end_post(office.guardian, holding, date(2026, 3, 4))
    assert _distributed(office) == frozenset()


def _distributed(office: SimpleNamespace) -> frozenset[int]:
    with office.db.reading() as session:
        reach = office.guard.reach(session, office.wang)
    return reach.distributed  # type: ignore[no-any-return]
