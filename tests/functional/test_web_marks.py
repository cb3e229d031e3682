"""Marked copies at the pages: who sees a file as it is, who a marked one, limits, the copy register, and tracing."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pypdf
import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, func, select

from archive.ids import new_id
from archive.loans import rules
from archive.model import (
    AccessGrant,
    Approval,
    Content,
    CopyMark,
    Loan,
    LogEntry,
    MarkKind,
    Medium,
    Person,
    ReadingRight,
    Record,
    RecordState,
    RuleBook,
)
from indexer.extract.tracing import number_in
from tests.factories.drawn import a_pdf, looked_at
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def kept(house: WebHouse, name: str, data: bytes) -> tuple[str, str]:
    """Take a file into a record and file that; return the record's and the content's id."""
    client = house.browser("archivist")
    token = token_of(client)
    values = {"category": str(house.category.id), "title": "电梯维保合同", "drawn_up": "2024", "level": "1"}
    page = client.post("/records", data={"csrf_token": token, **values}, follow_redirects=True).text
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", page))
    client.post(f"/records/{record}/files", data={"csrf_token": token, "files": (BytesIO(data), name)})
    house.read_texts()
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, UUID(record))
        row.state, row.archive_number, row.medium = RecordState.FILED, "WY01-WYH·2024-D10-0001", Medium.ELECTRONIC
        content = work.session.scalar(select(Content.id).where(Content.record_id == row.id))
        work.commit()
    return record, str(content)


def lent(house: WebHouse, record: str, *, copying: bool = False) -> UUID:
    """Have staff read a record by a loan alone; return the loan's id."""
    lending, people = house.services.lending, house.services.people
    staff, archivist = people.identity_of("staff"), people.identity_of("archivist")
    from archive.loans.asking import Wish
    from archive.model import LoanForm

    with house.services.db.writing() as work:
        work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == staff.person_id))
        work.commit()
    wish = Wish(form=LoanForm.SCREEN, purpose="work", words="核对条款", days=3, copying=copying, copies="留底")
    loan = lending.requests.describe(staff, "电梯的合同", wish)
    with house.services.db.writing() as work:  # found and approved, as test_loans has it done step by step
        row = work.session.get_one(Loan, loan)
        key = UUID(record)
        now = house.services.clock.now()
        right = ReadingRight(
            id=new_id(), record_id=key, person_id=staff.person_id, since=now, until=now + timedelta(days=3),
            copying=copying,
        )  # fmt: skip
        work.session.add(right)
        work.session.flush()
        row.record_id, row.right_id, row.state = key, right.id, "open"
        row.issued_on, row.due_on, row.copying = now.date(), now.date() + timedelta(days=3), copying
        work.session.get_one(Approval, row.approval_id).record_id = key
        work.commit()
    assert archivist.person_id
    return loan


def limited(house: WebHouse, **limits: int) -> None:
    source = rules.SHIPPED
    for name, value in limits.items():
        source = re.sub(rf"^  {name}: \d+", f"  {name}: {value}", source, flags=re.MULTILINE)
    who = house.services.people.identity_of("archivist")
    house.services.lending.books.keep(who, RuleBook.LOANS, source, "限额", version=0)


def picture(client: FlaskClient, content: str, page: int = 1) -> bytes:
    reply = client.get(f"/files/{content}/pages/{page}/picture")
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    return reply.data


def marks(house: WebHouse) -> list[CopyMark]:
    with house.services.db.reading() as session:
        return list(session.scalars(select(CopyMark).order_by(CopyMark.at, CopyMark.id)))


def upload(client: FlaskClient, name: str, data: bytes) -> tuple[int, str]:
    token = token_of(client)
    reply = client.post("/trace", data={"csrf_token": token, "file": (BytesIO(data), name)})
    return reply.status_code, reply.text


