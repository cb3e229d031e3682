"""Transfers at the pages: an empty list says how one begins, and nothing is offered that would be refused."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from archive.model import Appraisal, AppraisalItem, AppraisalState, HoldKind, IssuedNumber, Record, Verdict
from retention.holds import Wanted
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def numbered(house: WebHouse, title: str, number: str) -> Record:
    record = house.a_record(title=title, level=1)
    with house.services.db.writing() as work:
        work.session.get_one(Record, record.id).archive_number = number
        work.commit()
    return record


def test_an_empty_list_says_how_a_transfer_begins(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    assert "也可按档号列入" in archivist.get("/transfers").text
    ended = archivist.get("/transfers?ended=1").text
    assert "已结束的移交" in ended
    assert "也可按档号列入" not in ended


def test_the_approval_is_offered_as_long_as_something_may_go(house: WebHouse) -> None:
    held, free = numbered(house, "被冻结的合同", "WY01-1"), numbered(house, "可以移交的合同", "WY01-2")
    archivist = house.services.people.identity_of("archivist")
    review = date(2099, 12, 31)
    hold = Wanted(HoldKind.RECORD, {"id": str(held.id)}, "争议", "证据保全", "法院", review)
    house.services.retention.holds.place(archivist, hold)
    transfers, browser = house.services.retention.transfers, house.browser("archivist")
    empty = transfers.begin(archivist, "青山区档案馆", "移交", [held.id])
    nothing = browser.get(f"/transfers/{empty}").text
    assert "提请审批" not in nothing
    assert "没有可审批的内容" in nothing
    some = browser.get(f"/transfers/{transfers.begin(archivist, '青山区档案馆', '移交', [held.id, free.id])}").text
    assert "提请审批" in some
    assert "没有可审批的内容" not in some
    transfers.withdraw(archivist, empty, transfers.show(archivist, empty).transfer.version)
    assert "本次移交已终止" not in browser.get(f"/transfers/{empty}").text, "a person gave it up"


def test_each_line_of_what_is_not_accepted_that_names_nothing_of_the_list_is_told(house: WebHouse) -> None:
    listed, other = house.a_record(title="移交的合同", level=1), house.a_record(title="另一份合同", level=1)
    with house.services.db.writing() as work:
        for record, number in ((listed, "WY01-1"), (other, "WY01-2")):
            work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
        work.commit()
    archivist, browser = house.services.people.identity_of("archivist"), house.browser("archivist")
    key = house.services.retention.transfers.begin(archivist, "青山区档案馆", "移交", [listed.id])
    form = {"csrf_token": token_of(browser), "signed_by": "何馆长", "signed_on": "2020-05-06", "version": "1"}
    lines = "WY01-1 缺两页\nWY01-2 未收到\nWY01-9 未收到"
    refused = browser.post(f"/transfers/{key}/receipt", data={**form, "disputed": lines})
    assert refused.status_code == 422
    assert "第 2 行的 WY01-2 不在清册中" in refused.text
    assert "第 3 行的 WY01-9 不在清册中" in refused.text
    assert "第 1 行" not in refused.text
    assert "未接收：第 2 行" in refused.text


def test_each_number_that_is_not_known_and_each_record_that_is_taken_is_named(house: WebHouse) -> None:
    browser, records = house.browser("archivist"), [house.a_record(title="移交的合同", level=1) for _n in range(2)]
    with house.services.db.writing() as work:
        for at, record in enumerate(records, 1):
            work.session.get_one(Record, record.id).archive_number = f"WY01-{at}"
            work.session.add(IssuedNumber(fonds_id=record.fonds_id, number=f"WY01-{at}", record_id=record.id))
        work.commit()
    form = {"csrf_token": token_of(browser), "receiver": "青山区档案馆", "reason": "移交"}
    told = browser.post("/transfers/new", data=form | {"numbers": "WY01-1\nWY01-8\nWY01-2\nWY01-9"})
    assert told.status_code == 422
    assert "这里没有：WY01-8, WY01-9" in told.text
    assert browser.post("/transfers/new", data=form | {"numbers": "WY01-1"}).status_code == 303
    told = browser.post("/transfers/new", data=form | {"numbers": "WY01-1\nWY01-2"})
    assert (told.status_code, "已在其他移交中，或已移交：WY01-1" in told.text) == (422, True)
    assert "WY01-1, WY01-2" not in told.text


def test_what_should_go_is_told_whole_or_as_the_first_of_more(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [house.a_record(title=f"移交的合同{number}", level=1) for number in range(3)]
    archivist, now = house.services.people.identity_of("archivist"), house.services.guard.now()
    assert archivist.person_id
    with house.services.db.writing() as work:
        closed = Appraisal(
            number="2026-1", purpose="鉴定", state=AppraisalState.CLOSED, begun_by=archivist.person_id,
            begun_at=now, closed_at=now, version=1,
        )  # fmt: skip
        work.session.add(closed)
        work.session.flush()
        for at, record in enumerate(records, 1):
            work.session.add(
                AppraisalItem(
                    appraisal_id=closed.id, record_id=record.id, position=at, number=str(at), due=date(2020, 1, 1),
                    verdict=Verdict.TRANSFER,
                )
            )  # fmt: skip
        work.commit()
    browser = house.browser("archivist")
    assert "到期或鉴定为移交的全部 3 件" in browser.get("/transfers/new").text
    monkeypatch.setattr("web.retention.transfers.MOST", 2)
    page = browser.get("/transfers/new").text
    assert ["到期或鉴定为移交的前 2 件" in page, "全部" in page] == [True, False]
