"""A house that does not stand yet, served from an empty folder, and people at browsers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Download, Page

from tests.factories import patience
from tests.factories.archives import free_port
from tests.factories.film import film

ROOT = Path(__file__).parents[2]


@dataclass
class Fresh:
    """``serve`` on an empty folder."""

    home: Path
    address: str
    code: str


@contextmanager
def a_fresh_house(tmp_path: Path) -> Iterator[Fresh]:
    """Serve an empty folder until the block ends."""
    home, port = tmp_path / "data", free_port()
    variables = {"JUANKU_HOME": str(home), "JUANKU_KEYS": str(tmp_path / "ring"), "JUANKU_PORT": str(port)}
    served = subprocess.Popen(
        [sys.executable, "-m", "runtime", "serve"], cwd=ROOT, env=os.environ | variables | {"LANG": "en_GB.UTF-8"},
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    said = ""
    assert served.stderr is not None
    try:
        for line in served.stderr:
            said += line
            if "http://127.0.0.1" in line:
                break
        [code] = re.findall(r"\b[A-Z2-9]{5}-[A-Z2-9]{5}-[A-Z2-9]{5}\b", said)
        yield Fresh(home, f"http://127.0.0.1:{port}", code)
    finally:
        os.killpg(served.pid, signal.SIGINT)
        served.communicate(timeout=120)


class Someone:
    """A person at a browser."""

    def __init__(self, browser: Browser, fresh: Fresh, width: int, locale: str) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(patience.MILLISECONDS)
        self.address, self.width, self.locale = fresh.address, width, locale

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def picture(self, name: str) -> None:
        film(self.page, f"first-{name}-{self.width}-{self.locale}")

    def until(self, path: str, there: str) -> None:
        """Come back to a page until the work behind it is done."""
        ends = time.monotonic() + 120
        self.go(path)
        while not self.page.locator(there).count():
            assert time.monotonic() < ends, f"{there} never came on {path}"
            self.page.reload()

    def fetches(self, click: Callable[[], None], folder: Path) -> Path:
        """Keep what a click sends as a file."""
        with self.page.expect_download() as sent:
            click()
        got: Download = sent.value
        got.save_as(folder / got.suggested_filename)
        return folder / got.suggested_filename

    def sign_in(self, login: str, password: str) -> None:
        self.go("/sign-in")
        self.page.fill("#field-login", login)
        self.page.fill("#field-password", password)
        self.page.click("main .primary")
        self.page.wait_for_selector(".me")