def test_a_borrower_sees_a_marked_page_that_can_be_traced_and_an_archivist_the_page_as_it_is(house: WebHouse) -> None:
    record, content = kept(house, "合同.pdf", a_pdf("甲方应当支付", "违约金若干"))
    loan = lent(house, record)
    staff = house.browser("staff")
    page = staff.get(f"/files/{content}/pages/1").text
    assert "1 / 500" in page or "500" in page
    shown = picture(staff, content)
    assert picture(staff, content) == shown, "the same mark for half an hour"
    (row,) = marks(house)
    assert (row.loan_id, row.kind, row.first, str(row.content_id)) == (loan, MarkKind.SEEN, 1, content)
    assert number_in(looked_at(shown)) == row.number
    plain = picture(house.browser("archivist"), content)
    assert number_in(looked_at(plain)) is None
    assert len(marks(house)) == 1
    assert staff.get(f"/files/{content}").status_code == 403, "only to be looked at"

    half = looked_at(shown)
    leak = io.BytesIO()
    half.resize((half.width // 2, half.height // 2)).save(leak, "JPEG", quality=60)
    status, told = upload(house.browser("security"), "leak.jpg", leak.getvalue())
    assert status == 200
    assert "(staff)" in told
    assert "WY01-WYH·2024-D10-0001" in told
    assert "电梯维保合同" not in told
    with house.services.db.reading() as session:
        traces = select(func.count(LogEntry.id)).where(LogEntry.act == "copy.trace", LogEntry.record_id == UUID(record))
        assert session.scalar(traces) == 1


def test_who_reads_without_a_loan_sees_a_mark_with_name_and_time(house: WebHouse) -> None:
    _record, content = kept(house, "合同.pdf", a_pdf("甲方应当支付"))
    shown = picture(house.browser("secrecy"), content)
    (row,) = marks(house)
    assert row.loan_id is None
    assert number_in(looked_at(shown)) == row.number


def test_limits_are_told_and_beyond_them_nothing_is_shown(house: WebHouse) -> None:
    record, content = kept(house, "合同.pdf", a_pdf("一", "二", "三"))
    limited(house, pages=2)
    loan = lent(house, record)
    staff = house.browser("staff")
    picture(staff, content, 1)
    picture(staff, content, 2)
    for path in ("pages/3/picture", "pages/3"):
        refused = staff.get(f"/files/{content}/{path}")
        assert refused.status_code == 403
        assert "2" in refused.text
    assert "三" not in staff.get(f"/files/{content}/pages/3").text
    picture(staff, content, 1)
    number = house.services.lending.looks.loan(house.services.people.identity_of("staff"), loan).loan.number
    assert number


def test_a_recall_ends_it_at_once(house: WebHouse) -> None:
    record, content = kept(house, "合同.pdf", a_pdf("一"))
    loan = lent(house, record)
    staff = house.browser("staff")
    picture(staff, content)
    house.services.lending.counter.recall(house.services.people.identity_of("archivist"), loan)
    assert staff.get(f"/files/{content}/pages/1/picture").status_code == 404
    assert staff.get(f"/files/{content}/pages/1").status_code == 404


def test_an_approved_copy_is_a_marked_pdf_in_the_register_and_is_compared(house: WebHouse) -> None:
    record, content = kept(house, "合同.pdf", a_pdf("一", "二", "三"))
    limited(house, copies=2)
    lent(house, record, copying=True)
    staff, people = house.browser("staff"), house.services.people
    token = people.issue_token(people.identity_of("staff"), "staff", "程序", 3)
    sent = house.app.test_client().get(f"/api/v1/files/{content}?first=3", headers={"Authorization": f"Bearer {token}"})
    assert (sent.status_code, len(pypdf.PdfReader(BytesIO(sent.data)).pages)) == (200, 1), "a program names pages too"
    assert f'action="/files/{content}"' in staff.get(f"/files/{content}/pages/1").text
    reply = staff.get(f"/files/{content}?first=2&last=3")
    assert reply.headers["Content-Type"] == "application/pdf"
    assert len(pypdf.PdfReader(BytesIO(reply.data)).pages) == 2
    [row] = [each for each in marks(house) if each.serial == 2]
    assert (row.kind, row.first, row.last) == (MarkKind.PAGES, 2, 3)
    status, told = upload(house.browser("security"), "leak.pdf", reply.data)
    assert (status, "(staff)" in told) == (200, True)
    assert staff.get(f"/files/{content}?first=1&last=1").status_code == 403, "two copies were allowed"

    archivist = house.browser("archivist")
    token = token_of(archivist)
    where = f"/loans/copies/{row.id}/compared"
    sent = {"csrf_token": token, "person": "archivist", "version": "1"}
    assert "archivist某" in archivist.post(where, data=sent, follow_redirects=True).text
    assert archivist.post(where, data=sent).status_code == 409
    assert archivist.post(where, data={**sent, "person": "nobody", "version": "2"}).status_code == 422
    book = CalamineWorkbook.from_filelike(BytesIO(archivist.get("/loans/copies/list.xlsx").data))
    rows = book.get_sheet_by_index(0).to_python()
    assert {each[1] for each in rows[1:]} == {"WY01-WYH·2024-D10-0001"}
    with house.services.db.reading() as session:
        acts = set(session.scalars(select(LogEntry.act)))
        assert {"copy.take", "copy.compare", "copy.export"} <= acts
        assert session.scalar(select(Person.name).where(Person.id == row.person_id)) == "staff某"


def test_a_file_without_pages_is_named_for_its_mark(house: WebHouse) -> None:
    _record, content = kept(house, "名单.txt", "张三\n".encode())
    reply = house.browser("secrecy").get(f"/files/{content}")
    assert reply.status_code == 200
    found = re.search(r"JK[0-9A-F]{10}", reply.headers["Content-Disposition"])
    assert found
    (row,) = marks(house)
    assert (row.kind, found[0]) == (MarkKind.FILE, f"JK{row.number:010X}")
    assert "(secrecy)" in upload(house.browser("security"), f"名单-{found[0]}.txt", reply.data)[1]
    assert "JK" not in house.browser("archivist").get(f"/files/{content}").headers["Content-Disposition"]


def test_tracing_and_the_register_are_absent_for_others(house: WebHouse) -> None:
    for login in ("staff", "archivist", "clerk"):
        client = house.browser(login)
        assert client.get("/trace").status_code == 403
        assert 'href="/trace"' not in client.get("/").text
    for login in ("staff", "security"):
        assert house.browser(login).get("/loans/copies").status_code == 403
    security = house.browser("security")
    assert 'href="/trace"' in security.get("/").text
    assert upload(security, "page.png", b"no picture")[0] == 200
    assert upload(security, "", b"")[0] == 422
