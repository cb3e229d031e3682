"""The first hour of a house: from an empty folder and the code of the terminal to papers filed, labelled and found."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("JUANKU_CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en-GB": "en"}
PASSWORD = "梅花三弄-2026-{}-春"
ROLES = ("archivist", "security_admin", "audit_admin")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]


@dataclass
class Fresh:
    """``serve`` on an empty folder."""

    home: Path
    address: str
    code: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    home, port = tmp_path / "data", _free_port()
    variables = {"JUANKU_HOME": str(home), "JUANKU_KEYS": str(tmp_path / "ring"), "JUANKU_PORT": str(port)}
    served = subprocess.Popen(
        [sys.executable, "-m", "runtime", "serve"], cwd=ROOT, env=os.environ | variables | {"LANG": "en_GB.UTF-8"},
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    said = ""
    assert served.stderr is not None
    for line in served.stderr:
        said += line
        if "http://127.0.0.1" in line:
            break
    [code] = re.findall(r"\b[A-Z2-9]{5}-[A-Z2-9]{5}-[A-Z2-9]{5}\b", said)
    yield Fresh(home, f"http://127.0.0.1:{port}", code)
    os.killpg(served.pid, signal.SIGINT)
    served.communicate(timeout=30)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Someone:
    """A person at a browser."""

    def __init__(self, browser: Browser, fresh: Fresh, width: int, locale: str) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.address, self.width, self.locale = fresh.address, width, locale

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def picture(self, name: str) -> None:
        self.page.wait_for_load_state()
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the screen by {wide} px"
        if folder := os.environ.get("JUANKU_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/first-{name}-{self.width}-{self.locale}.png", full_page=True)

    def sign_in(self, login: str, password: str) -> None:
        self.go("/sign-in")
        self.page.fill("#field-login", login)
        self.page.fill("#field-password", password)
        self.page.click("main .primary")
        self.page.wait_for_selector(".me")


def _sets_up(someone: Someone, fresh: Fresh) -> None:
    page = someone.go("/")
    page.fill("#field-code", "AAAAA-AAAAA-AAAAA")
    page.click("main .primary")
    page.wait_for_selector("#fault-code")
    someone.picture("code")
    page.fill("#field-code", fresh.code.lower())
    page.click("main .primary")
    page.check(f"input[value={LANGUAGES[someone.locale]}]")
    someone.picture("language")
    page.click("main .primary")
    page.click("main .primary")
    page.wait_for_selector(".fault-summary")
    page.fill("#field-name", "和园物业档案室")
    someone.picture("house")
    page.click("main .primary")
    page.check("input[value=numbered]")
    someone.picture("levels")
    page.click("main .primary")
    page.fill("#field-code", "HY")
    page.click("button[value=back]")
    page.wait_for_selector("input[value=numbered]:checked")
    page.click("main .primary")
    assert page.input_value("#field-code") == "HY", "going back lost what was typed"
    page.fill("#field-name", "和园物业")
    someone.picture("fonds")
    page.click("main .primary")
    page.click("main .primary")
    page.wait_for_selector(".fault-summary")
    someone.picture("people-faults")
    for role in ROLES:
        page.fill(f"#field-{role}-name", {"archivist": "林静文", "security_admin": "郑白露"}.get(role, "冯立夏"))
        page.fill(f"#field-password-{role}", PASSWORD.format(role))
        page.fill(f"#field-again-{role}", PASSWORD.format(role))
    someone.picture("people")
    page.click("main .primary")
    page.check("#field-read")
    someone.picture("ring")
    assert not list(fresh.home.glob("*.db")), "something was made before the last step"
    page.click("main .primary")
    page.wait_for_selector("a[href='/sign-in']")
    someone.picture("done")


def _files_the_right_paper(someone: Someone, folder: Path) -> None:
    wrong, right = folder / "错.txt", folder / "对.txt"
    wrong.write_text("放错的文件", "utf-8")
    right.write_text("电梯维护保养合同", "utf-8")
    page = someone.go("/records/new")
    page.click(".tree a")
    page.fill("#field-title", "电梯维护保养合同")
    page.fill("#field-drawn_up", "2024-03-05")
    page.click("main form .primary")
    page.wait_for_selector("form.upload")
    page.set_input_files("#files-input", [wrong])
    page.click("a.reload")
    page.click("form.replace >> xpath=../summary")
    page.set_input_files("form.replace input[type=file]", [right])
    page.fill("form.replace input[name=reason]", "放错了")
    someone.picture("replace")
    page.click("form.replace button")
    page.click("a.reload")
    page.wait_for_selector(".files .file-name:text('对.txt')")
    assert page.locator(".files .file-name").count() == 1


def _prints_a_label(someone: Someone) -> None:
    page = someone.page
    page.click("section form > button.primary")
    page.wait_for_selector(".state-filed")
    page.click("a[href^='/labels']")
    someone.picture("labels")
    token = page.input_value("main form input[name=csrf_token]")
    record = page.input_value("main form input[name=record]")
    form = {"csrf_token": token, "record": record, "sheet": "roll", "start": "1"}
    reply = page.request.post(f"{someone.address}/labels", form=form)
    assert reply.body().startswith(b"%PDF")


@pytest.mark.parametrize(("width", "locale"), [(1440, "zh-CN"), (390, "zh-TW"), (390, "en-GB")])
def test_the_first_hour_goes_from_an_empty_folder_to_a_label(
    fresh: Fresh, browser: Browser, tmp_path: Path, width: int, locale: str
) -> None:
    assert (fresh.home / "set-up-code").stat().st_mode & 0o077 == 0
    someone = Someone(browser, fresh, width, locale)
    _sets_up(someone, fresh)
    assert not (fresh.home / "set-up-code").exists()
    someone.page.click("a[href='/sign-in']")
    stranger = Someone(browser, fresh, width, locale)
    answers = [stranger.page.request.get(fresh.address + path).url for path in ("/set-up", "/set-up/people")]
    assert all("/sign-in" in url for url in answers), "the set-up answers after its end"
    someone.sign_in("archivist", PASSWORD.format("archivist"))
    someone.picture("desk")
    _files_the_right_paper(someone, tmp_path)
    _prints_a_label(someone)
