"""What a move carries: objects, each read back where it was put, and rows, summed on their way and where they are.

Objects are remembered in a journal beside the source, one line ``key version`` for each that was found whole in the
target; a move that broke off does not read those again. What the journal lost is read again, and not doubled.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.database import Base, Database
from archive.errors import Conflict, Damaged, Interrupted, Unavailable
from archive.model import LogCheckpoint, LogEntry, LogSeal, LogUnsealed
from archive.ports import ObjectInfo, ObjectStore
from storage.copying import COPIERS, Told, copied, is_whole
from storage.items import Item

_BATCH = 64
_ROWS = 500

Sums = dict[str, tuple[int, str]]
"""For each table its count of rows and a hash over them that their order does not change."""

LOG_TABLES = ("log_entry", "log_seal", "log_checkpoint")


class CarriedObjects:
    """Copies objects to the new store and reads each back.

    Args:
        source: where they are.
        target: where they are to be; holds nothing of others.
        journal: the file that remembers.
        going_on: says no when the work is to stop.

    ``versions`` tells by key under which version an object lies whole in the target; ``damaged`` names what is not
    whole in the source, and is not copied.
    """

    def __init__(self, source: ObjectStore, target: ObjectStore, journal: Path, going_on: Callable[[], bool]) -> None:
        self._source = source
        self._target = target
        self._journal = journal
        self._going_on = going_on
        self._held: dict[str, ObjectInfo] = {}
        self.versions: dict[str, str] = {}
        self.damaged: set[str] = set()
        self.copied = self.bytes = 0

    def look(self) -> set[str]:
        """Look what the target holds; return its keys."""
        self._held = {info.key: info for info in self._target.list()}
        if self._journal.exists():
            for line in self._journal.read_text("utf-8").splitlines():
                key, _, version = line.partition(" ")
                if key in self._held and self._held[key].version == version:
                    self.versions[key] = version
        return set(self._held)

    def carry(self, items: Sequence[Item], told: Told) -> None:
        """Copy what is not there yet, and take away again what is gone here since it was copied.

        Raises ``Interrupted``; what came stays, and is not copied again.
        """
        for key in self.versions.keys() - {item.key for item in items}:
            with suppress(Conflict, Unavailable):  # an everyday account of a bucket may not; its sweep does later
                self._target.remove(key, self.versions.pop(key))
        wanted = [item for item in items if item.key not in self.versions]
        self._journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ThreadPoolExecutor(COPIERS) as pool, self._journal.open("a", encoding="utf-8") as journal:
            for start in range(0, len(wanted), _BATCH):
                if not self._going_on():
                    raise Interrupted
                batch = wanted[start : start + _BATCH]
                for item, version in zip(batch, pool.map(self._one, batch), strict=True):
                    if version is None:
                        self.damaged.add(item.key)
                        continue
                    self.damaged.discard(item.key)
                    self.versions[item.key] = version
                    self.copied, self.bytes = self.copied + 1, self.bytes + item.size
                    journal.write(f"{item.key} {version}\n")
                journal.flush()
                failpoints.reach("move.objects")
                told("objects", start + len(batch), len(wanted))

    def _one(self, item: Item) -> str | None:
        """Return the version under which the target holds it whole; None when the source does not."""
        held = self._held.get(item.key)
        if held and held.size == item.size and is_whole(item, self._target, held.version):
            return held.version
        put = copied(item, self._source, self._target)
        if put is None:
            return None
        if is_whole(item, self._target, put.version):
            return put.version
        self._target.remove(put.key, put.version)
        raise Damaged(what="store")  # the target does not keep what it is given


class Summed:
    """Sums the rows of a dump as its lines pass, in ``tables``."""

    def __init__(self, versions: Mapping[str, str] | None = None) -> None:
        self._versions = versions
        self.tables: Sums = {}

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines one by one; a content that went into another store gets its version there."""
        name, count, total = "", 0, 0
        columns: dict[str, int] = {}
        for block in blocks:
            for line in block.splitlines(keepends=True):
                if line.startswith(b"["):
                    row = (
                        line
                        if self._versions is None or name not in {"content", "attachment"}
                        else self._placed(line, columns)
                    )
                    count += 1
                    total = (total + int.from_bytes(hashlib.sha256(row).digest())) % (1 << 256)
                    yield row
                    continue
                head = json.loads(line)
                if "table" in head:
                    name, count, total = head["table"], 0, 0
                    columns = {column: number for number, (column, _) in enumerate(head["columns"])}
                elif "rows" in head:
                    self.tables[name] = (count, f"{total:064x}")
                yield line

    def _placed(self, line: bytes, columns: Mapping[str, int]) -> bytes:
        row: list[Any] = json.loads(line)
        if (version := (self._versions or {}).get(row[columns["object_key"]])) is not None:
            row[columns["store_version"]] = version
            if "locked_until" in columns:
                row[columns["locked_until"]] = None
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def summed(blocks: Iterable[bytes]) -> Sums:
    """Return the sums of a dump."""
    sums = Summed()
    for _ in sums.through(blocks):
        pass
    return sums.tables


def follow_log(source: Session, target: Database) -> int:
    """Bring the entries, seals and checkpoints over that came after the rows; all are sealed. Returns how many entries.

    The target's log is a beginning of the source's.
    """
    with target.reading() as session:
        known = session.scalar(select(LogSeal.seq).order_by(LogSeal.seq.desc()).limit(1)) or 0
        signed = session.scalar(select(LogCheckpoint.size).order_by(LogCheckpoint.size.desc()).limit(1)) or 0
        waiting = set(session.scalars(select(LogUnsealed.entry_id)))
    tables = Base.metadata.tables
    seals = source.execute(select(tables["log_seal"]).where(LogSeal.seq > known).order_by(LogSeal.seq)).mappings().all()
    for start in range(0, len(seals), _ROWS):
        some = seals[start : start + _ROWS]
        ids = [seal["entry_id"] for seal in some if seal["entry_id"] not in waiting]
        entries = source.execute(select(tables["log_entry"]).where(LogEntry.id.in_(ids))).mappings().all()
        _insert(target, "log_entry", entries)
        _insert(target, "log_seal", some)
    later = source.execute(select(tables["log_checkpoint"]).where(LogCheckpoint.size > signed)).mappings().all()
    _insert(target, "log_checkpoint", later)
    with target.writing() as work:
        work.session.execute(tables["log_unsealed"].delete())
        work.commit()
    return len(seals)


def _insert(db: Database, table: str, rows: Sequence[Mapping[Any, Any]]) -> None:
    if rows:
        with db.writing() as work:
            work.session.execute(insert(Base.metadata.tables[table]), [dict(row) for row in rows])
            work.commit()
