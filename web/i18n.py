"""Flask-Babel, fed from our catalogues in memory; which language a request speaks; how pages write days and sizes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, Domain
from jinja2 import pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context

from web import words
from web.words.catalogues import Catalogue

LANGUAGE_COOKIE = "juanku_language"
LANGUAGE_NAMES = {"zh_CN": "简体中文", "zh_TW": "繁體中文", "en": "English"}
HTML_LANG = {"zh_CN": "zh-Hans-CN", "zh_TW": "zh-Hant-TW", "en": "en"}


class MemoryDomain(Domain):  # type: ignore[misc]  # flask_babel carries no types
    """A gettext domain whose catalogues are ours."""

    def get_translations(self) -> Catalogue:
        """Return the catalogue of the present request's language."""
        return words.translations(current_locale())


def current_locale() -> str:
    """Return the language of this request: the person's own, else the choice made here, else the browser's."""
    if not has_request_context():
        return words.DEFAULT_LOCALE
    if "locale" not in g:
        g.locale = _choose()
    return str(g.locale)


def _choose() -> str:
    person = g.get("person")
    if person is not None and person.locale in words.LOCALES:
        return str(person.locale)
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in words.LOCALES:
        return str(chosen)
    return words.best_locale(request.headers.get("Accept-Language"))


def init_app(app: Flask) -> None:
    """Give an app its languages and the filters that write names, days and sizes."""
    Babel(app, default_locale="zh_CN", locale_selector=current_locale)
    domain = MemoryDomain()

    @app.before_request
    def _speak() -> None:
        domain.as_default()

    def zone() -> str:
        return str(current_app.extensions["juanku"].zone())

    def day(moment: datetime | None) -> str:
        return words.day(moment, zone())

    def minute(moment: datetime | None) -> str:
        return words.minute(moment, zone())

    def named(names: dict[str, str] | None) -> str:
        return words.named(names, current_locale())

    def listed(each: Iterable[str]) -> str:
        return words.listed(each, current_locale())

    app.jinja_env.filters.update(day=day, minute=minute, size=words.size, named=named, listed=listed)
    app.context_processor(_spoken)


def _spoken() -> dict[str, Any]:
    """Return what each page knows of its language; ``gap`` stands between two sentences: Chinese has none there."""
    locale = current_locale()
    gap = " " if locale == "en" else ""
    return {"locale": locale, "html_lang": HTML_LANG[locale], "languages": LANGUAGE_NAMES, "gap": gap}


def speak_anew(app: Flask) -> None:
    """Have each filter of ours asked whenever a page is made, once all are known.

    jinja2 works a filter of a constant out when it reads the template: its words would stay in the language of whoever
    came first. One that takes the page's context is never worked out before.
    """
    own = {name: each for name, each in app.jinja_env.filters.items() if name not in FILTERS}
    app.jinja_env.filters.update({name: _anew(each) for name, each in own.items()})


def _anew(own: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    @wraps(own)
    def asked(_context: Context, *given: Any, **named: Any) -> Any:
        return own(*given, **named)

    return asked
