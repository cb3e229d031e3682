"""Bringing files in from a folder: catalogued, taken in, read, filed and indexed, each file on its own.

A run that breaks off, however it ends, is gone on with by asking for the same again: each step of each file looks first
at what is there.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from archive.bringing_in.imports import Left, Source
from archive.cataloguing.describing import Draft
from archive.cataloguing.showing import number_of
from archive.database import Database
from archive.errors import ArchiveError, Fault, InvalidInput
from archive.files.arrivals import Incoming, Received
from archive.files.doubles import Double
from archive.identity import Identity
from archive.model import Content, ContentState, File, Job, JobKind, JobState, Record, RecordState
from archive.ports import PIECE_BYTES
from runtime.wiring.parts import Parts
from web.words.remarks import Remark, remarks

CHUNK = 1024 * 1024
BATCH = 100
REVIEW = "review"
"""Why a record waits that an import left for a person."""

LOAD_BYTES = 64 * 1024 * 1024
"""First pieces of files that are in memory together."""


@dataclass
class Item:
    """One file of an import: what became of it. ``reason`` is a code; ``fields`` what it still needs.

    ``error`` is why it did not come in, ``remarks`` what is to be said of a file that did. ``date`` is when it was
    drawn up, as given or, with ``date_proposed``, as proposed.
    """

    path: str
    state: str = "received"
    number: str | None = None
    reason: str | None = None
    fields: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    alike: Sequence[Double] = ()
    record_id: UUID | None = None
    date: str | None = None
    date_proposed: bool = False
    remarks: Sequence[Remark] = ()
    error: ArchiveError | OSError | None = None

    def shown(self) -> dict[str, Any]:
        """Return the item as others script against it."""
        document = {"path": self.path, "number": self.number, "state": self.state, "reason": self.reason}
        record = None if self.record_id is None else str(self.record_id)
        said = [{"code": remark.code, "facts": dict(remark.facts)} for remark in self.remarks]
        dated = {"date": self.date, "date_proposed": self.date_proposed}
        alike = [double_shown(double) for double in self.alike]
        told = {"fields": self.fields, "doubles": self.doubles, "alike": alike, "remarks": said, "record": record}
        return document | dated | told


def double_shown(double: Double) -> dict[str, Any]:
    """Return another record that may be the same, and why, as others script against it."""
    reasons = [{"why": each.why.value, "percent": each.percent} for each in double.reasons]
    return {"record": str(double.record.id), "number": number_of(double.record), "reasons": reasons}


@dataclass(frozen=True)
class Outcome:
    """What became of an import."""

    items: Sequence[Item]

    def counts(self) -> Mapping[str, int]:
        """Count items by state."""
        states = ("filed", "waiting", "quarantined", "failed")
        return {state: sum(item.state == state for item in self.items) for state in states}


def find_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return every file at or below ``paths`` with the name it is told by; hidden ones are left out.

    Links, pipes and the like are among them: each is told as no file.
    """
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                p for p in path.rglob("*") if (p.is_symlink() or not p.is_dir()) and not _hidden(p.relative_to(path))
            )
            found += [(p, readable(str(p))) for p in inside]
        else:
            found.append((path, readable(str(path))))
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def run_of(paths: Sequence[Path], draft: Draft) -> str:
    """Return what stands for an import: the same for the same paths and description, from any folder."""
    asked = {"paths": [_plain(path) for path in paths], "draft": asdict(draft)}
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


