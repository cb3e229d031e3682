"""Renewals of terms by programs: asked for once, listed by pages, decided by another, taken back, absent for others."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from archive.identity import Role, system
from archive.model import DueState, Person, RecordDue
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.people import grants
from tests.factories.web_house import PASSWORD

WISH = {"years": 5, "authority": "档案鉴定委员会", "reason": "合同尚有争议"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        own = made.web.services
        own.people.add_person(system("set-up"), login="approver", name="周", password=PASSWORD, roles=[Role.APPROVER])
        with own.db.writing() as work:
            person = work.session.get_one(Person, own.people.identity_of("approver").person_id)
            person.clearance = 4
            grants(work.session, person, fonds=made.web.category.fonds_id)
            work.commit()
        yield made


def filed(house: ApiHouse, title: str) -> str:
    key = house.a_draft(title)
    house.file(key)
    with house.web.services.db.writing() as work:
        work.session.merge(RecordDue(record_id=key, state=DueState.DATED, due=date(2036, 1, 1)))
        work.commit()
    return str(key)


def asked(house: ApiHouse, *records: str, **headers: str) -> dict[str, Any]:
    reply = house.ask("POST", "/api/v1/renewals", json={**WISH, "records": records}, **headers)
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json
    return found


def kept(house: ApiHouse, record: str) -> date | None:
    with house.web.services.db.reading() as session:
        return session.get_one(RecordDue, UUID(record)).due


def test_a_renewal_is_asked_for_once_and_keeps_its_records_on_when_another_agrees(house: ApiHouse) -> None:
    records = [filed(house, "甲合同"), filed(house, "乙合同")]
    made = asked(house, *records, Idempotency_Key="k1")
    assert asked(house, *records, Idempotency_Key="k1") == made
    at = f"/api/v1/renewals/{made['renewal']}"
    shown = house.get(at, "approver").json
    assert (shown["state"], shown["may_decide"], shown["whole"]) == ("asked", True, True)
    assert [each["until"] for each in shown["items"]] == ["2041-01-01"] * 2
    own = {"approve": True, "reason": "同意"}
    assert house.ask("POST", f"{at}/decision", json=own).status_code == 403  # one's own
    assert [kept(house, each) for each in records] == [date(2036, 1, 1)] * 2
    assert house.ask("POST", f"{at}/decision", "approver", json=own).json["state"] == "approved"
    with house.web.services.db.reading() as session:
        again = house.web.services.retention.due_days.reckon(session, [UUID(each) for each in records])
    assert all(each.due.kept_on or each.due.day is None for each in again.values())
    assert house.ask("POST", f"{at}/decision", "approver", json=own).status_code == 409


def test_renewals_are_listed_by_pages_and_taken_back_by_who_asked(house: ApiHouse) -> None:
    made = [asked(house, filed(house, title))["renewal"] for title in ("甲", "乙", "丙")]
    first = house.get("/api/v1/renewals?limit=2").json
    rest = house.get(f"/api/v1/renewals?limit=2&cursor={first['next']}").json
    assert [each["renewal"] for each in [*first["renewals"], *rest["renewals"]]] == made[::-1]
    assert rest["next"] is None
    assert house.get("/api/v1/renewals?cursor=nonsense").status_code == 422
    assert house.ask("POST", f"/api/v1/renewals/{made[0]}/withdrawal").json["state"] == "withdrawn"
    assert [each["renewal"] for each in house.get("/api/v1/renewals?decided=true").json["renewals"]] == made[:1]


def test_what_is_wrong_names_its_field_and_who_reads_nothing_of_it_finds_nothing(house: ApiHouse) -> None:
    record = filed(house, "甲合同")
    for wrong, name in (({"years": 1, "through": 2040}, "years"), ({"authority": ""}, "authority")):
        reply = house.ask("POST", "/api/v1/renewals", json={**WISH, "records": [record], **wrong})
        assert reply.status_code == 422
        assert name in {each["field"] for each in reply.json["fields"]}
    at = f"/api/v1/renewals/{asked(house, record)['renewal']}"
    hidden, absent = (house.get(each, "auditor") for each in (at, f"/api/v1/renewals/{uuid4()}"))
    assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data) == (404, hidden.data)
    assert house.ask("POST", "/api/v1/renewals", "staff", json={**WISH, "records": [record]}).status_code in {403, 404}
    assert house.get("/api/v1/renewals", "auditor").json["renewals"] == []
