"""What a bag says of a record: its description, what the log has of it, and its files with their hashes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.model import (
    Category,
    Content,
    ContentState,
    File,
    Fonds,
    House,
    Level,
    LogCheckpoint,
    LogEntry,
    LogSeal,
    Record,
    Transfer,
)
from archive.ports import ReadableObjects, Unlocked, Vault

FORMAT = 1
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")

DAT = (
    ("fonds", "全宗号"), ("category", "类别号"), ("archive_number", "档号"), ("registration_number", "登记号"),
    ("title", "题名"), ("responsible", "责任者"), ("drawn_up", "日期"), ("level_name", "密级"), ("term", "保管期限"),
    ("pages", "页数"), ("medium", "载体"), ("keywords", "主题词"), ("notes", "附注"),
)  # fmt: skip
"""Names of the elements of a description in XML, as catalogues of the trade have them."""


@dataclass(frozen=True)
class PartFile:
    """A file of a record as it lies in a bag; ``path`` is below ``data/``."""

    path: str
    name: str
    content: UUID
    size: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """What a bag holds of one record: small texts by path, and files."""

    texts: Mapping[str, str]
    files: Sequence[PartFile]

    def dump(self) -> bytes:
        """Return it as bytes to be sealed."""
        files = [[each.path, each.name, str(each.content), each.size, each.sha256] for each in self.files]
        return json.dumps({"texts": dict(self.texts), "files": files}, ensure_ascii=False).encode()

    @classmethod
    def load(cls, data: bytes) -> "Part":
        """Read what ``dump`` made."""
        told = json.loads(data)
        files = [PartFile(path, name, UUID(key), size, found) for path, name, key, size, found in told["files"]]
        return cls(told["texts"], files)


def folder_of(position: int) -> str:
    """Return the folder of a record: it has the number of its place on the list, whatever is taken out."""
    return f"records/{position:05}"


def part_of(session: Session, vault: Vault, position: int, key: UUID) -> Part:
    """Return what a bag is to hold of a record as it is now."""
    record, name = session.get_one(Record, key), folder_of(position)
    told = _description(session, vault, record)
    rows: Any = session.execute(
        select(File.name, File.role, Content)
        .join(Content, Content.id == File.content_id)
        .where(File.record_id == key, Content.state == ContentState.STORED)
        .order_by(File.position, File.id)
    ).all()
    files, held = [], []
    for at, (file_name, role, content) in enumerate(rows, 1):
        suffix = _SUFFIX.search(file_name)
        place, expected = f"{name}/files/{at:04}{suffix[0] if suffix else ''}", content.plain_sha256 or ""
        files.append(PartFile(place, file_name, content.id, content.size, expected))
        held.append(
            {"path": place, "name": file_name, "role": role.value, "size": content.size, "sha256": expected}
        )  # fmt: skip
    texts = {
        f"{name}/description.json": as_json({**told, "files": held}),
        f"{name}/description.xml": _xml(told, held),
        f"{name}/log.json": as_json({"entries": _entries(session, key)}),
    }
    return Part(texts, files)


def plain(session: Session, unlocked: Unlocked, store: ReadableObjects, file: PartFile) -> Iterator[bytes]:
    """Return the bytes of a file. Raises ``Unreadable``, ``Damaged`` while they are read."""
    content = session.get_one(Content, file.content)
    return unlocked.content_reader(content.id, store, content.object_key, content.store_version or "").read()


def whole_bag(session: Session, transfer: Transfer, items: Sequence[tuple[int, UUID]], day: str) -> dict[str, str]:
    """Return what a bag holds beside its records: the text of ``transfer.json``, and the lines of ``bag-info.txt``."""
    house = session.scalars(select(House)).first()
    source = house.names.get("zh_CN", "") if house else ""
    about = {
        "format": FORMAT, "number": transfer.number, "receiver": transfer.receiver,
        "records": [{"folder": folder_of(position), "id": str(key)} for position, key in items],
        "source": source, "checkpoint": _checkpoint(session),
    }  # fmt: skip
    info = {
        "Source-Organization": source, "External-Identifier": transfer.number, "Bagging-Date": day,
        "External-Description": transfer.purpose,
    }  # fmt: skip
    return {"transfer.json": as_json(about), **info}


def _description(session: Session, vault: Vault, record: Record) -> dict[str, Any]:
    category, level = session.get_one(Category, record.category_id), session.get_one(Level, record.level_rank)
    protected = describing.opened(vault, session, record)
    as_it_is = ("title", "responsible", "drawn_up", "term", "pages", "material", "keywords", "notes", "archive_number",
                "registration_number", "position", "volume")  # fmt: skip
    return {
        "id": str(record.id),
        "kind": record.kind.value,
        "fonds": session.get_one(Fonds, record.fonds_id).code,
        "category": category.code,
        "level": level.code,
        "level_name": level.names.get("zh_CN", level.code),
        "medium": record.medium.value,
        "dossier": str(record.dossier_id) if record.dossier_id else None,
        "fields": {**record.fields, **protected},
        "filed_at": record.filed_at.isoformat() if record.filed_at else None,
        **{name: getattr(record, name) for name in as_it_is},
    }


def _entries(session: Session, key: UUID) -> list[dict[str, Any]]:
    """Return what the log says of a record, without bodies; each entry with its hash and its place in the chain."""
    query = (
        select(LogEntry, LogSeal.seq, LogSeal.chain)
        .outerjoin(LogSeal, LogSeal.entry_id == LogEntry.id)
        .where(LogEntry.record_id == key)
        .order_by(LogEntry.at, LogEntry.id)
    )
    rows: Any = session.execute(query).all()
    return [
        {
            "at": entry.at.isoformat(), "act": entry.act, "result": entry.result.value, "actor": entry.actor,
            "hash": entry.hash.hex(), "seq": seq, "chain": chain.hex() if chain else None,
        }
        for entry, seq, chain in rows
    ]  # fmt: skip


def _checkpoint(session: Session) -> dict[str, Any] | None:
    row = session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).first()
    if row is None:
        return None
    return {
        "size": row.size, "at": row.at.isoformat(), "root": row.root.hex(), "head": row.head.hex(),
        "key_id": row.key_id, "signature": row.signature.hex(),
    }  # fmt: skip


def as_json(value: Any) -> str:
    """Return a text of a bag."""
    return json.dumps(value, ensure_ascii=False, indent=1)


def _xml(told: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    root = ET.Element("档案")
    for name, words in DAT:
        value = told.get(name)
        if value not in (None, "", []):
            ET.SubElement(root, words).text = "；".join(map(str, value)) if isinstance(value, list) else str(value)
    for each in files:
        ET.SubElement(root, "电子文件", 路径=str(each["path"]), 文件名=str(each["name"]), SHA256=each["sha256"])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'
