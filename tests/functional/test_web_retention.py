"""Schedules and what is due, at the pages: seen by whom it concerns, drafted, looked at, decided by another."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from archive.identity import Role, system
from archive.model import Record, RecordState, RetentionSchedule
from retention.applying import FindDue, Reckon
from tests.factories.retained import claimed
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from web.retention import terms_due


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        made.services.people.add_person(
            system("set-up"), login="approver", name="许可", password=PASSWORD, roles=[Role.APPROVER]
        )
        assert post(made, "archivist", "/schedules/install")[0] == 200
        yield made


def post(house: WebHouse, login: str, path: str, **data: Any) -> tuple[int, str]:
    browser = house.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def filed(house: WebHouse, title: str, year: str, **more: Any) -> Record:
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
    return record


def test_what_is_due_is_listed_found_told_on_its_page_and_taken_out_and_nothing_else_happens_to_it(
    house: WebHouse,
) -> None:
    old, young = filed(house, "旧合同", "2010"), filed(house, "新合同", "2024")
    archivist = house.browser("archivist")
    page = archivist.get("/retention/due").text
    assert "旧合同" in page
    assert "新合同" not in page
    assert "新合同" in archivist.get("/retention/due?ahead=1").text
    assert "新合同" in archivist.get("/retention/due?year=2035").text
    assert "旧合同" not in archivist.get("/retention/due?year=2035").text
    shown = archivist.get(f"/records/{old.id}").text
    assert "自 2011-01-01 起算（形成年度终了：2010-12-31），10 年，于 2021-01-01 届满。" in shown
    assert "2035-01-01" in archivist.get(f"/records/{young.id}").text
    assert FindDue(house.services.db, house.services.guard, house.services.log_view._log).run([claimed()])
    sheet = CalamineWorkbook.from_filelike(BytesIO(archivist.get("/retention/due/list.xlsx").data)).get_sheet_by_index(
        0
    )
    rows = sheet.to_python()
    assert [row[3] for row in rows[1:]] == ["旧合同"]
    assert rows[1][7] == house.services.guard.day().isoformat()
    with house.services.db.reading() as session:
        assert session.get_one(Record, old.id).state is RecordState.FILED
        fallen = house.services.retention.board.fallen(session, house.services.people.identity_of("archivist"))
        assert [session.get_one(Record, key).title for key in session.scalars(fallen)] == ["旧合同"]
    assert "保管期限已届满的档案" in archivist.get("/").text


def test_the_list_tells_nothing_to_who_may_not_read_and_custody_only_number_and_day(house: WebHouse) -> None:
    filed(house, "绝不外露", "2010", level=4)
    assert "绝不外露" in house.browser("archivist").get("/retention/due").text
    hidden = house.browser("staff").get("/retention/due").text
    assert "绝不外露" not in hidden
    assert "2021-01-01" not in hidden
    officer = house.browser("auditor")
    seen = officer.get("/retention/due").text
    assert "绝不外露" not in seen
    assert "2021-01-01" in seen
    assert "WYH" not in re.sub(r"<select.*?</select>", "", seen, flags=re.DOTALL)
    assert "2021-01-01" not in officer.get(f"/retention/due?category={house.category.id}").text


def test_a_year_that_is_none_is_passed_over_and_a_list_that_is_cut_says_so(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(house, "旧合同", "2010")
    archivist = house.browser("archivist")
    for year in ("9" * 5000, "0020209999", "2020a"):
        assert "旧合同" in archivist.get(f"/retention/due?year={year}").text
        assert archivist.get(f"/retention/due/list.xlsx?year={year}").status_code == 200
        panel = {"purpose": "鉴定", "panel": "archivist approver x", "chair": "archivist"}
        assert post(house, "archivist", "/appraisals/new", **panel, year=year)[0] == 422
    monkeypatch.setattr(terms_due, "EXPORTED", 1)
    sheet = CalamineWorkbook.from_filelike(BytesIO(archivist.get("/retention/due/list.xlsx").data))
    rows = sheet.get_sheet_by_index(0).to_python()
    assert (rows[1][3], "至此为止" in rows[2][0]) == ("旧合同", True)


def _form(**more: str) -> dict[str, str]:
    return {
        "code": "own", "name": "本单位合同", "term": "D20", "trigger": "year_end", "start": "next_january",
        "action": "appraise", "exact": "least", "source": "本单位保管期限表", "categories": "WYH",
        "reason": "延长合同期限",
    } | more  # fmt: skip


def test_a_draft_shows_what_it_moves_is_decided_by_another_and_then_applies(house: WebHouse) -> None:
    old = filed(house, "旧合同", "2010")
    secret = filed(house, "绝不外露", "2010", level=4)
    status, page = post(house, "archivist", "/schedules/new", **_form())
    assert status == 200
    draft = re.search(r"/schedules/drafts/([0-9a-f-]{36})/withdraw", page)
    assert draft
    at = f"/schedules/drafts/{draft[1]}"
    assert "到期推后" in page
    assert "2021-01-01" in page
    assert "2031-01-01" in page
    table = house.browser("archivist").get(f"{at}/moves.csv").text
    assert "旧合同" in table
    assert "2031-01-01" in table
    assert "moves-head" in house.browser("approver").get(at).text
    for login in ("staff", "system"):  # by a schedule a record is found by its readers alone
        assert "moves-head" not in house.browser(login).get(at).text
        assert house.browser(login).get(f"{at}/moves.csv").status_code == 403
    desks = [house.browser(login).get("/").text for login in ("approver", "archivist", "staff")]
    assert ["项保管期限变更待您决定" in desk for desk in desks] == [True, False, False], "not one's own"
    assert post(house, "archivist", f"{at}/decide", decision="approve", reason="好")[0] == 403
    assert post(house, "staff", f"{at}/decide", decision="approve", reason="好")[0] == 403
    assert post(house, "approver", f"{at}/decide", decision="approve", reason="好")[0] == 200
    assert post(house, "approver", f"{at}/decide", decision="approve", reason="好")[0] == 409
    services = house.services
    Reckon(services.db, services.retention.due_days, services.log_view._log, services.clock).run(
        [claimed(UUID(draft[1]))]
    )
    for record in (old, secret):
        assert "2031-01-01" in house.browser("archivist").get(f"/records/{record.id}").text
    assert "旧合同" not in house.browser("archivist").get("/retention/due").text
    status, page = post(house, "archivist", "/schedules/new", **_form(code="bad", term="D0", source=""))
    assert status == 422
    assert 'id="fault-term"' in page


def test_a_schedule_in_use_stays_and_a_record_may_have_its_own(house: WebHouse) -> None:
    old = filed(house, "旧合同", "2010")
    listed = house.browser("archivist").get("/schedules").text
    keys = dict(re.findall(r'/schedules/([0-9a-f-]{36})">([^<]+)<', listed))
    by_name = {name: key for key, name in keys.items()}
    general, thirty = by_name["一般档案（按各件自身保管期限）"], by_name["定期三十年"]
    assert post(house, "archivist", f"/schedules/{general}/remove")[0] == 409
    at = f"/records/{old.id}/schedule"
    assert post(house, "archivist", at, schedule=thirty, reason="有凭证价值")[0] == 422
    status, page = post(house, "archivist", at, schedule=thirty, authority="鉴定小组〔2026〕1号", reason="有凭证价值")
    assert status == 200
    assert "2041-01-01" in page
    assert "鉴定小组〔2026〕1号" in page
    assert "旧合同" not in house.browser("archivist").get("/retention/due").text
    assert post(house, "archivist", f"/schedules/{thirty}/remove")[0] == 409
    assert post(house, "staff", at, schedule=general, authority="x", reason="x")[0] == 403


def test_an_event_starts_the_clock_that_waits_for_it_and_undone_it_waits_again(house: WebHouse) -> None:
    record = filed(house, "旧合同", "2010")
    with house.services.db.reading() as session:
        schedules = {row.code: row.id for row in session.scalars(select(RetentionSchedule))}
    at = f"/records/{record.id}"
    contracts = str(schedules["property.contracts"])
    assert post(house, "archivist", f"{at}/schedule", schedule=contracts, authority="馆长", reason="合同")[0] == 200
    waits = house.browser("archivist").get(at).text
    assert "尚未登记的事件起算：合同终止" in waits
    assert '<option value="contract_end" selected>' in waits
    assert post(house, "staff", "/events", record=record.id, event="contract_end", day="2012-05-31")[0] == 403
    typed = {"record": record.id, "event": "contract_end", "day": "2012-5-50", "note": "合同期满"}
    status, page = post(house, "archivist", "/events", **typed)
    assert (status, 'value="2012-5-50"' in page, 'value="合同期满"' in page) == (422, True, True), (
        "what was typed stays"
    )
    with house.services.db.reading() as session:
        written = session.get_one(Record, record.id).archive_number
    lines = f"{written}\t合同终止\t2012-5-31\t到期\nNO-SUCH\t合同终止\t2012-05-31\n{written}\t合同终止\t2012-13-31"
    status, page = post(house, "archivist", "/events/many", rows=lines)
    assert status == 422
    assert "NO-SUCH" in page
    assert 'name="next" value="/events"' in page, "another language shows a page, not the address of a form"
    assert "2：" in page
    assert "1：" not in page.split("fault-summary", 1)[1].split("</div>", 1)[0]
    shown = house.browser("archivist").get(at).text
    assert "自 2013-01-01 起算（合同终止：2012-05-31），10 年，于 2023-01-01 届满。" in shown
    undo = re.search(r"/events/([0-9a-f-]{36})/undo", house.browser("archivist").get("/events").text)
    assert undo
    assert "<h1>事件" in post(house, "archivist", undo[0], reason="登记错了")[1], "one stays on the list"
    assert "尚未登记的事件起算：合同终止" in house.browser("archivist").get(at).text
    assert "登记错了" in house.browser("archivist").get("/events").text


def test_a_hold_is_placed_and_shown_and_its_names_only_to_who_sees_holds(house: WebHouse) -> None:
    record = filed(house, "旧合同", "2010")
    values = {"kind": "query", "words": "旧合同", "reason": "取证", "authority": "法院", "review_on": "2030-01-01"}
    assert post(house, "archivist", "/holds/new", **values)[0] == 422
    assert post(house, "staff", "/holds/new", name="张三案", **values)[0] == 403
    status, page = post(house, "archivist", "/holds/new", name="张三案", **values)
    assert status == 200
    hold = re.search(r"/holds/([0-9a-f-]{36})", house.browser("archivist").get("/holds").text)
    assert hold
    assert "须由他人解除" in page
    assert "张三案" in house.browser("archivist").get(f"/records/{record.id}").text
    seen = house.browser("staff").get(f"/records/{record.id}").text
    assert "张三案" not in seen
    assert "此档案已冻结" in seen
    assert post(house, "archivist", f"{hold[0]}/release", reason="结案")[0] == 403
    assert post(house, "approver", f"{hold[0]}/release", reason="结案")[0] == 200
    assert "此档案已冻结" not in house.browser("staff").get(f"/records/{record.id}").text


def test_what_a_filter_says_of_a_constant_is_in_the_language_of_whoever_reads(house: WebHouse) -> None:
    page = house.app.jinja_env.from_string("{{ 'dated'|due_state }}")
    said = []
    for language in ("zh-TW", "en"):
        with house.app.test_request_context(headers={"Accept-Language": language}):
            house.app.preprocess_request()
            said.append(page.render())
    assert said == ["有到期日", "has a day"]
