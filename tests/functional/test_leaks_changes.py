"""A right that is taken away is gone in the very next request: before the index knows of it, and after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import InvalidInput
from archive.identity import Role
from archive.model import AccessGrant, Department, Distribution, Person, RecordState
from indexer.tantivy.engine import TantivyEngine
from tests.factories import people as rights
from tests.factories import records as rows
from tests.factories.secrets_house import OPERATOR, SecretsHouse, a_secrets_house, word
from tests.factories.web_house import PASSWORD, token_of

NEXT = iter(range(1, 900))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsHouse]:
    """A house with a reader, an archivist, a clerk and a security administrator; each test adds its record."""
    with a_secrets_house(tmp_path_factory.mktemp("changes")) as made:
        made.add_person("reader", clearance=2, fonds="WA")
        made.add_person("archivist", [Role.ARCHIVIST], 4, "WA")
        made.add_person("clerk", [Role.CLERK], 2)
        made.add_person("guardian", [Role.SECURITY_ADMIN])
        with made.parts.db.writing() as work:
            person = work.session.get_one(Person, made.people["clerk"])
            office = work.session.get_one(Department, made.departments["OFFICE"])
            rights.holds_post(work.session, person, rights.a_post(work.session, "clerk"), office)
            for path in ("Q1/",):
                rows.a_place(work.session, work.session.get_one(rows.Fonds, made.fonds["WA"]), path)
            work.commit()
        yield made


@dataclass
class Seen:
    """What one person finds of one record."""

    house: SecretsHouse
    login: str
    number: int

    def finds(self) -> tuple[bool, bool, bool, bool, bool]:
        """Return whether the record shows in hits, total, facets, its page and its file's text."""
        who = self.house.who(self.login)
        page = self.house.parts.search.search(who, word(self.number, "ti"))
        past = self.house.parts.search.search(who, word(self.number, "ti"), offset=5, limit=1)
        client = self.house.browser(self.login)
        pages = [f"/records/{self.house.records[self.number]}", f"/files/{self.house.contents[self.number][0]}/pages/1"]
        codes = [client.get(path).status_code == 200 for path in pages]
        return bool(page.hits), page.total + past.total > 0, bool(page.facets.get("level")), codes[0], codes[1]


ALL = (True,) * 5
NONE = (False,) * 5


def a_record(house: SecretsHouse, state: RecordState, login: str, **more: object) -> Seen:
    """Add a record, index it, and see that the person finds it."""
    number = next(NEXT)
    house.add_records({number: house.draft(number, level_rank=2, **more)}, state)
    house.work()
    seen = Seen(house, login, number)
    assert seen.finds() == ALL
    return seen


def gone_at_once_and_after(seen: Seen, act: Callable[[], object]) -> None:
    """Do something that takes the record away; it must be gone with the index as it was, and with the index anew."""
    act()
    assert seen.finds() == NONE
    seen.house.work()
    assert seen.finds() == NONE
    assert seen.house.parts.search.leaks == 0


def version(house: SecretsHouse, number: int) -> int:
    return house.row(number).version


def test_a_raised_level(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.PROVISIONAL, "clerk", department_id=house.departments["OFFICE"])
    records, key = house.parts.records, house.records[seen.number]
    raised = lambda: records.set_level(house.who("archivist"), key, 3, "x", version(house, seen.number))  # noqa: E731
    gone_at_once_and_after(seen, raised)


def test_a_raised_level_of_a_filed_record(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.FILED, "reader")
    house.add_person("officer", [Role.SECRECY_OFFICER], 4, "WA")
    records, key = house.parts.records, house.records[seen.number]
    raised = lambda: records.set_level(house.who("officer"), key, 4, "x", version(house, seen.number))  # noqa: E731
    gone_at_once_and_after(seen, raised)


def test_filing_takes_a_record_out_of_a_clerks_hands(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.PROVISIONAL, "clerk", department_id=house.departments["OFFICE"])
    gone_at_once_and_after(seen, lambda: house.parts.filing.file(OPERATOR, [house.records[seen.number]]))


def test_the_bin(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.PROVISIONAL, "clerk", department_id=house.departments["OFFICE"])
    key = house.records[seen.number]
    gone_at_once_and_after(
        seen, lambda: house.parts.records.bin(house.who("archivist"), key, version(house, seen.number))
    )


def test_another_department(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.PROVISIONAL, "clerk", department_id=house.departments["OFFICE"])
    key, other = house.records[seen.number], {"department_id": house.departments["FIELD"]}
    gone_at_once_and_after(
        seen, lambda: house.parts.records.describe(house.who("archivist"), key, other, version(house, seen.number))
    )


def test_a_name_taken_off(house: SecretsHouse) -> None:
    key = house.add_person("named", [Role.ARCHIVIST], 2)
    seen = a_record(house, RecordState.PROVISIONAL, "named", named=(key,))
    record = house.records[seen.number]
    gone_at_once_and_after(
        seen, lambda: house.parts.records.name_people(OPERATOR, record, [], version(house, seen.number))
    )


def test_a_grant_taken_away(house: SecretsHouse) -> None:
    key = house.add_person("granted", clearance=2, fonds="WA")
    seen = a_record(house, RecordState.FILED, "granted")
    with house.parts.db.reading() as session:
        grant = session.scalars(select(AccessGrant.id).filter_by(person_id=key)).one()
    gone_at_once_and_after(seen, lambda: house.rights.revoke(house.who("guardian"), grant))


def test_a_clearance_lowered(house: SecretsHouse) -> None:
    key = house.add_person("cleared", clearance=2, fonds="WA")
    seen = a_record(house, RecordState.FILED, "cleared")
    gone_at_once_and_after(seen, lambda: house.parts.people.set_clearance(house.who("guardian"), key, 1))


