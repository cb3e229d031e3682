"""Need to know through the pages: a record for named people alone, and what others see of it, which is nothing."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.errors import InvalidInput
from archive.identity import Role, system
from archive.model import Category, Fonds, NeedToKnowGroup, Person, Record, TokenScope
from tests.factories import people as rights
from tests.factories import records as rows
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    """A house with the group X in the archivist's fonds, Y in another, and a second archivist with the same rights."""
    with a_web_house(tmp_path) as made:
        other = made.services.people.add_person(
            system("set-up"), login="other", name="另一人", password=PASSWORD, roles=[Role.ARCHIVIST], clearance=4
        )
        with made.services.db.writing() as work:
            fonds = work.session.get_one(Fonds, made.category.fonds_id)
            rights.grants(work.session, work.session.get_one(Person, other), fonds=fonds.id)
            rows.a_group(work.session, fonds, "X").names = {"zh_CN": "采购专案"}
            rows.a_group(work.session, rows.a_fonds(work.session, "WY02"), "Y")
            work.commit()
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def _post(client: FlaskClient, path: str, data: dict[str, str]) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def _catalogued(house: WebHouse, client: FlaskClient, group: str = "") -> str:
    values = {"category": str(house.category.id), "title": "电梯采购", "drawn_up": "2024", "level": "1", "group": group}
    page = _post(client, "/records", values)
    assert page.startswith("200 "), page
    found = re.search(r"/records/([0-9a-f-]{36})/files", page)
    assert found, page
    return found[1]


def _set(client: FlaskClient, record: str, group: str, reason: str = "专案") -> str:
    version = re.search(r'name="version" value="(\d+)"', client.get(f"/records/{record}").text)
    assert version
    return _post(client, f"/records/{record}/group", {"group": group, "reason": reason, "version": version[1]})


def _seen(client: FlaskClient, record: str) -> tuple[int, bool]:
    return client.get(f"/records/{record}").status_code, "<mark>电梯</mark>采购" in client.get("/search?q=电梯").text


def test_a_record_catalogued_under_a_group_is_its_cataloguers_alone(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist, "x")
    page = archivist.get(f"/records/{record}").text
    assert "知悉范围：采购专案" in page
    assert "archivist某" in page, "who catalogued it is named on it"
    assert _seen(archivist, record) == (200, True)
    assert _seen(house.browser("other"), record) == (404, False)
    filed = _post(archivist, "/records/file", {"record": record})
    assert "WY01-WYH·2024-D10-X0001" in filed, "it counts in the group's sequence"


def test_a_record_comes_under_a_group_and_out_of_it(house: WebHouse, archivist: FlaskClient) -> None:
    record, other = _catalogued(house, archivist), house.browser("other")
    assert _seen(other, record) == (200, True)
    locked_out = _set(archivist, record, "X")
    assert locked_out.startswith("422"), "nobody is named on it"
    assert "列名的人都不能读它" in locked_out
    who = house.services.people.identity_of("archivist")
    with house.services.db.reading() as session:
        row = session.scalars(select(Record)).one()
    house.services.records.name_people(who, row.id, [house.people["archivist"].id], row.version)
    assert "知悉范围：采购专案" in _set(archivist, record, "X")
    assert _seen(other, record) == (404, False)
    assert "知悉范围变更" in archivist.get(f"/records/{record}/history").text
    assert "采购专案" not in _set(archivist, record, "")
    assert _seen(other, record) == (200, True)


@pytest.mark.parametrize(("group", "reason"), [("Y", "专案"), ("Z", "专案"), ("X", " ")])
def test_a_group_that_is_not_the_fonds_own_is_none(
    house: WebHouse, archivist: FlaskClient, group: str, reason: str
) -> None:
    record = _catalogued(house, archivist, "X")
    refused = _set(archivist, record, group, reason)
    assert refused.startswith("422")
    assert ("专案知悉组：这里没有" in refused) is (group != "X")
    assert "知悉范围：采购专案" in archivist.get(f"/records/{record}").text


