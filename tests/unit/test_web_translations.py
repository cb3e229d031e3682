"""Every message of pages and command line is there in both scripts of Chinese, with the same gaps to fill."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from opencc_pyo3 import OpenCC

from web.words import LOCALES, TRANSLATIONS, best_locale, named, size, translator

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
GAP = re.compile(r"%\((\w+)\)[sd]")
OWN_NAMES = re.compile(r"商业秘密|国家秘密|卷库|卷庫|关于……的……|关于做好防汛工作的通知|\d年\d月")
"""Words that stand as they are in every language: the mark that the law writes, names, and how titles are formed."""

UNTRANSLATED = frozenset({"Python %(python)s, SQLite %(sqlite)s."})
"""Messages that are written the same in every language."""

METHODS = [("web/**.py", "python"), ("runtime/**.py", "python"), ("web/templates/**.html", "jinja2")]


@cache
def _catalogue(locale: str) -> Catalog:
    return read_po((TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po").open("rb"), locale=locale)


@cache
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


MAINLAND = {
    "軟件": "軟體", "硬件": "硬體", "硬盤": "硬碟", "內存": "記憶體", "網絡": "網路", "數據庫": "資料庫",
    "數據": "資料",
    "默認": "預設", "視頻": "影片", "屏幕": "螢幕", "登錄": "登入", "打印": "列印", "鼠標": "滑鼠", "字段": "欄位",
    "導出": "匯出", "導入": "匯入", "保存此": "儲存此", "創建": "建立", "鏈接": "連結", "菜單": "選單",
    "質量": "品質",
    "窗口": "視窗", "激活": "啟用", "用戶": "使用者", "賬號": "帳號", "文件夾": "資料夾",
    "字符": "字元",
    "服務器": "伺服器", "程序": "程式", "信息": "訊息", "在線": "線上", "瀏覽器端": "瀏覽器", "二維碼": "QR 碼",
    "刷新": "重新整理", "粘貼": "貼上", "復制": "複製", "搜索": "搜尋", "支持": "支援", "緩存": "快取",
    "進程": "行程",
    "密鑰": "金鑰", "缺省": "預設", "拷貝": "複製", "界面": "介面", "兼容": "相容", "存儲": "儲存", "端口": "連接埠",
    "加載": "載入", "卸載": "解除安裝", "文件名": "檔名", "賬戶": "帳戶", "短信": "簡訊", "郵箱": "信箱",
    "計算機": "電腦", "互聯網": "網際網路", "分辨率": "解析度", "光盤": "光碟", "磁盤": "磁碟",
    "線程": "執行緒", "接口": "介面", "文檔": "文件", "模板": "範本", "博客": "部落格", "屬性值": "屬性",
}  # fmt: skip
"""Words of the mainland in traditional characters, as a mere conversion writes them, and what Taiwan says."""

ARCHIVES = re.compile(r"電子檔案|檔案(?:管理員|系統|館|庫|員|室|法|保管)")
"""Where 檔案 may stand though the mainland's text says nothing of 档案."""

COMPOUNDS = re.compile(r"电子档案|档案(?:管理员|系统|馆|库|员|室|法)")
"""The same in the mainland's texts."""

HANDBOOK = ROOT / "docs" / "handbook" / "zh_TW"

SAME_FORMS = set("秘系統准里面回后台谷采制范松仆占周才志")
"""Characters that both scripts write, though a converter would change them in some words."""


def test_traditional_chinese_holds_no_simplified_character() -> None:
    convert = OpenCC("t2s")
    known = {text for message in _catalogue("zh_CN") if message.id for text in _texts(message)}
    simplified = {sign for text in known for sign in text if convert.convert(sign) == sign}
    to_traditional = OpenCC("s2t")
    only_simplified = {sign for sign in simplified if to_traditional.convert(sign) != sign} - SAME_FORMS
    assert len(only_simplified) > 150
    wrong = {
        text: found
        for message in _catalogue("zh_TW")
        if message.id
        for text in _texts(message)
        if (found := only_simplified & set(OWN_NAMES.sub("", text)))
    }
    assert wrong == {}


def test_traditional_chinese_has_its_own_words() -> None:
    wrong = {
        text: found
        for message in _catalogue("zh_TW")
        if message.id
        for text in _texts(message)
        if (found := [word for word in MAINLAND if word in text])
    }
    assert wrong == {}
    gettext = translator("zh_TW")
    assert [gettext(word) for word in ("Sign in", "Archive number", "Files", "the database")] == [
        "登入",
        "檔號",
        "電子檔",
        "資料庫",
    ]


def test_a_file_of_a_computer_is_no_archive_in_taiwan() -> None:
    """Taiwan's text says 檔案 no more often than the mainland's says 档: a file is 電子檔 there."""
    mainland = {
        message.id: max(COMPOUNDS.sub("", text).count("档") for text in _texts(message))
        for message in _catalogue("zh_CN")
    }
    wrong = {
        text
        for message in _catalogue("zh_TW")
        if message.id
        for text in _texts(message)
        if ARCHIVES.sub("", text).count("檔案") > mainland[message.id]
    }
    assert wrong == set()


@pytest.mark.parametrize("path", sorted(HANDBOOK.glob("*.md")), ids=lambda path: path.stem)
def test_the_handbook_of_taiwan_has_its_own_words_and_characters(path: Path) -> None:
    text = OWN_NAMES.sub("", path.read_text("utf-8"))
    assert [word for word in MAINLAND if word in text] == []
    to_traditional, to_simplified = OpenCC("s2t"), OpenCC("t2s")
    simplified = {sign for sign in text if to_simplified.convert(sign) == sign and to_traditional.convert(sign) != sign}
    assert simplified - SAME_FORMS == set()


def test_no_language_is_left_in_another() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    for locale, wanted in (("zh_CN", True), ("zh_TW", True), ("en", False)):
        wrong = [
            message.id
            for message in _catalogue(locale)
            if message.id
            for text in _texts(message)
            if bool(han.search(OWN_NAMES.sub("", text))) is not wanted and re.search(r"[a-z]{3}", GAP.sub("", text))
        ]
        assert [text for text in wrong if text not in UNTRANSLATED] == [], locale


def test_a_person_gets_the_language_their_browser_asks_for() -> None:
    assert best_locale("zh-TW,zh;q=0.9") == "zh_TW"
    assert best_locale("zh-Hant-HK") == "zh_TW"
    assert best_locale("zh-CN,zh;q=0.9,en;q=0.8") == "zh_CN"
    assert best_locale("en-GB") == "en"
    assert best_locale("en;q=0.1, zh-CN") == "zh_CN"
    assert best_locale("zh-CN;q=0, en;q=0.5") == "en"
    assert best_locale("de-DE,fr") == "zh_CN"
    assert best_locale(None) == "zh_CN"


def test_names_of_the_house_fall_back_to_a_language_they_have() -> None:
    assert named({"zh_CN": "合同", "en": "Contracts"}, "zh_TW") == "合同"
    assert named({}, "en") == ""
    assert [size(n) for n in (0, 812, 3_400_000)] == ["0 B", "812 B", "3.2 MB"]
