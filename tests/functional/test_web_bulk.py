"""Many records are edited from a list or a search: looked at, run, named where refused, undone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from archive.cataloguing.describing import Draft
from archive.ids import new_id
from archive.model import Fonds, Record
from tests.factories import records
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web import sheets
from web.cataloguing import bulk
from web.words import facets


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def post(house: WebHouse, path: str, login: str = "archivist", **data: Any) -> TestResponse:
    browser = house.browser(login)
    token = token_of(browser)
    data = {name.replace("__", "."): value for name, value in data.items()}
    return browser.post(path, data={"csrf_token": token, **data}, follow_redirects=True)


def a_draft(house: WebHouse, title: str, **more: Any) -> Record:
    own, values = house.services, {"level_rank": more.get("level", 1), "keywords": tuple(more.get("keywords", ()))}
    draft = Draft(house.category.fonds_id, house.category.id, title, drawn_up="2026-03", **values)
    key = own.records.create(own.people.identity_of("archivist"), draft)
    with own.db.reading() as session:
        return session.get_one(Record, key)


def row(house: WebHouse, record: Record) -> Record:
    with house.services.db.reading() as session:
        return session.get_one(Record, record.id)


def test_ticked_records_are_changed_and_changed_back(house: WebHouse) -> None:
    drafts = [a_draft(house, f"维修单{n}", keywords=["电梯"]) for n in (1, 2)]
    filed, secret = house.a_record(title="已归档的维修单"), a_draft(house, "密件", level=4)
    ids = [str(each.id) for each in (*drafts, filed)]
    assert "对方单位" in post(house, "/bulk/new", record=ids).text
    said = {
        "change": ["keywords", "responsible", "importance", "f.partner"],
        "importance": "3",
        "add": "维修，急",
        "drop": "电梯",
        "responsible": "工程部",
    }
    shown = post(house, "/bulk/new", record=[*ids, str(secret.id)], changing="1", f__partner="迅捷公司", **said)
    page = shown.text
    at = shown.request.path
    assert re.search(r"电梯</td>.*<strong>维修，急</strong>", page)
    assert "迅捷公司" in page
    assert re.search(r"重要程度</td>.*<strong>关键</strong>", page)
    assert f"/records/{filed.id}/correct" in page
    assert row(house, drafts[0]).responsible is None
    post(house, f"{at}/start")
    house.edit_many()
    assert "已修改 3，原本如此 0，未能修改 1，尚余 0" in house.browser("archivist").get(at).text
    changed = row(house, drafts[0])
    assert (changed.responsible, changed.keywords, changed.importance, changed.fields) == (
        "工程部",
        ["维修", "急"],
        3,
        {"partner": "迅捷公司"},
    )
    post(house, f"{at}/undo")
    house.edit_many()
    page = house.browser("archivist").get(at).text
    assert "已撤销 3，保持现状 0" in page
    again = row(house, drafts[0])
    assert (again.responsible, again.keywords, again.importance, again.fields) == (None, ["电梯"], None, {})
    assert at in house.browser("archivist").get("/bulk").text
    assert house.browser("clerk").get(at).status_code == 404
    assert at not in post(house, f"{at}/forget").text


def test_what_would_change_is_seen_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [str(a_draft(house, f"翻页记录{n}").id) for n in range(5)]
    path = post(house, "/bulk/new", record=ids, changing="1", change=["notes"], notes="核对").request.path
    monkeypatch.setattr(bulk, "SHOWN", 2)
    seen = []
    while path:
        page = house.browser("archivist").get(path).text
        assert "修改 5 份" in page
        assert len(seen) <= len(ids), "it does not end"
        seen += re.findall(r'<a href="/records/([0-9a-f-]{36})">翻页记录', page)
        more = re.search(r'href="(/bulk/[0-9a-f-]{36}\?after=\d+)"', page)
        path = more[1] if more else ""
    assert seen == ids


def test_all_that_a_search_finds_is_edited(house: WebHouse) -> None:
    drafts = [a_draft(house, f"巡查记录{n}") for n in (1, 2)]
    assert "批量修改全部结果" in house.browser("archivist").get("/search?q=巡查记录").text
    asked = post(house, "/bulk/new", all="1", q="巡查记录").text
    assert all(str(each.id) in asked for each in drafts)
    assert "已选 2 份" in asked


def test_what_narrows_a_search_narrows_what_is_edited_or_sent_of_it() -> None:
    assert set(facets.FILTERS) <= set(sheets.FILTERS)


def test_a_field_at_fault_is_told_and_nothing_is_kept(house: WebHouse) -> None:
    draft = a_draft(house, "维修单")
    nothing = post(house, "/bulk/new", record=str(draft.id), changing="1")
    assert nothing.status_code == 422
    page = post(
        house, "/bulk/new", record=str(draft.id), changing="1", change="f.document_number",
        f__document_number="长" * 101,
    ).text  # fmt: skip
    assert "过长" in page or "太长" in page
    assert "修改 1 份" not in page


def test_a_place_is_named_by_its_code_as_far_down_as_there_are(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        path = "A9/02"
        key = records.a_place(work.session, work.session.get_one(Fonds, house.category.fonds_id), f"{path}/").id
        work.commit()
    draft = a_draft(house, "钥匙交接单")
    ids = [str(draft.id)]
    assert f'<option value="{path}">' in post(house, "/bulk/new", record=ids).text
    wrong = post(house, "/bulk/new", record=ids, changing="1", change=["place"], place="ZZ/99")
    assert (wrong.status_code, "位置" in wrong.text, 'value="ZZ/99"' in wrong.text) == (422, True, True)
    at = post(house, "/bulk/new", record=ids, changing="1", change=["place"], place=f"{path} 名称").request.path
    post(house, f"{at}/start")
    house.edit_many()
    assert row(house, draft).place_id == key


def test_a_place_is_given_though_the_first_of_the_records_is_gone(house: WebHouse) -> None:
    with house.services.db.writing() as work:
        fonds = work.session.get_one(Fonds, house.category.fonds_id)
        here, there = (records.a_place(work.session, fonds, f"{path}/").id for path in ("A8/01", "A8/02"))
        work.commit()
    draft = a_draft(house, "门禁卡登记表")
    with house.services.db.writing() as work:
        work.session.get_one(Record, draft.id).place_id = here
        work.commit()
    ids = [str(new_id()), str(draft.id)]
    assert post(house, "/bulk/new", record=ids, changing="1", change=["place"], place="ZZ/99").status_code == 422
    at = post(house, "/bulk/new", record=ids, changing="1", change=["place"], place="A8/02").request.path
    post(house, f"{at}/start")
    house.edit_many()
    assert row(house, draft).place_id == there
