"""Proposals on pages: what the words of a file propose stands beside its field, and a person takes or dismisses it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from archive.cataloguing.records import RecordService
from archive.database import Database
from archive.model import Content, Proposal, Record
from tests.factories.web_house import WebHouse, a_web_house, token_of

NOTICE = (
    "某某物业管理有限公司文件\n物管字〔2024〕12号\n\n关于做好汛期值班工作的通知\n\n各部门：\n"
    "  汛期将至，请做好值班。\n\n某某物业管理有限公司\n2024年3月5日\n"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return reply.text


def with_file(
    house: WebHouse,
    client: FlaskClient,
    text: str = NOTICE,
    *,
    title: str = "扫描件001",
    name: str = "扫描件001.txt",
    **more: str,
) -> str:
    """Return the id of a record with a file that was read."""
    values = {"category": str(house.category.id), "title": title, **more}
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", post(client, "/records", **values)))
    post(client, f"/records/{record}/files", files=(BytesIO(text.encode()), name))
    house.read_texts()
    return record


@contextmanager
def listened(db: Database, note: Callable[..., None]) -> Iterator[None]:
    """Hear every statement that is sent meanwhile."""
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def row(house: WebHouse, record: str) -> Record:
    with house.services.db.reading() as session:
        return session.get_one(Record, UUID(record))


def take(client: FlaskClient, record: str, field: str, value: str, act: str = "take") -> str:
    return post(client, f"/records/{record}/proposals", field=field, value=value, act=act)


def test_what_a_file_says_is_proposed_with_its_place_and_taken_by_a_click(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_file(house, archivist)
    page = archivist.get(f"/records/{record}").text
    assert "建议：关于做好汛期值班工作的通知" in page
    assert "建议：物管字〔2024〕12号" in page
    assert "建议：某某物业管理有限公司" in page
    assert "第 1 页：说明事由的标题行" in page
    assert row(house, record).title == "扫描件001", "nothing is written before someone takes it"
    assert "已采用该值" in take(archivist, record, "title", "关于做好汛期值班工作的通知")
    take(archivist, record, "document_number", "物管字〔2024〕12号")
    take(archivist, record, "responsible", "某某物业管理有限公司")
    kept = row(house, record)
    assert (kept.title, kept.fields, kept.responsible) == (
        "关于做好汛期值班工作的通知", {"document_number": "物管字〔2024〕12号"}, "某某物业管理有限公司",
    )  # fmt: skip
    page = archivist.get(f"/records/{record}").text
    assert "建议：" not in page
    history = archivist.get(f"/records/{record}/history").text
    assert "依建议填写：题名 (说明事由的标题行)" in history
    assert "依建议填写：文号 (文头的发文字号)" in history


def test_the_place_of_a_proposal_is_marked_on_its_page(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    links = re.findall(r'href="(/files/[^"]+\?mark=\d+-\d+)"', archivist.get(f"/records/{record}").text)
    marked = [
        found for link in links for found in re.findall("<mark>(.*?)</mark>", archivist.get(link).text, re.DOTALL)
    ]
    assert marked == ["关于做好汛期值班工作的通知", "2024年3月5日", "某某物业管理有限公司", "物管字〔2024〕12号"]


@pytest.mark.parametrize("mark", ["9-2", "0-999999", "x-y", "1", "-3-5", "99999999999-999999999999"])
def test_a_mark_that_is_no_part_of_the_page_marks_nothing(house: WebHouse, archivist: FlaskClient, mark: str) -> None:
    record = with_file(house, archivist)
    (content,) = set(re.findall(r"/files/([0-9a-f-]{36})/pages", archivist.get(f"/records/{record}").text))
    reply = archivist.get(f"/files/{content}/pages/1?mark={mark}")
    assert reply.status_code == 200
    assert "<mark>" not in reply.text


def test_the_date_in_the_record_says_where_it_was_read_and_is_confirmed_by_a_click(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_file(house, archivist)
    assert (row(house, record).drawn_up, row(house, record).drawn_up_proposed) == ("2024-03-05", True)
    page = archivist.get(f"/records/{record}").text
    assert "建议值，尚未确认" in page
    assert "第 1 页：末尾单独成行的日期" in page
    take(archivist, record, "drawn_up", "2024-03-05")
    assert (row(house, record).drawn_up, row(house, record).drawn_up_proposed) == ("2024-03-05", False)
    assert "尚未确认" not in archivist.get(f"/records/{record}").text


def test_a_date_from_the_files_name_says_so_and_the_texts_stands_beside_it(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_file(house, archivist, name="2024-02-01 通知.txt")
    page = archivist.get(f"/records/{record}").text
    assert "文件名中的日期" in page
    assert "文件写的是：2024-03-05" in page
    take(archivist, record, "drawn_up", "2024-03-05")
    assert (row(house, record).drawn_up, row(house, record).drawn_up_proposed) == ("2024-03-05", False)


def test_another_value_in_the_record_is_left_and_only_told(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist, title="防汛通知", responsible="工程部")
    page = archivist.get(f"/records/{record}").text
    assert "文件写的是：关于做好汛期值班工作的通知" in page
    assert "文件写的是：某某物业管理有限公司" in page
    assert (row(house, record).title, row(house, record).responsible) == ("防汛通知", "工程部")


def test_what_is_dismissed_stays_hidden_and_is_logged(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    assert "不再为本件显示" in take(archivist, record, "title", "", act="dismiss")
    page = archivist.get(f"/records/{record}").text
    assert "关于做好汛期值班工作的通知" not in page
    assert "建议：物管字〔2024〕12号" in page
    assert "不采用建议" in archivist.get(f"/records/{record}/history").text


def test_what_was_not_proposed_is_not_taken(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    assert "已采用" not in take(archivist, record, "title", "另一个题名")
    assert "已采用" not in take(archivist, record, "notes", "另一个题名")
    assert row(house, record).title == "扫描件001"


def test_a_category_without_a_number_field_is_offered_none(house: WebHouse, archivist: FlaskClient) -> None:
    with house.services.db.writing() as work:
        category = work.session.merge(house.category)
        category.fields = [field for field in category.fields if field["name"] != "document_number"]
        work.commit()
    record = with_file(house, archivist)
    page = archivist.get(f"/records/{record}").text
    assert "物管字" not in page
    assert "建议：关于做好汛期值班工作的通知" in page


def test_waiting_records_stand_on_a_list_and_are_taken_together(house: WebHouse, archivist: FlaskClient) -> None:
    assert "没有您可以采用的建议" in archivist.get("/proposals").text
    records = [with_file(house, archivist) for _ in range(2)]
    assert "<strong>2</strong> 件有建议待确认" in archivist.get("/").text
    page = archivist.get("/proposals").text
    boxes = re.findall(r'name="take" value="([^"]+)"', page)
    assert len(boxes) == 8
    assert "已采用" not in page
    assert "采用了 8 个值" in post(archivist, "/proposals", take=boxes)
    assert {row(house, record).title for record in records} == {"关于做好汛期值班工作的通知"}
    assert "没有您可以采用的建议" in archivist.get("/proposals").text
    assert "件有建议待确认" not in archivist.get("/").text
    assert "采用了 0 个值" in post(archivist, "/proposals", take=boxes), "what is taken is taken once"


def test_only_who_may_describe_a_record_sees_and_decides(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist, level="3")
    before = row(house, record).version
    for login in ("clerk", "staff", "auditor", "system"):
        client = house.browser(login)
        assert "汛期值班" not in client.get("/proposals").text
        assert "件有建议待确认" not in client.get("/").text
        for act in ("take", "dismiss"):
            assert "汛期值班" not in take(client, record, "title", "关于做好汛期值班工作的通知", act=act)
        post(client, "/proposals", take=f"{record}|title|关于做好汛期值班工作的通知")
    assert (row(house, record).title, row(house, record).version) == ("扫描件001", before)
    assert "建议：关于做好汛期值班工作的通知" in archivist.get(f"/records/{record}").text


def test_a_filed_record_keeps_what_it_has(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    post(archivist, "/records/file", record=record)
    page = archivist.get(f"/records/{record}").text
    assert "建议：" not in page
    assert "已采用" not in take(archivist, record, "title", "关于做好汛期值班工作的通知")
    assert row(house, record).title == "扫描件001"
    assert "扫描件001" not in archivist.get("/proposals").text


def test_the_form_offers_what_is_proposed_and_saving_it_is_logged_as_taken(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_file(house, archivist)
    form = archivist.get(f"/records/{record}/edit").text
    assert 'data-fill="field-title" data-value="关于做好汛期值班工作的通知"' in form
    assert 'data-fill="field-document_number" data-value="物管字〔2024〕12号"' in form
    values = {"version": str(row(house, record).version), "title": "关于做好汛期值班工作的通知"}
    post(archivist, f"/records/{record}/edit", **values, **{"f.document_number": "物管字〔2024〕12号"})
    told = "依建议填写：文号 (文头的发文字号); 题名 (说明事由的标题行)"
    assert told in archivist.get(f"/records/{record}/history").text
    assert "|title|" not in archivist.get("/proposals").text


def test_no_words_of_a_file_lie_plain_in_the_database(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    with house.services.db.reading() as session:
        rows = session.scalars(select(Proposal)).all()
        assert {each.field for each in rows} == {"title", "drawn_up", "document_number", "responsible"}
        assert not any("汛期".encode() in each.sealed or b"value" in each.sealed for each in rows)
    (content,) = {each.content_id for each in rows}
    post(archivist, f"/files/{content}/take-off", record=record, reason="放错了")
    with house.services.db.reading() as session:
        assert session.scalars(select(Proposal)).all() == [], "they go with the file"


def test_proposals_of_many_files_cost_no_more_statements_than_those_of_one(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = with_file(house, archivist)
    path, said = f"/records/{record}", list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    def asked(page: str) -> int:
        archivist.get(page)
        said.clear()
        with listened(house.services.db, note):
            assert "关于做好汛期值班工作的通知" in archivist.get(page).text
        return sum("owner_key" in each for each in said)

    before = asked(path), asked("/proposals")
    for at in range(5):
        more = NOTICE.replace("汛期", f"汛期{at}")
        post(archivist, f"{path}/files", files=(BytesIO(more.encode()), f"附件{at}.txt"))
    house.read_texts()
    assert (asked(path), asked("/proposals")) == before
    with listened(house.services.db, note):
        said.clear()
        take(archivist, record, "title", "关于做好汛期值班工作的通知")
    assert row(house, record).title == "关于做好汛期值班工作的通知"
    assert sum("owner_key" in each for each in said) < 10


def test_a_description_and_a_taking_at_once_do_not_overwrite_each_other(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = with_file(house, archivist)
    real = RecordService.describe

    def slow(self: RecordService, identity: object, record_id: UUID, changes: object, version: int) -> None:
        monkeypatch.setattr(RecordService, "describe", real)
        someone = house.services.records
        someone.describe(identity, record_id, {"title": "别人刚改的"}, version)  # type: ignore[arg-type]
        real(self, identity, record_id, changes, version)  # type: ignore[arg-type]

    monkeypatch.setattr(RecordService, "describe", slow)
    assert "已采用" not in take(archivist, record, "title", "关于做好汛期值班工作的通知")
    assert row(house, record).title == "别人刚改的"
    with house.services.db.reading() as session:
        assert session.scalars(select(Content.id)).all()
