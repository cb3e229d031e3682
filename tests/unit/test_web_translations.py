"""Every message of pages and command line is there in both scripts of Chinese, with the same gaps to fill."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from web.words import LOCALES, TRANSLATIONS, best_locale, named, size, translator

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
GAP = re.compile(r"%\((\w+)\)[sd]")
SIMPLIFIED_ONLY = set("档业务类级责门码库录检记销毁传输归页图纸录显为区员")
METHODS = [("web/**.py", "python"), ("runtime/**.py", "python"), ("web/templates/**.html", "jinja2")]


def _catalogue(locale: str) -> Catalog:
    return read_po((TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po").open("rb"), locale=locale)


def _used() -> set[str]:
    found = set()
    for room in ("web", "runtime"):
        methods = [(path.removeprefix(f"{room}/"), kind) for path, kind in METHODS if path.startswith(room)]
        for _, _, message, _, _ in extract_from_dir(ROOT / room, methods, keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    return found


def _texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_in_use_is_translated(locale: str) -> None:
    catalogue = _catalogue(locale)
    used = _used()
    assert len(used) > 300
    missing = [text for text in used if (found := catalogue.get(text)) is None or not all(_texts(found))]
    assert missing == []


@pytest.mark.parametrize("locale", LOCALES)
def test_no_translation_is_fuzzy_and_each_keeps_its_gaps(locale: str) -> None:
    for message in _catalogue(locale):
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        wanted = set(GAP.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for text in _texts(message):
            assert set(GAP.findall(text)) == wanted, message.id


def test_traditional_chinese_has_its_own_words_and_no_simplified_characters() -> None:
    texts = "".join(text for message in _catalogue("zh_TW") if message.id for text in _texts(message))
    assert SIMPLIFIED_ONLY & set(texts) - set("記錄傳輸為區員責") - set("記責圖") == set()
    gettext = translator("zh_TW")
    assert [gettext(word) for word in ("Sign in", "Archive number", "Files", "the database")] == [
        "登入",
        "檔號",
        "電子檔",
        "資料庫",
    ]


def test_a_person_gets_the_language_their_browser_asks_for() -> None:
    assert best_locale("zh-TW,zh;q=0.9") == "zh_TW"
    assert best_locale("zh-Hant-HK") == "zh_TW"
    assert best_locale("zh-CN,zh;q=0.9,en;q=0.8") == "zh_CN"
    assert best_locale("en-GB") == "en"
    assert best_locale("de-DE,fr") == "zh_CN"
    assert best_locale(None) == "zh_CN"


def test_names_of_the_house_fall_back_to_a_language_they_have() -> None:
    assert named({"zh_CN": "合同", "en": "Contracts"}, "zh_TW") == "合同"
    assert named({}, "en") == ""
    assert [size(n) for n in (0, 812, 3_400_000)] == ["0 B", "812 B", "3.2 MB"]