def test_the_form_takes_a_mark_and_lists_no_groups(house: WebHouse, archivist: FlaskClient) -> None:
    form = archivist.get(f"/records/new?category={house.category.id}").text
    assert 'name="group"' in form
    assert "采购专案" not in form
    refused = _post(archivist, "/records", {"category": str(house.category.id), "title": "保洁", "group": "Y"})
    assert refused.startswith("422")
    assert 'id="fault-group"' in refused
    assert 'value="保洁"' in refused, "nothing typed is lost"
    assert 'name="group"' not in house.browser("clerk").get(f"/records/new?category={house.category.id}").text


def test_nobody_but_an_archivist_learns_which_groups_there_are(house: WebHouse) -> None:
    values = {"category": str(house.category.id), "title": "电梯采购", "drawn_up": "2024", "level": "1", "group": "X"}
    office = re.search(
        r'<option value="([0-9a-f-]{36})"',
        house.browser("clerk").get(f"/records/new?category={house.category.id}").text,
    )
    assert office
    people, sent = house.services.people, {"fonds": "WY01", "category": "WYH", "title": "电梯采购", "level": 1}
    for login in ("clerk", "staff"):
        client, told = house.browser(login), []
        token = people.issue_token(people.identity_of(login), login, "程序", 3)
        headers = {"Authorization": f"Bearer {token}"}
        for mark in ("X", "Z"):  # one that is there, and one that is not
            page = _post(client, "/records", {**values, "department": office[1], "group": mark})
            reply = house.app.test_client().post("/api/v1/records", json=sent | {"group": mark}, headers=headers)
            told.append((page[:3], "fault-group" in page, reply.status_code, reply.data))
        assert told[0] == told[1], login


def test_a_record_names_the_fonds_that_its_own_was_joined_to(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    with house.services.db.writing() as work:
        fonds = work.session.get_one(Fonds, work.session.get_one(Category, house.category.id).fonds_id)
        fonds.successor_id = work.session.scalars(select(Fonds.id).where(Fonds.code == "WY02")).one()
        fonds.closed_on = date(2026, 1, 31)
        work.commit()
    page = archivist.get(f"/records/{record}").text
    assert "已于 2026-01-31 并入 WY02" in page


def test_the_group_is_in_the_data_for_programs_too(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist, "X")
    token = house.services.people.issue_token(house.services.people.identity_of("archivist"), "archivist", "程序", 3)
    told = house.app.test_client().get(f"/api/v1/records/{record}", headers={"Authorization": f"Bearer {token}"}).json
    assert (told["group"], told["joined_to"]) == ("X", None)


def test_a_program_cannot_bring_a_record_under_another_fonds_group(house: WebHouse) -> None:
    with house.services.db.reading() as session:
        other = session.scalars(select(NeedToKnowGroup).where(NeedToKnowGroup.number_mark == "Y")).one()
    mine = (house.people["archivist"].id,)
    draft = Draft(house.category.fonds_id, house.category.id, "电梯采购", group_id=other.id, named=mine)
    with pytest.raises(InvalidInput) as refused:
        house.services.records.create(house.services.people.identity_of("archivist"), draft)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("group", "unknown")]


def test_an_archivist_learns_no_groups_of_a_fonds_in_which_they_were_granted_nothing(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        fonds = work.session.scalars(select(Fonds).where(Fonds.code == "WY02")).one()
        category = rows.a_category(work.session, fonds, "QT")
        work.commit()
    people = house.services.people
    token = people.issue_token(people.identity_of("archivist"), "archivist", "程序", 3, TokenScope.WRITE)
    headers = {"Authorization": f"Bearer {token}"}
    values = {"category": str(category.id), "title": "电梯采购", "drawn_up": "2024", "level": "1"}
    sent = {"fonds": "WY02", "category": "QT", "title": "电梯采购", "level": 1}
    client, told = house.browser("archivist"), []
    for mark in ("Y", "Z"):  # one that is there, and one that is not
        page = _post(client, "/records", {**values, "group": mark})
        reply = house.app.test_client().post("/api/v1/records", json=sent | {"group": mark}, headers=headers)
        told.append((page[:3], "fault-group" in page, reply.status_code, reply.data))
    assert told[0] == told[1]
    assert told[0][:3] == ("422", True, 422)
