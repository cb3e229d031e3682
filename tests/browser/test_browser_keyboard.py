"""Whole tasks with the keyboard alone: each step is reached by Tab or by its key, and seen where the focus stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page

from tests.browser.pages import CHROMIUM, a_browser
from tests.factories import patience
from tests.factories.drawn import a_pdf
from tests.factories.furnished import served
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]

FOCUS = """selector => {
  const at = document.activeElement;
  if (at === document.body) return {left: true};
  const ringed = each => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const near = [at, at.nextElementSibling, at.parentElement].filter(Boolean);
  return {hit: at.matches(selector), seen: near.some(ringed), words: at.outerHTML.slice(0, 100)};
}"""
"""What stands in the focus: whether it is what was looked for, and whether a person sees that it has the focus."""

COUNTED = """
addEventListener("click", () => { sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1 }, true);
addEventListener("input", event => {
  sessionStorage.fields = [...new Set([...(sessionStorage.fields || "").split(" "), event.target.id])].join(" ").trim();
}, true);
"""
"""Counts what is clicked, by keys or otherwise, and names the fields that are filled in."""

MOST = 90
"""Tabs after which a person would have given up."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def page(house: WebHouse) -> Iterator[Page]:
    with served(house.app) as url, a_browser() as browser:
        yield _at(browser, url)


def _at(browser: Browser, url: str) -> Page:
    page = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}, locale="zh-CN").new_page()
    page.set_default_timeout(patience.MILLISECONDS)
    page.mouse.click = _no_mouse  # type: ignore[method-assign]
    page.on("filechooser", lambda _chooser: None)  # from now on: asked for with the key, it could come too late
    page.goto("/sign-in")
    return page


def _no_mouse(*_where: Any, **_how: Any) -> None:
    raise AssertionError("the keyboard alone")


def _to(page: Page, selector: str) -> None:
    """Go on by Tab until the focus stands on ``selector``; every stop on the way must be seen."""
    passed = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS, selector)
        if stop.get("left"):
            continue
        assert stop["seen"], f"nobody sees that this has the focus: {stop['words']}"
        if stop["hit"]:
            return
        passed.append(stop["words"])
    raise AssertionError(f"{selector} is out of reach; passed were {passed[:40]}")


def _enters(page: Page, selector: str, then: str) -> None:
    _to(page, selector)
    page.keyboard.press("Enter")
    page.wait_for_selector(then)


