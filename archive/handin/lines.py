"""Lines of a hand-over list: what each says, how it is typed, pasted or read from a sheet, and kept sealed."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from archive.dates import BadDate, parse_civil
from archive.errors import Fault, InvalidInput
from archive.model import Carrier, HandInLine, Medium
from archive.ports import Vault

MOST_LINES = 500
MOST_COPIES = 99
MOST_PAGES = 1_000_000
LONGEST: Mapping[str, int] = {"number": 100, "title": 500, "remarks": 500}
"""Characters."""

FILE_WORDS = frozenset(("file", "electronic", "电子", "電子", "电子文件", "電子檔案", "电子档案"))
CARRIERS: Mapping[str, Carrier] = {
    **{carrier.value: carrier for carrier in Carrier},
    **dict.fromkeys(("纸", "紙", "纸质", "紙質", "紙本", "文件"), Carrier.PAPER),
    **dict.fromkeys(("照片", "相片", "photo"), Carrier.PHOTOGRAPH),
    **dict.fromkeys(("图纸", "圖紙", "图", "圖"), Carrier.DRAWING),
    **dict.fromkeys(("光盘", "光碟", "cd", "dvd", "disk"), Carrier.DISC),
    **dict.fromkeys(("u盘", "隨身碟", "移动硬盘", "行動硬碟", "硬盘", "硬碟", "usb", "usb stick"), Carrier.DRIVE),
    **dict.fromkeys(("胶片", "膠片", "缩微"), Carrier.FILM),
    **dict.fromkeys(("磁带", "磁帶"), Carrier.TAPE),
    **dict.fromkeys(("实物", "實物"), Carrier.OBJECT),
}
"""What people write for a carrier, folded."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "no.", "document number", "编号", "編號", "文号", "文號", "档号", "檔號", "条码", "條碼"),
    "title": ("title", "题名", "題名", "标题", "標題", "文件名称", "名称", "名稱", "案卷题名"),
    "drawn_up": ("date", "drawn up on", "日期", "形成日期", "时间", "時間"),
    "pages": ("pages", "页数", "頁數", "页", "頁"),
    "copies": ("copies", "份数", "份數", "份"),
    "carrier": ("carrier", "medium", "载体", "載體", "载体类型", "載體類型", "介质"),
    "remarks": ("remarks", "notes", "备注", "備註", "附注"),
}
"""The parts of a line in their order, with the words that head them."""


@dataclass(frozen=True)
class LineFacts:
    """What a line says. ``drawn_up`` is a civil date or ""; ``carrier`` None: a file that is in the archive already."""

    number: str = ""
    title: str = ""
    drawn_up: str = ""
    pages: int | None = None
    copies: int = 1
    carrier: Carrier | None = Carrier.PAPER
    remarks: str = ""

    @property
    def medium(self) -> Medium:
        """What the record is then."""
        electronic = {None, Carrier.DISC, Carrier.DRIVE, Carrier.TAPE}
        return Medium.ELECTRONIC if self.carrier in electronic else Medium.PAPER


def checked(lines: Sequence[LineFacts]) -> list[LineFacts]:
    """Return lines as they are kept.

    Raises:
        InvalidInput: names each part at fault, with its ``row`` (from 1) among the facts.
    """
    faults: list[Fault] = []
    kept = []
    for row, each in enumerate(lines, 1):
        own, line = _checked(each)
        faults += [Fault(one.field, one.code, {**one.facts, "row": row}) for one in own]
        kept.append(line)
    if len(lines) > MOST_LINES:
        faults.append(Fault("lines", "too_many", {"limit": MOST_LINES}))
    if faults:
        raise InvalidInput(*faults[:50])
    return kept


