"""``juanku fsck``: the invariants INV1 to INV14, checked against everything that is kept.

One function, used by the command, by the fault tests after each trial, and by an upgrade. It changes nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Subquery, and_, case, func, select, true
from sqlalchemy.orm import Session

from archive.errors import ArchiveError
from archive.files.deciding import TAKE_OFF
from archive.model import (
    Content,
    ContentState,
    Counter,
    Fence,
    File,
    IssuedNumber,
    Job,
    JobState,
    Level,
    LogEntry,
    Record,
    RecordState,
)
from runtime.fsck.attached import attached_faults
from runtime.fsck.dossiers import dossier_faults
from runtime.fsck.leaving import appraisal_faults, secrecy_faults
from runtime.fsck.orphans import orphan_faults
from runtime.fsck.shelves import shelf_faults
from runtime.fsck.terms import wrong_days
from runtime.fsck.uses import use_faults
from runtime.verifying import verified
from runtime.wiring.parts import Parts
from storage.fixity.looks import Fixity, look
from storage.restoring import LEFT_OUT

ROWS = 1000

_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Violation:
    """One broken invariant: which, of what, and how."""

    invariant: str
    what: str
    fault: str

    def shown(self) -> dict[str, str]:
        """Return the violation as a document."""
        return {"invariant": self.invariant, "what": self.what, "fault": self.fault}


@dataclass(frozen=True)
class Finding:
    """What fsck found: the violations, and how much it looked at."""

    violations: tuple[Violation, ...]
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether every invariant holds."""
        return not self.violations


def fsck(parts: Parts, *, bytes_too: bool = True, told: Callable[[str], None] = lambda _: None) -> Finding:
    """Check every invariant.

    Args:
        parts: the archive.
        bytes_too: also read every object and hash it (INV1 in full); otherwise only its presence and size.
        told: hears which invariant is being checked.
    """
    counts: dict[str, int] = {}
    violations: list[Violation] = []
    for name, checker in CHECKS.items():
        told(name)
        for fault in checker(parts, counts) if name != "INV1" else _objects(parts, counts, bytes_too=bytes_too):
            violations.append(fault)
            if len(violations) >= ROWS:
                return Finding(tuple(violations), counts)
    return Finding(tuple(violations), counts)


def _objects(parts: Parts, counts: dict[str, int], *, bytes_too: bool = True) -> Iterator[Violation]:
    """INV1: every stored content has its object, whole and unchanged, and its key opens it."""
    query = select(Content).where(Content.state != ContentState.RECEIVING).order_by(Content.id)
    for content in _rows(parts, query):
        counts["contents"] = counts.get("contents", 0) + 1
        if content.store_version is None:
            yield Violation("INV1", str(content.id), "no_object")
            continue
        if not bytes_too:
            info = parts.store.stat(content.object_key, content.store_version)
            if info is None or info.size != content.cipher_size:
                yield Violation("INV1", str(content.id), "missing" if info is None else "size")
            continue
        found = look(parts.store, content, parts.db).fixity
        if found is not Fixity.WHOLE:
            yield Violation("INV1", str(content.id), found.value)
        elif fault := _unopened(parts, content):
            yield Violation("INV1", str(content.id), fault)
    yield from (Violation("INV1", *each) for each in attached_faults(parts, bytes_too=bytes_too))


def _unopened(parts: Parts, content: Content) -> str | None:
    from hashlib import sha256  # noqa: PLC0415

    try:
        with parts.db.reading() as session:
            reader = parts.vault.unlock(session, content.record_id).content_reader(
                content.id, parts.store, content.object_key, content.store_version or ""
            )
        digest = sha256()
        for chunk in reader.read():
            digest.update(chunk)
    except ArchiveError as error:
        return error.code
    return None if digest.hexdigest() == content.plain_sha256 else "plain_hash"


def _orphans(parts: Parts, counts: dict[str, int]) -> Iterator[Violation]:
    """INV2: every object is referenced, or younger than a day."""
    yield from (Violation("INV2", *each) for each in orphan_faults(parts, counts))


def _index(parts: Parts, _counts: dict[str, int]) -> Iterator[Violation]:
    """INV3: each level's index is what the database says, but for records whose job is waiting."""
    broken = parts.engine.needs_rebuild()
    yield from (Violation("INV3", partition, "broken") for partition in sorted(broken))
    if broken:
        return
    with parts.db.reading(long=True) as session:
        for difference in parts.rebuilder.differences(session, words=False):
            yield Violation("INV3", str(difference.record), f"{difference.what} in {difference.partition}")


