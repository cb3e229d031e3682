"""A dossier is put in order with the keyboard, with the mouse, and without script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from archive.cataloguing.describing import Draft
from archive.model import RecordKind
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
        yield made


@pytest.fixture
def at(house: WebHouse) -> Iterator[str]:
    who = house.services.people.identity_of("archivist")

    def draft(title: str, kind: RecordKind = RecordKind.ITEM) -> Draft:
        return Draft(house.category.fonds_id, house.category.id, title, kind=kind, drawn_up="2024")

    dossier, *items = house.services.records.create_many(
        who, [draft("合同卷", RecordKind.DOSSIER), *(draft(f"件{n}") for n in range(1, 5))]
    )
    house.services.arranging.put_in(who, dossier, items)
    with served(house.app) as url:
        yield f"{url}/records/{dossier}/contents"


def open_(page: Page, at: str) -> None:
    page.goto(at)
    page.fill("[name=login]", "archivist")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=login]")).to_have_count(0)
    page.goto(at)
    expect(page.locator("table.contents")).to_be_visible()


def titles(page: Page, *wanted: str) -> None:
    expect(page.locator("table.contents td.wide")).to_have_text([re.compile(each) for each in wanted])


def test_keys_and_mouse_move_rows_and_the_order_is_kept(browser: Browser, at: str) -> None:
    page = browser.new_page(locale="zh-CN")
    open_(page, at)
    page.locator("tr", has_text="件4").locator("a").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    titles(page, "件1", "件4", "件2", "件3")
    expect(page.locator("[data-told]")).to_contain_text("件4")
    page.keyboard.press("Alt+Home")
    titles(page, "件4", "件1", "件2", "件3")
    page.locator("tr", has_text="件3").locator(".handle").drag_to(page.locator("tr", has_text="件4").locator(".handle"))
    expect(page.locator("tr", has_text="件3").locator("td.place input")).to_have_value(re.compile("[12]"))
    page.get_by_role("button", name="保存顺序").click()
    expect(page.locator(".note")).to_have_text("顺序已保存。")
    expect(page.locator("table.contents td.wide a").nth(3)).to_have_text("件2")
    page.close()


def test_without_script_places_are_typed(browser: Browser, at: str) -> None:
    page = browser.new_page(locale="zh-CN", java_script_enabled=False)
    open_(page, at)
    page.locator("tr", has_text="件4").locator("td.place input").fill("2")
    page.get_by_role("button", name="保存顺序").click()
    titles(page, "件1", "件4", "件2", "件3")
    page.close()


def test_numbers_are_scanned_one_after_the_other(browser: Browser, at: str, house: WebHouse) -> None:
    who = house.services.people.identity_of("archivist")
    drafts = [Draft(house.category.fonds_id, house.category.id, f"新{n}", drawn_up="2024") for n in (1, 2)]
    filed = house.services.filing.file(who, house.services.records.create_many(who, drafts))
    page = browser.new_page(locale="zh-CN")
    open_(page, at)
    page.locator("#scan").focus()
    for n, each in enumerate(filed, 1):
        expect(page.locator("#scan")).to_be_focused()
        page.keyboard.type(str(each.archive_number))
        page.keyboard.press("Enter")
        expect(page.locator("table.contents td.wide")).to_have_count(4 + n)
    titles(page, "件1", "件2", "件3", "件4", "新1", "新2")
    page.close()
