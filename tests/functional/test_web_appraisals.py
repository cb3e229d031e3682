"""Appraisals, unsettled matters and the forecast at the pages, and as programs read them."""

import json
import re
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, select, update

from archive.errors import NotFound
from archive.identity import Role, system
from archive.ids import new_id
from archive.jobs.runner import JobRunner
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalLines,
    AppraisalOpinion,
    DestroyedRecord,
    Destruction,
    JobKind,
    Person,
    Record,
    RecordState,
    Stop,
    Verdict,
)
from retention.appraising.judging import Said, check_fits
from retention.last_check import stops
from tests.factories.people import grants
from tests.factories.retained import claimed
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from tests.fakes.clock import FixedClock
from web.retention import destructions


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        for login in ("first", "second"):
            made.services.people.add_person(
                system("set-up"), login=login, name=f"委员{login}", password=PASSWORD, roles=[Role.STAFF]
            )
        made.services.people.add_person(
            system("set-up"), login="approver", name="许可", password=PASSWORD, roles=[Role.APPROVER]
        )
        with made.services.db.writing() as work:
            for login, clearance in (("first", 2), ("second", 4), ("approver", 4)):
                person = work.session.scalars(select(Person).where(Person.login == login)).one()
                person.clearance = clearance
            grants(work.session, person, fonds=made.category.fonds_id)
            work.commit()
        assert post(made, "archivist", "/schedules/install")[0] == 200
        yield made


