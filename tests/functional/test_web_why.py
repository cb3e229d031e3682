"""Why can't I see it? Officers of rights and secrecy learn the rules' reasons; others learn nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from archive.cataloguing.describing import Draft
from archive.identity import Role, system
from archive.model import AccessGrant, Record
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        services = made.services
        services.people.add_person(
            system("set-up"), login="rights", name="权限某", password=PASSWORD, roles=[Role.SECURITY_ADMIN]
        )
        archivist = services.people.identity_of("archivist")

        for level in (1, 4):
            draft = Draft(made.category.fonds_id, made.category.id, f"合同{level}", drawn_up="2024", level_rank=level)
            key = services.records.create(archivist, draft)
            assert services.filing.file(archivist, [key])[0].reason is None
        yield made


def numbers(house: WebHouse) -> list[str]:

    with house.services.db.reading() as session:
        return [str(each) for each in session.scalars(select(Record.archive_number).order_by(Record.level_rank))]


def ask(client: FlaskClient, number: str, **more: str) -> TestResponse:
    form = {"csrf_token": token_on(client.get("/why").text), "number": number}
    return client.post("/why", data=form | more)


def test_hidden_and_absent_are_one_answer(house: WebHouse) -> None:
    staff = house.browser("staff")
    low, high = numbers(house)
    assert ask(staff, low).status_code == 303
    replies = [ask(staff, high, login="staff"), ask(staff, "WY01-NONE-1", login="staff")]
    hidden, absent = (
        each.text.replace(number, "").replace(token_on(each.text), "")
        for each, number in zip(replies, (high, "WY01-NONE-1"), strict=True)
    )
    assert hidden == absent
    assert "权限管理人员可以查明" in hidden
    assert "等级" not in hidden


def test_who_keeps_rights_learns_each_reason(house: WebHouse) -> None:
    officer = house.browser("rights")
    low, high = numbers(house)
    assert "该人员可以阅读" in ask(officer, low, login="staff").text
    assert "达不到该记录的密级" in ask(officer, high, login="staff").text
    with house.services.db.writing() as work:
        work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == house.people["staff"].id))
        work.commit()
    page = ask(officer, high, login="staff").text
    assert "达不到该记录的密级" in page
    assert "没有该记录所属全宗、类目或位置的授权" in page
    assert "都不能阅读记录" in ask(officer, low, login="auditor").text
    assert ask(officer, low, login="nobody").status_code == 422
    assert "查明某人为何看不到记录" in house.browser("auditor").get("/log").text


def test_a_question_reaches_who_keeps_rights_and_is_answered_once_without_saying_what_is_there(house: WebHouse) -> None:
    staff, officer = house.browser("staff"), house.browser("rights")
    hidden = numbers(house)[1]
    for number in (hidden, "WY01-NONE-1", hidden):  # what waits is not asked twice
        assert ask(staff, number, ask="1").status_code == 303
    assert house.browser("auditor").get("/log").text.count('<td class="wide">询问某号为何不可见') == 2
    assert "条询问某号为何不可见" in officer.get("/").text
    page = officer.get("/why").text
    assert hidden in page
    answers = re.findall(r'action="(/why/[^"]+/answer)"', page)
    assert len(answers) == 2
    assert "/answer" not in staff.get("/why").text
    form = {"csrf_token": token_on(page), "answer": "shut"}
    refused = staff.post(answers[0], data=form | {"csrf_token": token_on(staff.get("/why").text)})
    assert refused.status_code == 403
    for path in answers:
        assert officer.post(path, data=form).status_code == 303
        assert officer.post(path, data=form).status_code == 409
    assert "/answer" not in officer.get("/why").text
    told = staff.get("/why").text
    assert told.count("并不表示那里有没有东西") == 2
    assert "关于某号为何不可见的询问已答复" in staff.get("/messages").text