def _checked(each: LineFacts) -> tuple[list[Fault], LineFacts]:
    number, title, remarks = (" ".join(text.split()) for text in (each.number, each.title, each.remarks))
    faults = [
        Fault(name, "too_long", {"limit": LONGEST[name], "length": len(text)})
        for name, text in (("number", number), ("title", title), ("remarks", remarks))
        if len(text) > LONGEST[name]
    ]
    if not (number or title):
        faults.append(Fault("title", "number_or_title"))
    if each.pages is not None and not 0 <= each.pages <= MOST_PAGES:
        faults.append(Fault("pages", "out_of_range", {"low": 0, "high": MOST_PAGES}))
    if not 1 <= each.copies <= MOST_COPIES:
        faults.append(Fault("copies", "out_of_range", {"low": 1, "high": MOST_COPIES}))
    drawn = ""
    if each.drawn_up.strip():
        try:
            drawn = parse_civil(each.drawn_up).text
        except BadDate as bad:
            faults += bad.faults
    return faults, LineFacts(number, title, drawn, each.pages, each.copies, each.carrier, remarks)


def read_table(rows: Sequence[Sequence[str]]) -> list[LineFacts]:
    """Read lines from the cells of a table; a first row that names columns says which is which.

    Raises:
        InvalidInput: a number or a carrier that is none, with its ``row`` (from 1) among the facts.
    """
    held = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    names = _headed(held[0]) if held else None
    body = held[1:] if names else held
    order = names or list(COLUMNS)
    faults: list[Fault] = []
    lines = []
    for at, row in enumerate(body, 1):
        said = {name: cell for name, cell in zip(order, row, strict=False) if name}
        facts, own = typed(said)
        faults += [Fault(one.field, one.code, {**one.facts, "row": at}) for one in own]
        lines.append(facts)
    if faults:
        raise InvalidInput(*faults[:50])
    return lines


def typed(said: Mapping[str, str]) -> tuple[LineFacts, list[Fault]]:
    """Read one line as it was typed, by the names of its parts; return it with what cannot be read."""
    faults: list[Fault] = []

    def count(name: str) -> int | None:
        text = unicodedata.normalize("NFKC", said.get(name, "")).strip()
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 7:
            return int(text)
        faults.append(Fault(name, "not_a_number", {"value": text[:40]}))
        return None

    word = _folded(said.get("carrier", ""))
    carrier = None if word in FILE_WORDS else CARRIERS.get(word, Carrier.PAPER)
    if word and word not in FILE_WORDS and word not in CARRIERS:
        faults.append(Fault("carrier", "unknown_value", {"value": word[:40]}))
    copies = count("copies")
    facts = LineFacts(
        said.get("number", ""), said.get("title", ""), said.get("drawn_up", ""), count("pages"),
        1 if copies is None else copies, carrier, said.get("remarks", ""),
    )  # fmt: skip
    return facts, faults


def cells(text: str) -> list[list[str]]:
    """Part a pasted text into cells: by tabs, as spreadsheets and tables of documents give them."""
    return [line.split("\t") for line in text.replace("\r\n", "\n").split("\n")]


def _headed(row: Sequence[str]) -> list[str] | None:
    found = [next((name for name, words in COLUMNS.items() if _folded(cell) in words), "") for cell in row]
    return found if "title" in found or "number" in found else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def seal_lines(
    session: Session, vault: Vault, batch: UUID, lines: Sequence[tuple[UUID, LineFacts]]
) -> dict[UUID, bytes]:
    """Seal what lines say, by their ids, under their batch's key."""
    items = []
    for key, facts in lines:
        told = {name: getattr(facts, name) for name in ("number", "title", "drawn_up", "remarks")}
        items.append((batch, json.dumps(told, ensure_ascii=False).encode(), _context(key)))
    return dict(zip((key for key, _ in lines), vault.seal_many(session, items), strict=True))


def open_lines(session: Session, vault: Vault, rows: Sequence[HandInLine]) -> list[LineFacts]:
    """Return what lines say, in their order."""
    opened = vault.open_many(session, [(row.batch_id, row.sealed, _context(row.id)) for row in rows])
    return [_facts(row, data) for row, data in zip(rows, opened, strict=True)]


def _facts(row: HandInLine, data: bytes | None) -> LineFacts:
    told: dict[str, Any] = json.loads(data) if data is not None else {}
    return LineFacts(pages=row.pages, copies=row.copies, carrier=row.carrier, **told)


def _context(key: UUID) -> str:
    return f"hand-in-line:{key.hex}"
