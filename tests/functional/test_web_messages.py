"""The board of what falls due, the bell and the messages, and the calendar, as people and programs meet them."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from archive.calendar_moves import MOVED
from archive.model import Deadline, DeadlineKind, Person
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import token_of
from web.words.deadlines import KINDS, LATE, STAGES, TOPICS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def marked(house: ApiHouse, title: str, days: int = 7, **more: Any) -> Any:
    record = house.a_record(title=title, **more)
    own = house.web.services
    own.vital.mark(own.people.identity_of("archivist"), [record.id], own.guard.day() + timedelta(days))
    return record


def told(house: ApiHouse) -> int:
    return house.web.services.telling.sweep.run()


def post(house: ApiHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.web.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def test_every_kind_and_stage_has_words() -> None:
    assert set(KINDS) == set(DeadlineKind)
    assert {f"due.{kind.value}" for kind in DeadlineKind} <= set(TOPICS)
    assert set(LATE) == {"before", "on", "after", "head"}
    assert set(STAGES) == set(LATE) | {MOVED}


def test_the_bell_counts_a_message_leads_to_its_record_and_is_read_by_that(house: ApiHouse) -> None:
    browser = house.web.browser("archivist")
    assert "条未读" not in browser.get("/").text
    record = marked(house, "产权证")
    assert told(house) == 1
    assert "消息：1 条未读" in browser.get("/").text
    page = browser.get("/messages").text
    assert "产权证" in page
    assert "7 天后到期" in page
    [message] = house.get("/api/v1/messages").json["messages"]
    reply = browser.get(f"/messages/{message['message']}")
    assert (reply.status_code, reply.headers["Location"]) == (302, f"/records/{record.id}")
    assert "条未读" not in browser.get("/").text
    assert "所有消息都已读" in browser.get("/messages?unread=1").text


def test_messages_are_marked_one_by_one_or_all_and_go_on_page_by_page(house: ApiHouse) -> None:
    for number in range(5):
        marked(house, f"图纸{number}")
    assert told(house) == 5
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = house.get(f"/api/v1/messages?limit=2&cursor={cursor}").json
        seen += [each["message"] for each in page["messages"]]
        cursor = page["next"]
    assert len(set(seen)) == 5
    assert post(house, "archivist", "/messages/read", message=seen[:2])[0] == 200
    assert len(house.get("/api/v1/messages?unread=true").json["messages"]) == 3
    assert house.ask("POST", "/api/v1/messages/read", json={"messages": [seen[2]]}).json == {"count": 1}
    assert "已将 2 条消息标为已读" in post(house, "archivist", "/messages/read", what="all")[1]
    assert house.get("/api/v1/messages?cursor=x").status_code == 422


def test_nobody_opens_or_marks_another_persons_message_and_hidden_is_as_absent(house: ApiHouse) -> None:
    marked(house, "产权证")
    told(house)
    [message] = house.get("/api/v1/messages").json["messages"]
    browser = house.web.browser("staff")
    own = {"X-Request-ID": "the-same-for-both"}
    answers = [browser.get(f"/messages/{key}", headers=own) for key in (message["message"], uuid4())]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert house.ask("POST", "/api/v1/messages/read", login="staff", json={"messages": [message["message"]]}).json == {
        "count": 0
    }


def test_what_is_no_longer_open_loses_its_title_in_messages_and_on_the_board(house: ApiHouse) -> None:
    marked(house, "不可见之件", level=2)
    told(house)
    people = house.web.people
    with house.web.services.db.writing() as work:
        work.session.get_one(Person, people["archivist"].id).clearance = 1
        work.commit()
    browser = house.web.browser("archivist")
    [message] = house.get("/api/v1/messages").json["messages"]
    assert message["record"] is None
    for path in ("/messages", "/deadlines", "/api/v1/deadlines", "/api/v1/messages"):
        text = browser.get(path).text if not path.startswith("/api") else house.get(path).text
        assert "不可见之件" not in text
    assert "您已不能查看" in browser.get("/messages").text
    assert browser.get(f"/messages/{message['message']}").headers["Location"] == "/messages"
    assert house.get("/api/v1/deadlines").json["deadlines"] == []


def test_the_board_is_filtered_by_kind_marks_what_is_late_and_programs_page_through_it(house: ApiHouse) -> None:
    for number in range(3):
        marked(house, f"产权证{number}", days=number + 1)
    house.web.clock.move(days=2)  # type: ignore[attr-defined]
    browser = house.web.browser("archivist")
    page = browser.get("/deadlines").text
    assert (page.count('<strong class="fault">逾期'), page.count("今天</span>")) == (1, 1)
    assert "产权证2" not in browser.get("/deadlines?late=1").text
    assert "没有将到期的" in browser.get("/deadlines?kind=grant_end").text
    assert "产权证" not in house.web.browser("staff").get("/deadlines").text
    first = house.get("/api/v1/deadlines?limit=2").json
    rest = house.get(f"/api/v1/deadlines?limit=2&cursor={first['next']}").json
    assert [each["late"] for each in first["deadlines"] + rest["deadlines"]] == [True, False, False]
    assert rest["next"] is None
    assert house.get("/api/v1/deadlines?cursor=x").status_code == 422


def test_the_calendar_is_entered_from_cells_of_a_spreadsheet_and_mistakes_name_their_line(house: ApiHouse) -> None:
    cells = "2027-02-06\t休\t春节\n2027/2/7,off,\n2027-02-20 班 调休\n"
    status, page = post(house, "archivist", "/house/calendar/days", days=cells)
    assert status == 200
    assert "已登记 3 天" in page
    kept = {each.day: (each.works, each.name) for each in house.web.services.telling.workdays.year(2027)}
    assert kept == {
        date(2027, 2, 6): (False, "春节"), date(2027, 2, 7): (False, ""), date(2027, 2, 20): (True, "调休"),
    }  # fmt: skip
    for wrong in ("2027-02-06 休\n2027-13-01 休", "2027-02-06 休\nyes", ""):
        status, page = post(house, "archivist", "/house/calendar/days", days=wrong)
        assert status == 422
        assert 'id="fault-days"' in page
    assert "第 2 行" in post(house, "archivist", "/house/calendar/days", days="2027-02-06 休\nyes")[1]
    post(house, "archivist", "/house/calendar/forget", day="2027-02-06")
    assert len(house.web.services.telling.workdays.year(2027)) == 2
    assert post(house, "archivist", "/house/calendar/week", weekday=["0", "1", "5"])[0] == 200
    assert house.web.services.telling.workdays.calendar().worked == {0, 1, 5}
    assert post(house, "archivist", "/house/calendar/week")[0] == 422
    for login in ("staff", "auditor"):
        assert house.web.browser(login).get("/house/calendar").status_code == 403
        assert post(house, login, "/house/calendar/days", days=cells)[0] == 403


def test_a_correction_is_due_in_ten_working_days_by_the_houses_calendar(house: ApiHouse) -> None:
    own = house.web.services
    own.telling.workdays.set_week(own.people.identity_of("archivist"), range(5))
    days = "\n".join(f"{own.guard.day() + timedelta(number)} off" for number in range(1, 8))
    post(house, "archivist", "/house/calendar/days", days=days)
    record = house.a_draft("合同")
    house.file(record)
    version = house.get(f"/api/v1/records/{record}").json["version"]
    who = own.people.identity_of("archivist")
    asked = own.corrections.ask(who, record, {"title": "新合同"}, "错字", version)
    assert house.get("/api/v1/deadlines").json["deadlines"] == []
    with own.db.reading() as session:
        [row] = session.query(Deadline).filter_by(kind=DeadlineKind.CORRECTION)
        later = (own.guard.day() + timedelta(number) for number in range(8, 40))
        tenth = [day for day in later if day.weekday() < 5][9]
        assert (row.subject_id, row.due) == (asked, tenth)
    own.corrections.withdraw(who, asked)
    assert told(house) == 0
