"""Lists: rows are ticked and acted on, and each person chooses the columns they see and take home."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse

import web.desk
from archive.model import RecordState
from tests.factories.web_house import WebHouse, a_web_house, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _act(client: FlaskClient, path: str, *ids: UUID, **more: object) -> TestResponse:
    form = {"csrf_token": token_on(client.get("/labels").text), "record": [str(each) for each in ids], **more}
    return client.post(path, data=form)


def _rows(body: bytes) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_index(0).to_python()


def _heads(house: WebHouse, client: FlaskClient) -> str:
    page = client.get(f"/browse/categories/{house.category.id}").text
    return page.split("<thead>", 1)[1].split("</thead>", 1)[0]


def test_ticked_rows_are_sent_as_a_spreadsheet_and_hidden_ones_are_not(house: WebHouse) -> None:
    low = house.a_record(title="电梯合同", archive_number="N-1", state=RecordState.FILED)
    high = house.a_record(title="电梯底价", archive_number="N-2", state=RecordState.FILED, level=4)
    other = house.a_record(title="消防合同", archive_number="N-3", state=RecordState.FILED)
    reply = _act(house.browser("staff"), "/lists/browse/chosen.xlsx", low.id, high.id)
    assert [row[2] for row in _rows(reply.data)] == ["题名", "电梯合同"]
    reply = _act(house.browser("archivist"), "/lists/browse/chosen.xlsx", other.id, high.id)
    assert [row[2] for row in _rows(reply.data)] == ["题名", "消防合同", "电梯底价"]
    assert "导出列表为表格" in house.browser("auditor").get("/log").text


def test_who_ticked_nothing_they_can_read_is_told_and_led_back(house: WebHouse) -> None:
    high = house.a_record(title="电梯底价", archive_number="N-2", state=RecordState.FILED, level=4)
    client = house.browser("staff")
    for ids in ([], [high.id]):
        reply = _act(client, "/lists/search/chosen.xlsx", *ids, back="/search?q=x")
        assert reply.location == "/search?q=x"
        assert "请先选择档案" in client.get("/search").text
    assert _act(client, "/lists/search/chosen.xlsx", back="//evil.example/").location == "/"


def test_labels_of_ticked_rows_leave_out_what_is_not_filed(house: WebHouse) -> None:
    filed = house.a_record(title="电梯合同", archive_number="N-1", state=RecordState.FILED)
    waiting = house.a_record(title="待归档", state=RecordState.PROVISIONAL)
    client = house.browser("archivist")
    page = _act(client, "/labels/chosen", filed.id, waiting.id).text
    assert str(filed.id) in page
    assert str(waiting.id) not in page
    assert _act(client, "/labels/chosen", waiting.id, back="/browse").location == "/browse"
    assert "只有已归档的才有标签" in client.get("/browse").text


def test_moving_from_a_list_leads_back_to_it(house: WebHouse) -> None:
    waiting = house.a_record(title="待归档", state=RecordState.PROVISIONAL)
    page = _act(house.browser("archivist"), "/records/move", waiting.id, back="/search?q=a").text
    assert 'name="back" value="/search?q=a"' in page


@pytest.mark.parametrize("path", ["/", "/search?q=%E7%94%B5", "/put-aside"])
def test_every_list_offers_its_acts(house: WebHouse, path: str) -> None:
    house.a_record(title="电梯合同", state=RecordState.PROVISIONAL)
    page = house.browser("archivist").get(path).text
    if path != "/put-aside":  # nothing is put aside here, so that there is nothing to tick
        assert 'name="record"' in page
        assert "/records/move" in page
        assert "chosen.xlsx" in page


def test_who_may_not_catalogue_is_not_offered_to_move(house: WebHouse) -> None:
    house.a_record(title="电梯合同", archive_number="N-1", state=RecordState.FILED)
    page = house.browser("staff").get("/search?q=%E7%94%B5").text
    assert 'name="record"' in page
    assert "/records/move" not in page


def test_columns_are_kept_for_one_person_and_one_list_until_they_are_reset(house: WebHouse) -> None:
    house.a_record(title="电梯合同", archive_number="N-1", state=RecordState.FILED, responsible="迅达电梯")
    archivist, staff = house.browser("archivist"), house.browser("staff")
    assert "责任者" not in _heads(house, archivist)
    where = f"/browse/categories/{house.category.id}"
    reply = _act(archivist, "/lists/browse/columns", column=["number", "responsible", "nonsense"], back=where)
    assert reply.location == where
    again = house.browser("archivist")
    assert "责任者" in _heads(house, again)
    assert "形成日期" not in _heads(house, again)
    assert "迅达电梯" in again.get(where).text
    assert "责任者" not in _heads(house, staff)
    assert "迅达电梯" not in again.get("/search?q=电梯").text
    _act(archivist, "/lists/browse/columns", standard="1")
    assert "责任者" not in _heads(house, again)


def test_a_search_shows_and_a_spreadsheet_holds_the_chosen_columns(house: WebHouse) -> None:
    house.a_record(title="电梯合同", archive_number="N-1", state=RecordState.FILED, responsible="迅达电梯")
    client = house.browser("staff")
    assert len(_rows(client.get("/search/list.xlsx?q=电梯&list=search").data)[0]) == 17
    _act(client, "/lists/search/columns", column=["responsible"])
    page = client.get("/search?q=电梯").text
    assert "迅达电梯" in page
    assert "list=search" in page
    assert _rows(client.get("/search/list.xlsx?q=电梯&list=search").data)[1] == [
        "N-1", "电梯合同", "商业秘密·内部", "", "迅达电梯",
    ]  # fmt: skip


def test_no_other_list_has_columns(house: WebHouse) -> None:
    assert _act(house.browser("staff"), "/lists/people/columns", column=["title"]).status_code == 404


def _walked(client: FlaskClient, path: str, between: Callable[[], object]) -> list[list[str]]:
    """Follow "more" to the end; ``between`` happens before each next page."""
    pages, at = [], path
    while True:
        text = client.get(at).text
        pages.append(list(dict.fromkeys(re.findall(r'href="/records/([0-9a-f-]{36})"', text))))
        found = re.search(r'href="([^"]+)">更多', text)
        if not found:
            return pages
        at = unescape(found.group(1))
        between()


def test_a_list_goes_on_behind_the_last_row_whatever_comes_meanwhile(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.desk, "PAGE", 2)
    made = [house.a_record(title=f"收文{n}", state=RecordState.PROVISIONAL).id for n in range(5)]
    client = house.browser("archivist")
    pages = _walked(client, "/", lambda: house.a_record(title="新到", state=RecordState.PROVISIONAL))
    assert pages == [[str(made[4]), str(made[3])], [str(made[2]), str(made[1])], [str(made[0])]]
    for bad in ("x", "2024-01-01_x", "2024-01-01T00:00:00_" + "0" * 32):
        assert client.get(f"/?after={bad}").status_code == 200