class Importer:
    """Imports one list of files under one draft.

    Args:
        parts: the archive.
        identity: who imports.
        draft: what all files have in common.
        run: what stands for this import (see ``run_of``): what an earlier call of it left is gone on with.
        told: hears how far the work is.
        review: whether the records are left for a person, who looks at what is proposed for them and files them.
    """

    def __init__(
        self,
        parts: Parts,
        identity: Identity,
        draft: Draft,
        run: str,
        told: Callable[[str, int, int], None],
        *,
        review: bool = False,
    ) -> None:
        self._parts = parts
        self._identity = identity
        self._draft = draft
        self._run = run
        self._told = told
        self._review = review
        self._left = parts.imports.left(identity, run)

    @property
    def resumed(self) -> int:
        """How many files an earlier call of the run, which broke off, left something of."""
        return len(self._left)

    def run(
        self,
        files: Sequence[tuple[Path, str]],
        until_read: Callable[[Collection[UUID]], None],
        filed: Callable[[Collection[UUID]], None],
    ) -> Outcome:
        """Take the files in batch by batch, and file what can be filed of each; the next one comes in meanwhile.

        Args:
            files: paths, each with the name it is told by.
            until_read: waits until the texts of what came into these records are read.
            filed: called when nothing more will be done to the files so far, but for those of these records.
        """
        items = [Item(name) for _, name in files]
        batches = [slice(start, start + BATCH) for start in range(0, len(files), BATCH)]
        for before, batch in pairwise((None, *batches, None)):
            if batch:
                self._receive(files[batch], items[batch])
            if before:
                until_read(_records(items[before]))
                self._propose_dates(files[before], items[before])
                self._file(items[before])
                filed(_records(items[batch]) if batch else ())
                self._told("filed", min(before.stop, len(files)), len(files))
        self._look_at(items)
        return Outcome(items)

    def tell_alike(self, outcome: Outcome) -> None:
        """Say of the files that came in which records may be the same: call it when all texts are compared."""
        mine = {item.record_id: item for item in outcome.items if item.record_id and item.state != "failed"}
        ids = list(mine)
        for start in range(0, len(ids), BATCH):
            for key, doubles in self._parts.doubles.met(self._identity, ids[start : start + BATCH]).items():
                mine[key].alike = doubles

    def end(self) -> None:
        """Forget what is kept to go on after a break: all is done and told."""
        self._parts.imports.end(self._identity, self._run)

    def _receive(self, files: Sequence[tuple[Path, str]], items: Sequence[Item]) -> None:
        """Catalogue and take in; where an earlier call of the run did one or the other, go on from there."""
        sources = [Source(_plain(path), _stamp(path), self._titled(path)) for path, _ in files]
        here = [self._taken_up(source) for source in sources]
        fresh = [place for place, left in enumerate(here) if left is None]
        new = [sources[place] for place in fresh]
        made = self._parts.imports.begin(self._identity, self._run, new) if new else []
        for place, key in zip(fresh, made, strict=True):
            items[place].record_id = key
        for item, left in zip(items, here, strict=True):
            if left is not None:
                item.record_id = left.record_id
        self._in_before(items, here)
        empty = [place for place, left in enumerate(here) if left is None or not left.contents]
        broken = [left.record_id for left in here if left is not None and not left.contents]
        if broken:
            self._parts.intake.take_back(self._identity, broken)
        self._take_in([files[place][0] for place in empty], [items[place] for place in empty])

    def _taken_up(self, source: Source) -> Left | None:
        """Take what an earlier call left of a file, if it can be gone on with."""
        waiting = self._left.get(source.path, [])
        for left in waiting:
            same = bool(left.contents) and left.stamp == source.stamp
            if (same and left.state is RecordState.FILED) or (
                left.state is RecordState.PROVISIONAL and (same or not left.contents)
            ):
                waiting.remove(left)
                return left
        return None

    def _in_before(self, items: Sequence[Item], here: Sequence[Left | None]) -> None:
        """Say of files that came in before the break what was said of them then."""
        kept = [(item, left) for item, left in zip(items, here, strict=True) if left is not None and left.contents]
        doubles = self._parts.intake.doubles(self._identity, [key for _, left in kept for key in left.contents])
        for item, left in kept:
            item.doubles = [str(double) for key in left.contents for double in doubles.get(key, ())]
            if left.state is RecordState.FILED:
                item.state, item.number = "filed", left.number

    def _take_in(self, paths: Sequence[Path], items: Sequence[Item]) -> None:
        keyed = [(item, item.record_id, path) for item, path in zip(items, paths, strict=True) if item.record_id]
        coming = [Incoming(key, readable(path.name), _chunks(path)) for _, key, path in keyed]
        answers: list[Received | ArchiveError | OSError] = []
        for load in _loads([path for _, _, path in keyed]):
            answers += self._parts.intake.receive_many(self._identity, [coming[place] for place in load])
        for (item, key, _), answer in zip(keyed, answers, strict=True):
            if isinstance(answer, Received):
                item.doubles = [str(double) for double in answer.doubles]
            else:
                item.state, item.reason, item.error = "failed", _reason(answer), answer
                self._drop(key)

    def _titled(self, path: Path) -> Draft:
        stem = readable(path.stem)
        title = "".join(c if c.isprintable() else " " for c in stem).strip() or readable(path.name)
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
            days = {}
            for key in undated:
                with suppress(OSError):  # gone meanwhile: it then waits for a date
                    days[key] = datetime.fromtimestamp(stamps[key].stat().st_mtime, zone).date()
            self._parts.records.propose_dates(self._identity, {key: day.isoformat() for key, day in days.items()})

    def _file(self, items: Sequence[Item]) -> None:
        received = {item.record_id: item for item in items if item.state == "received" and item.record_id}
        self._put_aside(received)
        left = [item for item in received.values() if item.state == "received"]
        if self._review:
            for item in left:
                item.state, item.reason = "waiting", REVIEW
            return
        ids = [item.record_id for item in left if item.record_id]
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

    def _look_at(self, items: Sequence[Item]) -> None:
        """Say what is to be remarked of the files that came in, now that it is known what they are, and their dates."""
        mine = {item.record_id: item for item in items if item.record_id and item.state != "failed"}
        ids = list(mine)
        for start in range(0, len(ids), 500):
            rows = select(Content.record_id, Content.media_type, File.name, Content.macros)
            rows = rows.join(File, File.content_id == Content.id)
            with self._parts.db.reading() as session:
                found = session.execute(rows.where(Content.record_id.in_(ids[start : start + 500]))).all()
                drawn = select(Record.id, Record.drawn_up, Record.drawn_up_proposed)
                dates = session.execute(drawn.where(Record.id.in_(ids[start : start + 500]))).all()
            for record_id, day, proposed in dates:
                mine[record_id].date, mine[record_id].date_proposed = day, proposed
            for record_id, media_type, name, macros in found:
                mine[record_id].remarks = [*mine[record_id].remarks, *remarks(media_type, name, macros=macros)]


