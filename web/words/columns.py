"""What a column of a spreadsheet may be: its words, and what is proposed by the words in its header."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from archive.bringing_in.rows import JOINED, OWN, PLAIN, TITLE_HEADERS
from archive.scheme.fields import FieldDef
from web.words import mark, translator
from web.words.faults import field_label

FILE_NAME = mark("File name of a scan")

HEADERS: Mapping[str, tuple[str, ...]] = {
    "title": TITLE_HEADERS,
    "drawn_up": (
        "日期", "形成日期", "成文日期", "文件日期", "签订日期", "簽訂日期", "產生日期", "文件產生日期",
        "形成时间", "形成時間", "成文时间", "文件时间", "签订时间", "发文日期", "發文日期", "製作日期", "时间", "時間",
        "date", "drawn up on", "date drawn up", "document date",
    ),
    "responsible": (
        "责任者", "責任者", "责任人", "負責人", "作者", "发文单位", "來文機關", "产生者", "產生者",
        "责任单位", "形成单位", "编制单位", "发文机关", "發文機關",
        "responsible", "author", "responsible person",
    ),
    "level": ("密级", "密級", "机密等级", "機密等級", "保密等级", "level", "secrecy level", "classification"),
    "place": ("位置", "地点", "地點", "房产位置", "房号", "房號", "坐落", "place", "location", "property"),
    "department": (
        "部门", "部門", "归档部门", "歸檔部門", "所属部门", "承办单位", "承辦單位", "department", "office", "unit"
    ),
    "keywords": ("关键词", "關鍵詞", "关键字", "關鍵字", "主题词", "主題詞", "keywords", "keyword", "tags"),
    "notes": ("备注", "備註", "附注", "附註", "说明", "說明", "notes", "note", "remarks", "remark"),
    "pages": ("页数", "頁數", "页次", "张数", "張數", "pages", "page count", "number of pages"),
    "medium": ("载体", "載體", "介质", "媒介", "载体类型", "媒體型式", "medium", "carrier"),
    "importance": ("重要性", "重要程度", "重要等级", "重要等級", "importance"),
    OWN + "document_number": (
        "文号", "文號", "文件编号", "文件編號", "发文字号", "發文字號", "合同编号", "合同号", "合約編號", "合約號",
        "document number", "contract number",
    ),
    "file": (
        "文件名", "檔名", "扫描件", "扫描件名", "扫描文件", "扫描文件名", "掃描檔", "掃描檔名",
        "电子文件名", "電子檔", "电子文件", "附件",
        "file", "file name", "filename", "scan", "files",
    ),
}  # fmt: skip
"""Header words of each, in three languages; the first columns that fit are taken."""

_BESIDE = re.compile(r"[(\[].*?[)\]]|[*:：#\s_\-]+")


def choices(fields: Sequence[FieldDef], locale: str) -> list[tuple[str, str]]:
    """Return what a column may be, with its words in ``locale``."""
    plain = [(name, translator(locale)(FILE_NAME) if name == "file" else field_label(name, locale)) for name in PLAIN]
    return plain + [(OWN + each.name, each.label(locale)) for each in fields]


def proposed(headers: Sequence[str], fields: Sequence[FieldDef]) -> list[str]:
    """Propose what each column is by its header; "" where nothing fits."""
    there = {*PLAIN, *(OWN + each.name for each in fields)}
    known = {_plain(word): name for name, words in HEADERS.items() if name in there for word in words}
    for each in fields:
        known |= dict.fromkeys([_plain(each.name), *map(_plain, each.names.values())], OWN + each.name)
    found: list[str] = []
    for header in headers:
        name = known.get(_plain(header), "")
        found.append("" if name in found and name not in JOINED else name)
    return found


def _plain(text: str) -> str:
    return _BESIDE.sub("", unicodedata.normalize("NFKC", text).casefold())
