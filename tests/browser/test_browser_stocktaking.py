"""Scans of a stock-taking outlive a broken line and a page loaded again, in their order, each once."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import select

from archive.identity import Role, system
from archive.model import Person
from tests.browser.pages import CHROMIUM, a_browser
from tests.factories import people as rights
from tests.factories.furnished import served
from tests.factories.stock_pages import Hands, a_counted_room
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


def _opened(browser: Browser, at: str) -> Page:
    page = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}).new_page()
    page.goto(at)
    _sign_in(page)
    page.goto(at)
    return page


def _sign_in(page: Page, login: str = "archivist") -> None:
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=login]")).to_have_count(0)


def _scan(page: Page, label: str) -> None:
    """What a scanner does: type, and Enter."""
    page.locator("#field-scan").press_sequentially(label)
    page.locator("#field-scan").press("Enter")


def test_scans_wait_in_the_browser_while_the_line_is_down_and_count_once(house: WebHouse, browser: Browser) -> None:
    numbers, _ = a_counted_room(house, "K1", 4)
    at = Hands(house, "archivist").post("/stocktakings", place="K1").location
    with served(house.app) as url:
        page = _opened(browser, url + at)
        said, waits = page.locator(".scan-said"), page.locator("[data-waits]")
        scanned = page.locator("[data-figure=scanned]")
        _scan(page, numbers[0])
        expect(said).to_contain_text("请先扫描位置")
        _scan(page, "k1 1 1 1")
        expect(page.locator("[data-standing]")).to_have_text("K1-1-1-1")
        _scan(page, numbers[0])
        expect(said).to_contain_text("在位无误")
        expect(scanned).to_have_text("1")

        is_down, lost = True, 0

        def answer_is_lost(route: Route) -> None:
            nonlocal lost
            if not is_down:
                route.continue_()
                return
            lost += 1
            with suppress(PlaywrightError):  # the page may be loaded anew while this one is on its way
                route.fetch()  # the archive takes it; its answer never arrives
                route.abort()

        page.route("**/scans", answer_is_lost)
        for number in numbers[1:3]:
            _scan(page, number)
        expect(said).to_contain_text("已存在本机")
        expect(waits).to_contain_text("2")
        page.reload()
        expect(waits).to_contain_text("2")
        is_down = False
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(waits).to_be_hidden()
        expect(scanned).to_have_text("3")
        assert lost > 0
        expect(page.locator("[data-recent] li")).to_have_text([f"✓ {each}*1 · K1-1-1-1" for each in numbers[2:0:-1]])
        expect(page.locator(".fault")).to_have_count(0)
    with house.services.db.reading() as session:
        from sqlalchemy import func, select

        from archive.model import StockScan

        assert session.scalar(select(func.count()).select_from(StockScan)) == 3


def test_a_count_that_was_closed_meanwhile_says_so_and_keeps_what_waits(house: WebHouse, browser: Browser) -> None:
    numbers, _ = a_counted_room(house, "K1", 1)
    hands = Hands(house, "archivist")
    at = hands.post("/stocktakings", place="K1-1-1-1").location
    with served(house.app) as url:
        page = _opened(browser, url + at)
        expect(page.locator("[data-standing]")).to_have_text("K1-1-1-1")
        hands.post(f"{at}/close", sure="1")
        _scan(page, numbers[0])
        expect(page.locator(".scan-fault")).to_be_visible()
        expect(page.locator("[data-waits]")).to_contain_text("1")


def test_who_signs_in_again_on_another_page_loses_no_scan(house: WebHouse, browser: Browser) -> None:
    numbers, _ = a_counted_room(house, "K1", 2)
    at = Hands(house, "archivist").post("/stocktakings", place="K1-1-1-1").location
    with served(house.app) as url:
        page = _opened(browser, url + at)
        expect(page.locator("[data-standing]")).to_have_text("K1-1-1-1")
        page.route("**/scans", lambda route: route.abort())
        _scan(page, numbers[0])
        expect(page.locator("[data-waits]")).to_contain_text("1")
        another = page.context.new_page()
        another.goto(url + "/")
        another.locator(".me summary").click()
        another.locator("form[action$='/sign-out'] button").click()
        expect(another).to_have_url(re.compile("/sign-in"))
        _sign_in(another)
        page.unroute("**/scans")
        _scan(page, numbers[1])
        expect(page.locator("[data-waits]")).to_be_hidden()
        expect(page.locator("[data-recent] li")).to_have_count(2)


def test_what_someone_scanned_is_not_sent_by_another_who_signs_in(house: WebHouse, browser: Browser) -> None:
    numbers, _ = a_counted_room(house, "K1", 1)
    roles = [Role.ARCHIVIST]
    house.services.people.add_person(system("set-up"), login="second", name="另一位", password=PASSWORD, roles=roles)
    with house.services.db.writing() as work:
        second = work.session.scalars(select(Person).where(Person.login == "second")).one()
        second.clearance = 4
        rights.grants(work.session, second, fonds=house.category.fonds_id)
        work.commit()
    at = Hands(house, "archivist").post("/stocktakings", place="K1-1-1-1").location
    with served(house.app) as url:
        page = _opened(browser, url + at)
        expect(page.locator("[data-standing]")).to_have_text("K1-1-1-1")
        another = page.context.new_page()
        another.goto(url + "/")
        another.locator(".me summary").click()
        another.locator("form[action$='/sign-out'] button").click()
        expect(another).to_have_url(re.compile("/sign-in"))
        _sign_in(another, "second")
        another.goto(url + at)
        expect(another.locator("#field-scan")).to_be_visible()
        _scan(page, numbers[0])
        expect(page.locator(".scan-fault")).to_be_visible()
        expect(page.locator("[data-waits]")).to_contain_text("1")
