"""Signing in: one answer for every failure, lock-out, sessions and tokens that end."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from archive.errors import Conflict, InvalidInput, LockedOut, NotAllowed, NotFound, SignInFailed
from archive.identity import Role
from archive.model import ApiToken, House, Person, SignInFailures, WebSession
from archive.people.lockout import FIRST_WAIT, LONGEST_WAIT, wait_after
from archive.people.passwords import Passwords
from tests.factories.accounts import GOOD, an_office

HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with an_office(tmp_path) as office:
        yield office


def fail(office: SimpleNamespace, login: str = "wang", address: str = HERE) -> None:
    with pytest.raises(SignInFailed):
        office.people.sign_in(login, "a wrong password", address)


def rows(office: SimpleNamespace, table: Any) -> Any:
    with office.db.reading() as session:
        return session.scalars(select(table)).all()


def test_the_right_password_begins_a_session_that_is_logged(office: SimpleNamespace) -> None:
    identity, token = office.people.sign_in("Wang", GOOD, HERE, "Firefox")
    assert (identity.person_id, identity.roles) == (office.wang.person_id, {Role.STAFF})
    assert office.people.resume(token, THERE).session_id == identity.session_id
    act, by, _, body = office.log.acts[-1]
    assert (act, by.person_id, body) == ("session.begin", identity.person_id, {"agent": "Firefox"})


def test_each_sign_in_makes_a_new_token_and_only_hashes_are_kept(office: SimpleNamespace) -> None:
    tokens = [office.people.sign_in("wang", GOOD)[1] for _ in range(2)]
    tokens.append(office.people.issue_token(office.wang, "wang", "scripts", 1))
    assert len(set(tokens)) == 3
    kept = {row.token_hash for row in rows(office, WebSession) + rows(office, ApiToken)}
    assert kept.isdisjoint(tokens)
    assert all(GOOD not in row.password_hash and "argon2id" in row.password_hash for row in rows(office, Person))


def test_unknown_wrong_and_closed_are_one_answer(office: SimpleNamespace) -> None:
    office.people.deactivate(office.guardian, office.secrecy.person_id)
    answers = []
    for login, password in (("nobody", GOOD), ("wang", "a wrong password"), ("secrecy", GOOD), ("x" * 5000, GOOD)):
        with pytest.raises(SignInFailed) as refused:
            office.people.sign_in(login, password, HERE)
        answers.append((str(refused.value), refused.value.facts))
    assert len({str(answer) for answer in answers}) == 1
    assert [entry[0] for entry in office.log.refused] == ["session.refused"] * 4
    assert office.log.refused[0][1].name == "unknown"


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords()
    kept = passwords.hash(GOOD)

    def seconds(hashed: str | None) -> float:
        begun = time.process_time()  # not the clock: the machine that tests may be busy
        assert not passwords.verify(hashed, "a wrong password")
        return time.process_time() - begun

    tried = [(seconds(kept), seconds(None)) for _ in range(7)]
    known, unknown = (min(taken) for taken in zip(*tried, strict=True))
    assert 0.5 < unknown / known < 2


def test_after_five_failures_the_account_waits_here_and_each_failure_doubles_the_wait(office: SimpleNamespace) -> None:
    for _ in range(5):
        fail(office)
    for seconds in (30, 60, 120):
        with pytest.raises(LockedOut) as locked:
            office.people.sign_in("wang", GOOD, HERE)
        assert locked.value.facts == {"seconds": seconds}
        office.clock.move(seconds=seconds)
        fail(office)
    office.clock.move(minutes=15)
    assert office.people.sign_in("wang", GOOD, HERE)
    assert office.people.sign_in("wang", GOOD, HERE)


def test_a_name_that_no_one_has_is_locked_in_the_same_way(office: SimpleNamespace) -> None:
    for _ in range(5):
        fail(office, "nobody")
    with pytest.raises(LockedOut) as locked:
        office.people.sign_in("nobody", GOOD, HERE)
    assert locked.value.facts == {"seconds": 30}


def test_a_stranger_does_not_lock_the_account_for_its_owner_by_five_failures(office: SimpleNamespace) -> None:
    for _ in range(5):
        fail(office, address=THERE)
    assert office.people.sign_in("wang", GOOD, HERE)


def test_many_addresses_together_do_lock_an_account(office: SimpleNamespace) -> None:
    for number in range(20):
        fail(office, address=f"203.0.113.{number}")
    with pytest.raises(LockedOut):
        office.people.sign_in("wang", GOOD, HERE)


def test_one_address_that_tries_many_accounts_is_locked(office: SimpleNamespace) -> None:
    for number in range(50):
        fail(office, f"guess{number}", THERE)
    with pytest.raises(LockedOut):
        office.people.sign_in("wang", GOOD, THERE)
    assert office.people.sign_in("wang", GOOD, HERE)


def test_attempts_at_the_same_moment_are_not_free(office: SimpleNamespace) -> None:
    def attempt(_number: int) -> type[Exception]:
        try:
            office.people.sign_in("wang", "a wrong password", HERE)
        except (SignInFailed, LockedOut) as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))
    assert answers.count(SignInFailed) == 5


def test_failures_are_forgotten_after_an_hour_and_an_administrator_unlocks(office: SimpleNamespace) -> None:
    for _ in range(4):
        fail(office)
    office.clock.move(minutes=61)
    for _ in range(5):
        fail(office)
    with pytest.raises(LockedOut):
        office.people.sign_in("wang", GOOD, HERE)
    office.people.unlock(office.guardian, office.wang.person_id)
    assert office.people.sign_in("wang", GOOD, HERE)


def test_what_was_typed_as_a_name_is_not_kept_plain(office: SimpleNamespace) -> None:
    fail(office, "my password by mistake")
    assert not any("mistake" in row.subject for row in rows(office, SignInFailures))


def test_the_wait_grows_to_a_quarter_of_an_hour() -> None:
    assert wait_after(4, 5) == timedelta()
    assert [wait_after(failures, 5) for failures in (5, 6, 10_000)] == [FIRST_WAIT, 2 * FIRST_WAIT, LONGEST_WAIT]


def test_a_session_ends_after_two_idle_hours_and_after_an_office_day(office: SimpleNamespace) -> None:
    _, idle = office.people.sign_in("wang", GOOD)
    office.clock.move(hours=2)
    assert office.people.resume(idle) is None
    _, busy = office.people.sign_in("wang", GOOD)
    for _ in range(11):
        office.clock.move(hours=1)
        assert office.people.resume(busy)
    office.clock.move(hours=1)
    assert office.people.resume(busy) is None


def test_signing_out_ends_the_session_and_a_made_up_token_is_none(office: SimpleNamespace) -> None:
    identity, token = office.people.sign_in("wang", GOOD)
    office.people.sign_out(identity)
    assert office.people.resume(token) is None
    assert office.people.resume("made up") is None
    assert office.log.acts[-1][0] == "session.end"


def test_a_person_sees_and_ends_their_own_sessions_only(office: SimpleNamespace) -> None:
    here, _ = office.people.sign_in("wang", GOOD)
    elsewhere, token = office.people.sign_in("wang", GOOD)
    others, _ = office.people.sign_in("secrecy", GOOD)
    assert {row.id for row in office.people.sessions(here)} == {here.session_id, elsewhere.session_id}
    office.people.end_session(here, elsewhere.session_id)
    assert office.people.resume(token) is None
    assert [row.id for row in office.people.sessions(here)] == [here.session_id]
    with pytest.raises(NotFound):
        office.people.end_session(here, others.session_id)


def test_sessions_long_ended_and_old_failures_are_forgotten_but_for_when_someone_was_last_here(
    office: SimpleNamespace,
) -> None:
    old = [office.people.sign_in("wang", GOOD, HERE, "Firefox")[0].session_id for _ in range(3)]
    lone, _ = office.people.sign_in("secrecy", GOOD)
    fail(office, "a stranger", THERE)
    office.clock.move(days=29)
    recent, _ = office.people.sign_in("wang", GOOD, HERE)
    fail(office, "another", HERE)
    assert office.people.forget() == 4  # the stranger's, and the address without a name
    assert {row.id for row in rows(office, WebSession)} >= {*old, recent.session_id}
    office.clock.move(days=2)
    forgotten = office.people.forget()
    assert {row.id for row in rows(office, WebSession)} == {recent.session_id, lone.session_id}
    assert (forgotten, len(rows(office, SignInFailures))) == (6, 0)
    assert office.people.forget() == 0
    assert office.people.end_sessions(office.guardian, office.wang.person_id) == 0  # none stood


def test_a_change_of_roles_holds_in_a_running_session(office: SimpleNamespace) -> None:
    _, token = office.people.sign_in("wang", GOOD)
    office.people.set_roles(office.guardian, office.wang.person_id, [Role.ARCHIVIST])
    assert office.people.resume(token).roles == {Role.ARCHIVIST}


def test_a_token_acts_as_its_person_until_its_day(office: SimpleNamespace) -> None:
    token = office.people.issue_token(office.wang, "wang", "scripts", 30)
    assert office.people.resume_token(token, HERE).person_id == office.wang.person_id
    with pytest.raises(Conflict):
        office.people.issue_token(office.wang, "wang", "scripts", 30)
    office.clock.move(days=30)
    assert office.people.resume_token(token) is None


def test_a_token_is_ended_by_its_person(office: SimpleNamespace) -> None:
    token = office.people.issue_token(office.wang, "wang", "scripts", 30)
    office.people.end_token(office.wang, "scripts")
    assert office.people.resume_token(token) is None
    with pytest.raises(NotFound):
        office.people.end_token(office.secrecy, "scripts")
    for _ in range(2):  # its name is free again, once it has ended or its day is over
        again = office.people.issue_token(office.wang, "wang", "scripts", 30)
        assert office.people.resume_token(again)
        office.clock.move(days=31)


def test_no_administrator_takes_a_token_for_someone_else(office: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        office.people.issue_token(office.guardian, "wang", "scripts", 30)
    assert [entry[0] for entry in office.log.refused] == ["token.issue"]
    assert office.people.issue_token(office.operator, "wang", "scripts", 30)


@pytest.mark.parametrize(("name", "days", "field"), [(" ", 30, "name"), ("x", 0, "days"), ("x", 367, "days")])
def test_a_token_has_a_name_and_an_end(office: SimpleNamespace, name: str, days: int, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.people.issue_token(office.wang, "wang", name, days)
    assert refused.value.faults[0].field == field


def test_the_operator_acts_as_a_person_and_the_log_names_both(office: SimpleNamespace) -> None:
    identity = office.people.impersonate("root", "wang")
    assert (identity.person_id, identity.operator) == (office.wang.person_id, "root")
    act, by, _, _ = office.log.acts[-1]
    assert (act, by.name, by.operator) == ("system.impersonate", "wang", "root")
    with pytest.raises(InvalidInput):
        office.people.impersonate("root", "nobody")


def test_a_house_can_forbid_that(office: SimpleNamespace) -> None:
    with office.db.writing() as work:
        work.session.scalars(select(House)).one().operator_may_impersonate = False
        work.commit()
    with pytest.raises(NotAllowed):
        office.people.impersonate("root", "wang")
    assert [entry[0] for entry in office.log.refused] == ["system.impersonate"]
