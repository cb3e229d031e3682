"""Destructions at the pages: begun, looked through, taken back; the register and its forms; absent to who may not."""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from flask import url_for
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select, update

from archive.ids import new_id
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    CategorySchedule,
    Copy,
    DestroyedRecord,
    Destruction,
    DestructionDuty,
    DestructionItem,
    DestructionItemState,
    DestructionScan,
    DestructionState,
    DueState,
    Duty,
    Fonds,
    IssuedNumber,
    Medium,
    Record,
    RecordDue,
    RecordKind,
    RecordState,
    RetentionSchedule,
    ShelfKind,
    ShelfPlace,
    Verdict,
)
from retention.destroying.running import lines_of
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def post(house: WebHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def given_up(house: WebHouse, *titles: str) -> list[UUID]:
    """Make filed records that are due, and of which an appraisal said that they may go."""
    ids = [house.a_record(title=title, drawn_up="2010").id for title in titles]
    who = house.services.people.identity_of("archivist").person_id
    with house.services.db.writing() as work:
        now, key = house.services.clock.now(), new_id()
        work.session.add(
            Appraisal(
                id=key, number="JD1", purpose="到期鉴定", state=AppraisalState.CLOSED, begun_by=who, begun_at=now,
                closed_at=now,
            )
        )  # fmt: skip
        work.session.flush()
        for each in ids:
            work.session.merge(RecordDue(record_id=each, state=DueState.DATED, due=date(2021, 1, 1)))
            work.session.add(
                AppraisalItem(
                    appraisal_id=key,
                    record_id=each,
                    position=1,
                    number="1",
                    due=date(2021, 1, 1),
                    verdict=Verdict.DESTROY,
                )
            )
        work.commit()
    return ids


def begun(house: WebHouse) -> UUID:
    status, page = post(house, "archivist", "/destructions/new", purpose="到期合同销毁", method="shredding")
    assert status == 200, page
    with house.services.db.reading() as session:
        return session.scalars(select(Destruction.id).order_by(Destruction.begun_at.desc())).first() or UUID(int=0)


def test_a_list_is_begun_looked_through_and_taken_back(house: WebHouse) -> None:
    given_up(house, "旧合同甲", "旧合同乙")
    key = begun(house)
    at = f"/destructions/{key}"
    page = house.browser("archivist").get(at).text
    assert "旧合同甲" in page
    assert "旧合同乙" in page
    for name in ("ask", "appoint", "change", "withdraw", "leave-out", "attach"):
        assert f"{at}/{name}" in page, name
    for name in ("decide", "confirm", "scan", "run"):
        assert f'{at}/{name}"' not in page, name
    assert post(house, "archivist", f"{at}/nothing")[0] == 404
    status, page = post(house, "archivist", f"{at}/ask", reason="")
    assert status in {422, 400}
    status, page = post(house, "archivist", f"{at}/run", number="x", password="wrong")
    assert status in {403, 409}
    status, page = post(house, "archivist", f"{at}/withdraw", reason="暂缓")
    assert status == 200
    with house.services.db.reading() as session:
        assert session.get_one(Destruction, key).state is DestructionState.WITHDRAWN


def test_its_method_is_said_by_a_person_and_one_that_fits_nothing_on_the_list_is_told(house: WebHouse) -> None:
    given_up(house, "旧合同甲")
    with house.services.db.writing() as work:
        work.session.execute(update(Record).values(medium=Medium.PAPER))
        work.commit()
    assert post(house, "archivist", "/destructions/new", purpose="销毁")[0] == 422
    at = f"/destructions/{begun(house)}"
    assert "不实的方式" not in house.browser("archivist").get(at).text, "paper is shredded"
    with house.services.db.writing() as work:
        work.session.execute(update(Record).values(medium=Medium.ELECTRONIC))
        work.commit()
    assert "不实的方式" in house.browser("archivist").get(at).text


def test_it_is_absent_to_who_has_no_part_in_it(house: WebHouse) -> None:
    given_up(house, "旧合同甲")
    key = begun(house)
    staff = house.browser("staff")
    hidden, absent = staff.get(f"/destructions/{key}"), staff.get(f"/destructions/{new_id()}")
    assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text) == (404, absent.text)
    assert "XH" not in staff.get("/destructions").text
    assert staff.get("/destroyed").status_code == 403
    assert staff.get("/destructions/new").status_code == 403
    assert post(house, "staff", "/destructions/new", purpose="销毁", method="shredding")[0] == 403


