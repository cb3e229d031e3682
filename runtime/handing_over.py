"""Handing over: the bag of an approved transfer is made, and a bag of another archive comes in as drafts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive import describing, failpoints
from archive.describing import Draft
from archive.errors import ArchiveError, Fault, InvalidInput
from archive.identity import Identity
from archive.imports import Source
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
    Medium,
    Record,
    RecordKind,
)
from archive.scheme.fields import parse_fields
from runtime.bag import CHUNK, BagWriter, NotOurs, bag_hash, verify
from runtime.wiring import Parts

FORMAT = 1
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_TOGETHER = 20

DAT = (
    ("fonds", "全宗号"), ("category", "类别号"), ("archive_number", "档号"), ("registration_number", "登记号"),
    ("title", "题名"), ("responsible", "责任者"), ("drawn_up", "日期"), ("level_name", "密级"), ("term", "保管期限"),
    ("pages", "页数"), ("medium", "载体"), ("keywords", "主题词"), ("notes", "附注"),
)  # fmt: skip
"""Names of the elements of a description in XML, as catalogues of the trade have them."""

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Packed:
    """A bag that was made: how many records and files, and the hash that stands for it."""

    number: str
    records: int
    files: int
    bag_sha256: str


def pack(parts: Parts, identity: Identity, number: str, folder: Path, told: Told) -> Packed:
    """Make the bag of an approved transfer in a folder; after a break it goes on where it stood.

    Raises:
        NotFound, Ended: as ``Transfers.packing``.
        InvalidInput: ``folder`` holds something else, or a file could not be read whole.
    """
    transfers = parts.retention.transfers
    with parts.db.reading() as session:
        transfer, ids = transfers.packing(session, number)
        house = session.scalars(select(House)).first()
        source = house.names.get("zh_CN", "") if house else ""
        checkpoint = _checkpoint(session)
    try:
        writer = BagWriter(folder, f"{transfer.id}")
    except NotOurs:
        raise InvalidInput(Fault("folder", "not_empty")) from None
    files, names = 0, []
    for done, key in enumerate(ids):
        told(done, len(ids))
        name = f"records/{done + 1:05}"
        names.append({"folder": name, "id": str(key)})
        files += _pack_record(parts, writer, name, key)
        failpoints.reach("transfer.record_packed")
    about = {"format": FORMAT, "number": transfer.number, "receiver": transfer.receiver, "records": names}
    writer.add("transfer.json", _json({**about, "source": source, "checkpoint": checkpoint}))
    info = [("Source-Organization", source), ("External-Identifier", transfer.number),
            ("Bagging-Date", parts.guard.day().isoformat()), ("External-Description", transfer.purpose)]  # fmt: skip
    stands = writer.finish(info)
    with parts.db.writing() as work:
        row, now = transfers.packing(work.session, number)
        if list(now) != list(ids):  # a hold or loan came meanwhile: the bag is not of what may go
            raise InvalidInput(Fault("records", "changed_meanwhile"))
        transfers.packed(work.session, identity, row, stands)
        parts.log.note_many(
            work.session, identity, "transfer.copy", [(key, {"transfer": transfer.number}) for key in ids]
        )
        work.commit()
    return Packed(transfer.number, len(ids), files, stands)


def _pack_record(parts: Parts, writer: BagWriter, name: str, key: UUID) -> int:
    with parts.db.reading() as session:
        record = session.get_one(Record, key)
        told = _description(parts, session, record)
        entries = _entries(session, key)
        unlocked = parts.vault.unlock(session, key)
        rows: Any = session.execute(
            select(File.name, File.role, Content)
            .join(Content, Content.id == File.content_id)
            .where(File.record_id == key, Content.state == ContentState.STORED)
            .order_by(File.position, File.id)
        ).all()
    held = []
    for at, (file_name, role, content) in enumerate(rows, 1):
        suffix = _SUFFIX.search(file_name)
        place = f"{name}/files/{at:04}{suffix[0] if suffix else ''}"
        expected = content.plain_sha256 or ""
        try:
            writer.add_stream(place, _lazily(parts, content, unlocked), expected)
        except (ArchiveError, ValueError):
            raise InvalidInput(Fault("file", "not_whole", {"name": file_name})) from None
        held.append({"path": place, "name": file_name, "role": role.value, "size": content.size, "sha256": expected})
    writer.add(f"{name}/description.json", _json({**told, "files": held}))
    writer.add(f"{name}/description.xml", _xml(told, held))
    writer.add(f"{name}/log.json", _json({"entries": entries}))
    return len(held)


def _lazily(parts: Parts, content: Content, unlocked: Any) -> Iterator[bytes]:
    yield from parts.intake.reader(content, unlocked).read()


def _description(parts: Parts, session: Session, record: Record) -> dict[str, Any]:
    category, level = session.get_one(Category, record.category_id), session.get_one(Level, record.level_rank)
    protected = describing.opened(parts.vault, session, record)
    plain = ("title", "responsible", "drawn_up", "term", "pages", "material", "keywords", "notes", "archive_number",
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
        **{name: getattr(record, name) for name in plain},
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


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _xml(told: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> bytes:
    root = ET.Element("档案")
    for name, words in DAT:
        value = told.get(name)
        if value not in (None, "", []):
            ET.SubElement(root, words).text = "；".join(map(str, value)) if isinstance(value, list) else str(value)
    for each in files:
        ET.SubElement(root, "电子文件", 路径=str(each["path"]), 文件名=str(each["name"]), SHA256=each["sha256"])
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


@dataclass
class Came:
    """What became of a bag: drafts that were made or taken up again, and files that came in."""

    number: str
    records: int
    files: int
    resumed: int


def receive(parts: Parts, identity: Identity, bag: Path, draft: Draft, told: Told) -> Came:
    """Bring a verified bag in as drafts; a broken run goes on where it stood.

    Args:
        parts: the archive.
        identity: the operator's.
        bag: its folder.
        draft: where the records go: fonds, category, and the level of those whose own is not known here.
        told: hears how far it is.

    Raises:
        InvalidInput: the bag is not whole (each fault), or no transfer that can be read.
    """
    if wrong := verify(bag):
        raise InvalidInput(*(Fault(each.path[:200], f"bag_{each.code}") for each in wrong[:20]))
    try:
        about = json.loads((bag / "data/transfer.json").read_bytes())
        folders = [str(each["folder"]) for each in about["records"]]
        descriptions = [json.loads((bag / "data" / name / "description.json").read_bytes()) for name in folders]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(Fault("bag", "bag_unreadable")) from None
    run = bag_hash(bag)
    left = parts.imports.left(identity, run)
    with parts.db.reading() as session:
        drafts = [_drafted(session, draft, each) for each in descriptions]
    keys: dict[str, UUID] = {name: left[name][0].record_id for name in folders if name in left}
    fresh = [at for at, name in enumerate(folders) if name not in keys]
    for start in range(0, len(fresh), _TOGETHER):
        some = fresh[start : start + _TOGETHER]
        made = parts.imports.begin(identity, run, [Source(folders[at], run[:64], drafts[at]) for at in some])
        keys |= {folders[at]: key for at, key in zip(some, made, strict=True)}
    files = 0
    for done, (name, each) in enumerate(zip(folders, descriptions, strict=True)):
        told(done, len(folders))
        wanted = each.get("files", [])
        files += len(wanted)
        if name in left and len(left[name][0].contents) >= len(wanted):
            continue
        if name in left:
            parts.intake.take_back(identity, [keys[name]])
        for file in wanted:
            answer = parts.intake.receive(identity, keys[name], str(file["name"]), _chunks(bag / "data" / file["path"]))
            del answer
        failpoints.reach("transfer.record_received")
    parts.imports.end(identity, run)
    return Came(str(about.get("number", "")), len(folders), files, len(left))


def _drafted(session: Session, draft: Draft, told: Mapping[str, Any]) -> Draft:
    category = session.get_one(Category, draft.category_id)
    known = {each.name for each in parse_fields(category.fields)}
    fields = {name: value for name, value in told.get("fields", {}).items() if name in known}
    over = [f"{name}: {value}" for name, value in told.get("fields", {}).items() if name not in known]
    before = [f"原档号: {told['archive_number']}"] if told.get("archive_number") else []
    level = session.scalar(select(Level.rank).where(Level.code == told.get("level")))
    notes = "\n".join([*([told["notes"]] if told.get("notes") else []), *before, *over])
    return replace(
        draft,
        title=str(told.get("title", "")),
        kind=RecordKind(told.get("kind", "item")),
        responsible=told.get("responsible"),
        drawn_up=told.get("drawn_up"),
        level_rank=level if level is not None else draft.level_rank,
        term=told.get("term"),
        pages=told.get("pages"),
        medium=Medium(told.get("medium", "electronic")),
        material=told.get("material") or "document",
        keywords=tuple(told.get("keywords") or ()),
        notes=notes or None,
        fields=fields,
    )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk
