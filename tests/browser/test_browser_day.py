"""A day's work in a real browser, at a desk and on a phone, with nothing said on the console."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.factories import patience
from tests.factories.film import film
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

CHROMIUM = Path(os.environ.get("JUANKU_CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en-GB": "en"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def address(house: WebHouse) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Person:
    """Someone at a browser, who keeps what the console says and pictures of each page."""

    def __init__(self, browser: Browser, address: str, width: int, locale: str = "zh-CN") -> None:
        shade: Literal["dark", "light"] = "dark" if locale == "zh-TW" else "light"
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale, color_scheme=shade)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(patience.MILLISECONDS)
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.address, self.width, self.locale = address, width, locale

    def sign_in(self, login: str) -> None:
        self.page.goto(self.address)
        self.picture("sign-in")
        self.page.fill("#field-login", login)
        self.page.fill("#field-password", PASSWORD)
        self.page.click("main .primary")
        self.page.wait_for_selector(".me")
        self.page.click(".me summary")
        self.page.click(f".me button[value={LANGUAGES[self.locale]}]")
        self.page.wait_for_selector(f"html[lang|={self.locale[:2]}]")

    def picture(self, name: str) -> None:
        film(self.page, f"{name}-{self.width}-{self.locale}")


def _catalogues(archivist: Person) -> None:
    page = archivist.page
    archivist.sign_in("archivist")
    archivist.picture("desk-empty")
    page.click("main .primary")
    archivist.picture("categories")
    page.click(".tree a")
    archivist.picture("form")
    page.click("main form .primary")
    page.wait_for_selector(".fault-summary")
    archivist.picture("form-fault")
    page.fill("#field-title", "关于锦绣花园一期三号楼电梯维护保养服务合同及其补充协议的备案材料")
    page.fill("#field-drawn_up", "2024年3月5日")
    page.fill("#field-phone", "13812345678")
    page.select_option("#field-level", "3")
    page.click("main form .primary")
    page.wait_for_selector("form.upload")


def _hands_in_and_files(archivist: Person, files: list[Path]) -> None:
    page = archivist.page
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("#files-input", files)
    page.wait_for_selector("a.reload")
    archivist.picture("uploading")
    assert page.locator(".progress-list .fault").count() == 0
    page.click("a.reload")
    page.wait_for_selector(".files li:nth-child(2)")
    archivist.picture("record")
    page.goto(archivist.address)
    page.wait_for_selector("tbody tr")
    archivist.picture("desk")
    page.click("tbody a")
    page.click("section form > button.primary")
    page.wait_for_selector(".state-filed")
    archivist.picture("filed")


def _finds_and_looks_back(archivist: Person) -> None:
    page, address = archivist.page, archivist.address
    page.fill("#top-q", "电梯")
    page.press("#top-q", "Enter")
    page.wait_for_selector(".hits mark")
    archivist.picture("found")
    page.click(".hits h3 a")
    page.wait_for_selector(".archive-number")
    record = page.url.rpartition("/")[2]
    page.goto(f"{address}/uploads")
    archivist.picture("uploads")
    page.goto(f"{address}/search")
    archivist.picture("search-help")
    page.goto(f"{address}/records/{record}/history")
    archivist.picture("history")


@pytest.mark.parametrize(("width", "locale"), [(1440, "zh-CN"), (390, "zh-CN"), (390, "en-GB"), (768, "zh-TW")])
def test_a_paper_is_taken_in_filed_found_and_accounted_for(
    address: str, browser: Browser, tmp_path: Path, width: int, locale: str
) -> None:
    letter = tmp_path / "电梯维保合同（正本）.txt"
    letter.write_text("甲方委托乙方维护电梯。" * 40, "utf-8")
    big = tmp_path / "竣工图.bin"
    big.write_bytes(bytes(range(256)) * (9 * 4096))
    archivist = Person(browser, address, width, locale)
    _catalogues(archivist)
    _hands_in_and_files(archivist, [letter, big])
    _finds_and_looks_back(archivist)
    assert archivist.said == [
        "Failed to load resource: the server responded with a status of 422 (UNPROCESSABLE ENTITY)"
    ]
    auditor = Person(browser, address, width, locale)
    auditor.sign_in("auditor")
    auditor.page.goto(f"{address}/log")
    auditor.picture("log")
    assert auditor.page.locator("tbody tr").count() > 5
    assert auditor.said == []


def test_an_upload_goes_on_after_the_line_broke(
    house: WebHouse, address: str, browser: Browser, tmp_path: Path
) -> None:
    big = tmp_path / "大文件.bin"
    big.write_bytes(b"x" * (9 * 1024 * 1024))
    archivist = Person(browser, address, 1440)
    page = archivist.page
    archivist.sign_in("archivist")
    page.goto(f"{address}/records/new?category={house.category.id}")
    page.fill("#field-title", "断线续传")
    page.fill("#field-drawn_up", "2024")
    page.click("main form .primary")
    page.wait_for_selector("form.upload")
    broken: list[str] = []

    def once(route: object) -> None:
        if not broken:
            broken.append("the line")
            route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/uploads/*/1", once)
    page.wait_for_load_state()  # what a file is chosen in must listen
    page.set_input_files("#files-input", [big])
    page.wait_for_selector("a.reload")
    assert broken == ["the line"]
    page.click("a.reload")
    page.wait_for_selector(".files a[download]")