def test_what_a_scan_counted_is_said_of_a_paper_and_of_a_box(house: WebHouse) -> None:
    mine, other = given_up(house, "旧合同甲")[0], house.a_record(title="别的合同").id
    key = begun(house)
    with house.services.db.writing() as work:
        session, box = work.session, ShelfPlace(id=new_id(), kind=ShelfKind.BOX, code="1", path="K1-1-1-1", strength=4)
        session.add(box)
        session.flush()
        for record in (mine, other):
            session.add(Copy(record_id=record, number=1, place_id=box.id, created_at=house.clock.now()))
        session.execute(update(Record).where(Record.id == mine).values(medium=Medium.PAPER))
        who = house.services.people.identity_of("staff").person_id
        session.add(DestructionDuty(id=new_id(), destruction_id=key, duty=Duty.WITNESS, person_id=who))
        session.get_one(Destruction, key).state = DestructionState.CONFIRMED
        work.commit()

    def said(label: str) -> str:
        return post(house, "staff", f"/destructions/{key}/scan", label=label)[1]

    assert "尚待扫描：1 份" in house.browser("staff").get(f"/destructions/{key}").text
    assert "k1-1-1-1：已清点 1 份，另有 1 份不在清单上" in said("k1-1-1-1")
    assert "K1-1-1-1：已清点 0 份，另有 1 份不在清单上" in said("K1-1-1-1"), "the box itself is not what is taken out"
    assert "不是本单位的标签" in said("WY-0")
    opened = house.browser("staff").get(f"/destructions/{key}")
    assert ("data-camera" in opened.text, "camera=(self)" in opened.headers["Permissions-Policy"]) == (True, True)
    closed = house.browser("archivist").get(f"/destructions/{key}")
    assert ("data-camera" in closed.text, "camera=()" in closed.headers["Permissions-Policy"]) == (False, True)
    with house.services.db.reading() as session:
        assert len(session.scalars(select(DestructionScan)).all()) == 2, "a foreign code is told, and noted nowhere"


def test_the_square_code_of_a_record_counts_and_stops_the_count_as_its_bars_do(house: WebHouse) -> None:
    mine, other = given_up(house, "旧合同甲")[0], house.a_record(title="别的合同").id
    key = begun(house)
    given = {mine: "WYH·2024-D30-0001", other: "WYH·2024-D30-0002"}
    with house.services.db.writing() as work:
        session = work.session
        for record, number in given.items():
            session.add(Copy(record_id=record, number=1, created_at=house.clock.now()))
            session.add(IssuedNumber(fonds_id=house.category.fonds_id, number=number, record_id=record))
            session.execute(update(Record).where(Record.id == record).values(archive_number=number))
        session.execute(update(Record).where(Record.id == mine).values(medium=Medium.PAPER))
        who = house.services.people.identity_of("staff").person_id
        session.add(DestructionDuty(id=new_id(), destruction_id=key, duty=Duty.WITNESS, person_id=who))
        session.get_one(Destruction, key).state = DestructionState.CONFIRMED
        fonds = session.get_one(Fonds, house.category.fonds_id).code
        work.commit()
    with house.app.test_request_context(base_url="https://dangan.local"):
        stays, goes, gone = (
            url_for("records.by_number", n=f"{fonds}:{number}", copy=copy, _external=True)
            for number, copy in ((given[other], None), (given[mine], 1), ("XH-0", None))
        )

    def said(label: str) -> str:
        return post(house, "staff", f"/destructions/{key}/scan", label=label)[1]

    for label in (stays, gone):
        assert "不在清单上，请从待销毁堆中取出" in said(label)
    assert "已清点 1 份" in said(goes)
    assert "此前已清点" in said(given[mine])
    assert "不是本单位的标签" in said("https://example.org/number")
    assert re.findall(r'scan-said ([a-z-]+)"', said(stays)) == ["scan-fault"]
    for label, kind in (("WY-0", "scan-fault"), (given[mine], "scan-done")):
        page = said(label)
        assert re.findall(r'scan-said ([a-z-]+)"', page) == [kind], label
        assert page.count(f"{label}：") == 1, "it is said once, beside the field"
    with house.services.db.reading() as session:
        assert len(session.scalars(select(DestructionScan)).all()) == 3, "two to be taken out, one counted"


