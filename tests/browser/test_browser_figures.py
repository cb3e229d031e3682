"""Figures that are counted beside a page come by themselves, while what was chosen on it stays."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from archive.model import Record, RecordState
from tests.browser.pages import CHROMIUM, a_browser
from tests.factories.furnished import served
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        archivist = made.services.people.identity_of("archivist")
        made.services.retention.schedules.install(archivist)
        record = made.a_record(title="合同", state=RecordState.PROVISIONAL, drawn_up="2020")
        with made.services.db.writing() as work:
            row = work.session.get_one(Record, record.id)
            row.term = "D10"
            row.drawn_from, row.drawn_to = (record.created_at.date().replace(2020, *d) for d in ((1, 1), (12, 31)))
            work.commit()
        made.services.filing.file(archivist, [record.id])
        made.services.retention.board.counting.large = 0
        yield made


def signed_in(browser: Browser, url: str, *, script: bool = True) -> Page:
    page = browser.new_context(java_script_enabled=script, locale="en").new_page()
    page.goto(url)
    page.fill("[name=login]", "archivist")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=login]")).to_have_count(0)
    return page


def test_figures_come_by_themselves_and_leave_what_was_ticked(house: WebHouse, browser: Browser) -> None:
    go_on = Event()
    counting = house.services.retention.board.counting
    counting.beside.submit(go_on.wait)
    with served(house.app) as url:
        page = signed_in(browser, url)
        page.goto(f"{url}/retention/due?ahead=1")
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.locator("#due-tabs .count")).to_have_count(0)
        page.locator("tbody input[type=checkbox]").check()
        go_on.set()
        expect(page.locator("#due-figures .bars")).to_be_visible()
        expect(page.locator("#due-tabs .count").first).to_have_text("1")
        expect(page.locator("#due-year option")).to_have_count(2)
        expect(page.locator("#due-figures [role=status]")).to_have_count(0)
        expect(page.locator("tbody input[type=checkbox]")).to_be_checked()


def test_without_script_a_link_looks_again(house: WebHouse, browser: Browser) -> None:
    counting = house.services.retention.board.counting
    with served(house.app) as url:
        page = signed_in(browser, url, script=False)
        page.goto(f"{url}/retention/forecast")
        expect(page.locator("#figures .bars")).to_have_count(0)
        counting.beside.shutdown(wait=True)
        page.locator("#figures [role=status] a").click()
        expect(page.locator("#figures .bars")).to_be_visible()
