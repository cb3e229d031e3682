"""Transfers at the pages: an empty list says how one begins, and nothing is offered that would be refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model import HoldKind, Record
from retention.holds import Wanted
from tests.factories.web_house import WebHouse, a_web_house


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
    review = house.services.guard.day().replace(year=2099)
    hold = Wanted(HoldKind.RECORD, {"id": str(held.id)}, "争议", "证据保全", "法院", review)
    house.services.retention.holds.place(archivist, hold)
    transfers, browser = house.services.retention.transfers, house.browser("archivist")
    nothing = browser.get(f"/transfers/{transfers.begin(archivist, '青山区档案馆', '移交', [held.id])}").text
    assert "提请审批" not in nothing
    assert "没有可审批的内容" in nothing
    some = browser.get(f"/transfers/{transfers.begin(archivist, '青山区档案馆', '移交', [held.id, free.id])}").text
    assert "提请审批" in some
    assert "没有可审批的内容" not in some