def _log(parts: Parts, counts: dict[str, int]) -> Iterator[Violation]:
    """INV4: the chain verifies, and every record has the entry of its creation and of its filing."""
    verification = verified(parts)
    counts["log_entries"] = verification.entries
    if verification.first_bad:
        yield Violation("INV4", str(verification.first_bad.entry), verification.first_bad.fault.value)
    filed = case((Record.state == RecordState.FILED, 1), else_=0)
    yield from _each(parts, _records_with("record.create", lambda count: count != 1), "INV4", "record.create_not_once")
    yield from _each(parts, _records_with("record.file", lambda count: count != filed), "INV4", "record.file_not_once")
    binned = case((Record.state == RecordState.BINNED, 1), else_=0)
    restored = _entries("record.restore")
    wrong = _records_with("record.bin", lambda count: count - func.coalesce(restored.c.n, 0) != binned).outerjoin(
        restored, restored.c.record_id == Record.id
    )
    yield from _each(parts, wrong, "INV4", "record.bin_not_once")
    kept = _contents_kept()
    wrong = _records_with("file.add", lambda count: count < func.coalesce(kept.c.n, 0)).outerjoin(
        kept, kept.c.record_id == Record.id
    )
    yield from _each(parts, wrong, "INV4", "file.add_not_once")


def _entries(act: str) -> Subquery:
    """Count an act's entries by record."""
    return (
        select(LogEntry.record_id, func.count().label("n"))
        .where(LogEntry.act == act, LogEntry.result == "done")
        .group_by(LogEntry.record_id)
        .subquery()
    )


def _contents_kept() -> Subquery:
    """Count by record the contents that came in as files, not inside one."""
    return (
        select(Content.record_id, func.count().label("n"))
        .join(File, File.id == Content.file_id)
        .where(Content.state != ContentState.RECEIVING, File.inside_id.is_(None))
        .group_by(Content.record_id)
        .subquery()
    )


def _records_with(act: str, wrong: Callable[[Any], Any]) -> Select[UUID]:
    """Select the records whose number of entries of ``act`` is wrong."""
    entries = _entries(act)
    joined = select(Record.id).outerjoin(entries, entries.c.record_id == Record.id)
    return joined.where(wrong(func.coalesce(entries.c.n, 0)))


def _each(parts: Parts, wrong: Select[UUID], invariant: str, fault: str) -> Iterator[Violation]:
    with parts.db.reading() as session:
        yield from (Violation(invariant, str(key), fault) for key in session.scalars(wrong.limit(ROWS)))


def _numbers(parts: Parts, counts: dict[str, int]) -> Iterator[Violation]:
    """INV5: no number twice, every filed record has its two, and no serial is missing without a logged reason."""
    with parts.db.reading() as session:
        for column in (Record.archive_number, Record.registration_number):
            twice = (
                select(column)
                .where(column.is_not(None))
                .group_by(Record.fonds_id, column)
                .having(func.count() > 1)
                .limit(ROWS)
            )
            yield from (Violation("INV5", str(number), "twice") for number in session.scalars(twice))
            unnumbered = select(Record.id).where(Record.state == RecordState.FILED, column.is_(None)).limit(ROWS)
            yield from (Violation("INV5", str(key), "unnumbered") for key in session.scalars(unnumbered))
            held = and_(IssuedNumber.fonds_id == Record.fonds_id, IssuedNumber.number == column)
            unissued = (
                select(column)
                .outerjoin(IssuedNumber, held)
                .where(column.is_not(None), func.coalesce(IssuedNumber.record_id != Record.id, true()))
                .limit(ROWS)
            )
            yield from (Violation("INV5", str(number), "not_issued") for number in session.scalars(unissued))
        yield from _gaps(session, counts)


def _gaps(session: Session, counts: dict[str, int]) -> Iterator[Violation]:
    """Look for every serial up to each counter's last: a number once given stays issued, even if its record goes.

    A serial that was passed over (logged as ``number.skip``) is one whose number stood already.
    """
    counters = session.execute(select(Counter.fonds_id, Counter.sequence, Counter.last)).all()
    seen: dict[tuple[UUID, str], bytearray] = {(c.fonds_id, c.sequence): bytearray(c.last + 1) for c in counters}
    issued = select(IssuedNumber.fonds_id, IssuedNumber.number).execution_options(yield_per=ROWS)
    counts["numbers"] = 0
    for fonds_id, number in session.execute(issued):
        counts["numbers"] += 1
        for sequence, serial in _readings(number):
            marks = seen.get((fonds_id, sequence))
            if marks is not None and serial < len(marks):
                marks[serial] = 1
    for (_, sequence), marks in seen.items():
        missing = marks.find(0, 1)
        if missing > 0:
            yield Violation("INV5", sequence, f"serial {missing} missing of {len(marks) - 1}")


def _readings(number: str) -> Iterator[tuple[str, int]]:
    """Yield each way to read a number as a sequence (what stands around the serial) and its serial."""
    for run in _DIGITS.finditer(number):
        for start in range(run.start(), run.end()):
            for end in range(start + 1, run.end() + 1):
                yield f"{number[:start]}#{number[end:]}", int(number[start:end])


