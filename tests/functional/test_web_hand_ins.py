"""A batch is listed by a clerk, checked by an archivist, mended, and signed by both, each with their own password."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
import xlsxwriter
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.handin.lines import LineFacts, seal_lines
from archive.identity import Role, system
from archive.model import (
    Copy,
    Department,
    HandIn,
    HandInLine,
    HandInState,
    LineState,
    LogEntry,
    Record,
    RecordState,
    SentBack,
)
from archive.purging import remove_records
from tests.factories import people as rights
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on
from web.cataloguing import sending_back
from web.custody import hand_ins
from web.prints.batches import register_data
from web.prints.filled import words_now

TABLE = "编号\t题名\t页数\t载体\t份数\nA-1\t电梯维保合同\t12\t纸质\t2\nA-2\t验收单\t3\t光盘\t1\nA-3\t会议纪要\t1\t\t\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        key = made.services.people.add_person(
            system("set-up"), login="outsider", name="外人某", password=PASSWORD, roles=[Role.CLERK]
        )
        with made.services.db.writing() as work:
            person = work.session.get_one(type(made.people["clerk"]), key)
            person.clearance = 1
            rights.holds_post(
                work.session, person, rights.a_post(work.session, "o"), rights.a_department(work.session, "OTHER")
            )
            both = rights.a_person(
                work.session, "both", roles=[Role.CLERK, Role.ARCHIVIST], clearance=4,
                password_hash=made.people["clerk"].password_hash,
            )  # fmt: skip
            rights.grants(work.session, both, fonds=made.category.fonds_id)
            office = work.session.scalars(select(Department).where(Department.code == "OFFICE")).one()
            rights.holds_post(work.session, both, rights.a_post(work.session, "b"), office)
            work.commit()
        yield made


@pytest.fixture
def clerk(house: WebHouse) -> FlaskClient:
    return house.browser("clerk")


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def post(client: FlaskClient, path: str, **data: object) -> str:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return f"{reply.status_code} {reply.text}"


def version(house: WebHouse, key: str) -> int:
    with house.services.db.reading() as session:
        return session.get_one(HandIn, UUID(key)).version


def open_batch(house: WebHouse, client: FlaskClient, name: str = "上半年文件") -> str:
    made = client.post(
        "/hand-ins/new",
        data={
            "csrf_token": token_on(client.get("/hand-ins/new").text), "name": name, "level": "1",
            "category": str(house.category.id), "department": str(office_of(house)),
        },
    )  # fmt: skip
    assert made.status_code == 303, made.text
    return made.location.rsplit("/", 1)[1]


def office_of(house: WebHouse) -> UUID:
    with house.services.db.reading() as session:
        return session.scalars(select(Department.id).where(Department.code == "OFFICE")).one()


def lines(house: WebHouse, key: str) -> list[HandInLine]:
    with house.services.db.reading() as session:
        query = select(HandInLine).where(HandInLine.batch_id == UUID(key)).order_by(HandInLine.position)
        return list(session.scalars(query))


def a_handed_batch(house: WebHouse, clerk: FlaskClient, name: str = "上半年文件") -> str:
    key = open_batch(house, clerk, name)
    added = post(clerk, f"/hand-ins/{key}/pasted", pasted=TABLE, version=version(house, key))
    assert "电梯维保合同" in added
    assert "批次已移交" in post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    return key


def pass_line(house: WebHouse, archivist: FlaskClient, key: str, at: int, **more: object) -> str:
    ticks = {"arrived": "1", "pages_agree": "1", "readable": "1", "labelled": "1"}
    line = lines(house, key)[at]
    return post(archivist, f"/hand-ins/{key}/check", line=str(line.id), **{**ticks, "act": "pass", **more})


def test_a_batch_goes_from_list_to_signed_forms_with_a_line_mended(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    key = a_handed_batch(house, clerk)
    assert "个批次等您处理" in archivist.get("/").text
    assert pass_line(house, archivist, key, 0, scan="a1").startswith("200")  # a label, written otherwise
    assert "2. A-2" in archivist.get(f"/hand-ins/{key}/check").text
    failed = pass_line(house, archivist, key, 1, readable="", words="光盘读不出")
    assert "不合格" in failed
    assert "没有这个标签" in pass_line(house, archivist, key, 2, scan="no such")
    assert "结束检查" not in archivist.get(f"/hand-ins/{key}/check").text
    pass_line(house, archivist, key, 2)
    report = post(archivist, f"/hand-ins/{key}/finish")
    assert "光盘读不出" in report
    assert "无法阅读" in clerk.get(f"/hand-ins/{key}/report").text
    pdf = clerk.get(f"/hand-ins/{key}/report.pdf")
    assert (pdf.status_code, pdf.data[:5]) == (200, b"%PDF-")
    mended = lines(house, key)[1]
    values = {"line": str(mended.id), "number": "A-2", "title": "验收单（已重刻）", "pages": "3", "copies": "1"}
    kept = post(clerk, f"/hand-ins/{key}/lines", version=version(house, key), carrier="disc", **values)
    assert "验收单（已重刻）" in kept
    post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    assert [each.round for each in lines(house, key)] == [1, 2, 1]
    pass_line(house, archivist, key, 1)
    assert "双方签字" in post(archivist, f"/hand-ins/{key}/finish")
    assert post(clerk, f"/hand-ins/{key}/sign/received", password=PASSWORD).startswith("403")
    assert "这不是您现在的密码" in post(clerk, f"/hand-ins/{key}/sign/handed", password="wrong")
    assert "您已签字" in post(clerk, f"/hand-ins/{key}/sign/handed", password=PASSWORD)
    assert "登记表已存档" in post(archivist, f"/hand-ins/{key}/sign/received", password=PASSWORD)
    shown = archivist.get(f"/hand-ins/{key}").text
    assert [name in shown for name in ("clerk某", "archivist某", "× 1 (A-2)")] == [True] * 3
    first = clerk.get(f"/hand-ins/{key}/register/handover_receipt.pdf").data
    assert first[:5] == b"%PDF-"
    assert archivist.get(f"/hand-ins/{key}/register/handover_receipt.pdf").data == first  # kept, not set again
    again = post(clerk, f"/hand-ins/{key}/lines", version=version(house, key), carrier="disc", **values)
    assert again.startswith("409")
    with house.services.db.reading() as session:
        assert session.get_one(HandIn, UUID(key)).state is HandInState.SIGNED
        records = [session.get_one(Record, each.record_id) for each in lines(house, key) if each.record_id]
        assert [each.title for each in records] == ["电梯维保合同", "验收单（已重刻）", "会议纪要"]
        assert [each.fields.get("document_number") for each in records] == ["A-1", "A-2", "A-3"]
        copies = session.scalars(select(Copy).where(Copy.record_id == records[0].id)).all()
        assert len(copies) == 2
        acts = set(session.scalars(select(LogEntry.act).where(LogEntry.act.startswith("handin."))))
    assert acts >= {f"handin.{each}" for each in ("open", "list", "hand_in", "check", "finish", "sign", "keep_form")}


def check_all(house: WebHouse, archivist: FlaskClient, key: str, fails: int | None = None) -> None:
    for at, line in enumerate(lines(house, key)):
        if line.state is LineState.HANDED_IN:
            pass_line(house, archivist, key, at, **({"readable": "", "words": "读不出"} if at == fails else {}))


def waits(house: WebHouse, login: str) -> int:
    with house.services.db.reading() as session:
        return house.services.hand_ins.looks.count(session, house.services.people.identity_of(login))


def test_who_checked_a_line_does_not_sign_for_those_who_hand_in(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    both, before = house.browser("both"), (waits(house, "both"), waits(house, "clerk"))
    key = a_handed_batch(house, clerk)
    check_all(house, both, key)
    post(archivist, f"/hand-ins/{key}/finish")  # whoever ends the check need not be who checked
    assert "以移交方签字" not in both.get(f"/hand-ins/{key}").text
    assert post(both, f"/hand-ins/{key}/sign/handed", password=PASSWORD).startswith("403")
    assert (waits(house, "both"), waits(house, "clerk")) == (before[0] + 1, before[1] + 1)
    post(both, f"/hand-ins/{key}/sign/received", password=PASSWORD)
    assert (waits(house, "both"), waits(house, "clerk")) == (before[0], before[1] + 1)
    post(clerk, f"/hand-ins/{key}/sign/handed", password=PASSWORD)
    assert waits(house, "clerk") == before[1]
    with house.services.db.reading() as session:
        assert session.get_one(HandIn, UUID(key)).state is HandInState.SIGNED


def test_who_handed_in_an_earlier_round_neither_checks_nor_receives(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    both = house.browser("both")
    key = open_batch(house, clerk)
    post(clerk, f"/hand-ins/{key}/pasted", pasted=TABLE, version=version(house, key))
    post(both, f"/hand-ins/{key}/hand-in", version=version(house, key))
    check_all(house, archivist, key, fails=1)
    post(archivist, f"/hand-ins/{key}/finish")
    assert "须由他人重新移交" in archivist.get(f"/hand-ins/{key}").text
    assert post(archivist, f"/hand-ins/{key}/hand-in", version=version(house, key)).startswith("403")
    post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    assert both.get(f"/hand-ins/{key}/check").status_code == 403
    assert pass_line(house, both, key, 1).startswith("403")
    check_all(house, archivist, key)
    assert post(both, f"/hand-ins/{key}/finish").startswith("403")
    post(archivist, f"/hand-ins/{key}/finish")
    assert post(both, f"/hand-ins/{key}/sign/received", password=PASSWORD).startswith("403")
    assert "您已签字" in post(both, f"/hand-ins/{key}/sign/handed", password=PASSWORD)


def test_a_batch_whose_lines_all_came_back_and_were_left_out_comes_to_its_end(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    key = open_batch(house, clerk)
    post(clerk, f"/hand-ins/{key}/pasted", pasted="E-1\t送错的箱子\n", version=version(house, key))
    post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    check_all(house, archivist, key, fails=0)
    post(archivist, f"/hand-ins/{key}/finish")
    (line,) = lines(house, key)
    post(clerk, f"/hand-ins/{key}/leave-out", line=str(line.id), version=version(house, key))
    assert "批次已移交" in post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    with house.services.db.writing() as work:
        row = work.session.get_one(HandIn, UUID(key))
        assert row.state is HandInState.CHECKED
        row.handed_at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # the next morning in Shanghai
        work.commit()
    batch = house.services.hand_ins.looks.show(house.services.people.identity_of("archivist"), UUID(key))
    with house.browser("archivist") as reader:
        reader.get("/account")
        (sheet,) = register_data(batch, "handover_receipt", words_now())["sheets"]
    assert sheet["filed"] == "2027-01-01"


def test_what_a_draft_said_when_it_passed_is_what_both_sign(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    record = house.a_record(title="签字时的题名", level=1, state=RecordState.PROVISIONAL, pages=5)
    key = open_batch(house, clerk)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.created_by, row.department_id = house.people["clerk"].id, office_of(house)
        work.commit()
    post(clerk, f"/hand-ins/{key}/drafts", record=str(record.id), version=version(house, key))
    post(clerk, f"/hand-ins/{key}/hand-in", version=version(house, key))
    check_all(house, archivist, key)
    post(archivist, f"/hand-ins/{key}/finish")
    post(clerk, f"/hand-ins/{key}/sign/handed", password=PASSWORD)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.title, row.pages, row.version = "后来的题名", 9, row.version + 1
        work.commit()
    shown = archivist.get(f"/hand-ins/{key}").text
    assert "签字时的题名" in shown
    assert "后来的题名" not in shown
    found = house.services.hand_ins.looks.show(house.services.people.identity_of("archivist"), UUID(key))
    assert (found.whole, found.lines[0].row.pages) == (True, 5)
    with house.services.db.writing() as work:  # a hand in the database: another title under the signature
        vault = house.services.vault
        line = work.session.get_one(HandInLine, found.lines[0].row.id)
        line.sealed = seal_lines(work.session, vault, UUID(key), [(line.id, LineFacts(title="换过的题名"))])[line.id]
        work.commit()
    assert not house.services.hand_ins.looks.show(house.services.people.identity_of("clerk"), UUID(key)).whole


def test_who_is_of_another_department_sees_no_batch(house: WebHouse, clerk: FlaskClient) -> None:
    key = a_handed_batch(house, clerk, "别人看不到的批次")
    outsider = house.browser("outsider")
    assert outsider.get(f"/hand-ins/{key}").status_code == 404
    assert outsider.get(f"/hand-ins/{UUID(int=5)}").data == outsider.get(f"/hand-ins/{key}").data
    assert "别人看不到的批次" not in outsider.get("/hand-ins").text
    assert "别人看不到的批次" in clerk.get("/hand-ins").text
    assert clerk.get(f"/hand-ins/{key}/check").status_code == 403
    assert house.browser("auditor").get(f"/hand-ins/{key}").status_code == 404


def test_a_line_of_a_record_that_one_may_not_read_tells_nothing(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    key = a_handed_batch(house, clerk)
    pass_line(house, archivist, key, 0)
    assert "电梯维保合同" in clerk.get(f"/hand-ins/{key}").text
    with house.services.db.writing() as work:
        record = work.session.get_one(Record, lines(house, key)[0].record_id)
        record.level_rank = 4
        work.commit()
    shown = clerk.get(f"/hand-ins/{key}").text
    assert "电梯维保合同" not in shown
    assert "您无权阅读" in shown
    assert "电梯维保合同" in archivist.get(f"/hand-ins/{key}").text
    with house.services.db.writing() as work:
        remove_records(work.session, [record.id])
        work.commit()
    for reader in (clerk, archivist):
        for path in (f"/hand-ins/{key}", f"/hand-ins/{key}/report"):
            reply = reader.get(path)
            assert reply.status_code == 200, path
            assert "电梯维保合同" not in reply.text
    assert "验收单" in clerk.get(f"/hand-ins/{key}").text


def drafts_offered(clerk: FlaskClient, key: UUID, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the drafts that are offered page by page; they are those of one long page."""

    def walked(most: int) -> list[str]:
        monkeypatch.setattr(hand_ins, "DRAFTS", most)
        path, found = f"/hand-ins/{key}/drafts", list[str]()
        while path:
            page = clerk.get(path).text
            assert len(found) < 1_000, "it does not end"
            found += re.findall(r'name="record" value="([^"]+)"', page)
            more = re.search(r'href="(/hand-ins/[^"]+/drafts\?after=[^"]+)"', page)
            path = more[1] if more else ""
        return found

    found = walked(1)
    assert found == walked(1_000)
    assert len(found) > 1
    return found


