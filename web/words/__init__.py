"""The words of the product in three languages, with or without a request: the one gettext loader.

Catalogues are read from their ``.po`` text, so that no built file can be stale.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from web.words import catalogues
from web.words.catalogues import Catalogue

LOCALES = ("zh_CN", "zh_TW", "en")
DEFAULT_LOCALE = "zh_CN"
TRANSLATIONS = Path(__file__).parents[1] / "translations"

UNITS = ("B", "KB", "MB", "GB", "TB")


@cache
def translations(locale: str) -> Catalogue:
    """Return the catalogue of a locale; an unknown locale gets the default's."""
    known = locale if locale in LOCALES else DEFAULT_LOCALE
    return catalogues.read(TRANSLATIONS / known / "LC_MESSAGES" / "messages.po")


def translator(locale: str) -> Callable[..., str]:
    """Return a ``gettext(message, **facts)`` for a locale that needs no request; it reads its catalogue when used."""

    def gettext(message: str, **facts: Any) -> str:
        text = translations(locale).gettext(message)
        return text % facts if facts else text

    return gettext


def mark(message: str) -> str:
    """Mark a message for the catalogues where it stands; it is translated where it is shown."""
    return message


def best_locale(accepted: str | None) -> str:
    """Choose a locale from a browser's Accept-Language, as it weighs them; the house's default when none fits."""
    from werkzeug.datastructures import LanguageAccept  # noqa: PLC0415 (commands that say nothing start without it)
    from werkzeug.http import parse_accept_header  # noqa: PLC0415

    for told, weight in parse_accept_header(accepted, LanguageAccept):
        tag = told.lower().replace("_", "-") if weight else ""
        if tag.startswith(("zh-tw", "zh-hk", "zh-mo", "zh-hant")):
            return "zh_TW"
        if tag.startswith("zh"):
            return "zh_CN"
        if tag.startswith("en"):
            return "en"
    return DEFAULT_LOCALE


def named(names: Mapping[str, str] | None, locale: str) -> str:
    """Return what a house calls a thing in a locale, or in the next best language it has a name in."""
    for key in (locale, DEFAULT_LOCALE, "zh_TW", "en"):
        if names and names.get(key):
            return names[key]
    return next(iter(names.values()), "") if names else ""


def listed(words: Iterable[str], locale: str) -> str:
    """Write words one after another as a language does: a, b; 甲、乙."""
    return (", " if locale == "en" else "、").join(words)


def day(moment: datetime | None, zone: str) -> str:
    """Write the civil day of a moment in the house's zone: 2026-11-22."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d") if moment else ""


def minute(moment: datetime | None, zone: str) -> str:
    """Write a moment in the house's zone to the minute: 2026-11-22 14:05."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if moment else ""


def size(count: int | None) -> str:
    """Write a number of bytes as people say it: 812 B, 3.2 MB."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {UNITS[unit]}"