def _signs_in(page: Page, login: str) -> None:
    _to(page, "#field-login")
    page.keyboard.type(login)
    _to(page, "#field-password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".me")


def _catalogues_and_files(page: Page, house: WebHouse, paper: Path) -> None:
    page.keyboard.press("n")
    page.wait_for_selector(".tree a")
    _enters(page, ".tree a", "#field-title")
    _to(page, "#field-title")
    page.keyboard.type("电梯维护保养合同")
    _to(page, "#field-drawn_up")
    page.keyboard.type("2024-3-5")
    _enters(page, "main form button.primary", "form.upload")
    _to(page, "#files-input")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files(paper)
    page.wait_for_selector("a.reload")
    house.read_texts()
    _enters(page, "a.reload", ".files a[download]")
    _enters(page, "section form > button.primary", ".state-filed")


def _finds_and_pages_through(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("电梯")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hits")
    _enters(page, ".hits h3 a", ".archive-number")
    record = page.url
    _enters(page, ".files a[href*='/pages/1']", ".viewer")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/pages/2*")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/pages/1*")
    _enters(page, "main a[href^='/records/']", ".state-filed")
    assert page.url == record


def _finds_it_and_borrows_it_in_three_clicks_and_one_line(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("电梯")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hits")
    page.evaluate("sessionStorage.clear()")
    _enters(page, ".hits h3 a", ".archive-number")
    _enters(page, ".record-head a.primary", "main form button.primary")
    page.keyboard.type("核对维保条款")  # the reason has the focus already
    _enters(page, "main form button.primary", "[role=status]")
    assert page.evaluate("[sessionStorage.clicks, sessionStorage.fields]") == ["3", "field-reason"]


def test_a_paper_is_filed_found_paged_through_and_borrowed_by_keys(house: WebHouse, page: Page, tmp_path: Path) -> None:
    paper = tmp_path / "合同.pdf"
    paper.write_bytes(a_pdf("电梯维护保养合同第一页", "电梯维护保养合同第二页"))
    _signs_in(page, "archivist")
    _catalogues_and_files(page, house, paper)
    _finds_and_pages_through(page)
    page.context.clear_cookies()
    page.add_init_script(COUNTED)
    page.goto("/sign-in")
    _signs_in(page, "staff")
    _finds_it_and_borrows_it_in_three_clicks_and_one_line(page)


def test_a_level_is_distributed_and_taken_back_by_keys(page: Page) -> None:
    _signs_in(page, "secrecy")
    _to(page, "nav details[data-code=house] > summary")
    page.keyboard.press("Enter")
    _enters(page, "nav a[href='/house/levels']", "details.one")
    before = page.locator("details.one").count()
    _enters(page, "main a.primary", "#field-level")
    _to(page, "main select")
    page.keyboard.press("ArrowDown")
    _to(page, "main select[name=post]")
    page.keyboard.press("ArrowDown")
    _enters(page, "main form button.primary", "[role=status]")
    assert page.locator("details.one").count() == before + 1
    _to(page, "details.one summary")
    page.keyboard.press("Enter")
    _enters(page, "details.one[open] button.danger", "[role=status]")
    assert page.locator("details.one").count() == before


def test_help_opens_by_its_key_and_leaves_the_form_alone(page: Page) -> None:
    _signs_in(page, "archivist")
    page.goto("/records/new")
    page.keyboard.press("Tab")
    with page.context.expect_page() as opened:
        page.keyboard.press("?")
    opened.value.wait_for_load_state()
    assert opened.value.url.endswith("/help/archivist#catalogue")
    assert page.url.endswith("/records/new")


def test_tab_goes_once_round_a_page_and_out_of_it(page: Page) -> None:
    _signs_in(page, "archivist")
    stops = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS, "a")
        if stop.get("left") or (len(stops) > 3 and stop["words"] == stops[0]):
            break
        stops.append(stop["words"])
    assert 8 < len(stops) < MOST, stops
    assert "#main" in stops[0], "the way to the content comes first"
    page.keyboard.press("Shift+Tab")
    assert not page.evaluate(FOCUS, "body").get("hit")


def test_a_deputy_is_named_and_ended_by_keys(page: Page) -> None:
    _signs_in(page, "archivist")
    page.goto("/loans/deputies")
    _to(page, "#field-deputy")
    page.keyboard.type("staff")
    _enters(page, "main form button.primary", "main ul.plain-list li")
    _enters(page, "main ul.plain-list button", ".form-page")
    page.wait_for_selector("main ul.plain-list", state="detached")


def test_a_person_is_invited_and_the_link_copied_by_keys(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _signs_in(page, "security")
    page.goto("/house/people/invite")
    _to(page, "#field-name")
    page.keyboard.type("何思齐")
    _to(page, "#field-login")
    page.keyboard.type("he")
    _to(page, "input[name=roles][value=staff]")  # chosen already
    _enters(page, "main form button.primary", "#link")
    _enters(page, "button[data-copies]", "button[data-copies]:text('已复制')")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#link")


def test_a_token_of_a_person_is_ended_by_keys(house: WebHouse, page: Page) -> None:
    people = house.services.people
    token = people.issue_token(people.identity_of("staff"), "staff", "扫描站", 9)
    _signs_in(page, "security")
    page.goto(f"/house/people/{house.people['staff'].id}")
    _enters(page, "form[action*='/tokens/'] button", "p.note")
    assert people.resume_token(token) is None
