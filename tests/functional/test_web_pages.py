"""The work of a day through the pages, without script: catalogue, add files, file, find, read, account for it."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from archive.errors import Unavailable
from archive.model import Content, Person, Record, RecordState
from archive.ports import PIECE_BYTES
from tests.factories.people import is_custodian
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on
from web.arriving import uploads

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"


JSON = {"Content-Type": "application/json"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def _post(client: FlaskClient, path: str, data: dict[str, object]) -> str:
    token = token_of(client)
    reply = client.post(path, data={"csrf_token": token, **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def _catalogued(house: WebHouse, client: FlaskClient, **more: str) -> str:
    values = {"category": str(house.category.id), "title": "电梯维保合同", "drawn_up": "2024年3月5日", "level": "1"}
    page = _post(client, "/records", {**values, **more})
    assert page.startswith("200 "), page
    found = re.search(r"/records/([0-9a-f-]{36})/files", page)
    assert found
    return found[1]


def _sent(client: FlaskClient, record: str, name: str, data: bytes) -> str:
    return _post(client, f"/records/{record}/files", {"files": (BytesIO(data), name)})


def test_a_record_is_catalogued_filed_and_found(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    page = _sent(archivist, record, "合同.txt", "甲方乙方".encode())
    assert "合同.txt" in page
    assert "正在读取全文" in page
    filed = _post(archivist, "/records/file", {"record": record})
    assert "WY01-WYH·2024-D10-N0001" in filed
    assert "已归档" in filed
    found = archivist.get("/search?q=电梯").text
    assert "<mark>电梯</mark>维保合同" in found
    assert "商业秘密·内部" in found
    assert "record.file" not in archivist.get(f"/records/{record}/history").text
    assert "归档" in archivist.get(f"/records/{record}/history").text


def test_a_fault_names_its_field_and_nothing_typed_is_lost(house: WebHouse, archivist: FlaskClient) -> None:
    values = {"category": str(house.category.id), "title": "保洁记录", "drawn_up": "2024-02-31", "f.phone": "123"}
    page = _post(archivist, "/records", values)
    assert page.startswith("422")
    assert 'href="#field-drawn_up"' in page
    assert "不是存在或能识别的日期：2024-02-31" in page
    assert "联系电话" in page
    assert 'value="保洁记录"' in page
    assert 'value="123"' in page


def test_a_record_without_a_date_says_what_it_still_needs(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist, drawn_up="")
    assert "归档前还缺：成文日期" in archivist.get(f"/records/{record}").text
    assert "还缺：成文日期。" in _post(archivist, "/records/file", {"record": record})


def test_a_change_made_on_an_old_page_is_refused_and_shown_again(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    version = re.search(r'name="version" value="(\d+)"', archivist.get(f"/records/{record}/edit").text)
    assert version
    base = {"drawn_up": "2024", "version": version[1]}
    assert _post(archivist, f"/records/{record}/edit", {"title": "第一次", **base}).startswith("200")
    page = _post(archivist, f"/records/{record}/edit", {"title": "第二次", **base})
    assert page.startswith("409")
    assert 'value="第二次"' in page
    assert "第一次" in archivist.get(f"/records/{record}").text


def test_a_telephone_number_is_masked_and_kept_when_its_field_is_left_empty(
    house: WebHouse, archivist: FlaskClient
) -> None:
    record = _catalogued(house, archivist, **{"f.phone": "13812345678", "f.form": "new"})
    for path in (f"/records/{record}", f"/records/{record}/edit"):
        page = archivist.get(path).text
        assert "138****5678" in page
        assert "13812345678" not in page
    _post(archivist, f"/records/{record}/edit", {"title": "改名", "drawn_up": "2024", "version": "1"})
    assert "138****5678" in archivist.get(f"/records/{record}").text
    _post(archivist, f"/records/{record}/edit", {"title": "改名", "version": "2", "away.phone": "1"})
    assert "138****5678" not in archivist.get(f"/records/{record}").text


def test_what_a_person_sent_is_listed_to_its_end(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _catalogued(house, archivist)
    headers = {"X-CSRFToken": token_of(archivist), "Accept": "application/json"}
    for at in range(5):  # all of one moment, by the house's clock
        archivist.post(f"/uploads/begin/{record}", headers=headers, json={"name": f"第{at}张.bin", "size": 4})
    sent = re.compile(r"/uploads/([0-9a-f-]{36})/abandon|(第.)张.bin")
    monkeypatch.setattr(uploads, "PAGE", 1_000)
    whole = sent.findall(archivist.get("/uploads").text)
    assert {f"第{at}" for at in range(5)} <= {name for _key, name in whole}
    monkeypatch.setattr(uploads, "PAGE", 2)
    path, seen = "/uploads", []
    while path:
        page = archivist.get(path).text
        assert len(seen) <= len(whole), "it does not end"
        seen += sent.findall(page)
        more = re.search(r'href="(/uploads\?after=[^"]+)"', page)
        path = more[1] if more else ""
    assert seen == whole


def test_a_file_comes_in_by_pieces_and_goes_on_after_a_break(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    token = token_of(archivist)
    headers = {"X-CSRFToken": token, "Accept": "application/json"}
    data = bytes(range(256)) * (PIECE_BYTES // 256) + b"the end"
    begun = archivist.post(f"/uploads/begin/{record}", headers=headers, json={"name": "大图.bin", "size": len(data)})
    upload = begun.json["upload"]
    assert begun.json["piece_bytes"] == PIECE_BYTES
    first = archivist.put(f"/uploads/{upload}/0", headers=headers, data=data[:PIECE_BYTES])
    assert first.json == {"received": 1}
    early = archivist.post(f"/uploads/{upload}/finish", headers=headers, json={})
    assert (early.status_code, early.json["code"]) == (409, "conflict")
    for bad in ("[" * 100_000, "[]"):  # no document, so that nothing is to be replaced
        sent = archivist.post(f"/uploads/{upload}/finish", headers=headers | JSON, data=bad)
        assert sent.status_code == 409
    assert archivist.get(f"/uploads/{upload}", headers=headers).json == {"received": 1}
    assert "正在上传" in archivist.get("/uploads").text
    last = archivist.put(f"/uploads/{upload}/1", headers=headers, data=data[PIECE_BYTES:])
    assert last.json == {"received": 2}
    done = archivist.post(f"/uploads/{upload}/finish", headers=headers, json={})
    assert done.json["size"] == len(data)
    content = done.json["content"]
    assert archivist.get(f"/files/{content}").data == data
    part = archivist.get(f"/files/{content}", headers={"Range": f"bytes={PIECE_BYTES - 2}-{PIECE_BYTES + 2}"})
    assert part.status_code == 206
    assert part.data == data[PIECE_BYTES - 2 : PIECE_BYTES + 3]
    assert part.headers["Content-Range"] == f"bytes {PIECE_BYTES - 2}-{PIECE_BYTES + 2}/{len(data)}"
    beyond = archivist.get(f"/files/{content}", headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    following = archivist.post(f"/uploads/begin/{record}", headers=headers, json={"name": "新", "size": 1}).json[
        "upload"
    ]
    archivist.put(f"/uploads/{following}/0", headers=headers, data=b"x")
    half = f'{{"replaces": "{content}", "reason": "\\ud800"}}'
    assert archivist.post(f"/uploads/{following}/finish", headers=headers | JSON, data=half).status_code == 200


def test_an_upload_replaces_no_file_of_another_record(house: WebHouse, archivist: FlaskClient) -> None:
    mine, other = _catalogued(house, archivist), _catalogued(house, archivist)
    kept = re.search(r'href="/files/([0-9a-f-]{36})"', _sent(archivist, other, "别件.txt", "别件的文件".encode()))
    assert kept
    headers = {"X-CSRFToken": token_of(archivist), "Accept": "application/json"}
    begun = archivist.post(f"/uploads/begin/{mine}", headers=headers, json={"name": "新.txt", "size": 3})
    at = f"/uploads/{begun.json['upload']}"
    archivist.put(f"{at}/0", headers=headers, data=b"new")
    answer = archivist.post(f"{at}/finish", headers=headers, json={"replaces": kept[1], "reason": "换一份"})
    assert answer.status_code == 404
    assert archivist.get(f"/files/{kept[1]}").data == "别件的文件".encode()
    for record in (mine, other):
        assert "换一份" not in archivist.get(f"/records/{record}/history").text


def test_a_piece_that_comes_again_costs_no_reading_of_those_before(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"X-CSRFToken": token_of(archivist), "Accept": "application/json"}
    size = PIECE_BYTES + 3
    named = {"name": "两段.bin", "size": size}
    begun = archivist.post(f"/uploads/begin/{_catalogued(house, archivist)}", headers=headers, json=named)
    at = f"/uploads/{begun.json['upload']}"
    read: list[int] = []
    store = type(house.services.store)
    monkeypatch.setattr(store, "read_piece", lambda *given: read.append(1) or pytest.fail(str(given)))
    for number, data in ((0, bytes(PIECE_BYTES)), (0, bytes(PIECE_BYTES)), (1, b"end"), (1, b"end")):
        assert archivist.put(f"{at}/{number}", headers=headers, data=data).json == {"received": number + 1}
    assert archivist.post(f"{at}/finish", headers=headers, json={}).json["size"] == size
    assert read == []


def test_a_download_is_saved_and_never_run(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    page = _sent(archivist, record, "页 面.html", b"<script>alert(1)</script>")
    content = re.search(r'href="/files/([0-9a-f-]{36})"', page)
    assert content
    reply = archivist.get(f"/files/{content[1]}")
    assert reply.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"] == "no-store"


def test_no_plain_byte_of_an_upload_is_spooled_to_disk(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object, **_more: object) -> None:
        raise AssertionError("a temporary file was opened")

    record = _catalogued(house, archivist)
    monkeypatch.setattr("tempfile.TemporaryFile", never)
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", never)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", never)
    assert "已接收文件 1 个" in _sent(archivist, record, "大.bin", b"x" * 3_000_000)


def test_an_empty_file_is_refused_by_name(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    page = _sent(archivist, record, "空.txt", b"")
    assert page.startswith("422")
    assert "文件是空的：空.txt" in page


def test_a_file_put_aside_says_why_and_what_to_do(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    _sent(archivist, record, "锁.pdf", b"%PDF-")
    with house.services.db.writing() as work:
        content = work.session.query(Content).one()
        content.state, content.reason = type(content.state)("quarantined"), "encrypted"
        work.commit()
    for path in ("/uploads", f"/records/{record}"):
        page = archivist.get(path).text
        assert "已隔离" in page
        assert "文件设有密码" in page
        assert "请去掉密码后重新上传" in page
    assert "有文件被隔离" in _post(archivist, "/records/file", {"record": record})


def test_an_unfinished_upload_can_be_given_up(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    headers = {"X-CSRFToken": token_of(archivist)}
    upload = archivist.post(f"/uploads/begin/{record}", headers=headers, json={"name": "a", "size": 9}).json["upload"]
    assert "已放弃上传" in _post(archivist, f"/uploads/{upload}/abandon", {})
    assert "您还没有上传文件" in archivist.get("/uploads").text


@pytest.mark.parametrize("body", ["", "[]", '{"name": "a"}', '{"name": "a", "size": "9"}', '{"size": -1, "name": "a"}'])
def test_an_announcement_that_cannot_be_read_is_refused(house: WebHouse, archivist: FlaskClient, body: str) -> None:
    record = _catalogued(house, archivist)
    headers = {"X-CSRFToken": token_of(archivist), "Content-Type": "application/json"}
    reply = archivist.post(f"/uploads/begin/{record}", headers=headers, data=body)
    assert reply.status_code == 422
    assert json.loads(reply.text)["code"] == "invalid"


def test_a_query_that_cannot_be_read_is_pointed_at(archivist: FlaskClient) -> None:
    page = archivist.get("/search", query_string={"q": '电梯 "维保'})
    assert page.status_code == 422
    assert "引号没有闭合" in page.text
    assert re.search(r"<b><u>&#34;?维保?|<b><u>&#34;", page.text)


def test_a_dead_engine_is_told_and_the_query_stays(house: WebHouse, archivist: FlaskClient) -> None:
    house.search.broken = Unavailable(part="search")
    page = archivist.get("/search", query_string={"q": "电梯"})
    assert page.status_code == 503
    assert "系统的一部分没有应答：检索。" in page.text
    assert 'value="电梯"' in page.text


def test_the_bin_takes_and_gives_back(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    assert "已放入回收站" in _post(archivist, f"/records/{record}/bin", {"version": "1"})
    assert "电梯维保合同" in archivist.get("/?state=binned").text
    assert "电梯维保合同" not in archivist.get("/").text
    assert "已取回" in _post(archivist, f"/records/{record}/restore", {})


def test_a_level_is_changed_with_a_reason_only(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    refused = _post(archivist, f"/records/{record}/level", {"level": "3", "version": "1", "reason": " "})
    assert refused.startswith("422")
    assert "理由：必须填写" in refused
    page = _post(archivist, f"/records/{record}/level", {"level": "3", "version": "1", "reason": "含报价"})
    assert "商业秘密·机密" in page


def test_a_custodian_sees_number_and_dates_and_no_content(house: WebHouse) -> None:
    record = house.a_record(
        title="人事档案", state=RecordState.FILED, archive_number="WY01-1", registration_number="R1"
    )
    page = house.browser("auditor").get(f"/records/{record.id}").text
    assert "WY01-1" in page
    assert "R1" in page
    assert "人事档案" not in page


def test_who_sees_a_record_without_its_content_reads_why(house: WebHouse) -> None:
    record = house.a_record(title="人事档案", state=RecordState.FILED, archive_number="WY01-1")
    auditor = house.browser("auditor").get(f"/records/{record.id}").text
    assert "您作为管理员可查看此件" in auditor
    assert "您负责保管此件" not in auditor
    with house.services.db.writing() as work:
        is_custodian(work.session, work.session.get_one(Person, house.people["clerk"].id), 3)
        work.session.get_one(Record, record.id).level_rank = 3
        work.commit()
    keeper = house.browser("clerk").get(f"/records/{record.id}").text
    assert "您负责保管此件" in keeper
    assert "您作为管理员" not in keeper


def test_the_log_tells_a_hidden_record_and_an_absent_one_alike(house: WebHouse) -> None:
    hidden, filed = house.a_record(state=RecordState.PROVISIONAL, level=4).id, house.a_record(level=4).id
    staff = house.browser("staff")
    nowhere = UUID("01890000-0000-7000-8000-000000000000")
    told = {}
    for key in (hidden, nowhere, filed):
        assert staff.get(f"/records/{key}").status_code == 404
        page = house.browser("auditor").get("/log", query_string={"record": str(key)}).text
        (cell,) = re.findall(r"<td class=\"number\"[^>]*>(<(?:a|span).*?)</td>", page.partition("<tbody>")[2])
        told[key] = cell.replace(str(key), "…")
    assert told[hidden] == told[nowhere]
    assert "没有您可以查看的档案" in told[nowhere]
    assert "<a" not in told[nowhere]
    assert f"/records/{filed}" in page


@pytest.mark.parametrize("locale", ["zh_CN", "zh_TW", "en"])
def test_a_level_is_marked_as_the_house_wrote_it_in_every_language(house: WebHouse, locale: str) -> None:
    record = house.a_record(level=1)
    client = house.browser("archivist")
    _post(client, "/language", {"locale": locale, "next": "/"})
    for path in (f"/records/{record.id}", "/search?q=电梯", f"/records/new?category={house.category.id}"):
        assert "商业秘密·内部" in client.get(path).text, path


def test_the_auditor_reads_the_log_and_others_do_not(house: WebHouse) -> None:
    house.browser("staff")
    auditor = house.browser("auditor")
    page = auditor.get("/log").text
    assert "staff某" in page
    assert "登录" in page
    assert auditor.get("/log?since=2026-02-31").status_code == 422
    assert "没有符合的记录" in auditor.get("/log?until=2001").text
    assert house.browser("staff").get("/log").status_code == 403
    group = re.search(r'<optgroup label="登录与账户"><option value="([^"]+)">登录与账户：全部</option>', page)
    assert group
    assert '<option value="session.begin">登录</option>' in page
    assert "staff某" in auditor.get(f"/log?act={group[1]}").text
    assert "staff某" not in auditor.get("/log?act=record.,loan.").text
    assert '<option value="no.such" selected>' in auditor.get("/log?act=no.such").text


def test_a_day_in_any_writing_says_how_it_is_read(archivist: FlaskClient) -> None:
    def read(text: str) -> dict[str, object]:
        return dict(archivist.get("/day", query_string={"text": text, "whole": "1"}).json)

    for typed in ("2024-3-5", "20240305", "113/3/5", "民國113年3月5日", "二〇二四年三月五日"):
        assert read(typed) == {"words": "识别为 2024-03-05", "good": True}
    assert read("") == {"words": "", "good": True}
    assert [read(typed)["good"] for typed in ("2024-2-31", "2024-03", "明天")] == [False, False, False]
    assert archivist.get("/day?text=2024-03").json == {"words": "识别为 2024-03", "good": True}
    assert 'type="date"' not in "".join(each.read_text("utf-8") for each in TEMPLATES.rglob("*.html"))


def test_a_person_chooses_their_language_and_it_stays_theirs(house: WebHouse) -> None:
    client = house.browser("staff")
    token = token_of(client)
    page = client.post("/language", data={"csrf_token": token, "locale": "zh_TW", "next": "/"}, follow_redirects=True)
    assert "我的工作檯" in page.text
    assert "我的工作檯" in house.browser("staff").get("/").text
    client.post("/language", data={"csrf_token": token, "locale": "en", "next": "/"})
    assert "My desk" in client.get("/").text


def test_a_language_chosen_before_signing_in_holds_until_a_person_chooses_their_own(house: WebHouse) -> None:
    client = house.browser()
    token = token_on(client.get("/sign-in").text)
    client.post("/language", data={"csrf_token": token, "locale": "en", "next": "/sign-in"})
    page = client.get("/sign-in").text
    client.post("/sign-in", data={"login": "staff", "password": PASSWORD, "csrf_token": token_on(page)})
    page = client.get("/").text
    assert "My desk" in page
    own = house.browser("staff")
    own.post("/language", data={"csrf_token": token_of(own), "locale": "zh_TW", "next": "/"})
    assert "我的工作檯" in client.get("/").text


def test_empty_pages_say_what_to_do_next(house: WebHouse, archivist: FlaskClient) -> None:
    assert "没有待归档的条目。先著录，再添加文件，然后归档" in archivist.get("/").text
    assert "您还没有上传文件" in archivist.get("/uploads").text
    assert "没有您可以查看的匹配结果" in archivist.get("/search?q=无此词").text
    assert "检索方法" in archivist.get("/search").text
    assert "没有等待的作业" in house.browser("system").get("/system").text


def test_a_small_or_stays_a_word_and_the_page_says_what_capitals_mean(archivist: FlaskClient) -> None:
    hint = "大写的 OR 表示“或”"
    assert hint in archivist.get("/search?q=合同+or+协议").text
    assert hint not in archivist.get("/search?q=合同+OR+协议").text


def test_a_day_that_does_not_exist_is_told_as_one_and_pointed_at(archivist: FlaskClient) -> None:
    reply = archivist.get("/search?q=合同+date:2011-02-31")
    assert reply.status_code == 422
    assert "没有这一天：2011-02-31" in reply.text
    assert "<b><u>2011-02-31</u></b>" in reply.text


def test_a_number_opens_its_record(house: WebHouse, archivist: FlaskClient) -> None:
    record = _catalogued(house, archivist)
    _post(archivist, "/records/file", {"record": record})
    reply = archivist.get("/number", query_string={"n": "WY01:WY01-WYH·2024-D10-N0001"})
    assert reply.headers["Location"] == f"/records/{record}"
    assert archivist.get("/number?n=no-such").status_code == 404


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh_CN", "文件名为 .pdf，但内容实为：纯文本"),
        ("zh_TW", "檔名為 .pdf，但內容實為：純文字"),
        ("en", "its name says .pdf, but by its content it is: plain text"),
    ],
)
def test_a_file_whose_name_claims_another_kind_says_so_beside_it(
    house: WebHouse, archivist: FlaskClient, locale: str, words: str
) -> None:
    record = _catalogued(house, archivist)
    _sent(archivist, record, "扫描件.pdf", "电梯维修记录".encode())
    with house.services.db.writing() as work:
        work.session.query(Content).update({"media_type": "text/plain"})
        work.commit()
    _post(archivist, "/language", {"locale": locale, "next": "/"})
    assert words in archivist.get(f"/records/{record}").text
