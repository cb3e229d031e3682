"""Bringing files in from a folder: catalogued, taken in, read, filed and indexed, each file on its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from archive.arrivals import Incoming, Received
from archive.database import Database
from archive.describing import Draft
from archive.errors import ArchiveError, InvalidInput
from archive.identity import Identity
from archive.model import Content, ContentState, Job, JobKind, JobState, Record, RecordState
from runtime.wiring import Parts

CHUNK = 1024 * 1024
BATCH = 100


@dataclass
class Item:
    """One file of an import: what became of it. ``reason`` is a code; ``fields`` what it still needs."""

    path: str
    state: str = "received"
    number: str | None = None
    reason: str | None = None
    fields: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    record_id: UUID | None = None

    def shown(self) -> dict[str, Any]:
        """Return the item as others script against it."""
        document = {"path": self.path, "number": self.number, "state": self.state, "reason": self.reason}
        record = None if self.record_id is None else str(self.record_id)
        return document | {"fields": self.fields, "doubles": self.doubles, "record": record}


@dataclass(frozen=True)
class Outcome:
    """What became of an import."""

    items: Sequence[Item]

    def counts(self) -> Mapping[str, int]:
        """Count items by state."""
        states = ("filed", "waiting", "quarantined", "failed")
        return {state: sum(item.state == state for item in self.items) for state in states}


def find_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return every file at or below ``paths`` with the name it is told by; hidden files are left out."""
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
            found += [(p, str(p)) for p in inside]
        else:
            found.append((path, str(path)))
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


class Importer:
    """Imports one list of files under one draft."""

    def __init__(self, parts: Parts, identity: Identity, draft: Draft, told: Callable[[str, int, int], None]) -> None:
        self._parts = parts
        self._identity = identity
        self._draft = draft
        self._told = told

    def run(
        self, files: Sequence[tuple[Path, str]], until_read: Callable[[], None], filed: Callable[[], None]
    ) -> Outcome:
        """Take the files in batch by batch, and file what can be filed of each.

        Args:
            files: paths, each with the name it is told by.
            until_read: waits until the texts of what came in are read.
            filed: called when nothing more will be done to the files so far.
        """
        items = [Item(name) for _, name in files]
        for start in range(0, len(files), BATCH):
            some, mine = files[start : start + BATCH], items[start : start + BATCH]
            self._receive(some, mine)
            until_read()
            self._propose_dates(some, mine)
            self._file(mine)
            filed()
            self._told("filed", start + len(mine), len(files))
        return Outcome(items)

    def _receive(self, files: Sequence[tuple[Path, str]], items: Sequence[Item]) -> None:
        ids = self._parts.records.create_many(self._identity, [self._titled(path) for path, _ in files])
        coming = [Incoming(key, path.name, _chunks(path)) for key, (path, _) in zip(ids, files, strict=True)]
        answers = self._parts.intake.receive_many(self._identity, coming)
        for item, record_id, answer in zip(items, ids, answers, strict=True):
            item.record_id = record_id
            if isinstance(answer, Received):
                item.doubles = [str(double) for double in answer.doubles]
            else:
                item.state, item.reason = "failed", _reason(answer)
                self._drop(record_id)

    def _titled(self, path: Path) -> Draft:
        title = "".join(c if c.isprintable() else " " for c in path.stem).strip() or path.name
        return replace(self._draft, title=title[:2000])

    def _drop(self, record_id: UUID) -> None:
        """Leave no empty record behind a file that did not come in."""
        with self._parts.db.reading() as session:
            version = session.scalar(select(Record.version).where(Record.id == record_id))
        if version is not None:
            self._parts.records.bin(self._identity, record_id, version)

    def _propose_dates(self, files: Sequence[tuple[Path, str]], items: Sequence[Item]) -> None:
        """Propose the file's own date where neither the draft nor the text gave one."""
        stamps = {item.record_id: path for (path, _), item in zip(files, items, strict=True) if item.record_id}
        ids = list(stamps)
        for start in range(0, len(ids), BATCH):
            with self._parts.db.reading() as session:
                wanted = select(Record.id).where(Record.id.in_(ids[start : start + BATCH]), Record.drawn_up.is_(None))
                undated = list(session.scalars(wanted.where(Record.state == RecordState.PROVISIONAL)))
            zone = ZoneInfo(self._parts.zone)
            days = {key: datetime.fromtimestamp(stamps[key].stat().st_mtime, zone).date() for key in undated}
            self._parts.records.propose_dates(self._identity, {key: day.isoformat() for key, day in days.items()})

    def _file(self, items: Sequence[Item]) -> None:
        received = {item.record_id: item for item in items if item.state == "received" and item.record_id}
        self._put_aside(received)
        ids = [key for key, item in received.items() if item.state == "received"]
        for start in range(0, len(ids), BATCH):
            for filed in self._parts.filing.file(self._identity, ids[start : start + BATCH]):
                item = received[filed.record_id]
                item.number = filed.archive_number
                item.state = "filed" if filed.reason in {None, "filed_before"} else "waiting"
                item.reason, item.fields = filed.reason, list(filed.missing)

    def _put_aside(self, received: Mapping[UUID, Item]) -> None:
        for record_id, state, reason in _contents(self._parts.db, list(received)):
            if state is ContentState.QUARANTINED:
                received[record_id].state, received[record_id].reason = "quarantined", reason


def _contents(db: Database, ids: Sequence[UUID]) -> Iterator[tuple[UUID, ContentState, str | None]]:
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        with db.reading() as session:
            rows = select(Content.record_id, Content.state, Content.reason).where(Content.record_id.in_(chunk))
            found = session.execute(rows).all()
        yield from found


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


def _reason(error: ArchiveError | OSError) -> str:
    if isinstance(error, InvalidInput):
        return error.faults[0].code
    return error.code if isinstance(error, ArchiveError) else "unreadable"


_EXTRACTION = select(Job.id).where(
    Job.kind == JobKind.EXTRACT, Job.state.in_((JobState.QUEUED, JobState.RUNNING))
).limit(1)  # fmt: skip


def extracting(db: Database) -> bool:
    """Whether an extraction is waiting or running."""
    with db.reading() as session:
        return session.scalar(_EXTRACTION) is not None
