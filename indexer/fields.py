"""The fields that can be searched, what kind each is, and the names people may call it by.

How a leaf of a query meets a field follows from the field's kind:

* ``TEXT``: a phrase over ``words.cut`` tokens;
* ``NUMBER``: any part of a number, over ``words.cut_number`` tokens;
* ``CODE``: one of the record's values equals it (``words.cut_code``), or begins with it for a prefix. Values are codes
  and names alike, and for places and categories those of every ancestor;
* ``DATE``: a range of civil days; ``YEAR``: a range of years.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from indexer.fold import fold


class FieldKind(StrEnum):
    """How a field is matched."""

    TEXT = "text"
    NUMBER = "number"
    CODE = "code"
    DATE = "date"
    YEAR = "year"


@dataclass(frozen=True)
class SearchField:
    """A field by its own name. ``everywhere``: words without a field look here too. ``names`` are its other names."""

    name: str
    kind: FieldKind
    everywhere: bool
    names: tuple[str, ...]


FIELDS: tuple[SearchField, ...] = (
    SearchField(
        "title", FieldKind.TEXT, everywhere=True, names=("题名", "案名", "标题", "名称", "案卷题名", "文件题名")
    ),
    SearchField(
        "number",
        FieldKind.NUMBER,
        everywhere=True,
        names=("no", "archive_number", "档号", "编号", "登记号", "文号", "文件编号", "参考编号"),
    ),
    SearchField("responsible", FieldKind.TEXT, everywhere=True, names=("author", "by", "责任者", "作者", "责任人")),
    SearchField("keywords", FieldKind.TEXT, everywhere=True, names=("keyword", "关键词", "主题词", "关键字")),
    SearchField("notes", FieldKind.TEXT, everywhere=True, names=("note", "附注", "备注")),
    SearchField("text", FieldKind.TEXT, everywhere=True, names=("fulltext", "body", "全文", "正文", "内容")),
    SearchField("person", FieldKind.TEXT, everywhere=True, names=("name", "people", "人名", "姓名", "人员", "业主")),
    SearchField("place", FieldKind.CODE, everywhere=False, names=("房产", "位置", "地点", "房号", "项目", "楼栋")),
    SearchField("category", FieldKind.CODE, everywhere=False, names=("class", "类目", "分类", "类别", "类别号")),
    SearchField("department", FieldKind.CODE, everywhere=False, names=("dept", "部门", "机构", "科室", "机构问题")),
    SearchField("date", FieldKind.DATE, everywhere=False, names=("drawn_up", "日期", "成文日期", "形成日期", "时间")),
    SearchField("year", FieldKind.YEAR, everywhere=False, names=("年度", "年份", "年")),
    SearchField("level", FieldKind.CODE, everywhere=False, names=("secrecy", "密级", "级别")),
    SearchField("medium", FieldKind.CODE, everywhere=False, names=("载体", "介质")),
    SearchField("fonds", FieldKind.CODE, everywhere=False, names=("全宗", "全宗号")),
    SearchField("kind", FieldKind.CODE, everywhere=False, names=("种类", "整理方式")),
    SearchField("term", FieldKind.CODE, everywhere=False, names=("retention", "保管期限", "期限")),
    SearchField("material", FieldKind.CODE, everywhere=False, names=("type", "材料", "门类", "类型")),
    SearchField("vital", FieldKind.CODE, everywhere=False, names=("核心", "核心档案", "重要")),
    SearchField("opening", FieldKind.CODE, everywhere=False, names=("release", "released", "开放", "开放鉴定")),
    SearchField("state", FieldKind.CODE, everywhere=False, names=("status", "状态")),
)
"""Every searchable field, in the order in which help shows them."""

VITAL = "yes"
VITAL_WORDS = (VITAL, "是")
"""What the fact and the field ``vital`` hold of a vital record; others have neither."""

OPENING_WORDS = {True: ("open", "是", "开放"), False: ("kept", "否", "控制", "不开放")}
"""What the field ``opening`` holds of a record that was opened or kept from it; the fact holds the first of them."""

BY_NAME: dict[str, SearchField] = {field.name: field for field in FIELDS}
EVERYWHERE: tuple[str, ...] = tuple(field.name for field in FIELDS if field.everywhere)
"""Where words without a field look."""

_ALIASES = {fold(name): field for field in FIELDS for name in (field.name, *field.names)}


def find_field(name: str) -> SearchField | None:
    """The field a person means by ``name``, in any language, width or case; None when there is none."""
    return _ALIASES.get(fold(name.strip()))


def near_fields(name: str) -> list[str]:
    """Up to three names a person may have meant, the best first."""
    return get_close_matches(fold(name), _ALIASES, n=3, cutoff=0.6)
