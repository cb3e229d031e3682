"""Vital records: marked by archivists, one or many, seen where records are seen, reviewed in time, and in backups."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive.identity import system
from archive.model import LogEntry, Person, Record, RecordState
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import WebHouse, token_of

WHO = system("test")
BADGE = 'class="state state-vital"'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def ahead(house: WebHouse, days: int) -> str:
    return (house.services.guard.day() + timedelta(days)).isoformat()


def post(house: WebHouse, login: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post("/vital", data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def review_of(house: WebHouse, record: Record) -> date | None:
    with house.services.db.reading() as session:
        return session.get_one(Record, record.id).vital_review


def acts(house: ApiHouse) -> list[str]:
    return [act for act in house.acts() if "vital" in act]


def test_a_mark_is_set_on_the_page_seen_reviewed_when_its_day_comes_and_taken_off(house: ApiHouse) -> None:
    web = house.web
    record = house.a_record(title="产权证")
    other = house.a_record(title="通知")
    assert BADGE not in web.browser("archivist").get(f"/records/{record.id}").text
    status, page = post(web, "archivist", record=record.id, review=ahead(web, 10))
    assert status == 200
    assert BADGE in page
    assert BADGE not in web.browser("archivist").get(f"/records/{other.id}").text
    assert BADGE in web.browser("archivist").get(f"/browse/categories/{web.category.id}").text
    house.indexing.index([record.id])
    for asked in ("vital:yes", "核心:是"):
        assert [hit["title"] for hit in house.get(f"/api/v1/search?q={asked}").json["hits"]] == ["产权证"]
    narrowed = web.services.people.identity_of("archivist")
    assert house.app.extensions["juanku"].search.search(narrowed, "", filters=[("vital", "yes")]).total == 1
    assert "核心档案待复核" not in web.browser("archivist").get("/").text
    web.clock.move(days=10)  # type: ignore[attr-defined]
    assert "核心档案待复核" in web.browser("archivist").get("/").text
    assert "产权证" in web.browser("archivist").get("/vital?due=1").text
    assert post(web, "archivist", record=record.id, review=ahead(web, 100))[0] == 200
    assert "产权证" not in web.browser("archivist").get("/vital?due=1").text
    assert post(web, "archivist", record=record.id, what="unmark")[0] == 200
    assert review_of(web, record) is None
    assert acts(house) == ["record.vital", "record.vital", "record.not_vital"]


def test_many_are_marked_from_a_list_once_a_day_that_can_be_is_chosen(house: ApiHouse) -> None:
    web = house.web
    records = [house.a_record(title=f"图纸{number}") for number in range(25)]
    chosen = [str(each.id) for each in records]
    status, page = post(web, "archivist", record=chosen, back="/vital")
    assert (status, page.count('name="record"')) == (200, 25)
    for day in ("yesterday", ahead(web, 0), ahead(web, 5000)):
        status, page = post(web, "archivist", record=chosen, back="/vital", review=day)
        assert status == 422
        assert 'id="fault-review"' in page
    assert acts(house) == []
    status, page = post(web, "archivist", record=chosen, back="/vital", review=ahead(web, 30))
    assert status == 200
    assert "25 份档案已标为核心" in page
    assert page.count('name="record"') == 25
    assert acts(house) == ["record.vital"] * 25


def test_pages_of_the_list_follow_each_other_by_the_day_of_the_review(house: ApiHouse) -> None:
    service, who = house.web.services.vital, house.web.services.people.identity_of("archivist")
    records = [house.a_record(title=f"号{number}") for number in range(7)]
    day = house.web.services.guard.day()
    for number, record in enumerate(records):
        service.mark(who, [record.id], day + timedelta(days=1 + number % 3))
    seen: list[tuple[date, Any]] = []
    while page := service.list(who, after=seen[-1] if seen else None, limit=2):
        seen += [(each.vital_review, each.id) for each in page if each.vital_review]
    assert len(seen) == 7
    assert seen == sorted(seen)


@pytest.mark.parametrize("login", ["staff", "clerk", "system"])
def test_only_an_archivist_who_sees_the_record_marks_it(house: ApiHouse, login: str) -> None:
    web = house.web
    record = house.a_record(title="合同", state=RecordState.FILED)
    status, _page = post(web, login, record=record.id, review=ahead(web, 10))
    assert status in {403, 404}
    assert review_of(web, record) is None


def test_what_an_archivist_may_not_read_they_neither_mark_nor_find_on_the_list(house: ApiHouse) -> None:
    web = house.web
    record, hidden = house.a_record(title="合同"), house.a_record(title="不可见之件", level=2)
    who = web.services.people.identity_of("archivist")
    web.services.vital.mark(who, [record.id, hidden.id], web.services.guard.day() + timedelta(3))
    with web.services.db.writing() as work:
        work.session.get_one(Person, web.people["archivist"].id).clearance = 1
        work.commit()
    page = web.browser("archivist").get("/vital").text
    assert "合同" in page
    assert "不可见之件" not in page
    assert post(web, "archivist", record=hidden.id, review=ahead(web, 10))[0] == 404
    assert review_of(web, hidden) == web.services.guard.day() + timedelta(3)
    web.clock.move(days=3)  # type: ignore[attr-defined]
    with web.services.db.reading() as session:
        assert web.services.vital.due(session, web.services.people.identity_of("archivist")) == 1


def test_programs_mark_too(house: ApiHouse) -> None:
    record = house.a_record(title="合同")
    path = f"/api/v1/records/{record.id}"
    day = ahead(house.web, 20)
    assert house.get(path).json["vital_review"] is None
    assert house.ask("POST", path + "/vital", json={"review": day}).status_code == 200
    assert house.get(path).json["vital_review"] == day
    late = house.ask("POST", path + "/vital", json={"review": "1999-01-01"})
    assert (late.status_code, late.json["fields"][0]["code"]) == (422, "not_ahead")
    assert house.ask("POST", path + "/vital", login="staff", json={"review": day}).status_code in {403, 404}
    assert house.ask("POST", path + "/vital", json={"review": None}).json["vital_review"] is None


def test_it_is_told_how_many_are_not_in_the_last_backup(house: ApiHouse) -> None:
    web = house.web
    kept, who = web.services.house.safekeeping, web.services.people.identity_of("archivist")
    first = house.a_record(title="先")
    day = web.services.guard.day() + timedelta(30)
    web.services.vital.mark(who, [first.id], day)
    assert kept.vital() == (1, 1)
    web.clock.move(seconds=1)  # type: ignore[attr-defined]
    kept.make(WHO)
    assert kept.vital() == (1, 0)
    web.clock.move(seconds=1)  # type: ignore[attr-defined]
    draft = house.a_draft("后")
    web.services.vital.mark(who, [draft], day)
    assert kept.vital() == (2, 1)
    house.a_file(draft)
    web.clock.move(seconds=1)  # type: ignore[attr-defined]
    kept.make(WHO)
    assert kept.vital() == (2, 0)


def test_a_mark_is_in_the_log_of_the_record_and_changes_no_word_of_it(house: ApiHouse) -> None:
    record = house.a_record(title="合同", notes="不动")
    house.web.services.vital.mark(
        house.web.services.people.identity_of("archivist"), [record.id], house.web.services.guard.day() + timedelta(9)
    )
    with house.web.services.db.reading() as session:
        after = session.get_one(Record, record.id)
        entry = session.scalars(select(LogEntry).where(LogEntry.act == "record.vital")).one()
    assert (after.title, after.notes, after.state, entry.record_id) == ("合同", "不动", record.state, record.id)