def test_what_paper_weighs_is_noted_at_the_page_and_by_rest_beside_what_was_agreed_to(house: WebHouse) -> None:
    given_up(house, "旧合同甲")
    key = begun(house)
    at = f"/destructions/{key}"
    assert f"{at}/weigh" not in house.browser("archivist").get(at).text, "nobody knows it yet"
    with house.services.db.writing() as work:
        row = work.session.get_one(Destruction, key)
        row.state, row.weight = DestructionState.CONFIRMED, "约 1 t"
        work.commit()
    page = house.browser("archivist").get(at).text
    assert (f"{at}/weigh" in page, "请撤回后重新申请" in page, "如由他人运走" in page) == (True, True, False)
    status, page = post(house, "archivist", f"{at}/weigh", version=row.version, weighed=" ")
    assert (status, "实际称重" in page) == (422, True)
    status, page = post(house, "archivist", f"{at}/weigh", version=row.version, weighed="1,260 kg", taken_by="京A12345")
    assert status == 200
    for words in ("约 1 t", "1,260 kg", "京A12345"):
        assert f"<dd>{words}</dd>" in page
    assert post(house, "archivist", f"{at}/weigh", version=row.version, weighed="2 t")[0] == 409
    assert post(house, "staff", f"{at}/weigh", version=row.version, weighed="2 t")[0] == 404
    picture = {"file": (BytesIO(b"%PDF-1.7 weighed"), "过磅单.pdf")}
    assert post(house, "archivist", f"{at}/attach", **picture)[0] == 200
    with house.services.db.writing() as work:
        row = work.session.get_one(Destruction, key)
        row.state, row.run_by, row.run_at = DestructionState.GONE, row.begun_by, house.clock.now()
        work.commit()
    page = house.browser("archivist").get(at).text
    assert (f"{at}/weigh" in page, "请撤回后重新申请" in page, "如由他人运走" in page) == (True, False, True)
    certificate = pypdfium2.PdfDocument(
        house.browser("archivist").get(f"/destroyed/{key}/destruction_certificate.pdf").data
    )
    told = "".join(certificate[0].get_textpage().get_text_bounded().split())
    for words in ("约1t", "1,260kg", "京A12345", "过磅单.pdf·SHA-256"):
        assert words in told, told


