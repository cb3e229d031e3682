"""Borrowing many at once, papers that go along with a request, go round on a slip, or stay with a post; and figures."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from archive.identity import Role, system
from archive.model import AttachedTo, Attachment, Copy, IssuedNumber, Medium, Person, Record
from tests.factories import people as rights
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        for login, roles in (("keeper", [Role.STAFF]), ("keeper2", [Role.STAFF]), ("manager", [Role.APPROVER])):
            key = made.services.people.add_person(
                system("set-up"), login=login, name=f"{login}某", password=PASSWORD, roles=roles
            )
            with made.services.db.writing() as work:
                person = work.session.get_one(Person, key)
                person.clearance = 2
                rights.grants(work.session, person, fonds=made.category.fonds_id)
                work.commit()
        with made.services.db.writing() as work:
            session = work.session
            department = rights.a_department(session, "ESTATE")
            post, head = rights.a_post(session, "housekeeper"), rights.a_post(session, "estate_head")
            for login, held in (("keeper", post), ("keeper2", post), ("manager", head)):
                who = session.scalars(select(Person).where(Person.login == login)).one()
                rights.holds_post(session, who, held, department)
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


WISH = {"form": "out", "purpose": "work", "reason": "核对付款条款"}


def test_one_form_asks_for_all_that_was_laid_aside(house: WebHouse) -> None:
    staff = house.browser("staff")
    (one, first), (two, _second) = paper(house, "甲合同"), paper(house, "乙合同")
    house.a_record(title="别人看不到的", level=3)
    status, page = post(staff, "/loans/basket/add", record=[one, two], back="/search")
    assert (status, "2 份档案已在借阅篮" in page) == (200, True)
    page = staff.get("/loans/basket").text
    assert "甲合同" in page
    assert "乙合同" in page
    status, page = post(staff, "/loans/basket", **{**WISH, "purpose": "no"})
    assert status == 422
    status, page = post(staff, "/loans/basket", **{**WISH, f"form-{two}": "room"})
    assert (status, "已申请 2 项借阅" in page) == (200, True)
    assert "借阅篮是空的" in staff.get("/loans/basket").text
    post(staff, "/loans/basket/add", record=[one], back="/")
    status, page = post(staff, "/loans/basket", **WISH)
    assert (status, "已借给此人或已申请" in page) == (422, True)
    assert first in page
    post(staff, "/loans/basket/take-out")
    files = str(house.a_record(title="只有电子文件", medium=Medium.ELECTRONIC).id)
    post(staff, "/loans/basket/add", record=[files], back="/")
    choice = re.search(rf'name="form-{files}".*?</select>', staff.get("/loans/basket").text, re.DOTALL)
    assert choice
    assert re.findall(r'value="(\w*)"', choice[0]) == ["screen"], "the one way is chosen beforehand"
    post(staff, "/loans/basket/take-out")
    assert "借阅篮是空的" in staff.get("/loans/basket").text


def test_a_basket_takes_only_what_may_be_borrowed_and_tells_of_nothing_else(house: WebHouse) -> None:
    clerk = house.browser("clerk")
    secret, _number = paper(house, "看不到的题名", level=3)
    status, page = post(clerk, "/loans/basket/add", record=[secret], back="/")
    assert status == 200
    assert "看不到的题名" not in page
    assert "看不到的题名" not in clerk.get("/loans/basket").text
    assert post(clerk, "/loans/basket/add", record=["x"], back="/")[0] == 404


def test_documents_go_with_a_request_and_only_those_concerned_open_them(house: WebHouse) -> None:
    staff, archivist, clerk = house.browser("staff"), house.browser("archivist"), house.browser("clerk")
    record, _number = paper(house)
    bad = {**WISH, "files": (BytesIO(b"MZ\x90\x00" + bytes(200)), "坏.exe")}
    status, page = post(staff, f"/records/{record}/borrow", **bad)
    assert (status, "坏.exe" in page) == (422, True)
    with house.services.db.reading() as session:
        assert session.scalars(select(Attachment).where(Attachment.about == AttachedTo.REQUEST)).all() == []
    good = {**WISH, "files": (BytesIO(PNG), "介绍信.png")}
    status, page = post(staff, f"/records/{record}/borrow", **good)
    assert status == 200
    address = re.findall(r'/attachments/[0-9a-f-]{36}(?=")', page)[0]
    assert staff.get(address).data == PNG
    assert archivist.get(address).data == PNG
    assert clerk.get(address).status_code == 404
    request = re.findall(r"/loans/requests/([0-9a-f-]{36})/withdraw", page)[0]
    assert "介绍信.png" in archivist.get(f"/loans/requests/{request}").text
    post(staff, f"/attachments/requests/{request}", files=(BytesIO(PNG), "二.png"))
    assert "二.png" in archivist.get(f"/loans/requests/{request}").text
    post(archivist, f"/loans/requests/{request}/decide", decision="approve")
    post(archivist, "/loans/counter", scan=_number, person="staff")
    loan = re.findall(r"/attachments/loans/([0-9a-f-]{36})", archivist.get(f"/loans/requests/{request}").text)[0]
    post(archivist, f"/attachments/loans/{loan}", files=(BytesIO(PNG), "借出时.png"))
    assert "借出时.png" in staff.get(f"/loans/requests/{request}").text
    post(archivist, "/loans/counter", scan=_number, condition="damaged", words="撕破")
    reports = archivist.get("/loans/reports").text
    report = re.findall(r"/attachments/reports/([0-9a-f-]{36})", reports)[0]
    post(archivist, f"/attachments/reports/{report}", files=(BytesIO(PNG), "破损.png"))
    assert "破损.png" in archivist.get("/loans/reports").text


def test_a_paper_goes_round_and_each_signs_in_turn(house: WebHouse) -> None:
    archivist, staff, keeper = house.browser("archivist"), house.browser("staff"), house.browser("keeper")
    record, number = paper(house, "传阅的文件")
    day = house.services.guard.day() + timedelta(days=5)
    values = {"number": number, "purpose": "传阅", "scope": "全文，不得复制", "until": day.isoformat()}
    assert post(archivist, "/circulations/new", **values, receivers="nobody")[0] == 422
    status, page = post(archivist, "/circulations/new", **values, receivers="staff，keeper")
    assert status == 200, page
    slip = re.findall(r"/circulations/([0-9a-f-]{36})/slip.pdf", page)[0]
    assert "1 份" in staff.get("/").text or "传递单" in staff.get("/").text
    assert post(keeper, f"/circulations/{slip}/sign")[0] == 403
    assert post(staff, f"/circulations/{slip}/sign")[0] == 200
    assert "全文，不得复制" in keeper.get(f"/circulations/{slip}").text
    assert post(keeper, f"/circulations/{slip}/sign")[0] == 200
    assert "已借出，" in staff.get(f"/records/{record}/borrow").text, "it says until when, as of a loan"
    assert archivist.get(f"/circulations/{slip}/slip.pdf").data.startswith(b"%PDF")
    status, page = post(archivist, f"/circulations/{slip}/return", pages="11")
    assert (status, "与借出时不同" in page or "不符" in page) == (200, True)
    pdf = PdfReader(BytesIO(archivist.get(f"/circulations/{slip}/slip.pdf").data))
    words = "".join(page.extract_text() for page in pdf.pages)
    assert [each in words for each in ("流转目的", "全文，不得复制", day.isoformat(), "11")] == [True] * 4
    assert house.browser("clerk").get(f"/circulations/{slip}").status_code == 404


def test_a_post_keeps_a_paper_until_it_is_handed_over_under_a_signature(house: WebHouse) -> None:
    archivist, keeper, manager = house.browser("archivist"), house.browser("keeper"), house.browser("manager")
    record, number = paper(house, "一号楼业主资料")
    status, page = post(archivist, "/standing-custody", number=number, holder="keeper", months="6")
    assert (status, "keeper某" in page) == (200, True)
    one = re.findall(r"/standing-custody/([0-9a-f-]{36})", page)[0]
    assert "housekeeper" in house.browser("staff").get(f"/records/{record}/borrow").text
    assert post(keeper, f"/standing-custody/{one}/hand-over", holder="staff")[0] == 422
    assert post(keeper, f"/standing-custody/{one}/hand-over", holder="keeper2")[0] == 200
    assert post(keeper, f"/standing-custody/{one}/sign", password=PASSWORD)[0] == 403
    assert post(manager, f"/standing-custody/{one}/sign", password="wrong")[0] != 200
    assert post(manager, f"/standing-custody/{one}/sign", password=PASSWORD)[0] == 200
    page = archivist.get(f"/standing-custody/{one}").text
    assert "keeper2某" in page
    assert post(archivist, f"/standing-custody/{one}/check", pages="12", condition="good")[0] == 200
    wrong = post(archivist, f"/standing-custody/{one}/return", pages="十二")
    assert (wrong[0], 'id="fault-pages"' in wrong[1]) == (422, True)
    assert post(archivist, f"/standing-custody/{one}/return")[0] == 200
    assert keeper.get(f"/standing-custody/{one}").status_code == 404


def test_figures_count_what_someone_may_see(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    record, _number = paper(house)
    post(staff, f"/records/{record}/borrow", **WISH)
    page = archivist.get("/loans/statistics").text
    assert "工作查考" in page
    assert staff.get("/loans/statistics").status_code == 403
    assert archivist.get("/loans/statistics?since=2024-01-02&until=2024-01-01").status_code == 422
    book = CalamineWorkbook.from_filelike(BytesIO(archivist.get("/loans/statistics/list.xlsx").data))
    assert len(book.sheet_names) == 6
