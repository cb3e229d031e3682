"""While the house moves its pages can be read, say so, and change nothing; the system's page tells of moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from archive.database import Database
from archive.ids import new_id
from archive.model import Closed, Closure, LogEntry, MoveRun, Record
from tests.factories.api_house import an_api_house
from tests.factories.web_house import WebHouse, a_web_house, token_on

NEW = {"fonds": "WY01", "category": "WYH", "title": "电梯维修合同", "drawn_up": "2026-03", "level": 1}
READ_ONLY, MOVED = "档案库正在搬迁：可以阅读和检索", "档案库已搬到别处"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def close(house: WebHouse, state: Closed) -> None:
    db = house.services.db
    db.heeds_gate = False
    with db.writing() as work:
        now = house.clock.now()
        run = MoveRun(id=new_id(), whereto="newdb · s3+http://store/new", began_at=now)
        run.facts = {"step": "objects", "done": 64, "every": 200}
        work.session.add_all([run, Closure(state=state, move_id=run.id, since=now)])
        work.commit()
    db.heeds_gate = True


def test_pages_are_read_and_logged_and_change_nothing_while_the_house_moves(house: WebHouse) -> None:
    record = house.a_record(title="电梯维保合同")
    browser, other = house.browser("archivist"), house.browser("system")
    token = token_on(browser.get("/records/new").text)
    assert READ_ONLY not in browser.get("/").text
    close(house, Closed.READ_ONLY)
    assert READ_ONLY in browser.get("/").text
    assert READ_ONLY in house.app.test_client().get("/sign-in").text
    assert house.browser("archivist").get("/").status_code == 200, "people sign in"
    assert browser.get(f"/records/{record.id}").status_code == 200
    assert browser.get("/search?q=电梯").status_code == 200
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(LogEntry).where(LogEntry.act == "record.read")) == 1
    asked = other.post("/system/backups", data={"csrf_token": token_on(other.get("/system/backups").text)})
    assert asked.status_code == 503
    refused = browser.post("/records", data={"csrf_token": token, "title": "新合同", "category": house.category.id})
    assert refused.status_code == 503
    assert "可以阅读和检索，但不能作任何更改" in refused.text
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Record)) == 1
    page = other.get("/system").text
    assert "newdb · s3+http://store/new" in page
    assert "64/200" in page
    assert "newdb" not in browser.get("/system").text


def test_another_process_closes_the_house_for_writers_at_once_and_pages_ask_no_statement_more(house: WebHouse) -> None:
    browser = house.browser("archivist")
    token = token_on(browser.get("/records/new").text)
    db = house.services.db
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    assert READ_ONLY not in browser.get("/").text
    event.remove(db.engine, "before_cursor_execute", hear)
    assert [each for each in asked if "closure" in each and "person" not in each] == []

    other = Database(db.url)
    with other.writing() as work:
        work.session.add(Closure(state=Closed.CLOSING, move_id=new_id(), since=house.clock.now()))
        work.commit()
    other.close()
    refused = browser.post("/records", data={"csrf_token": token, "title": "新合同", "category": house.category.id})
    assert refused.status_code == 503
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Record)) == 0
    assert READ_ONLY in browser.get("/").text


def test_a_house_that_has_left_says_so_and_opens_nothing(house: WebHouse) -> None:
    record = house.a_record(title="电梯维保合同")
    browser = house.browser("archivist")
    close(house, Closed.MOVED)
    assert MOVED in browser.get("/").text
    assert browser.get(f"/records/{record.id}").status_code == 409


def test_programs_read_on_and_are_told_when_to_ask_again(tmp_path: Path) -> None:
    with an_api_house(tmp_path) as house:
        made = house.ask("POST", "/api/v1/records", json=NEW)
        assert made.status_code == 201
        headers, client = {"Authorization": f"Bearer {house.token('archivist')}"}, house.app.test_client()
        close(house.web, Closed.READ_ONLY)
        assert client.get(f"/api/v1/records/{made.json['record']}", headers=headers).status_code == 200
        refused = client.post("/api/v1/records", json=NEW, headers=headers | {"Idempotency-Key": "move-1"})
        assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (503, "read_only", "60")
