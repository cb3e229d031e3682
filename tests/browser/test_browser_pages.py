"""Every page of the product at a real browser: at rest, in its own language, asking nobody else, with nothing for axe.

Each page is looked at once, with language, width and shade taking turns; ``./juanku pictures --pages FOLDER`` looks at
every page in every way.
"""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser

from tests.browser.pages import CHROMIUM, PAGES, SHADES, STATES, WIDTHS, Watched, a_browser
from tests.factories.archives import Archive
from tests.factories.furnished import Furnished, furnished, served
from tests.factories.web_house import PASSWORD, a_web_house
from web.words import LOCALES

NO_PAGES = {
    "static", "healthz", "health.live", "health.ready", "help.picture", "openapi", "files.download", "files.picture",
    "metrics.metrics", "fixity.report", "bring_in.faults", "sheets.found", "schemes.export", "uploads.progress",
    "rules.check", "days.read", "hand_in_check.report_pdf", "hand_in_sign.register", "messages.show",
    "loan_register.sheet", "marked_copies.sheet",
    "loan_register.notices",
    "loan_register.printed", "counter.slip", "stocktaking.report", "stocktaking.report_sheet", "terms_due.sheet",
    "schedules.moves_sheet", "destructions.file", "destroyed.form", "destroyed.sheet", "destroyed.export",
    "attached.read", "rounds.slip", "standing_custody.slip", "loan_figures.sheet", "uses.sheet", "uses.printed",
    "transfer_list.pdf", "transfer_list.sheet",
    "forecast.sheet", "appraisal_report.pdf", "appraisal_report.titles", "appraisal_report.sheet",
    "audit_report.pdf", "audit_report.sheet",
}  # fmt: skip
"""What is asked for by GET and gives no page."""

EMPTY = (
    "/", "/bring-in", "/uploads", "/put-aside", "/scans/doubtful", "/proposals", "/doubles", "/house/subjects",
    "/search?q=电梯", "/browse", "/browse/places", "/labels", "/deadlines", "/messages",
)  # fmt: skip

WAYS = [*product(WIDTHS, SHADES, LOCALES)]
LOOKS = [(name, *WAYS[at * 5 % len(WAYS)]) for at, name in enumerate([*PAGES, *STATES])]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@pytest.fixture(scope="module")
def house(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    with furnished(archive_template.copy(tmp_path_factory.mktemp("pages") / "archive")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture(scope="module")
def someone(house: Furnished, browser: Browser) -> Callable[[str, str], Watched]:
    """Open a person's window in a language once: a new one for each page would take half of the time."""
    cookies: dict[str, list[Any]] = {"": []}
    windows: dict[tuple[str, str], Watched] = {}

    def window(login: str, locale: str) -> Watched:
        if (login, locale) not in windows:
            made = Watched(browser, house.url, width=1440, locale=locale, shade="light", cookies=cookies.get(login, []))
            made.forget()
            if login not in cookies:
                made.sign_in(login)
                kept = made.context.cookies()
                cookies[login] = [each for each in kept if each.get("name") != "juanku_language"]
            windows[login, locale] = made
        return windows[login, locale]

    return window


def test_every_page_is_in_the_table(house: Furnished) -> None:
    asked = {rule.endpoint for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {endpoint for endpoint in asked if not endpoint.startswith("api.")} - NO_PAGES == set(PAGES)


@pytest.mark.parametrize(("name", "width", "shade", "locale"), LOOKS)
def test_a_page_has_no_fault(
    house: Furnished, someone: Callable[[str, str], Watched], name: str, width: int, shade: str, locale: str
) -> None:
    login, path = {**PAGES, **STATES}[name]
    window = someone(login, locale)
    window.look(width=width, shade=shade)
    assert window.proof(path.format(**house.places)) == []


def test_a_page_with_nothing_in_it_says_why_and_has_no_fault(browser: Browser, tmp_path: Path) -> None:
    with a_web_house(tmp_path) as house, served(house.app) as url:
        someone = Watched(browser, url, width=390, locale="zh_TW", shade="dark")
        someone.sign_in("archivist", PASSWORD)
        for path in EMPTY:
            assert someone.proof(path) == [], path
        someone.context.close()


def test_a_fault_would_be_found(house: Furnished, browser: Browser) -> None:
    someone = Watched(browser, house.url, width=390, locale="en", shade="light")
    someone.go("/sign-in")
    someone.page.evaluate("document.querySelector('main').innerHTML += '<img src=/static/none.png><input id=bare>'")
    someone.page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    someone.page.wait_for_load_state("networkidle")
    found = " ".join(someone.axe())
    assert "image-alt" in found
    assert "label" in found
    assert "color-contrast" in found
    assert any("404" in fault for fault in someone.faults)
    someone.context.close()
