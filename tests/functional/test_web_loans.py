"""Borrowing at the pages: asked for in one line, decided, handed out and taken back by scans, printed and exported."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from archive.approving.routes import SHIPPED
from archive.identity import Role, system
from archive.model import Copy, Harm, IssuedNumber, Loan, Medium, Person, Record, RecordKind
from tests.factories import people as rights
from tests.factories.api_house import an_api_house
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from web.lending import counter, register


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        key = made.services.people.add_person(
            system("set-up"), login="archivist2", name="第二位档案员", password=PASSWORD, roles=[Role.ARCHIVIST]
        )
        with made.services.db.writing() as work:
            person = work.session.get_one(Person, key)
            person.clearance = 2
            rights.grants(work.session, person, fonds=made.category.fonds_id)
            work.commit()
        yield made


def paper(house: WebHouse, title: str = "电梯维保合同", level: int = 1) -> tuple[str, str]:
    """Make a filed record on paper; return its id and number."""
    record = house.a_record(title=title, level=level, medium=Medium.BOTH, pages=12)
    with house.services.db.writing() as work:
        serial = len(work.session.scalars(select(IssuedNumber.number)).all()) + 1
        number = f"WY01-WYH·2024-D10-{serial:04}"
        work.session.get_one(Record, record.id).archive_number = number
        work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        work.session.add(Copy(record_id=record.id, number=1, pages=12, created_at=rights.NOW))
        work.commit()
    return str(record.id), number


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def ask(client: FlaskClient, record: str, **more: str) -> str:
    values = {"form": "out", "purpose": "work", "reason": "核对付款条款", **more}
    status, page = post(client, f"/records/{record}/borrow", **values)
    assert status == 200, page
    return re.findall(r"/loans/requests/([0-9a-f-]{36})/withdraw", page)[0]


def scan(client: FlaskClient, text: str, **more: str) -> tuple[int, str]:
    return post(client, "/loans/counter", scan=text, **more)


def test_one_line_of_text_asks_scans_alone_hand_out_and_take_back(house: WebHouse) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    record, number = paper(house)
    page = staff.get(f"/records/{record}").text
    assert f"/records/{record}/borrow" in page
    offered = staff.get(f"/records/{record}/borrow").text
    assert "纸质档案在架" in offered
    needed = re.findall(r'<(?:input|textarea)[^>]* name="([a-z]+)"[^>]* required', offered)
    assert needed == ["reason"]
    request = ask(staff, record)
    assert "核对付款条款" in archivist.get(f"/loans/requests/{request}").text
    assert "项借阅待审批" in archivist.get("/").text
    status, page = post(archivist, f"/loans/requests/{request}/decide", decision="approve")
    assert (status, "已作出决定" in page) == (200, True)
    status, page = scan(archivist, "staff")
    slip = re.findall(r'name="slip" value="([0-9a-f-]{36})"', page)[0]
    assert number in page
    status, page = scan(archivist, number, person="staff", slip=slip)
    assert f"{number} → staff某" in page
    status, page = scan(archivist, number, person="staff", slip=slip)
    assert (status, "刚刚借出" in page) == (422, True), "a scan done twice takes nothing back"
    printed = archivist.get(f"/loans/slips/{slip}.pdf")
    assert printed.data.startswith(b"%PDF")
    assert "已借出" in staff.get("/loans").text
    assert "已借出，" in staff.get(f"/records/{record}/borrow").text
    status, page = scan(archivist, number, pages="10", words="缺两页")
    assert f"{number} ← staff某" in page
    assert "损坏报告" in page
    reports = archivist.get("/loans/reports").text
    assert "缺两页" in reports
    report = re.findall(r"/loans/reports/([0-9a-f-]{36})/settle", reports)[0]
    status, page = post(archivist, f"/loans/reports/{report}/settle", words="已补齐", cost="12.50")
    assert "¥12.50" in page
    loan = re.findall(r"/loans/([0-9a-f-]{36})/effect", staff.get("/loans").text)[0]
    assert post(staff, f"/loans/{loan}/effect", effect="厘清了付款节点")[0] == 200


def test_a_dossier_is_reached_by_its_label_and_borrowed_as_a_whole(house: WebHouse) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    record, number = paper(house, "工程案卷")
    item = house.a_record(title="卷内的图纸", medium=Medium.PAPER)
    with house.services.db.writing() as work:
        work.session.get_one(Record, UUID(record)).kind = RecordKind.DOSSIER
        inside = work.session.get_one(Record, item.id)
        inside.dossier_id, inside.position = UUID(record), 1
        work.commit()
    scanned = staff.get("/number", query_string={"n": number}, follow_redirects=True).text
    assert f"/records/{record}/borrow" in scanned
    request = ask(staff, record)
    assert post(archivist, f"/loans/requests/{request}/decide", decision="approve")[0] == 200
    assert f"{number} → staff某" in scan(archivist, number, person="staff")[1]
    assert "工程案卷" in staff.get("/loans").text
    assert f"{number} ← staff某" in scan(archivist, number)[1]


def test_the_counter_says_what_is_wrong_and_goes_on(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _record, number = paper(house)
    assert "先扫描人员" in scan(archivist, number)[1]
    assert scan(archivist, "nobody-of-this-name")[0] == 404
    wrong = scan(archivist, number, person="staff")[1]
    assert "没有批准给此人的纸质借阅" in wrong
    assert "请修改下列字段" not in wrong, "who scans has no form to go back to"


def test_what_is_described_is_found_by_the_archive_and_its_title_stays_hidden(house: WebHouse) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    record, number = paper(house, title="三号楼消防验收")
    values = {"sought": "去年三号楼消防的材料", "form": "out", "purpose": "audit", "reason": "配合检查"}
    status, page = post(staff, "/loans/describe", **values)
    assert status == 200
    request = re.findall(r"/loans/requests/([0-9a-f-]{36})/withdraw", page)[0]
    page = archivist.get("/loans/requests").text
    assert "去年三号楼消防的材料" in page
    assert post(archivist, f"/loans/requests/{request}/found", number="XX-0")[0] == 422
    status, page = post(archivist, f"/loans/requests/{request}/found", number=number)
    assert (status, "已找到档案" in page) == (200, True)
    assert record in page
    _other, secret = paper(house, title="绝密的题名", level=3)
    values["sought"] = "绝密的那份"
    request = re.findall(r"/loans/requests/([0-9a-f-]{36})/withdraw", post(staff, "/loans/describe", **values)[1])[0]
    status, page = post(archivist, f"/loans/requests/{request}/found", number=secret)
    assert (status, "涉密等级不够" in page) == (422, True)
    assert "绝密的题名" not in staff.get(f"/loans/requests/{request}").text


def test_strangers_see_neither_requests_nor_the_register(house: WebHouse) -> None:
    staff, clerk = house.browser("staff"), house.browser("clerk")
    request = ask(staff, paper(house)[0])
    assert clerk.get(f"/loans/requests/{request}").status_code == 404
    assert clerk.get("/loans/requests/00000000-0000-7000-8000-000000000000").status_code == 404
    for path in ("/loans/register", "/loans/counter", "/loans/reports"):
        assert clerk.get(path).status_code == 403
    assert staff.get("/house/routes").status_code == 403


def test_questions_come_back_and_a_request_is_taken_back(house: WebHouse) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    request = ask(staff, paper(house)[0])
    assert post(archivist, f"/loans/requests/{request}/decide", decision="refuse")[0] == 422
    assert post(archivist, f"/loans/requests/{request}/decide", decision="question", reason="原件还是复印件?")[0] == 200
    assert "项申请等您答复" in staff.get("/").text
    assert "答复已发送" in post(staff, f"/loans/requests/{request}/answer", reason="原件")[1]
    assert "申请已撤回" in post(staff, f"/loans/requests/{request}/withdraw")[1]
    assert post(archivist, f"/loans/requests/{request}/decide", decision="approve")[0] == 409


def test_the_register_goes_out_as_a_spreadsheet_and_a_pdf(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, number = paper(house, title="登记簿里的合同")
    ask(staff, record)
    with house.services.db.writing() as work:  # half past midnight where the house is, the day before by UTC
        asked = datetime(2024, 3, 4, 16, 30, tzinfo=UTC)
        work.session.execute(update(Loan).where(Loan.record_id == UUID(record)).values(asked_at=asked))
        work.commit()
    assert "登记簿里的合同" in archivist.get("/loans/register").text
    sent = archivist.get("/loans/register/list.xlsx?state=asked").data
    rows = CalamineWorkbook.from_filelike(BytesIO(sent)).get_sheet_by_index(0).to_python()
    assert any({number, "登记簿里的合同", "2024-03-05"} <= set(row) for row in rows)
    assert archivist.get("/loans/register/list.pdf").data.startswith(b"%PDF")


def test_the_register_says_who_decided_what_for_how_long_and_what_came_of_it(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, number = paper(house, title="登记簿里的全部栏目")
    request = ask(staff, record)
    post(archivist, f"/loans/requests/{request}/decide", decision="approve")
    scan(archivist, number, person="staff")
    loan = re.findall(r"/loans/([0-9a-f-]{36})/extend", staff.get("/loans").text)[0]
    post(staff, f"/loans/{loan}/extend")
    scan(archivist, number)
    assert post(staff, f"/loans/{loan}/effect", effect="避免了一次返工")[0] == 200
    sent = archivist.get(f"/loans/register/list.xlsx?record={record}").data
    head, line = CalamineWorkbook.from_filelike(BytesIO(sent)).get_sheet_by_index(0).to_python()
    row = dict(zip(head, line, strict=True))
    told = [row[each] for each in ("利用目的", "审批人", "续借", "利用效果", "经办人")]
    assert told == ["工作查考", "archivist某", "+7 天", "避免了一次返工", "archivist某"]
    assert "部门" in row
    words = "".join(
        page.extract_text()
        for page in PdfReader(BytesIO(archivist.get(f"/loans/register/list.pdf?record={record}").data)).pages
    ).replace("\n", "")
    for each in ("审批人", "经办人", "工作查考", "避免了一次返工"):
        assert each in words


def test_a_notice_to_return_names_what_was_called_back(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, number = paper(house, title="要催还的合同")
    request = ask(staff, record)
    post(archivist, f"/loans/requests/{request}/decide", decision="approve")
    scan(archivist, number, person="staff")
    at = "/loans/register/notices.pdf"
    assert archivist.get(at).status_code == 303  # nothing is overdue, nothing called back
    loan = re.findall(r"/loans/([0-9a-f-]{36})/recall", archivist.get("/loans/register?state=open").text)[0]
    post(archivist, f"/loans/{loan}/recall")
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(archivist.get(at).data)).pages)
    for each in ("催还单", number, "要催还的合同", "staff某", "回执"):
        assert each in words
    assert staff.get(at).status_code == 403


def test_the_overdue_list_goes_on_by_pages_and_notices_hold_the_longest_overdue(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    numbers = []
    for title in ("最早逾期", "其次逾期", "最近逾期"):
        record, number = paper(house, title=title)
        post(archivist, f"/loans/requests/{ask(staff, record)}/decide", decision="approve")
        scan(archivist, number, person="staff")
        numbers.append(number)
    with house.services.db.writing() as work:
        loans = select(Loan).where(Loan.state == "open").order_by(Loan.number.desc()).limit(3)
        for days, loan in enumerate(work.session.scalars(loans), 1):  # the first is overdue for longest
            loan.due_on = house.services.guard.day() - timedelta(days=days if days < 3 else 9)
        work.commit()
    monkeypatch.setattr(register, "PAGE", 1)
    monkeypatch.setattr(register, "MOST", 1)
    seen, at = [], "/loans/register?state=overdue"
    for _ in range(3):
        page = archivist.get(at).text
        seen += [each for each in numbers if each in page]
        more = re.search(r'href="(/loans/register\?[^"]*after=[^"]*)"', page)
        at = more[1].replace("&amp;", "&") if more else ""
    assert (seen, at) == (numbers, "")
    notices = archivist.get("/loans/register/notices.pdf").data
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(notices)).pages)
    assert [each in words for each in numbers] == [True, False, False]
    with house.services.db.writing() as work:
        late = update(Loan).where(Loan.due_on < house.services.guard.day())
        work.session.execute(late.values(due_on=house.services.guard.day()))
        work.commit()


def deciders(client: FlaskClient, number: str, kind: str = "loan") -> str:
    """Return what the simulator says of a record for which staff ask."""
    page = client.get(f"/house/routes?number={number}&borrower=staff&form=out&kind={kind}").text
    found = re.search(r'<div class="note" role="status">(.*?)</div>', page, re.DOTALL)
    return found[1] if found else ""


def change_routes(client: FlaskClient, source: str, *, late: int = 0) -> tuple[int, str]:
    """Change the routes as they stand, or as they stood ``late`` versions ago."""
    version = int(re.findall(r'name="version" value="([0-9]+)"', client.get("/house/routes").text)[0])
    return post(client, "/house/routes", source=source, reason="一律由保密员审批", version=str(version - late))


def test_routes_are_changed_checked_and_tried_out(house: WebHouse) -> None:
    secrecy, staff = house.browser("secrecy"), house.browser("staff")
    _record, number = paper(house)
    assert "archivist某" in deciders(secrecy, number)
    assert "secrecy某" not in deciders(secrecy, number)
    source = "format: 1\nroutes:\n  - steps:\n      - {who: ['role:secrecy_officer']}\n"
    assert change_routes(secrecy, source + " x")[0] == 422
    status, page = change_routes(secrecy, source)
    assert (status, "一律由保密员审批" in page) == (200, True)
    assert change_routes(secrecy, source, late=1)[0] == 409
    assert "secrecy某" in deciders(secrecy, number)
    request = ask(staff, paper(house)[0])
    assert request in house.browser("secrecy").get("/loans/requests").text
    assert request not in house.browser("archivist").get("/loans/requests").text
    assert change_routes(secrecy, SHIPPED)[0] == 200


CUSTODY_BY_SECRECY = """\
format: 1
routes:
  - for: [custody]
    steps:
      - {who: ['role:secrecy_officer']}
  - steps:
      - {who: ['role:archivist']}
