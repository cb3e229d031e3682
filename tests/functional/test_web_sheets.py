"""A list in Excel: what the person may read, texts as texts, and a log entry."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from archive.model import Category, RecordState
from tests.factories import records as rows
from tests.factories.web_house import WebHouse, a_web_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        with made.services.db.writing() as work:
            category = work.session.get_one(Category, made.category.id)
            for title, level in (("=HYPERLINK(1)电梯合同", 1), ("电梯底价", 4)):
                rows.a_record(work.session, category, title=title, level=level, state=RecordState.FILED)
            work.commit()
        yield made


def _titles(body: bytes) -> list[object]:
    found = CalamineWorkbook.from_filelike(BytesIO(body)).get_sheet_by_index(0).to_python()
    return [row[2] for row in found]


def test_a_list_holds_what_the_person_may_read(house: WebHouse) -> None:
    reply = house.browser("staff").get("/search/list.xlsx?q=电梯")
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert _titles(reply.data) == ["题名", "=HYPERLINK(1)电梯合同"]
    assert set(_titles(house.browser("archivist").get("/search/list.xlsx?q=").data)) == {
        "题名", "=HYPERLINK(1)电梯合同", "电梯底价",
    }  # fmt: skip


def test_a_list_shown_oldest_first_is_sent_oldest_first(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.sheets.MOST_ROWS", 1)
    client = house.browser("archivist")
    newest, oldest = (_titles(client.get(f"/search/list.xlsx?order={each}").data)[1] for each in ("newest", "oldest"))
    assert {newest, oldest} == {"=HYPERLINK(1)电梯合同", "电梯底价"}


def test_no_cell_is_a_formula(house: WebHouse) -> None:
    from zipfile import ZipFile

    body = house.browser("archivist").get("/search/list.xlsx?q=").data
    with ZipFile(BytesIO(body)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_it_is_logged(house: WebHouse) -> None:
    house.browser("staff").get("/search/list.xlsx?q=电梯")
    assert "导出列表为表格" in house.browser("auditor").get("/log").text


def test_the_search_page_leads_to_it_with_its_filters(house: WebHouse) -> None:
    page = house.browser("staff").get("/search?q=电梯&level=1").text
    assert "/search/list.xlsx?q=%E7%94%B5%E6%A2%AF&amp;level=1" in page
