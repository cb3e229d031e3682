"""Pictures of a story that a browser test plays, kept where ``JUANKU_SHOTS`` names a folder."""

import os
from pathlib import Path

from playwright.sync_api import Page


def film(page: Page, name: str) -> None:
    """Take a picture of a page that has come in; the page must fit the screen's width, filmed or not."""
    page.wait_for_load_state()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is wider than the screen by {wide} px"
    if folder := os.environ.get("JUANKU_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
