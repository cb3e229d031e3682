"""A batch from hand-in to shelf: an archivist with the keyboard and a scanner alone, which types and presses Enter."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from archive.cataloguing.describing import Draft
from archive.files.arrivals import Incoming
from archive.handin.lines import LineFacts
from archive.handin.listing import NewBatch
from archive.model import Copy, Department, HandIn, HandInState, Record, RecordState, Security, ShelfKind
from archive.shelving.tree import PlaceFacts
from tests.browser.pages import CHROMIUM, a_browser
from tests.factories.drawn import a_pdf
from tests.factories.furnished import served
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]

PAPERS, SCANS = 30, 20

BOX = "A-A-A-A"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def handed_in(house: WebHouse) -> UUID:
    """Have the clerk hand in 30 papers and 20 scans; a box with room for all papers stands ready."""
    own, clerk = house.services, house.services.people.identity_of("clerk")
    with own.db.reading() as session:
        office = session.scalars(select(Department.id).where(Department.code == "OFFICE")).one()
    key = own.hand_ins.listing.open(clerk, NewBatch("上半年文件", house.category.id, office, 1))
    papers = [LineFacts(f"P-{at:02}", f"纸质文件第{at}件", "2024-05-06", 2) for at in range(1, PAPERS + 1)]
    own.hand_ins.listing.add_lines(clerk, key, papers, 1)
    drafts = [
        Draft(house.category.fonds_id, house.category.id, f"扫描件{at}", drawn_up="2024-05-07", level_rank=1,
              department_id=office)
        for at in range(SCANS)
    ]  # fmt: skip
    ids = own.records.create_many(clerk, drafts)
    data = a_pdf("扫描件")
    own.intake.receive_many(clerk, [Incoming(each, "扫描.pdf", iter([data])) for each in ids])
    own.hand_ins.listing.add_drafts(clerk, key, ids, own.hand_ins.looks.show(clerk, key).row.version)
    own.hand_ins.listing.hand_in(clerk, key, own.hand_ins.looks.show(clerk, key).row.version)
    archivist, parent = own.people.identity_of("archivist"), None
    for kind in ShelfKind:
        holds = kind in {ShelfKind.SHELF, ShelfKind.BOX}
        facts = PlaceFacts({"zh_CN": "库"}, None if holds else Security.SECURE_ROOM, PAPERS if holds else None)
        parent = own.shelving.tree.add(archivist, kind, "A", facts, parent)
    return key


def scan(page: Page, text: str) -> None:
    """Do what a scanner does."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def scan_there(page: Page, text: str) -> None:
    """Do what a scanner does, once the page waits for it."""
    expect(page.locator("#field-scan")).to_be_focused()
    scan(page, text)


def to(page: Page, selector: str) -> None:
    """Go on by Tab until the focus stands there."""
    for _ in range(200):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(selector)


def sign(page: Page, key: UUID, side: str) -> None:
    """Sign a checked batch for a side with one's own password."""
    to(page, f'a[href="/hand-ins/{key}/sign/{side}"]')
    page.keyboard.press("Enter")
    expect(page.locator("#field-password")).to_be_visible()
    to(page, "#field-password")
    scan(page, PASSWORD)


def no_mouse(*_where: Any, **_how: Any) -> None:
    raise AssertionError("the keyboard alone")


def file_all(page: Page) -> None:
    to(page, 'button[name="all"]')
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"将归档 {PAPERS + SCANS} 件")).to_be_visible()
    to(page, "main button.danger")
    page.keyboard.press("Enter")


def test_an_archivist_takes_a_batch_from_hand_in_to_shelf_by_keyboard_and_scanner(house: WebHouse) -> None:
    key = handed_in(house)
    cookie = house.browser("archivist").get_cookie("juanku_session")
    assert cookie is not None
    with served(house.app) as url, a_browser() as browser:
        context = browser.new_context(base_url=url, locale="zh-CN")
        context.add_cookies([{"name": "juanku_session", "value": cookie.value, "url": url}])
        page = context.new_page()
        page.mouse.click = no_mouse  # type: ignore[method-assign]
        page.goto(f"/hand-ins/{key}")
        to(page, f'a[href="/hand-ins/{key}/check"]')
        begun = time.monotonic()
        page.keyboard.press("Enter")
        for at in range(1, PAPERS + SCANS + 1):
            expect(page.locator("#at-hand")).to_contain_text(f"{at}. ")
            scan_there(page, f"P-{at:02}" if at <= PAPERS else "")
        expect(page.locator("#finish")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="上半年文件")).to_be_visible()
        sign(page, key, "received")
        expect(page.get_by_text("您已签字")).to_be_visible()
        other = house.browser("clerk").get_cookie("juanku_session")
        assert other is not None
        elsewhere = browser.new_context(base_url=url, locale="zh-CN")
        elsewhere.add_cookies([{"name": "juanku_session", "value": other.value, "url": url}])
        theirs = elsewhere.new_page()
        theirs.mouse.click = no_mouse  # type: ignore[method-assign]
        theirs.goto(f"/hand-ins/{key}")
        sign(theirs, key, "handed")
        expect(theirs.get_by_text("批次办结")).to_be_visible()
        elsewhere.close()
        to(page, 'a[href="/steps"]')
        page.keyboard.press("Enter")
        expect(page.locator('button[name="all"]')).to_be_visible()
        file_all(page)
        expect(page.get_by_role("heading", name="归档", exact=True)).to_be_visible()
        house.file_many()
        expect(page.get_by_text(f"完成：登记了 {PAPERS + SCANS} / {PAPERS + SCANS}")).to_be_visible()
        to(page, 'main a[href="/shelves/placing"]')
        page.keyboard.press("Enter")
        numbers = filed_on_paper(house)
        for text in [BOX, *numbers]:
            scan_there(page, text)
            expect(page.locator(".scan-said strong")).to_contain_text(text)
        took = time.monotonic() - begun
    with house.services.db.reading() as session:
        assert session.get_one(HandIn, key).state is HandInState.SIGNED
        lying = session.scalar(select(func.count()).select_from(Copy).where(Copy.place_id.is_not(None)))
        filed = session.scalar(select(func.count()).select_from(Record).where(Record.state == RecordState.FILED))
    assert (lying, filed) == (PAPERS, PAPERS + SCANS)
    print(f"from hand-in to shelf: {took:.1f} s")  # noqa: T201  (a figure for whoever asks for it)


def filed_on_paper(house: WebHouse) -> list[str]:
    with house.services.db.reading() as session:
        query = select(Record.archive_number).join(Copy, Copy.record_id == Record.id).order_by(Record.filed_at)
        return [str(each) for each in session.scalars(query)]