def test_the_register_is_a_page_a_pdf_and_a_spreadsheet(house: WebHouse) -> None:
    _lone, volumes, *inside = given_up(house, "旧合同甲", "合同三册", "其一", "其二", "其三")
    with house.services.db.writing() as work:
        change = update(Record)
        drawn: dict[str, Any] = {"drawn_from": date(2010, 1, 1), "drawn_to": date(2010, 12, 31), "term": "D10"}
        drawn["filed_at"] = house.services.clock.now()
        work.session.execute(change.values(**drawn))
        work.session.execute(change.where(Record.id == volumes).values(kind=RecordKind.DOSSIER))
        for at, each in enumerate(inside, 1):
            years = {"drawn_from": date(2007 + at, 1, 1), "drawn_to": date(2007 + at, 12, 31)}
            lies = {"dossier_id": volumes, "position": at, "volume": at}
            work.session.execute(change.where(Record.id == each).values(**lies, **years))
        rule = {"term": "D40", "trigger": "year_end", "start": "next_january", "action": "appraise", "exact": False}
        rule |= {"event": "", "fiscal_end": "12-31", "source": "本单位保管期限表"}
        work.session.add(
            RetentionSchedule(id=new_id(), code="forty", names={"zh_CN": "四十年"}, definition=rule, version=1)
        )
        work.session.flush()
        forty = select(RetentionSchedule.id).where(RetentionSchedule.code == "forty")
        work.session.add(CategorySchedule(category_id=house.category.id, schedule_id=work.session.scalars(forty).one()))
        work.commit()
    key = begun(house)
    acts = house.services.retention.destructions
    with house.services.db.writing() as work:
        session, now = work.session, house.services.clock.now()
        items = session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == key)).all()
        session.execute(insert(DestroyedRecord), lines_of(acts.running._means, session, key, items))
        number = DestroyedRecord.position == 1
        session.execute(update(DestroyedRecord).where(number).values(archive_number="WY01-HT·2010-D10-0001-003"))
        session.execute(
            update(DestroyedRecord).where(DestroyedRecord.dossier).values(archive_number="WY01-HT·2010-D10-0002")
        )
        for item in items:
            item.state, item.gone_at = DestructionItemState.GONE, now
        row = session.get_one(Destruction, key)
        row.state, row.run_by, row.run_at, row.gone_at = DestructionState.GONE, row.begun_by, now, now
        work.commit()
    archivist = house.browser("archivist")
    assert "旧合同甲" in archivist.get("/destroyed").text
    assert "旧合同甲" not in archivist.get("/destroyed?since=2030-1-1").text
    for form in ("destruction_register", "destruction_certificate", "electronic_destruction"):
        made = archivist.get(f"/destroyed/{key}/{form}.pdf")
        assert (made.status_code, made.data[:4]) == (200, b"%PDF"), form
    sheet = archivist.get(f"/destroyed/{key}/register.xlsx")
    [head, first, *more] = CalamineWorkbook.from_filelike(BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert head == [
        "序号", "题名", "卷号", "册数", "起止年度", "档号", "应保管期限", "已保管期限", "页数", "销毁时间", "备注",
    ]  # fmt: skip
    assert first[1:5] == ["旧合同甲", "", "1", "2010"]
    assert first[6] == "40 年", "the term that its schedule asked for, as that is longer than its own"
    assert str(first[9])[:4] == str(now.year)
    assert [line[1:5] for line in more] == [
        ["合同三册", "0002", "3", "2008–2010"],
        *(["其" + which, "", "", year] for which, year in (("一", "2008"), ("二", "2009"), ("三", "2010"))),
    ], "a dossier tells its volumes and the years of what lies in it"  # fmt: skip
    assert archivist.get(f"/destroyed/{key}/other.pdf").status_code == 404
    dossier = house.a_record(
        archive_number="WY01-HT·2010-D10-0001", state=RecordState.FILED, kind=RecordKind.DOSSIER, title="合同卷"
    )
    other = house.a_record(
        archive_number="WY01-HT·2010-D10-000", state=RecordState.FILED, kind=RecordKind.DOSSIER, title="另一卷"
    )
    for each, told in ((dossier, True), (other, False)):
        form = {"csrf_token": token_of(archivist), "form": "closing_note", "record": str(each.id), "language": "zh_CN"}
        note = archivist.post("/prints", data=form).data
        text = pypdfium2.PdfDocument(note)[0].get_textpage().get_text_bounded()
        assert (f"销毁：{first[5]}" in "".join(text.split())) is told
