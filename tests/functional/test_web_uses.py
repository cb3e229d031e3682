"""The use register: readers from outside, whose papers stay sealed, and loans from inside, in one list."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, func, select, update

from archive.loans.outside import ends_of, open_to_outside
from archive.log.writer import Log
from archive.model import (
    AttachedTo,
    Attachment,
    Copy,
    IssuedNumber,
    LogEntry,
    Medium,
    OutsideReader,
    OutsideUse,
    OwnerKey,
    Person,
    Record,
)
from archive.model.uses import OutsideUseRecord
from archive.purging import remove_records
from tests.factories import people as rights
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web import paging
from web.lending import readers

IDENTITY = "11010519491231002X"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def a_paper(house: WebHouse, title: str, level: int = 1) -> tuple[str, str]:
    record = house.a_record(title=title, level=level, medium=Medium.BOTH, pages=12)
    number = f"WY01-WYH·2024-D10-{record.id.hex[-6:].upper()}"
    with house.services.db.writing() as work:
        work.session.get_one(Record, record.id).archive_number = number
        work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        work.session.add(Copy(record_id=record.id, number=1, pages=12, created_at=rights.NOW))
        work.commit()
    return str(record.id), number


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    sent = {"csrf_token": token_of(client), **data}
    reply = client.post(path, data=sent, follow_redirects=True)
    return reply.status_code, reply.text


def visit(client: FlaskClient, numbers: str, **other: object) -> str:
    """Write down a reader from outside; return the address of the visit."""
    told = {
        "name": "赵来访", "paper": "resident", "paper_number": IDENTITY, "organisation": "市城建档案馆",
        "need": "核对竣工图", "numbers": numbers, "how": "read", **other,
    }  # fmt: skip
    status, page = post(client, "/loans/uses/new", **told)
    assert status == 200, page
    return "/loans/uses/" + re.findall(r"/loans/uses/([0-9a-f-]{36})/", page)[0]


def test_a_reader_from_outside_is_written_down_and_the_number_is_shown_only_when_asked_for(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "一号楼竣工图")
    at = visit(archivist, number, files=(BytesIO(PDF), "介绍信.pdf"))
    page = archivist.get(at).text
    assert "赵来访" in page
    assert "介绍信.pdf" in page
    assert IDENTITY not in page
    assert ends_of(IDENTITY) in page
    status, page = post(archivist, f"{at}/reveal")
    assert (status, IDENTITY in page) == (200, True)
    assert IDENTITY not in archivist.get("/loans/uses").text
    with house.services.db.reading() as session:
        assert session.scalars(select(OutsideUse.sealed)).first() is not None
        for sealed in session.scalars(select(OutsideUse.sealed)):
            assert IDENTITY.encode() not in sealed
            assert "赵来访".encode() not in sealed


def test_a_whole_number_finds_visits_and_a_part_of_it_none(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "二号楼竣工图")
    at = visit(archivist, number, name="钱来访")
    status, page = post(archivist, "/loans/uses/find", paper="resident", paper_number=IDENTITY.lower())
    assert (status, at in page) == (200, True)
    for part in (IDENTITY[:17], IDENTITY[:6], "", "*"):
        assert at not in post(archivist, "/loans/uses/find", paper="resident", paper_number=part)[1]
    assert at not in post(archivist, "/loans/uses/find", paper="passport", paper_number=IDENTITY)[1]


def test_nobody_else_learns_of_a_visit(house: WebHouse) -> None:
    archivist, staff, security = house.browser("archivist"), house.browser("staff"), house.browser("secrecy")
    _key, number = a_paper(house, "三号楼竣工图")
    at = visit(archivist, number)
    for other in (staff, security):
        assert other.get(at).status_code in {403, 404}
        assert other.get("/loans/uses").status_code == 403
        assert post(other, "/loans/uses/find", paper="resident", paper_number=IDENTITY)[0] == 403
        assert post(other, f"{at}/reveal")[0] in {403, 404}


def test_only_open_records_are_given_and_every_field_at_fault_is_named(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, upper = a_paper(house, "看得到但不对外的", level=2)
    told = {"name": "", "paper": "resident", "paper_number": "110105194912310021", "need": "", "numbers": ""}
    status, page = post(archivist, "/loans/uses/new", **told)
    assert status == 422
    for field in ("name", "paper_number", "need", "numbers"):
        assert f'href="#field-{field}"' in page
    told = {"name": "孙来访", "paper": "other", "paper_number": "军字第1号", "need": "查证", "numbers": upper}
    status, page = post(archivist, "/loans/uses/new", **told)
    assert (status, "孙来访" in page) == (422, True)
    status, page = post(archivist, "/loans/uses/new", **{**told, "numbers": "NO-SUCH-NUMBER"})
    assert status == 422
    with house.services.db.reading() as session:
        names = select(func.count(OutsideUseRecord.id)).join(Record, Record.id == OutsideUseRecord.record_id)
        assert session.scalar(names.where(Record.level_rank > 1)) == 0


def test_what_is_open_to_readers_from_outside_is_the_lowest_level_and_what_was_released() -> None:
    assert open_to_outside(1, 1, released=False, need_to_know=False)
    assert not open_to_outside(2, 1, released=False, need_to_know=False)
    assert open_to_outside(3, 1, released=True, need_to_know=False)
    assert not open_to_outside(1, 1, released=True, need_to_know=True)


def test_more_records_and_the_effect_are_added_and_a_stale_page_changes_nothing(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    (_one, first), (_two, second) = a_paper(house, "四号楼竣工图"), a_paper(house, "五号楼竣工图")
    at = visit(archivist, first)
    version = re.findall(r'name="version" value="(\d+)"', archivist.get(at).text)[0]
    status, page = post(archivist, f"{at}/records", numbers=second, how="copies", pages="3", need="复制立面图")
    assert (status, "五号楼竣工图" in page) == (200, True)
    assert post(archivist, f"{at}/records", numbers=second, how="read", need="再看")[0] == 422
    assert post(archivist, f"{at}/records", numbers="", how="read", need="再看")[0] == 422
    assert post(archivist, f"{at}/records", numbers=first, how="copies", pages="x", need="再看")[0] == 422
    status, page = post(archivist, f"{at}/effect", effect="避免重复测绘", version=version)
    assert status == 409
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    status, page = post(archivist, f"{at}/effect", effect="避免重复测绘", version=version)
    assert (status, page.count("避免重复测绘") >= 2) == (200, True)


def test_the_register_holds_loans_and_visits_alike_and_is_narrowed_and_taken_away(house: WebHouse) -> None:
    archivist, staff = house.browser("archivist"), house.browser("staff")
    lent, number = a_paper(house, "电梯维保合同")
    post(staff, f"/records/{lent}/borrow", form="out", purpose="work", reason="核对付款条款")
    request = re.findall(r"/loans/requests/([0-9a-f-]{36})", archivist.get("/loans/requests").text)[0]
    post(archivist, f"/loans/requests/{request}/decide", decision="approve")
    post(archivist, "/loans/counter", scan=number, person="staff")
    visit(archivist, number, name="周来访")
    page = archivist.get(f"/loans/uses?record={lent}").text
    assert page.count("电梯维保合同") == 2
    assert "<dt>利用次数</dt><dd>2</dd>" in archivist.get(f"/records/{lent}").text
    assert "周来访" in archivist.get(f"/loans/uses?came=outside&record={lent}").text
    assert "周来访" not in archivist.get(f"/loans/uses?came=inside&record={lent}").text
    assert "周来访" not in archivist.get("/loans/uses?until=2000-01-01").text
    assert "周来访" in archivist.get("/loans/uses?staff=archivist").text
    assert "周来访" not in archivist.get("/loans/uses?staff=nobody").text
    rows = CalamineWorkbook.from_filelike(BytesIO(archivist.get(f"/loans/uses/list.xlsx?record={lent}").data))
    names = {row[2] for row in rows.get_sheet_by_index(0).to_python()[1:]}
    assert "周来访" in names
    assert len(names) == 2
    assert IDENTITY not in str(names)


def test_with_its_last_record_a_visit_goes_wholly(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    (one, first), (two, second) = a_paper(house, "六号楼竣工图"), a_paper(house, "七号楼竣工图")
    at = visit(archivist, f"{first}\n{second}", files=(BytesIO(PDF), "介绍信.pdf"))
    key = at.rpartition("/")[2]
    for gone, left in ((one, 1), (two, 0)):
        with house.services.db.writing() as work:
            remove_records(work.session, [UUID(gone)])
            work.commit()
        with house.services.db.reading() as session:
            visits = session.scalars(select(OutsideUse.id)).all()
            owners = session.scalars(select(OwnerKey.owner_id)).all()
            letters = session.scalars(select(Attachment.subject_id).where(Attachment.about == AttachedTo.USE)).all()
        assert [str(each) for each in visits].count(key) == left
        assert [str(each) for each in owners].count(key) == left
        assert [str(each) for each in letters].count(key) == left


def test_the_log_names_no_reader(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    record, number = a_paper(house, "八号楼竣工图")
    visit(archivist, number, name="吴来访")
    page = archivist.get(f"/records/{record}/history").text
    assert "吴来访" not in page
    assert IDENTITY not in page
    with house.services.db.reading() as session:
        assert session.scalar(select(Person.id).where(Person.name == "吴来访")) is None


def test_a_reader_who_comes_again_is_found_and_not_typed_anew(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "九号楼竣工图")
    passport = "E12345678"
    at = visit(archivist, number, name="郑来访", paper="passport", paper_number=passport, contact="13800138000")
    for words in ("郑来访", "郑 来访", passport.lower()):
        status, page = post(archivist, "/loans/readers", words=words)
        assert (status, "郑来访" in page, passport in page) == (200, True, False)
    for part in ("郑来", passport[:8], "*", ""):
        assert "郑来访" not in post(archivist, "/loans/readers", words=part)[1]
    reader = re.findall(r"/loans/readers/([0-9a-f-]{36})", archivist.get(at).text)[0]
    form = archivist.get(f"/loans/uses/new?reader={reader}").text
    assert ("郑来访" in form, "13800138000" in form, passport in form) == (True, True, False)
    again = visit(
        archivist, number, name="郑来访", paper="passport", paper_number="", organisation="新单位", reader=reader
    )
    page = archivist.get(f"/loans/readers/{reader}").text
    assert (at in page, again in page, "新单位" in page, passport in page) == (True, True, True, False)
    status, page = post(archivist, f"/loans/readers/{reader}/reveal")
    assert (status, passport in page) == (200, True)
    assert post(archivist, f"{again}/reveal")[1].count(passport) == 1
    for other in ("staff", "secrecy"):
        client = house.browser(other)
        assert client.get("/loans/readers").status_code == 403
        assert client.get(f"/loans/readers/{reader}").status_code == 403
        assert post(client, f"/loans/readers/{reader}/erase")[0] == 403
    with house.services.db.reading() as session:
        entries = session.scalars(select(OutsideReader)).all()
        assert {passport.encode() in each.sealed for each in entries} == {False}
        assert {"郑来访".encode() in each.sealed for each in entries} == {False}


def noted_found(house: WebHouse) -> list[int]:
    """Return what the log says how many readers each search found, in the order of the searches."""
    with house.services.db.reading() as session:
        asked = select(LogEntry).where(LogEntry.act == "outside.find_reader").order_by(LogEntry.at)
        bodies = Log(house.services.vault, house.clock).opened_many(session, session.scalars(asked).all())
    return [each["found"] for each in bodies if each]


def test_all_readers_of_one_name_are_found_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "十五号楼竣工图")
    for at in range(5):
        visit(archivist, number, name="王同名", paper="passport", paper_number=f"P9988776{at}")
    monkeypatch.setattr(readers, "PAGE", 2)
    behind: dict[str, str] = {}
    seen, pages, told_before = list[str](), 0, len(noted_found(house))
    while True:
        assert pages < 5, "it does not end"
        house.clock.move(minutes=1)
        page = post(archivist, "/loans/readers", words="王同名", **behind)[1]
        seen += re.findall(r'<a href="/loans/readers/([0-9a-f-]{36})">王同名', page)
        pages += 1
        more = re.search(r'name="words" value="王同名"><input type="hidden" name="after" value="([^"]+)"', page)
        if more is None:
            break
        behind = {"after": more[1]}
    assert (pages, len(seen), len(set(seen))) == (3, 5, 5)
    assert noted_found(house)[told_before:] == [2, 2, 1], "as many as each page showed"
    last = paging.told((datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0)))
    beyond = post(archivist, "/loans/readers", words="王同名", after=last)[1]
    assert ["王同名</a>" in beyond, "没有登记过" in beyond, "此处之后没有更多" in beyond] == [False, False, True]


def test_visits_from_before_the_register_come_into_it(house: WebHouse) -> None:
    archivist, sweep = house.browser("archivist"), house.services.lending.care.sweep
    told = {"paper": "passport", "paper_number": "G11223344"}
    old, new = (
        visit(archivist, a_paper(house, title)[1], name="周来访", contact=contact, **told)
        for title, contact in (("一号楼图", "旧地址"), ("二号楼图", "新地址"))
    )
    with house.services.db.writing() as work:
        work.session.execute(update(OutsideUse).values(reader_id=None))
        work.session.execute(delete(OutsideReader))
        work.commit()
    while sweep():
        pass
    readers = {re.findall(r"/loans/readers/([0-9a-f-]{36})", archivist.get(at).text)[0] for at in (old, new)}
    assert len(readers) == 1
    reader = UUID(readers.pop())
    page = archivist.get(f"/loans/readers/{reader}").text
    assert ("新地址" in page, "旧地址" in page.split("<main", 1)[1]) == (True, False)
    with house.services.db.reading() as session:
        came = session.scalars(select(OutsideUse.at).where(OutsideUse.reader_id == reader)).all()
        assert session.get_one(OutsideReader, reader).since == min(came)
        assert len(came) == 2


def test_an_erased_reader_leaves_visits_without_a_number(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "十号楼竣工图")
    told = {"paper": "passport", "paper_number": "G87654321", "contact": "上海路1号"}
    at = visit(archivist, number, name="冯来访", **told)
    reader = re.findall(r"/loans/readers/([0-9a-f-]{36})", archivist.get(at).text)[0]
    status, page = post(archivist, f"/loans/readers/{reader}/erase")
    assert (status, reader in page) == (200, False)
    page = archivist.get(at).text
    assert ("冯来访" in page, "上海路1号" in page, "G*******1" in page) == (True, False, False)
    assert "G87654321" not in post(archivist, f"{at}/reveal")[1]
    assert at not in post(archivist, "/loans/uses/find", paper="passport", paper_number="G87654321")[1]
    assert archivist.get(f"/loans/readers/{reader}").status_code == 404
    with house.services.db.reading() as session:
        assert session.scalar(select(OwnerKey.owner_id).where(OwnerKey.owner_id == UUID(reader))) is None


def test_who_has_not_come_for_as_long_as_the_house_says_is_erased_by_itself(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "十一号楼竣工图")
    keys = {}
    for name, paper, days in (("沈来访", "P1", 1096), ("韩来访", "P2", 1094)):
        page = archivist.get(visit(archivist, number, name=name, paper="other", paper_number=paper)).text
        keys[name] = UUID(re.findall(r"/loans/readers/([0-9a-f-]{36})", page)[0])
        with house.services.db.writing() as work:
            row = work.session.get_one(OutsideReader, keys[name])
            row.last_at -= timedelta(days=days)
            work.commit()
    house.services.lending.care.sweep()
    with house.services.db.reading() as session:
        left = set(session.scalars(select(OutsideReader.id)))
    assert (keys["沈来访"] in left, keys["韩来访"] in left) == (False, True)


def test_every_visit_of_a_reader_is_reached_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    archivist = house.browser("archivist")
    _key, number = a_paper(house, "十二号楼竣工图")
    told = {"name": "常来访", "paper": "passport", "paper_number": "G70605040"}
    made = []
    for _ in range(3):
        made.append(visit(archivist, number, **told))
        house.clock.move(minutes=1)
    reader = re.findall(r"/loans/readers/([0-9a-f-]{36})", archivist.get(made[0]).text)[0]
    monkeypatch.setattr(readers, "PAGE", 1)
    path, seen = f"/loans/readers/{reader}", list[str]()
    while path:
        page = archivist.get(path).text
        seen += re.findall(r'href="(/loans/uses/[0-9a-f-]{36})"', page)
        more = re.search(rf'href="(/loans/readers/{reader}\?after=[^"]+)">', page)
        path = more[1] if more else ""
    assert seen == made[::-1], "the latest first"