def test_a_distribution_narrowed(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.FILED, "reader")
    with house.parts.db.reading() as session:
        rows_of = session.scalars(select(Distribution).where(Distribution.level_rank >= 2)).all()

    def narrow() -> None:
        for row in rows_of:
            house.rights.withdraw(house.who("guardian"), row.id)

    try:
        gone_at_once_and_after(seen, narrow)
    finally:
        for row in rows_of:
            house.rights.distribute(OPERATOR, row.level_rank)


def test_an_account_closed_ends_its_session_and_its_tokens(house: SecretsHouse) -> None:
    key = house.add_person("leaver", clearance=2, fonds="WA")
    client, token = house.browser("leaver"), house.parts.people.issue_token(OPERATOR, "leaver", "t", 1)
    api = {"Authorization": f"Bearer {token}"}
    assert client.get("/").status_code == 200
    assert house.app.test_client().get("/api/v1/me", headers=api).status_code == 200
    house.parts.people.deactivate(house.who("guardian"), key)
    assert client.get("/").status_code == 302
    assert house.app.test_client().get("/api/v1/me", headers=api).status_code == 401
    house.parts.people.reactivate(house.who("guardian"), key)
    assert client.get("/").status_code == 302
    assert house.app.test_client().get("/api/v1/me", headers=api).status_code == 401


def test_a_new_password_and_a_sign_out_end_sessions(house: SecretsHouse) -> None:
    key = house.add_person("changer", clearance=2, fonds="WA")
    one, two = house.browser("changer"), house.browser("changer")
    house.parts.people.set_password(house.who("guardian"), key, PASSWORD + "新")
    assert [each.get("/").status_code for each in (one, two)] == [302, 302]
    client = house.browser("reader")
    stolen = client.get_cookie("juanku_session")
    assert stolen is not None
    client.post("/sign-out", data={"csrf_token": token_of(client)})
    thief = house.app.test_client()
    thief.set_cookie("juanku_session", stolen.value)
    assert thief.get("/").status_code == 302


def test_an_ended_token_opens_nothing(house: SecretsHouse) -> None:
    token = house.parts.people.issue_token(OPERATOR, "reader", "ended", 1)
    house.parts.people.end_token(house.who("reader"), "ended")
    reply = house.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401


def test_a_reader_in_another_process_sees_a_commit_before_its_fence_falls(house: SecretsHouse) -> None:
    seen = a_record(house, RecordState.FILED, "reader")
    elsewhere = TantivyEngine(house.parts.settings.home / "index", prefix=house.parts.settings.search_prefix)
    service, own = house.parts.search, house.parts.search._engine
    service._engine = elsewhere
    try:
        assert seen.finds() == ALL
        house.add_person("raiser", [Role.SECRECY_OFFICER], 4, "WA")
        key: UUID = house.records[seen.number]
        house.parts.records.set_level(house.who("raiser"), key, 4, "x", version(house, seen.number))
        service.search(house.who("reader"), word(seen.number, "ti"))
        house.work()  # the index is right and the fence has fallen
        page = service.search(house.who("reader"), word(seen.number, "ti"), offset=5, limit=1)
        assert (page.total, dict(page.facets.get("level", {}))) == (0, {})
    finally:
        service._engine = own
        elsewhere.close()


def test_an_archivist_named_on_a_need_to_know_record_describes_it(house: SecretsHouse) -> None:
    key = house.add_person("close", [Role.ARCHIVIST], 2, "WA")
    with house.parts.db.writing() as work:
        group = rows.a_group(work.session, work.session.get_one(rows.Fonds, house.fonds["WA"]), "Z")
        work.commit()
    seen = a_record(house, RecordState.PROVISIONAL, "close", group_id=group.id, named=(key,))
    record = house.records[seen.number]
    house.parts.records.describe(house.who("close"), record, {"notes": "新"}, version(house, seen.number))
    assert house.row(seen.number).notes == "新"


def test_need_to_know_hides_at_once_and_moves_the_record_to_the_partition_apart(house: SecretsHouse) -> None:
    names = {"zh_CN": "专案"}
    house.parts.groups.add(OPERATOR, house.fonds["WA"], "Q", names)
    house.add_person("insider", [Role.ARCHIVIST], 2, "WA")
    named = (house.people["insider"],)
    seen = a_record(house, RecordState.PROVISIONAL, "archivist", named=named)
    inside = Seen(house, "insider", seen.number)
    records, key = house.parts.records, house.records[seen.number]
    who = house.who("insider")
    gone_at_once_and_after(seen, lambda: records.set_group(who, key, "Q", "x", version(house, seen.number)))
    assert inside.finds() == ALL
    assert house.row(seen.number).indexed_in == ["2", "2n"]
    records.set_group(who, key, None, "x", version(house, seen.number))
    house.work()
    assert seen.finds() == inside.finds() == ALL
    assert house.parts.search.leaks == 0


def test_need_to_know_hides_a_filed_record_that_leaves_it_no_more(house: SecretsHouse) -> None:
    house.parts.groups.add(OPERATOR, house.fonds["WA"], "R", {"zh_CN": "专案"})
    key = house.add_person("guard", [Role.SECRECY_OFFICER], 4, "WA")
    seen = a_record(house, RecordState.FILED, "reader", named=(key,))
    records, record, who = house.parts.records, house.records[seen.number], house.who("guard")
    gone_at_once_and_after(seen, lambda: records.set_group(who, record, "R", "x", version(house, seen.number)))
    with pytest.raises(InvalidInput):
        records.set_group(who, record, None, "x", version(house, seen.number))
    assert seen.finds() == NONE
