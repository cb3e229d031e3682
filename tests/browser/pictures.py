"""Make every picture of the READMEs and the handbook anew, or picture every page in every way: ``./juanku pictures``.

The first makes a demonstration archive in a folder of its own, opens it in Chromium in each language, and writes
``docs/pictures``. The second (``--pages FOLDER``) keeps a picture of every page in three languages, three widths and
both shades, and says what is at fault in it and what in it scrolls sideways; ``--width``, ``--shade`` and ``--locale``
choose among them, and with ``--turn`` each page is pictured once a width, languages and shades by turns.
"""

import argparse
import io
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.pages import PAGES, SHADES, STATES, WIDTHS, Watched, a_browser
from tests.factories.archives import Archive
from tests.factories.furnished import Furnished, furnished
from web.handbook import PICTURES, SIZES
from web.words import LOCALES

RECORDS = "24"

TALLEST = 16_383
"""Pixels that a WebP has at most; of a longer page its beginning is kept."""


def _why(page: Page, number: str) -> None:
    page.fill("#field-number", number)
    page.fill("#field-login", "staff")
    page.click("main .primary")
    page.wait_for_selector("dl")


SHOWN: Mapping[str, tuple[str, str]] = {
    "desk": ("archivist", "/"),
    "search": ("archivist", "/search?q=電梯"),
    "viewer": ("archivist", "/files/{content}/pages/1?q=電梯"),
    "form": ("archivist", "/records/new?category={category}"),
    "proposals": ("archivist", "/proposals"),
    "doubles": ("archivist", "/doubles"),
    "bring-in": ("archivist", "/bring-in/{sheet}/check"),
    "labels": ("archivist", "/labels?record={filed}"),
    "scheme": ("archivist", "/house/fonds/{fonds}/scheme"),
    "log": ("audit", "/log"),
    "person": ("security", "/house/people/{person}"),
    "why": ("secrecy", "/why"),
    "parts": ("system", "/system/parts"),
    "search-phone": ("archivist", "/search?q=電梯"),
}
"""By the picture's name: who is at the pages, and the address."""

BEFORE: Mapping[str, Callable[[Page, Mapping[str, str]], None]] = {"why": lambda page, at: _why(page, at["number"])}
"""What is done on a page before its picture is taken."""


def _kept(shot: bytes, target: Path) -> None:
    with Image.open(io.BytesIO(shot)) as picture:
        top = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
        top.convert("RGB").save(target, "WEBP", quality=78, method=6)


def _handbook(browser: Browser, house: Furnished, only: set[str], folder: Path) -> None:
    for locale in LOCALES:
        people: dict[tuple[str, str], Watched] = {}
        for name, (login, path) in SHOWN.items():
            if only and name not in only:
                continue
            kind = "phone" if name.endswith("-phone") else ""
            if (login, kind) not in people:
                someone = Watched(browser, house.url, width=SIZES[kind][0], locale=locale, shade="light")
                someone.page.set_viewport_size({"width": SIZES[kind][0], "height": SIZES[kind][1]})
                someone.sign_in(login)
                people[login, kind] = someone
            page = people[login, kind].page
            people[login, kind].go(path.format(**house.places))
            BEFORE.get(name, lambda _page, _at: None)(page, house.places)
            _kept(page.screenshot(), folder / f"{name}-{locale}.webp")
            print(f"{name}-{locale}")
        for someone in people.values():
            someone.context.close()


SIDEWAYS = (
    "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 40"
    " && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) && !e.closest('.hidden, [hidden]'))"
    ".map(e => `${e.tagName.toLowerCase()}.${e.className} by ${e.scrollWidth - e.clientWidth} px`)"
)
"""What of a page is wider than its frame: a table on a phone, or words that are cut off."""


def _every(browser: Browser, house: Furnished, told: argparse.Namespace) -> int:
    people: dict[tuple[str, ...], Watched] = {}
    faults = 0
    ways = [*product(told.locale or LOCALES, told.shade or SHADES)]
    chosen = {name: page for name, page in {**PAGES, **STATES}.items() if not told.only or name in told.only}
    for place, (name, (login, path)) in enumerate(chosen.items()):
        for turn, width in enumerate(told.width or WIDTHS, place):
            for locale, shade in [ways[turn % len(ways)]] if told.turn else ways:
                someone = _signed_in(people, browser, house, login, locale)
                someone.look(width=width, shade=shade)
                for fault in someone.proof(path.format(**house.places)):
                    faults += 1
                    print(f"{name} {locale} {width} {shade}: {fault}", flush=True)
                for wide in someone.page.evaluate(SIDEWAYS):
                    print(f"{name} {locale} {width} {shade}: sideways: {wide}", flush=True)
                picture = someone.page.screenshot(full_page=True)
                _kept(picture, told.pages / f"{name.replace(' ', '-')}-{width}-{locale}-{shade}.webp")
    return faults


def _signed_in(
    people: dict[tuple[str, ...], Watched], browser: Browser, house: Furnished, login: str, locale: str
) -> Watched:
    if (login, locale) not in people:
        people[login, locale] = Watched(browser, house.url, width=WIDTHS[0], locale=locale, shade=SHADES[0])
        if login:
            people[login, locale].sign_in(login)
    return people[login, locale]


def main() -> int:
    """Read the command line and do it; return the exit code."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--pages", type=Path, metavar="FOLDER", help="picture every page in every way into this folder")
    told.add_argument("--only", action="append", default=[], metavar="NAME", help="only this picture, or this page")
    told.add_argument(
        "--width", action="append", type=int, default=[], metavar="PX", help="only this width of the pages"
    )
    told.add_argument("--locale", action="append", default=[], choices=LOCALES, help="only this language of the pages")
    told.add_argument("--shade", action="append", default=[], choices=SHADES, help="only this shade of the pages")
    told.add_argument("--turn", action="store_true", help="each page once a width, languages and shades by turns")
    told.add_argument("--archive", type=Path, metavar="FOLDER", help="keep the demonstration archive in this folder")
    chosen = told.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Archive(chosen.archive or Path(scratch) / "archive")
        if not archive.home.exists():
            archive.folder.mkdir(parents=True, exist_ok=True)
            made = archive.run("demo", "--no-serve", "--size", RECORDS)
            if made.code:
                print(made.err, file=sys.stderr)
                return 1
        with furnished(archive) as house, a_browser() as browser:
            folder = chosen.pages or PICTURES
            folder.mkdir(parents=True, exist_ok=True)
            if chosen.pages:
                return 1 if _every(browser, house, chosen) else 0
            _handbook(browser, house, set(chosen.only), folder)
            return 0


if __name__ == "__main__":
    sys.exit(main())