def test_lines_come_typed_from_a_spreadsheet_and_from_drafts(
    house: WebHouse, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = open_batch(house, clerk)
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for down, row in enumerate([["题名", "编号", "页数"], ["巡检表", "S-1", "4"], ["台账", "S-2", "x"]]):
        for at, cell in enumerate(row):
            sheet.write_string(down, at, cell)
    book.close()
    bad = post(clerk, f"/hand-ins/{key}/sheet", file=(BytesIO(out.getvalue()), "a.xlsx"), version=version(house, key))
    assert "第 2 条" in bad
    values = {"category": str(house.category.id), "title": "扫描件一", "drawn_up": "2024-05", "level": "1"}
    (draft,) = set(
        re.findall(
            r"/records/([0-9a-f-]{36})/files", post(clerk, "/records", department=str(office_of(house)), **values)
        )
    )
    post(clerk, "/records", department=str(office_of(house)), **values | {"title": "扫描件二"})
    assert "扫描件一" in clerk.get(f"/hand-ins/{key}/drafts").text
    assert draft in drafts_offered(clerk, key, monkeypatch)
    assert "扫描件一" in post(clerk, f"/hand-ins/{key}/drafts", record=draft, version=version(house, key))
    typed = post(
        clerk, f"/hand-ins/{key}/lines", version=version(house, key), line=["", ""], number=["T-1", ""],
        title=["手写一", ""], drawn_up=["2024", ""], pages=["2", ""], copies=["1", "1"], carrier=["paper", "paper"],
        remarks=["", ""],
    )  # fmt: skip
    assert "手写一" in typed
    wrong = post(
        clerk, f"/hand-ins/{key}/lines", version=version(house, key), line="", number="T-2", title="手写二",
        drawn_up="2024-13", pages="x", copies="1", carrier="paper", remarks="",
    )  # fmt: skip
    assert wrong.startswith("422")
    assert "手写二" in wrong  # nothing typed is lost
    assert [each.record_id is not None for each in lines(house, key)] == [True, False]
    assert post(clerk, f"/hand-ins/{key}/drop", version=version(house, key)).startswith("200")
    assert clerk.get(f"/hand-ins/{key}").status_code == 404


def test_one_page_offers_as_many_drafts_as_a_list_takes(house: WebHouse, clerk: FlaskClient) -> None:
    key, drafts = open_batch(house, clerk), set[str]()
    for at in range(120):
        drafts.add(str(house.a_record(title=f"成批草稿{at}", level=1).id))
    with house.services.db.writing() as work:
        for row in work.session.scalars(select(Record).where(Record.id.in_(list(map(UUID, drafts))))):
            row.state, row.created_by, row.department_id = (
                RecordState.PROVISIONAL, house.people["clerk"].id, office_of(house)
            )  # fmt: skip
        work.commit()
    page = clerk.get(f"/hand-ins/{key}/drafts").text
    assert drafts <= set(re.findall(r'name="record" value="([^"]+)"', page))
    put = post(clerk, f"/hand-ins/{key}/drafts", record=sorted(drafts), version=version(house, key))
    assert "120" in put.split("<main")[1]
    assert len(lines(house, key)) == 120
    post(clerk, f"/hand-ins/{key}/drop", version=version(house, key))
    with house.services.db.writing() as work:  # the lists of other trials stay short
        remove_records(work.session, list(map(UUID, drafts)))
        work.commit()


def test_a_draft_is_sent_back_and_filed_once_it_is_handed_in_again(
    house: WebHouse, clerk: FlaskClient, archivist: FlaskClient
) -> None:
    record = house.a_record(title="待补的草稿", level=1)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.state, row.created_by, row.term = row.state.PROVISIONAL, house.people["clerk"].id, "D10"
        row.drawn_up, row.drawn_from, row.drawn_to = "2024-01-01", row.created_at.date(), row.created_at.date()
        work.commit()
    at = f"/records/{record.id}"
    assert "缺第二页" in post(archivist, f"{at}/send-back", reason="缺第二页")
    assert "份草稿被退回" in clerk.get("/").text
    assert "缺第二页" in clerk.get("/sent-back").text
    assert "已退回" in post(archivist, "/records/file", record=str(record.id))
    assert "重新移交" in clerk.get(at).text
    post(clerk, f"{at}/hand-in-again")
    assert "没有您被退回" not in clerk.get("/sent-back").text
    assert "待补的草稿" not in clerk.get("/sent-back").text
    assert "Filed" not in post(archivist, "/records/file", record=str(record.id))
    with house.services.db.reading() as session:
        assert session.get_one(Record, record.id).archive_number
        row = session.scalars(select(SentBack).where(SentBack.record_id == record.id)).one()
        assert "缺第二页".encode() not in row.sealed


def test_every_draft_that_was_sent_back_is_reached_page_by_page(
    house: WebHouse, clerk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = house.services.people.identity_of("archivist")
    for title in ("退回甲", "退回乙", "退回丙"):
        record = house.a_record(title=title, level=1)
        with house.services.db.writing() as work:
            row = work.session.get_one(Record, record.id)
            row.state, row.created_by = row.state.PROVISIONAL, house.people["clerk"].id
            work.commit()
        house.services.sending_back.send(who, record.id, "缺页")
        house.clock.move(minutes=1)
    monkeypatch.setattr(sending_back, "PAGE", 1)
    path, seen = "/sent-back", list[str]()
    while path:
        page = clerk.get(path).text
        seen += re.findall("退回[甲乙丙]", page)
        more = re.search(r'href="(/sent-back\?after=[^"]+)">更多<', page)
        path = more[1] if more else ""
    assert seen == ["退回甲", "退回乙", "退回丙"], "the oldest first"