def _acknowledged(parts: Parts, _counts: dict[str, int]) -> Iterator[Violation]:
    """INV6: what was said to be in is in: every logged file has its content, every filed record stands."""
    gone = (
        select(LogEntry.record_id)
        .where(LogEntry.act.in_(("file.add", "record.file")), LogEntry.result == "done")
        .where(LogEntry.record_id.not_in(select(Record.id)))
        .where(LogEntry.record_id.not_in(_purged()))
        .distinct()
        .limit(ROWS)
    )
    with parts.db.reading() as session:
        yield from (Violation("INV6", str(key), "record_gone") for key in session.scalars(gone))
        kept, off = _contents_kept(), _entries(TAKE_OFF)
        fewer = (
            _records_with("file.add", lambda count: count > func.coalesce(kept.c.n, 0) + func.coalesce(off.c.n, 0))
            .outerjoin(kept, kept.c.record_id == Record.id)
            .outerjoin(off, off.c.record_id == Record.id)
            .limit(ROWS)
        )
        yield from (Violation("INV6", str(key), "file_gone") for key in session.scalars(fewer))
        outer = select(Content.id).where(Content.id == File.inside_id).exists()
        lone = select(File.id).where(File.inside_id.is_not(None), ~outer).limit(ROWS)
        yield from (Violation("INV6", str(key), "outer_gone") for key in session.scalars(lone))
        failed = select(Job.id).where(Job.state == JobState.FAILED).limit(ROWS)
        yield from (Violation("INV6", str(key), "job_failed") for key in session.scalars(failed))


def _purged() -> Any:
    return select(LogEntry.record_id).where(LogEntry.act.in_(("record.purge", "record.destroy", LEFT_OUT)))


def _levels(parts: Parts, _counts: dict[str, int]) -> Iterator[Violation]:
    """INV7: no record lies in the index of a level that is not its own, unless a fence hides it."""
    with parts.db.reading() as session:
        fenced = set(session.scalars(select(Fence.value).where(Fence.fact == "record")))
        ranks = set(session.scalars(select(Level.rank)))
    rows = select(Record.id, Record.level_rank, Record.group_id.is_not(None))
    for partition in parts.engine.partitions():
        rank = int(partition.rstrip("n"))
        if rank not in ranks:
            yield Violation("INV7", partition, "unknown_level")
        held = (each.id for each in parts.engine.indexed(partition))
        while ids := list(islice(held, ROWS)):
            with parts.db.reading() as session:
                found = session.execute(rows.where(Record.id.in_(ids))).all()
            for record_id, level, apart in found:
                if str(record_id) in fenced:
                    continue
                if level > rank:
                    yield Violation("INV7", str(record_id), "in_lower_index")
                elif apart and not partition.endswith("n"):
                    yield Violation("INV7", str(record_id), "in_open_index")


def _held(_parts: Parts, _counts: dict[str, int]) -> Iterator[Violation]:
    """INV8: a binned record can never have been filed."""
    with _parts.db.reading() as session:
        wrong = select(Record.id).where(Record.state == RecordState.BINNED, Record.filed_at.is_not(None)).limit(ROWS)
        yield from (Violation("INV8", str(key), "filed_in_bin") for key in session.scalars(wrong))


def _elsewhere(
    name: str, faults: Callable[[Parts, int], Iterator[tuple[str, str]]]
) -> Callable[[Parts, dict[str, int]], Iterator[Violation]]:
    """Return the check of an invariant whose faults another module tells."""
    return lambda parts, _counts: (Violation(name, *each) for each in faults(parts, ROWS))


def _terms(parts: Parts, counts: dict[str, int]) -> Iterator[Violation]:
    """INV11: the day kept of each filed record is what the rules say, but for what a waiting job is to reckon anew."""
    counts["due"] = 0
    for count, wrong in wrong_days(parts, ROWS):
        counts["due"] += count
        yield from (Violation("INV11", str(key), "due") for key in wrong)


CHECKS: dict[str, Callable[[Parts, dict[str, int]], Iterator[Violation]]] = {
    "INV1": _objects,
    "INV2": _orphans,
    "INV3": _index,
    "INV4": _log,
    "INV5": _numbers,
    "INV6": _acknowledged,
    "INV7": _levels,
    "INV8": _held,
    "INV9": _elsewhere("INV9", dossier_faults),
    "INV10": _elsewhere("INV10", shelf_faults),
    "INV11": _terms,
    "INV12": _elsewhere("INV12", secrecy_faults),
    "INV13": _elsewhere("INV13", appraisal_faults),
    "INV14": _elsewhere("INV14", use_faults),
}


def _rows(parts: Parts, query: Any) -> Iterator[Content]:
    """Read rows by pages, each in a short snapshot."""
    last: UUID | None = None
    while True:
        with parts.db.reading() as session:
            page = query if last is None else query.where(Content.id > last)
            rows = session.scalars(page.limit(ROWS)).all()
        yield from rows
        if len(rows) < ROWS:
            return
        last = rows[-1].id
