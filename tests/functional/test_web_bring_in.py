"""A spreadsheet becomes records: columns said, every fault shown before anything is written, bad rows sent back."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import xlsxwriter
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from archive import failpoints
from archive.accounts import login_identity
from archive.bringing_in.files import Wanted, match
from archive.bringing_in.rows import Row, check_rows, rows_of
from archive.errors import Fault
from archive.failpoints import Injected
from archive.house.organisation import add_department
from archive.ids import new_id
from archive.model import File, Record, RecordState, Sheet, SheetRow
from tests.factories.records import names
from tests.factories.web_house import WebHouse, a_web_house, token_of, token_on

HEADERS = ["题名", "日期", "责任者", "密级", "联系电话", "页数", "重要性", "文件名"]
GOOD = ["电梯维保合同", "2024-3-5", "迅达电梯", "1", "13800138000", "12", "重要", "a.pdf"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def a_sheet(*rows: Sequence[str]) -> bytes:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("目录")
    for down, row in enumerate(rows):
        for at, cell in enumerate(row):
            sheet.write_string(down, at, cell)
    book.close()
    return out.getvalue()


def send(house: WebHouse, client: FlaskClient, data: bytes, name: str = "目录.xlsx") -> TestResponse:
    form = {"csrf_token": token_of(client), "category": str(house.category.id)}
    return client.post("/bring-in", data=form | {"file": (BytesIO(data), name)})


def begun(house: WebHouse, client: FlaskClient, *rows: Sequence[str]) -> str:
    """Send a sheet, say its columns as proposed, and return its address."""
    reply = send(house, client, a_sheet(HEADERS, *rows))
    assert reply.status_code == 303, reply.text
    page = client.get(reply.location).text
    said = re.findall(r'<option value="([^"]*)" selected', page)
    assert said == ["title", "drawn_up", "responsible", "level", "f.phone", "pages", "importance", "file"]
    reply = client.post(reply.location, data={"csrf_token": token_on(page), "column": said})
    assert reply.status_code == 303, reply.text
    return reply.location.removesuffix("/check")


def act(client: FlaskClient, path: str) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client)})


def titles(house: WebHouse) -> list[str]:
    with house.services.db.reading() as session:
        return list(session.scalars(select(Record.title).order_by(Record.created_at, Record.id)))


def test_good_rows_come_in_and_bad_rows_come_back(house: WebHouse) -> None:
    client = house.browser("archivist")
    bad = ["=1+1", "2024-13-40", "", "绝顶", "123", "十", "九", ""]
    at = begun(house, client, GOOD, bad, [""] * 8, ["物业费通知", "2024", "", "", "", "", "", ""])
    page = client.get(f"{at}/check").text
    assert "B 日期：" in page
    assert "2024-13-40" in page
    assert "D 密级：" in page
    assert "F 页数：" in page
    assert "G 重要性：" in page
    assert titles(house) == []

    act(client, f"{at}/start")
    house.bring_in()
    assert titles(house) == ["电梯维保合同", "物业费通知"]
    with house.services.db.reading() as session:
        record = session.scalars(select(Record).where(Record.title == GOOD[0])).one()
        assert (record.drawn_up, record.responsible, record.pages) == ("2024-03-05", "迅达电梯", 12)
        assert record.importance == 2
        assert (record.level_rank, record.state) == (1, RecordState.PROVISIONAL)
        assert b"13800138000" not in (record.sealed_fields or b"")
        assert "phone" not in record.fields
    assert "2 / 3" in client.get("/bring-in").text

    back = CalamineWorkbook.from_filelike(BytesIO(client.get(f"{at}/faults.xlsx").data)).get_sheet_by_index(0)
    head, row = back.to_python()
    assert head[:8] == HEADERS
    assert row[:2] == ["=1+1", "2024-13-40"]
    assert "D 密级" in str(row[8])
    log = house.browser("auditor").get("/log").text
    assert "表格导入完成" in log
    assert "导出有问题的行" in log


def test_a_title_above_the_headers_is_passed_over() -> None:
    named = [["2024 年目录", "", ""], [], ["题名", "日期", ""], ["合同", "2024", "a"], ["通知", "", ""]]
    headers, rows = rows_of(named)
    assert (headers, [row.number for row in rows]) == (("题名", "日期", ""), [4, 5])
    assert rows_of([["题名"], ["合同"], ["通知"]])[0] == ("题名",)
    assert rows_of([["题名", ""], ["合同", "a"], ["通知", "b"]])[0] == ("题名", "")
    assert rows_of([["Title"], ["合同"], ["通知", "x"], ["函", "y"]])[0] == ("Title",)
    assert rows_of([["题名", "日期"], ["合同", ""], ["通知", "2024"], ["函", "2025"]])[0] == ("题名", "日期")


def test_what_was_said_of_columns_is_remembered(house: WebHouse) -> None:
    client = house.browser("archivist")
    first = send(house, client, a_sheet(HEADERS, GOOD)).location
    said = ["title", "drawn_up", "notes", "", "", "", "", ""]
    client.post(first, data={"csrf_token": token_of(client), "column": said})
    second = send(house, client, a_sheet(HEADERS, GOOD)).location
    assert re.findall(r'<option value="([^"]*)" selected', client.get(second).text) == ["title", "drawn_up", "notes"]
    other = house.browser("clerk")
    third = send(house, other, a_sheet(HEADERS, GOOD)).location
    assert "responsible" in re.findall(r'<option value="([^"]*)" selected', other.get(third).text)


def test_columns_that_cannot_be_are_refused_in_words(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = send(house, client, a_sheet(HEADERS, GOOD)).location
    reply = client.post(at, data={"csrf_token": token_of(client), "column": ["pages", "pages"]})
    assert reply.status_code == 422
    assert "题名：" in reply.text


def test_another_persons_sheet_is_not_there(house: WebHouse) -> None:
    at = begun(house, house.browser("archivist"), GOOD)
    clerk = house.browser("clerk")
    for path in ("", "/check", "/columns", "/faults.xlsx"):
        hidden, absent = clerk.get(at + path), clerk.get(f"/bring-in/{uuid4()}{path}")
        assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text) == (404, absent.text)
    for path in ("/start", "/stop", "/forget"):
        assert act(clerk, at + path).status_code == 404
    assert house.browser("archivist").get(f"{at}/check").status_code == 200


def test_only_who_catalogues_may_send_one(house: WebHouse) -> None:
    for login in ("staff", "auditor"):
        client = house.browser(login)
        assert send(house, client, a_sheet(HEADERS, GOOD)).status_code == 403
        assert "/bring-in" not in client.get("/").text


def test_a_clerk_brings_in_for_their_own_department_and_level(house: WebHouse) -> None:
    client = house.browser("clerk")
    too_high = [*GOOD[:3], "4", *GOOD[4:]]
    at = begun(house, client, GOOD, too_high)
    page = client.get(f"{at}/check").text
    assert page.count('class="fault"') == 1
    act(client, f"{at}/start")
    house.bring_in()
    assert titles(house) == [GOOD[0]]


def test_a_right_taken_away_before_the_run_keeps_rows_out(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = begun(house, client, GOOD)
    act(client, f"{at}/start")
    with house.services.db.writing() as work:
        work.session.get_one(type(house.people["archivist"]), house.people["archivist"].id).clearance = 0
        work.commit()
    house.bring_in()
    assert titles(house) == []


def test_nothing_of_a_sheet_lies_plain_in_the_database_and_it_can_be_forgotten(house: WebHouse, tmp_path: Path) -> None:
    client = house.browser("archivist")
    at = begun(house, client, ["绝无仅有的题名", *GOOD[1:]])
    with house.services.db.reading() as session:
        assert session.scalars(select(Sheet)).one().columns[0] == "title"
    plain = b"".join(path.read_bytes() for path in tmp_path.rglob("*.db*"))
    for text in ("绝无仅有的题名", "13800138000", "目录.xlsx"):
        assert text.encode() not in plain
    assert act(client, f"{at}/forget").status_code == 303
    assert client.get(at).status_code == 404


def test_a_run_that_broke_off_goes_on_and_doubles_nothing(house: WebHouse) -> None:
    client = house.browser("archivist")
    rows = [[f"合同{n:03}", *GOOD[1:]] for n in range(120)]
    at = begun(house, client, *rows)
    act(client, f"{at}/start")
    with house.services.db.reading() as session:
        sheet = session.scalars(select(Sheet)).one()
        identity = login_identity(session, session.get_one(type(house.people["archivist"]), sheet.person_id))
    failpoints.arm("record.created:raise")
    try:
        with pytest.raises(Injected):
            list(house.services.bringing.bring(identity, sheet.id))
    finally:
        failpoints.arm("")
    assert len(titles(house)) == 50
    house.bring_in()
    assert sorted(titles(house)) == [row[0] for row in rows]
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(SheetRow)) == 120


def test_a_run_can_be_stopped_and_gone_on_with(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = begun(house, client, *[[f"合同{n:03}", *GOOD[1:]] for n in range(3)])
    act(client, f"{at}/start")
    act(client, f"{at}/stop")
    house.bring_in()
    assert titles(house) == []
    act(client, f"{at}/start")
    house.bring_in()
    assert len(titles(house)) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "big5"])
def test_csv_in_any_of_the_usual_encodings(house: WebHouse, encoding: str) -> None:
    client = house.browser("archivist")
    words = ["題名,日期", "大樓電梯維修工程合約之補充協議,2024", "管理費收支情形說明,2023"]
    at = send(house, client, "\r\n".join(words).encode(encoding), "a.csv").location
    assert "大樓電梯維修工程合約之補充協議" in client.get(at).text


@pytest.mark.parametrize("sign", [";", "\t", ","])
def test_a_list_of_text_under_its_own_name_has_its_columns(house: WebHouse, sign: str) -> None:
    client = house.browser("archivist")
    lines = [
        "档案移交清单",
        sign.join(["题名", "日期"]),
        sign.join(["甲,乙合同" if sign != "," else "甲乙合同", "2024"]),
    ]
    at = send(house, client, "\n".join(lines).encode(), "a.csv").location
    assert re.findall(r'<option value="([^"]*)" selected', client.get(at).text) == ["title", "drawn_up"]


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"a,b"])
def test_what_is_no_spreadsheet_is_refused_in_words(house: WebHouse, data: bytes) -> None:
    client = house.browser("archivist")
    reply = send(house, client, data)
    assert reply.status_code == 422
    assert "fault-summary" in reply.text


def test_files_go_to_the_rows_that_name_them_and_are_told_both_ways(house: WebHouse) -> None:
    client = house.browser("archivist")
    rows = [["甲", *GOOD[1:7], "a.PDF；b"], ["乙", *GOOD[1:7], "2024.12"], ["丙", *GOOD[1:7], "missing.jpg"]]
    at = begun(house, client, *rows)
    act(client, f"{at}/start")
    house.bring_in()
    json = {"Accept": "application/json", "X-CSRFToken": token_of(client)}
    names = ["A.pdf", "B.tif", "2024.12.txt", "other.txt"]
    found = client.post(f"{at}/match", json={"names": names}, headers=json).json
    assert found is not None
    assert sorted(found["records"]) == ["2024.12.txt", "A.pdf", "B.tif"]
    assert (found["unknown"], found["missing"]) == (["other.txt"], ["4: missing.jpg"])

    files = [(BytesIO(b"text of " + name.encode()), name) for name in names]
    sent = client.post(f"{at}/files", data={"files": files}, headers=json).json
    assert sent == {"taken": 3, "failed": {}, "unknown": ["other.txt"]}
    with house.services.db.reading() as session:
        held = session.execute(select(Record.title, File.name).join(File).where(File.content_id.is_not(None)))
        assert {tuple(row) for row in held} == {("甲", "A.pdf"), ("甲", "B.tif"), ("乙", "2024.12.txt")}

    again = client.post(f"{at}/match", json={"names": names}, headers=json).json
    assert again is not None
    assert (again["records"], again["came"]) == ({}, 3)
    clerk = house.browser("clerk")
    own = {"Accept": "application/json", "X-CSRFToken": token_of(clerk)}
    assert clerk.post(f"{at}/match", json={"names": names}, headers=own).status_code == 404


@pytest.mark.parametrize(
    ("rows", "names", "goes"),
    [
        (["A\\001.pdf", "B/001.pdf"], ["box/A/001.pdf", "box/B/001.pdf"], {0: 1, 1: 2}),
        (["A\\001.pdf", "B/001.pdf"], ["B/001.pdf"], {0: 2}),
        (["A/001.pdf", "B/001.pdf"], ["001.pdf"], {}),
        (["001.pdf"], ["box/A/001.pdf", "box/B/001.pdf"], {}),
        (["A/001.pdf；B/001.pdf"], ["A/001.pdf", "B/001.pdf"], {}),
        (["D:\\scans\\A\\001.pdf", "D:\\scans\\B\\001"], ["box/A/001.pdf", "box/B/001.pdf"], {0: 1, 1: 2}),
        (["X/A/001.pdf", "Y/A/001.pdf"], ["box/Y/A/001.pdf", "box/Z/A/001.pdf"], {0: 2}),
        (["scans/a.pdf", "b"], ["a.PDF", "b.tif"], {0: 1, 1: 2}),
        (["b"], ["b.tif", "b.pdf"], {0: 1, 1: 1}),
    ],
)
def test_a_file_of_a_folder_goes_to_the_row_that_names_that_folder(
    rows: list[str], names: list[str], goes: dict[int, int]
) -> None:
    keys = [new_id() for _ in rows]
    wanted = [Wanted(at, each, keys[at - 1], frozenset()) for at, row in enumerate(rows, 1) for each in row.split("；")]
    found = match(wanted, names)
    assert found.records == {names[at]: [keys[row - 1]] for at, row in goes.items()}
    assert list(found.unknown) == [name for at, name in enumerate(names) if at not in goes]
    assert {each.row for each in found.missing} == set(range(1, len(rows) + 1)) - set(goes.values())


def test_two_files_of_one_name_in_one_request_are_refused(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = begun(house, client, ["甲", *GOOD[1:7], "001.pdf"])
    act(client, f"{at}/start")
    house.bring_in()
    json = {"Accept": "application/json", "X-CSRFToken": token_of(client)}
    files = [(BytesIO(text), "001.pdf") for text in (b"one", b"two")]
    assert client.post(f"{at}/files", data={"files": files}, headers=json).status_code == 422


def test_a_file_that_three_records_refuse_is_three_that_did_not_come(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = begun(house, client, *([name, *GOOD[1:7], "a.pdf"] for name in "甲乙丙"))
    act(client, f"{at}/start")
    house.bring_in()
    json = {"Accept": "application/json", "X-CSRFToken": token_of(client)}
    sent = client.post(f"{at}/files", data={"files": [(BytesIO(b""), "a.pdf")]}, headers=json).json
    assert sent is not None
    assert (sent["taken"], list(sent["failed"])) == (0, ["a.pdf"])


def test_a_department_is_named_by_its_code_where_two_bear_one_name(house: WebHouse) -> None:
    services, category = house.services, house.category
    day = services.guard.day()
    with services.db.writing() as work:
        twins = [add_department(work.session, code, names("财务部")) for code in ("CWA", "CWB")]
        gone = add_department(work.session, "GCA", names("工程部"))
        heir = add_department(work.session, "GCB", names("工程部"))
        gone.until = day - timedelta(days=1)
        ids = [each.id for each in (*twins, heir)]
        work.commit()
    words = ["财务部", "cwa", "CWB", "工程部", "没有的部"]
    rows = [Row(at, (f"合同{at}", "2024-3-5", word)) for at, word in enumerate(words)]
    with services.db.reading() as session:
        me = login_identity(session, house.people["archivist"])
        found = check_rows(session, services.guard, me, category, ("title", "drawn_up", "department"), rows)
    of_department = [[each for each in row.faults if each.field == "department"] for row in found]
    assert of_department == [
        [Fault("department", "several_so_called", {"value": "财务部", "codes": "CWA, CWB"})],
        [],
        [],
        [],
        [Fault("department", "unknown_value", {"value": "没有的部"})],
    ]
    assert [row.draft.department_id for row in found[1:4]] == ids


def test_the_number_of_a_contract_and_pages_in_wide_digits_are_understood(house: WebHouse) -> None:
    client = house.browser("archivist")
    rows = [["题名", "合同编号", "页数"], ["电梯维保合同", "HT001", "３０"]]
    at = send(house, client, a_sheet(*rows)).location
    said = re.findall(r'<option value="([^"]*)" selected', page := client.get(at).text)
    assert said == ["title", "f.document_number", "pages"]
    client.post(at, data={"csrf_token": token_on(page), "column": said})
    act(client, at.removesuffix("/columns") + "/start")
    house.bring_in()
    with house.services.db.reading() as session:
        record = session.scalars(select(Record)).one()
    assert (record.pages, record.fields["document_number"]) == (30, "HT001")