def post(house: WebHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def filed(house: WebHouse, title: str, year: str, **more: Any) -> UUID:
    record = house.a_record(title=title, state=RecordState.PROVISIONAL, drawn_up=year, **more)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.term = "D10"
        row.drawn_up = year
        row.drawn_from, row.drawn_to = (
            record.created_at.date().replace(int(year), m, d) for m, d in ((1, 1), (12, 31))
        )
        work.commit()
    [outcome] = house.services.filing.file(house.services.people.identity_of("archivist"), [record.id])
    assert outcome.reason is None
    return record.id


def begun(house: WebHouse) -> str:
    status, page = post(
        house, "archivist", "/appraisals/new", purpose="到期合同鉴定", panel="archivist, first second", chair="second"
    )
    assert status == 200, page
    found = re.search(r"/appraisals/([0-9a-f-]{36})/open", page)
    assert found, page
    return f"/appraisals/{found[1]}"


def act(house: WebHouse, login: str, path: str, **data: Any) -> str:
    """Do an act of opening, closing or withdrawing, and the job that follows."""
    with house.services.db.reading() as session:
        row = session.get_one(Appraisal, UUID(path.split("/")[2]))
    status, page = post(house, login, path, version=str(row.version), **data)
    assert status == 200, page
    house.services.retention.appraisals.conclude.run([claimed(row.id)])
    return page


def a_report_is_kept(house: WebHouse, at: str, old: UUID) -> None:
    """Print the report of a closed appraisal, and again after something has changed."""
    with house.services.db.reading() as session:
        numbers = [each.archive_number for each in session.scalars(select(Record).where(Record.archive_number != ""))]
        listed = session.scalars(select(AppraisalItem.number)).all()
    archivist, chair = house.browser("archivist"), house.browser("second")
    assert archivist.get(f"{at}/titles.pdf").data.startswith(b"%PDF")
    assert "尚未打印" in archivist.get(at).text
    with house.services.db.writing() as work:  # what was said goes with a record; the report was written at the close
        work.session.execute(delete(AppraisalOpinion))
        work.session.get_one(Record, old).drawn_up = "1999"
        work.commit()
    report = archivist.get(f"{at}/report.pdf")
    assert report.data.startswith(b"%PDF")
    assert chair.get(f"{at}/report.pdf").data == archivist.get(f"{at}/report.pdf").data == report.data
    told = sha256(report.data).hexdigest()
    assert told in archivist.get(at).text
    assert "鉴定意见书已留存" in house.browser("auditor").get("/log?act=appraisal.keep_report").text
    pages = [each.get_textpage().get_text_range() for each in pypdfium2.PdfDocument(BytesIO(report.data))]
    text = "".join("".join(pages).split())
    assert [each for each in ("2010", "委员first:销毁", "委员second:销毁") if each not in text] == [], text
    assert sum(str(each) in text for each in numbers) == len(listed) == 2, text
    assert not any(each in text for each in listed), "the registration number stands where there is no other alone"
    assert not any(each in text for each in ("旧合同", "绝不外露", "无保存价值", "1999"))
    assert house.browser("first").get(f"{at}/report.pdf").status_code == 404  # to whom not all of it is shown
    assert "report.pdf" not in house.browser("first").get(at).text
    assert house.browser("auditor").get(f"{at}/report.pdf").status_code == 404  # custody shows no category


def its_destruction_is_led_to(house: WebHouse, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leads, archivist = f"/destructions/new?appraisal={at.rpartition('/')[2]}", house.browser("archivist")
    assert leads in archivist.get(at).text
    monkeypatch.setattr(destructions, "OFFERED", 0)  # it is offered though there are newer ones than a list holds
    assert "到期合同鉴定</option>" in archivist.get(leads).text.split("selected>", 1)[1]
    assert leads not in house.browser("second").get(at).text


def it_is_asked_of_how_many_the_same_is_meant(house: WebHouse, at: str) -> None:
    page = post(house, "second", f"{at}/say", of="all", verdict="destroy", reason="同意")[1]
    told = [("全部", "2"), ("鉴定结论", "销毁"), ("理由", "同意")]
    assert re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page) == told
    fewer = post(house, "second", f"{at}/say", of="all", verdict="destroy", reason="同意", sure="1", about="1")
    assert ["又有变化" in page, fewer[0], "又有变化" in fewer[1]] == [False, 422, True], "asked of one, there are two"


def test_a_panel_judges_and_the_report_says_so_and_titles_show_to_those_who_may_see_them(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, secret = filed(house, "旧合同", "2010"), filed(house, "绝不外露", "2011", level=4)
    filed(house, "新合同", "2024")
    at = begun(house)
    shown = house.browser("archivist").get(at).text
    assert "旧合同" in shown
    assert "新合同" not in shown
    assert house.browser("first").get(at).status_code == 404  # not before it is opened to them
    act(house, "archivist", f"{at}/open")
    for login, sees in (("first", False), ("second", True)):
        page = house.browser(login).get(at).text
        assert "旧合同" in page
        assert ("绝不外露" in page) is sees
        assert "件待您鉴定" in house.browser(login).get("/").text
    assert house.browser("staff").get(at).status_code == 404
    officer = house.browser("auditor").get(at).text
    assert "旧合同" not in officer
    assert "2021-01-01" in officer
    status, page = post(house, "first", f"{at}/say", record=str(old), verdict="keep", reason="仍需查考")
    assert (status, "续存至" in page) == (422, True)
    assert post(house, "first", f"{at}/say", record=str(secret), verdict="destroy", reason="无")[0] == 404
    for login in ("first", "second"):
        assert post(house, login, f"{at}/say", record=str(old), verdict="destroy", reason="无保存价值")[0] == 200
    status, page = post(house, "second", f"{at}/say", of="all", verdict="destroy", reason="同意")
    assert "对全部提出" in page
    appraisals = house.services.retention.appraisals
    appraisals.say_all.at_once = 1
    it_is_asked_of_how_many_the_same_is_meant(house, at)
    status, page = post(house, "second", f"{at}/say", of="all", verdict="destroy", reason="同意", sure="1", about="2")
    assert (status, "2 件中已完成 0 件" in page, "对本筛选全部提出" in page) == (200, True, False)
    assert post(house, "second", f"{at}/close", version="3", sure="1")[0] == 409
    assert JobRunner(house.services.db, house.clock, [appraisals.say_all]).run(JobKind.SAY_ALL)
    page = house.browser("second").get(at).text
    assert ("已完成" in page, "对本筛选全部提出" in page) == (False, True)
    assert "结束鉴定" in post(house, "second", f"{at}/close", version="9")[1]
    act(house, "second", f"{at}/close", sure="1")
    page = house.browser("archivist").get(at).text
    assert "已结束" in page
    its_destruction_is_led_to(house, at, monkeypatch)
    a_report_is_kept(house, at, old)
    sheet = CalamineWorkbook.from_filelike(BytesIO(house.browser("archivist").get(f"{at}/report.xlsx").data))
    rows = sheet.get_sheet_by_index(0).to_python()
    with house.services.db.reading() as session:
        archive = session.get_one(Record, old).archive_number
    assert rows[1][1] == archive
    assert [(row[2], row[4]) for row in rows[1:]] == [("旧合同", "销毁"), ("绝不外露", "")]
    officer = CalamineWorkbook.from_filelike(BytesIO(house.browser("auditor").get(f"{at}/report.xlsx").data))
    lines = officer.get_sheet_by_index(0).to_python()
    assert "旧合同" not in str(lines)
    assert [str(line[1]).startswith("登记号 ") for line in lines[1:]] == [True, True]


def test_a_report_of_an_earlier_version_has_archive_numbers_of_what_is_gone_too(house: WebHouse) -> None:
    old = filed(house, "旧合同", "2010")
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    act(house, "second", f"{at}/close", sure="1")
    key, reports = UUID(at.rpartition("/")[2]), house.services.retention.appraisals.reports
    archivist = house.services.people.identity_of("archivist")
    with house.services.db.writing() as work:
        lines = work.session.get_one(AppraisalLines, key)
        plain = json.loads(lines.lines)
        archive = [each.pop("archive") for each in plain]
        lines.lines = json.dumps(plain).encode()
        work.commit()
    assert [each.archive for each in reports.lines(archivist, key)] == archive
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, old)
        assert archive == [row.archive_number]
        work.session.execute(update(AppraisalItem).values(record_id=(gone := new_id())))
        destruction = Destruction(
            id=new_id(),
            number="XH1",
            purpose="x",
            begun_by=archivist.person_id,
            begun_at=house.clock.now(),
        )
        work.session.add(destruction)
        work.session.flush()
        work.session.add(
            DestroyedRecord(
                destruction_id=destruction.id, record_id=gone, position=1, fonds="F", category="C", level_rank=1,
                registration_number="R1", archive_number="已销毁的档号", sealed=b"", neutral=True,
                due=date(2021, 1, 1), term="D10", kept_years=10, medium="paper", files=0, bytes=0,
            )
        )  # fmt: skip
        work.commit()
    assert [each.archive for each in reports.lines(archivist, key)] == ["已销毁的档号"]
    assert "已销毁的档号" in house.browser("archivist").get(at).text
    auditor = house.services.people.identity_of("auditor")
    assert [each.archive for each in reports.lines(auditor, key)] == ["已销毁的档号"]
    for login in ("security", "system"):  # what officers find in the register by its registration number alone
        with pytest.raises(NotFound):
            reports.lines(house.services.people.identity_of(login), key)


def test_the_chair_asks_outside_the_panel_and_the_answer_stands_in_list_and_report(house: WebHouse) -> None:
    old = filed(house, "旧合同", "2010")
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    assert "小组外人员" in house.browser("second").get(at).text
    assert "小组外人员" not in house.browser("first").get(at).text, "the chair alone asks"
    assert 'name="question"' not in house.browser("second").get(at).text, "Enter in it would say the opinion"
    asking = post(house, "second", f"{at}/ask", record=str(old), verdict="destroy", reason="无用")[1]
    assert (f'name="records" value="{old}"' in asking, 'name="question"' in asking) == (True, True)
    status, page = post(house, "second", f"{at}/ask")
    assert (status, f'value="{old}"' in page, 'name="question"' in page) == (422, True, False), "nothing was ticked"
    wrong = post(house, "second", f"{at}/ask", record=str(old), person="first", question="还用吗？")
    assert (wrong[0], "是鉴定小组成员" in wrong[1], "还用吗？" in wrong[1]) == (422, True, True)
    assert post(house, "second", f"{at}/ask", person="approver", question="还用吗？")[0] == 422
    status, page = post(house, "second", f"{at}/ask", records=str(old), person="approver", question="还用吗？")
    assert (status, "已就 1 件档案征询" in page, "组外征询" in page) == (200, True, True)
    assert "件档案待您答复鉴定征询" in house.browser("approver").get("/").text
    mine = house.browser("approver").get("/appraisals/questions").text
    assert "旧合同" in mine
    assert "还用吗？" in mine
    assert "旧合同" not in house.browser("first").get("/appraisals/questions").text
    answer = f"{at}/answer/{old}"
    assert post(house, "approver", answer, reason=" ")[0] == 422
    assert post(house, "first", answer, reason="不用")[0] == 404
    assert "没有待您答复" in post(house, "approver", answer, reason="业主仍在质保期内")[1]
    for login in ("second", "first"):
        assert "业主仍在质保期内" in house.browser(login).get(at).text
    act(house, "second", f"{at}/close", sure="1")
    report = house.browser("archivist").get(f"{at}/report.pdf").data
    text = "".join(each.get_textpage().get_text_range() for each in pypdfium2.PdfDocument(BytesIO(report)))
    plain = "".join(text.split())
    assert f"许可:组外征询，{house.services.guard.day()}答复" in plain, plain
    assert "质保期" not in plain, "words stay with the record, not with the report that is kept"
    sheet = CalamineWorkbook.from_filelike(BytesIO(house.browser("archivist").get(f"{at}/report.xlsx").data))
    assert "业主仍在质保期内" in sheet.get_sheet_by_index(0).to_python()[1][6]


def test_what_is_not_secret_is_not_declassified(house: WebHouse) -> None:
    secrecy = house.services.people.identity_of("secrecy")
    house.services.retention.secrecy.set_level_period(secrecy, 3, 240)
    plain, offered = filed(house, "旧合同", "2010"), '<option value="declassify"'
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    assert offered not in house.browser("second").get(at).text
    said = {"verdict": "declassify", "reason": "可公开"}
    for more in ({"record": str(plain)}, {"of": "all", "sure": "1", "about": "1"}):
        status, page = post(house, "second", f"{at}/say", **said, **more)
        assert (status, "有 1 件没有保密期限" in page) == (422, True), page
    act(house, "archivist", f"{at}/withdraw", why="重列")
    secret = filed(house, "旧底价", "2011", level=3)
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    assert offered in house.browser("second").get(at).text
    assert offered not in house.browser("first").get(at).text, "what is secret is not shown to them"
    assert post(house, "second", f"{at}/say", record=[str(plain), str(secret)], **said)[0] == 422
    assert post(house, "second", f"{at}/say", record=str(secret), **said)[0] == 200
    of = AppraisalItem.appraisal_id == UUID(at.rpartition("/")[2])
    with house.services.db.writing() as work:
        check_fits(work.session, Said(Verdict.DECLASSIFY), of, AppraisalItem.record_id != plain)
        item = work.session.scalars(select(AppraisalItem).where(of, AppraisalItem.record_id == plain)).one()
        item.record_id = new_id()
        work.session.flush()
        check_fits(work.session, Said(Verdict.DECLASSIFY), of)  # of what is gone nobody can say anything


def test_what_a_panel_says_is_to_be_opened_or_declassified_waits_for_a_review(house: WebHouse) -> None:
    secrecy = house.services.people.identity_of("secrecy")
    house.services.retention.secrecy.set_level_period(secrecy, 3, 240)
    opened, secret = filed(house, "旧合同", "2010"), filed(house, "旧底价", "2011", level=3)
    more = filed(house, "旧通知", "2010")
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    for login in ("archivist", "second"):
        for key, verdict in ((opened, "open"), (more, "open"), (secret, "declassify")):
            assert post(house, login, f"{at}/say", record=str(key), verdict=verdict, reason="可公开")[0] == 200
    assert "拟解密" not in house.browser("secrecy").get("/secrecy").text
    act(house, "second", f"{at}/close", sure="1")
    assert "/secrecy" in house.browser("archivist").get(at).text
    assert "件经鉴定拟开放或解密" in house.browser("secrecy").get("/").text
    assert proposed(house) == {"declassify", "open"}
    assert 'name="proposed"' not in house.browser("archivist").get("/secrecy").text
    form = post(house, "secrecy", "/secrecy/reviews/new", proposed="declassify")[1]
    assert (str(secret) in form, str(opened) in form, 'value="declassify" selected' in form) == (True, False, True)
    wish = {"records": str(secret), "verdict": "declassify", "level": "1", "reason": "鉴定小组意见"}
    status, page = post(house, "secrecy", "/secrecy/reviews/new", **wish)
    assert status == 200, page
    assert proposed(house) == {"open"}, "a review has come to the other"
    wish = {"records": str(opened), "verdict": "control", "until": "2099-12-31", "reason": "涉及个人信息"}
    assert post(house, "secrecy", "/secrecy/reviews/new", **wish)[0] == 200
    form = post(house, "secrecy", "/secrecy/reviews/new", proposed="open")[1]
    assert (str(more) in form, str(opened) in form) == (True, False), "what another review has is not asked for"
    assert isinstance(house.clock, FixedClock)
    house.clock.move(seconds=1)
    at = begun(house)
    act(house, "archivist", f"{at}/open")
    act(house, "second", f"{at}/close", sure="1")
    assert proposed(house) == set(), "a later appraisal said nothing of it"


def proposed(house: WebHouse) -> set[str]:
    return set(re.findall('name="proposed" value="([a-z]+)"', house.browser("secrecy").get("/secrecy").text))


def test_it_is_withdrawn_with_a_reason_and_a_panel_that_is_none_is_told_so(house: WebHouse) -> None:
    filed(house, "旧合同", "2010")
    status, page = post(
        house, "archivist", "/appraisals/new", purpose="鉴定", panel="archivist nobody", chair="archivist"
    )
    assert status == 422
    assert "nobody" in page
    panel = {"purpose": "鉴定", "panel": "archivist first second", "chair": "second"}
    status, page = post(house, "archivist", "/appraisals/new", **panel, importance="4")
    assert (status, 'href="#field-importance"' in page) == (422, True)
    assert post(house, "archivist", "/appraisals/new", **panel, importance="3")[0] == 422  # nobody said it of any
    at = begun(house)
    assert post(house, "archivist", f"{at}/withdraw", version="1", why=" ")[0] == 422
    act(house, "archivist", f"{at}/withdraw", why="重新组织")
    assert "重新组织" in house.browser("archivist").get(at).text
    assert post(house, "staff", "/appraisals/new", purpose="鉴定", panel="a b c", chair="a")[0] == 403


def test_a_matter_is_entered_by_hand_by_rows_and_settled_and_programs_read_it(house: WebHouse) -> None:
    record = filed(house, "索赔单", "2010")
    with house.services.db.reading() as session:
        number = session.get_one(Record, record).archive_number
    assert post(house, "archivist", "/matters", record=str(record), kind="claim", reason="业主索赔")[0] == 200
    status, page = post(house, "archivist", "/matters/many", rows=f"{number}\t诉讼\t在诉\n{number}\t什么\t不明")
    assert status == 422
    assert "不明" in page
    page = house.browser("archivist").get("/matters").text
    assert "业主索赔" in page
    assert "在诉" in page
    assert "业主索赔" in house.browser("archivist").get(f"/records/{record}").text
    with house.services.db.reading() as session:
        assert stops(session, [record], house.services.guard.day())[record] is Stop.UNSETTLED
    for key in re.findall(r"/matters/([0-9a-f-]{36})/close", page):
        assert post(house, "archivist", f"/matters/{key}/close", reason="已结")[0] == 200
    assert "已结" in house.browser("archivist").get("/matters?settled=1").text
    assert "业主索赔" not in house.browser("auditor").get("/matters?settled=1").text


def test_the_forecast_counts_by_category_and_year_what_the_person_reads(house: WebHouse) -> None:
    filed(house, "旧合同", "2010")
    filed(house, "将到期", "2020")
    filed(house, "绝不外露", "2020", level=4)
    page = house.browser("archivist").get("/retention/forecast").text
    assert "2031" in page
    sheet = CalamineWorkbook.from_filelike(
        BytesIO(house.browser("archivist").get("/retention/forecast/list.xlsx").data)
    )
    rows = sheet.get_sheet_by_index(0).to_python()
    assert rows[1][1] == 1
    assert rows[1][rows[0].index("2031")] == 2
    assert rows[1][-1] == 3
    assert "<svg" in page
