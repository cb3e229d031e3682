"""Renewals at the pages: from a record, from what is due, refused where nothing becomes longer, decided by another."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from archive.identity import Identity, Role, system
from archive.model import DueState, Person, Record, RecordDue, RecordState
from tests.factories.people import grants
from tests.factories.retained import claimed
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        for login, role in (("approver", Role.APPROVER), ("colleague", Role.ARCHIVIST)):
            made.services.people.add_person(
                system("set-up"), login=login, name=login, password=PASSWORD, roles=[role]
            )  # fmt: skip
            with made.services.db.writing() as work:
                person = work.session.get_one(Person, made.services.people.identity_of(login).person_id)
                person.clearance = 4
                grants(work.session, person, fonds=made.category.fonds_id)
                work.commit()
        schedules = made.services.retention.schedules
        draft = schedules.draft(
            who(made, "archivist"), None, code="A", names={"zh_CN": "试用"}, why="按保管期限表",
            definition={"term": "D10", "trigger": "year_end", "start": "next_january", "source": "8号令"},
            categories=[made.category.id],
        )  # fmt: skip
        schedules.decide(who(made, "colleague"), draft, "同意", approve=True)
        for handler in made.services.retention.handlers[:1]:
            handler.run([claimed(draft)])
        yield made


def who(house: WebHouse, login: str) -> Identity:
    return house.services.people.identity_of(login)


def post(house: WebHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def filed(house: WebHouse, title: str) -> UUID:
    known = {"drawn_up": "1990", "drawn_from": date(1990, 1, 1), "drawn_to": date(1990, 12, 31)}
    record = house.a_record(title=title, state=RecordState.PROVISIONAL, **known)
    with house.services.db.writing() as work:
        work.session.get_one(Record, record.id).term = "D10"
        work.commit()
    [outcome] = house.services.filing.file(who(house, "archivist"), [record.id])
    assert outcome.reason is None
    return record.id


def kept(house: WebHouse, key: UUID) -> tuple[DueState, date | None]:
    with house.services.db.reading() as session:
        row = session.get_one(RecordDue, key)
        return row.state, row.due


WHY = {"authority": "档案鉴定委员会", "reason": "合同尚有争议"}


def asked(house: WebHouse, *keys: UUID, **wish: str) -> str:
    status, page = post(house, "archivist", "/renewals/new", records=",".join(map(str, keys)), **(WHY | wish))
    found = re.search(r"/renewals/([0-9a-f-]{36})/withdraw", page)
    assert status == 200, page
    assert found, page
    return found[1]


def test_from_the_board_to_the_record_with_another_persons_yes(house: WebHouse) -> None:
    first, second = filed(house, "电梯维保合同"), filed(house, "消防检查记录")
    board = house.browser("archivist").get("/retention/due").text
    assert f'name="record" value="{first}"' in board
    status, form = post(house, "archivist", "/renewals/new", record=[str(first), str(second)])
    assert status == 200
    assert f"{first},{second}" in form
    key = asked(house, first, second, how="through", through="2040")
    assert kept(house, first) == (DueState.DATED, date(2001, 1, 1))
    assert "/renewals" in house.browser("approver").get("/").text
    assert post(house, "archivist", f"/renewals/{key}/decide", decision="approve", reason="同意")[0] == 403
    page = house.browser("approver").get(f"/renewals/{key}").text
    assert all(words in page for words in ("2041-01-01", "档案鉴定委员会", "合同尚有争议", "电梯维保合同"))
    assert post(house, "approver", f"/renewals/{key}/decide", decision="approve", reason="同意")[0] == 200
    assert [kept(house, each) for each in (first, second)] == [(DueState.DATED, date(2041, 1, 1))] * 2
    record = house.browser("archivist").get(f"/records/{first}").text
    assert "2041-01-01" in record
    assert f"/renewals/new?record={first}" in record
    assert "电梯维保合同" not in house.browser("archivist").get("/retention/due").text
    assert key in house.browser("approver").get("/renewals?decided=1").text


def test_all_that_is_due_goes_to_the_form_and_for_good_is_never_due_again(house: WebHouse) -> None:
    first, second = filed(house, "电梯维保合同"), filed(house, "消防检查记录")
    _, form = post(house, "archivist", "/renewals/new", what="all", year="2001")
    assert str(first) in form
    assert str(second) in form
    assert str(first) not in post(house, "archivist", "/renewals/new", what="all", year="2002")[1]
    key = asked(house, first, how="forever")
    assert post(house, "approver", f"/renewals/{key}/decide", decision="approve", reason="同意永久保存")[0] == 200
    assert kept(house, first) == (DueState.NEVER, None)


@pytest.mark.parametrize(
    "wish",
    [
        {"how": ""}, {"how": "years"}, {"how": "years", "years": "0"}, {"how": "through", "through": "1999"},
        {"how": "years", "years": "x"}, {"how": "forever", "reason": ""}, {"how": "forever", "authority": ""},
        {"how": "forever", "numbers": "没有这个号"}, {"how": "forever", "records": ""},
    ],
)  # fmt: skip
def test_a_form_with_faults_comes_back_with_what_was_typed(house: WebHouse, wish: dict[str, str]) -> None:
    key = filed(house, "电梯维保合同")
    status, page = post(house, "archivist", "/renewals/new", **({"records": str(key)} | WHY | wish))
    assert status in {404, 422}
    if status == 422:
        assert (WHY | wish)["reason"] in page
    assert kept(house, key) == (DueState.DATED, date(2001, 1, 1))


def test_who_is_no_archivist_asks_for_none_and_who_reads_none_of_it_is_told_nothing(house: WebHouse) -> None:
    record = filed(house, "电梯维保合同")
    key = asked(house, record, how="years", years="5")
    assert house.browser("approver").get("/renewals/new").status_code == 403
    assert post(house, "staff", "/renewals/new", records=str(record), how="forever", **WHY)[0] == 403
    assert house.browser("system").get(f"/renewals/{key}").status_code == 404
    assert key not in house.browser("staff").get("/renewals").text
    assert post(house, "archivist", f"/renewals/{key}/withdraw")[0] == 200
    assert post(house, "approver", f"/renewals/{key}/decide", decision="approve", reason="同意")[0] == 409
