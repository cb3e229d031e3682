"""Records that are not filed yet move to another category: what would be lost is told first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from archive.cataloguing.describing import Draft
from archive.model import Category, Fence, Fonds, Record, RecordState
from tests.factories import records as rows
from tests.factories.web_house import FIELDS, WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def target(house: WebHouse) -> UUID:
    with house.services.db.writing() as work:
        fonds = work.session.scalars(select(Fonds)).one()
        category = rows.a_category(work.session, fonds, "OTHER")
        category.fields, category.term = [FIELDS[1]], "Y"
        work.commit()
        return category.id


def catalogued(house: WebHouse, title: str, **more: Any) -> UUID:
    who = house.services.people.identity_of("archivist")
    draft = Draft(house.category.fonds_id, house.category.id, title, **more)
    return house.services.records.create(who, draft)


def move(client: FlaskClient, *ids: UUID, **more: Any) -> TestResponse:
    form = {"csrf_token": token_of(client), "record": [str(each) for each in ids]}
    return client.post("/records/move", data=form | {name: str(value) for name, value in more.items()})


def record(house: WebHouse, key: UUID) -> Record:
    with house.services.db.reading() as session:
        return session.get_one(Record, key)


def test_what_would_be_lost_is_told_and_goes_into_the_notes(house: WebHouse, target: UUID) -> None:
    fields = {"partner": "迅达电梯", "document_number": "〔2024〕5号", "phone": "13800138000"}
    key = catalogued(house, "维保合同", fields=fields, notes="原注")
    client = house.browser("archivist")
    page = move(client, key, category=target).text
    assert "对方单位 (迅达电梯)" in page
    assert "联系电话 (•••)" in page
    assert "13800138000" not in page
    assert record(house, key).category_id == house.category.id

    assert move(client, key, category=target, confirmed=1, lost="notes").status_code == 303
    moved = record(house, key)
    assert (moved.category_id, moved.term, moved.fields) == (target, "Y", {"document_number": "〔2024〕5号"})
    assert moved.notes == "原注\n对方单位：迅达电梯"
    assert moved.sealed_fields is None
    with house.services.db.reading() as session:
        assert session.scalars(select(Fence.value)).all() == [str(key)]
    assert "修改著录" in house.browser("auditor").get("/log").text


def test_values_stay_out_when_the_person_says_so(house: WebHouse, target: UUID) -> None:
    key = catalogued(house, "维保合同", fields={"partner": "迅达电梯"})
    move(house.browser("archivist"), key, category=target, confirmed=1, lost="out")
    assert (record(house, key).category_id, record(house, key).notes) == (target, None)


def test_one_with_faults_stays_and_the_others_move(house: WebHouse, target: UUID) -> None:
    with house.services.db.writing() as work:
        number = {**FIELDS[1], "limit": 3}
        work.session.get_one(Category, target).fields = [number]
        work.commit()
    bad = catalogued(house, "文号太长", fields={"document_number": "〔2024〕5号"})
    good = catalogued(house, "可以移动")
    client = house.browser("archivist")
    assert "不移动。" in move(client, bad, good, category=target).text
    move(client, bad, good, category=target, confirmed=1)
    assert record(house, bad).category_id == house.category.id
    assert record(house, good).category_id == target


def test_what_one_may_not_describe_does_not_move_and_is_not_told(house: WebHouse, target: UUID) -> None:
    key = catalogued(house, "绝密合同", level_rank=4)
    for login in ("clerk", "staff", "auditor"):
        reply = move(house.browser(login), key, category=target, confirmed=1)
        assert reply.status_code in {403, 404}
        assert "绝密合同" not in reply.text
    assert record(house, key).category_id == house.category.id


def test_a_filed_record_does_not_move(house: WebHouse, target: UUID) -> None:
    key = house.a_record(title="已归档", state=RecordState.FILED).id
    move(house.browser("archivist"), key, category=target, confirmed=1)
    assert record(house, key).category_id == house.category.id