def _records(items: Sequence[Item]) -> list[UUID]:
    return [item.record_id for item in items if item.record_id]


def _contents(db: Database, ids: Sequence[UUID]) -> Iterator[tuple[UUID, ContentState, str | None]]:
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        with db.reading() as session:
            rows = select(Content.record_id, Content.state, Content.reason).where(Content.record_id.in_(chunk))
            found = session.execute(rows).all()
        yield from found


def _loads(paths: Sequence[Path]) -> Iterator[range]:
    """Yield runs of files that together hold little memory: of each the first piece is read before any is put."""
    start, held = 0, 0
    for place, path in enumerate(paths):
        size = min(_size(path), PIECE_BYTES)
        if held + size > LOAD_BYTES and place > start:
            yield range(start, place)
            start, held = place, 0
        held += size
    if start < len(paths):
        yield range(start, len(paths))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _chunks(path: Path) -> Iterator[bytes]:
    if path.is_symlink() or not path.is_file():  # a pipe would never end, a link may lead anywhere
        raise InvalidInput(Fault("file", "not_a_file", {"name": readable(path.name)[:200]}))
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


def readable(name: str) -> str:
    """Return a file's name as text: what is no UTF-8 is mostly GB18030, from a system or an archive of old."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return raw.decode("utf-8", "replace")


def _plain(path: Path) -> str:
    """Return an absolute path as text that no other path has."""
    return os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")


def _stamp(path: Path) -> str:
    """Return what tells this state of a file from an earlier one."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"


def _reason(error: ArchiveError | OSError) -> str:
    if isinstance(error, InvalidInput):
        return error.faults[0].code
    return error.code if isinstance(error, ArchiveError) else "unreadable"


_EXTRACTION = (
    select(Job.id)
    .join(Content, Content.id == Job.subject_id)
    .where(Job.kind.in_((JobKind.EXTRACT, JobKind.UNPACK)), Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    .where(Content.record_id.in_(bindparam("records", expanding=True)))
    .limit(1)
)


def extracting(db: Database, records: Collection[UUID]) -> bool:
    """Whether a file of these records waits to be read or taken out of another, or is."""
    with db.reading() as session:
        return session.scalar(_EXTRACTION, {"records": list(records)}) is not None
