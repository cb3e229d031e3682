"""A list in Excel: what the person may read, texts as texts, and a log entry."""

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from archive.cataloguing import describing
from archive.model import Category, Fonds, RecordState
from archive.scheme.fields import LANGUAGES
from tests.factories import records as rows
from tests.factories.web_house import WebHouse, a_web_house
from web import own_columns
from web.columns import COLUMNS
from web.words.records import masked_name


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


def test_the_own_fields_of_categories_have_columns_and_what_is_kept_sealed_is_masked(house: WebHouse) -> None:
    own = house.services
    with own.db.writing() as work:
        session, sealing = work.session, {"owner": "江一苇", "mobile": "13812345678"}
        fields = [
            {"name": name, "kind": kind, "names": dict.fromkeys(LANGUAGES, label), **more}
            for name, kind, label, more in (
                ("sum", "number", "金额", {}),
                ("owner", "person", "业主", {}),
                ("mobile", "phone", "手机", {}),
                ("way", "choice", "方式", {"choices": [{"code": "a", "names": dict.fromkeys(LANGUAGES, "招标")}]}),
                ("never", "text", "从未填写", {}),
            )
        ]
        one = session.get_one(Category, house.category.id)
        one.fields = fields
        two = rows.a_category(session, session.get_one(Fonds, one.fonds_id))
        two.fields = [{**fields[0], "name": "price"}]
        first = rows.a_record(session, one, title="甲", level=1, state=RecordState.FILED)
        first.fields = {"sum": "12.50", "way": "a"}
        own.vault.add_owner(session, first.id, due_year=None)
        data = json.dumps(sealing).encode()
        first.sealed_fields = own.vault.seal(session, first.id, data, context=describing.context(first.id))
        rows.a_record(session, two, title="乙", level=1, state=RecordState.FILED).fields = {"price": "7"}
        rows.a_record(session, two, title="丙", level=4, state=RecordState.FILED).fields = {"price": "99999"}
        work.commit()
    sent = house.browser("staff").get("/search/list.xlsx?q=").data
    head, *lines = CalamineWorkbook.from_filelike(BytesIO(sent)).get_sheet_by_index(0).to_python()
    assert head[len(COLUMNS) :] == ["金额", "业主", "手机", "方式"]
    told = {line[2]: line[len(COLUMNS) :] for line in lines}
    assert (told["甲"], told["乙"]) == (["12.50", "江**", "138****5678", "招标"], ["7", "", "", ""])
    assert "丙" not in told


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三", "张*"), ("王", "王*"), ("欧阳娜娜", "欧***"), ("Ng", "N*"), (" 江一苇 ", "江**"), ("", "")],
)
def test_of_a_name_a_screen_shows_the_first_sign_however_short_it_is(name: str, shown: str) -> None:
    assert masked_name(name) == shown


def _filled(house: WebHouse, *values: Mapping[str, str]) -> list[list[object]]:
    """Return the own columns of a sheet of records with these values in text fields, the heads in the first row."""
    with house.services.db.writing() as work:
        category = work.session.get_one(Category, house.category.id)
        names = sorted({name for each in values for name in each})
        category.fields = [{"name": each, "kind": "text", "names": dict.fromkeys(LANGUAGES, each)} for each in names]
        for at, each in enumerate(values):
            row = rows.a_record(work.session, category, title=f"长文{at}", level=1, state=RecordState.FILED)
            row.fields = dict(each)
        work.commit()
    sent = house.browser("staff").get("/search/list.xlsx?q=").data
    found = CalamineWorkbook.from_filelike(BytesIO(sent)).get_sheet_by_index(0).to_python()
    told = {str(row[2]): row[len(COLUMNS) :] for row in found}
    return [told["题名"], *(told[f"长文{at}"] for at in range(len(values)))]


def test_own_columns_that_a_sheet_has_no_room_for_are_counted_in_its_last_head(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {f"f{at:02}": str(at) for at in range(own_columns.MOST + 2)}
    head, row = _filled(house, values)
    assert [len(head), head[-1], row[-2:]] == [own_columns.MOST + 1, "另有 2 个字段未列出", ["59", ""]]
    monkeypatch.setattr(own_columns, "MOST", len(values))
    assert [len(each) for each in _filled(house, values)] == [len(values)] * 2, "all have room: nothing is said"


def test_the_text_of_own_columns_is_bounded(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "文" * (own_columns.LONGEST + 1)
    values = {"a": long, "b": long[1:], "c": "短"}
    monkeypatch.setattr(own_columns, "MOST_SIGNS", 4 * own_columns.LONGEST + 1)
    head, first, second = _filled(house, values, values)
    assert head == ["a", "b", "另有 1 个字段未列出"], "both texts fill the sheet, so that c has no room"
    assert first == second == [long[: own_columns.LONGEST - 1] + "…", long[1:], ""]


@pytest.mark.parametrize("turned", [False, True])
def test_which_own_columns_have_room_does_not_hang_on_the_order_of_the_records(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch, *, turned: bool
) -> None:
    monkeypatch.setattr(own_columns, "MOST_SIGNS", 3)
    monkeypatch.setattr(own_columns, "AT_ONCE", 1)
    values: list[Mapping[str, str]] = [{"a": "甲", "b": "乙乙乙"}, {"c": "丙"}]
    head, *lines = _filled(house, *(values[::-1] if turned else values))
    assert head == ["a", "另有 2 个字段未列出"]
    assert sorted(map(str, lines)) == ["['', '']", "['甲', '']"]


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