"""


def test_a_custody_is_asked_for_asked_back_and_begun_at_the_pages(house: WebHouse) -> None:
    archivist, secrecy = house.browser("archivist"), house.browser("secrecy")
    _record, number = paper(house, title="片区业主档案")
    with house.services.db.writing() as work:
        staff = work.session.scalars(select(Person).where(Person.login == "staff")).one()
        rights.holds_post(work.session, staff, rights.a_post(work.session), rights.a_department(work.session))
        work.commit()
    assert change_routes(secrecy, CUSTODY_BY_SECRECY)[0] == 200
    kinds = ("loan", "custody", "circulation")
    by_secrecy = {kind: "secrecy某" in deciders(secrecy, number, kind) for kind in kinds}
    assert by_secrecy == {"loan": False, "custody": True, "circulation": False}

    at = {"number": number, "holder": "staff", "months": "6", "reason": "片区日常查用"}
    page = post(archivist, "/standing-custody", **at)[1]
    request = re.findall(r"/paper-requests/([0-9a-f-]{36})", page)[0]
    assert "件纸质档案发放待审批" in secrecy.get("/").text
    post(secrecy, f"/paper-requests/{request}/decide", decision="question", reason="为何长期留用？")
    assert "份受控发放或传阅申请等您答复" in archivist.get("/").text
    assert request in archivist.get("/paper-requests?own=1").text
    post(archivist, f"/paper-requests/{request}/answer", reason="每日接待业主")
    assert "份受控发放或传阅申请等您答复" not in archivist.get("/").text
    assert "每日接待业主" in secrecy.get(f"/paper-requests/{request}").text
    post(secrecy, f"/paper-requests/{request}/decide", decision="approve")
    assert number in archivist.get("/standing-custody").text
    assert "staff某" in post(archivist, "/loans/counter", scan="staff")[1]
    status, page = post(archivist, "/loans/counter", person="staff", scan=number, pages="5")
    assert (status, "已受控发放" in page) == (200, True)
    one = re.findall(r"/standing-custody/([0-9a-f-]{36})/slip.pdf", page)[0]
    assert archivist.get(f"/standing-custody/{one}/slip.pdf").data.startswith(b"%PDF")
    assert "在借阅台待领" not in archivist.get(f"/standing-custody/{one}").text
    status, page = post(archivist, "/loans/counter", scan=number, pages="4")
    assert (status, "受控发放后已收回" in page, "损坏报告" in page) == (200, True, True)
    assert change_routes(secrecy, SHIPPED)[0] == 200


def test_a_deputy_is_named_and_ended(house: WebHouse) -> None:
    archivist, other = house.browser("archivist"), house.browser("archivist2")
    first = house.services.guard.day()
    day = first.isoformat()
    status, page = post(archivist, "/loans/deputies", deputy="archivist2", since=day, until=first + timedelta(366))
    assert (status, "共 367 天，最多 366 天" in page, f'value="{first + timedelta(366)}"' in page) == (422, True, True)
    _status, page = post(archivist, "/loans/deputies", deputy="archivist2", since=day, until=day)
    assert "代理人已指定" in page
    assert "archivist某" in other.get("/loans/deputies").text
    key = re.findall(r"/loans/deputies/([0-9a-f-]{36})/end", page)[0]
    assert post(archivist, f"/loans/deputies/{key}/end")[0] == 200
    assert post(archivist, "/loans/deputies", deputy="archivist", since=day, until=day)[0] == 422


def test_programs_ask_look_decide_and_take_back(tmp_path: Path) -> None:
    with an_api_house(tmp_path) as programs:
        record, _number = paper(programs.web)
        body = {"purpose": "work", "reason": "核对条款", "form": "screen"}
        made = programs.ask("POST", f"/api/v1/records/{record}/loans", "staff", json=body)
        assert made.status_code == 201, made.json
        loan, request = made.json["loan"], made.json["request"]
        waiting = programs.get("/api/v1/requests", login="archivist").json["requests"]
        assert [each["request"] for each in waiting] == [request]
        decision = {"approve": True, "reason": "同意"}
        assert programs.ask("POST", f"/api/v1/requests/{request}/decision", "staff", json=decision).status_code == 403
        done = programs.ask("POST", f"/api/v1/requests/{request}/decision", "archivist", json=decision)
        assert (done.status_code, done.json["state"]) == (200, "approved")
        assert [each["state"] for each in programs.get("/api/v1/loans", login="staff").json["loans"]] == ["open"]
        extended = programs.ask("POST", f"/api/v1/loans/{loan}/extension", "staff")
        assert (extended.status_code, extended.json["extended"]) == (200, True)
        assert programs.ask("POST", f"/api/v1/loans/{loan}/withdrawal", "staff").status_code == 409
        sought = programs.ask("POST", "/api/v1/loans", "staff", json=body | {"sought": "去年的合同"})
        assert (sought.status_code, sought.json["record"]) == (201, None)
        taken = programs.ask("POST", f"/api/v1/loans/{sought.json['loan']}/withdrawal", "staff")
        assert taken.json["state"] == "withdrawn"
        assert programs.get(f"/api/v1/loans/{loan}", login="clerk").status_code in {403, 404}


def test_every_report_of_damage_is_reached_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, archivist = house.browser("staff"), house.browser("archivist")
    record, number = paper(house, "损坏多次的图纸")
    post(archivist, f"/loans/requests/{ask(staff, record)}/decide", decision="approve")
    scan(archivist, number, person="staff")
    reports, who = house.services.lending.reports, house.services.people.identity_of("archivist")
    with house.services.db.writing() as work:
        loan = work.session.scalars(select(Loan).where(Loan.record_id == UUID(record))).one()
        for words in ("破损之一", "破损之二", "破损之三"):
            key = reports.open(work.session, who, loan, loan.borrower_id, Harm.DAMAGED, words, None, None)
        work.commit()
    reports.settle(who, key, "已修复", None)
    monkeypatch.setattr(counter, "PAGE", 1)
    path, seen = "/loans/reports", list[str]()
    while path:
        page = archivist.get(path).text
        seen += re.findall("破损之.", page)
        more = re.search(r'href="(/loans/reports\?after=[^"]+)">更多<', page)
        path = more[1] if more else ""
    assert seen == ["破损之二", "破损之一", "破损之三"], "what is open first, then the newest"
