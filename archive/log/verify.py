"""Verification: walk the whole log once, in constant memory, and name the first thing that is wrong.

It trusts nothing in the database: entry hashes, chain, tree and roots are computed anew, and compared with signed
checkpoints and with the witness file. ``docs/formats/log.md`` tells what it finds and what it cannot find.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, select, type_coerce
from sqlalchemy.orm import Session

from archive.clock import Clock, SystemClock
from archive.database import Database
from archive.errors import Damaged
from archive.log.checkpoints import Signer, WitnessLine, read_witness, stated
from archive.log.entry import entry_hash
from archive.log.merkle import Frontier
from archive.log.sealer import GENESIS, link
from archive.model.log import LogCheckpoint, LogEntry, LogSeal, LogUnsealed

STALE_SECONDS = 60
"""An entry that waits longer than this for its seal is a fault: the sealer stands still, or someone keeps it out."""

TOLD_WITHIN = timedelta(hours=1)
"""A witness without a checkpoint that is older than this has lost it: each new one brings what it missed."""

_ROWS = 1000


class Fault(StrEnum):
    """What is wrong at the place that verification names."""

    ENTRY_MISSING = "entry_missing"  # the chain has its place, the entry is gone
    ENTRY_CHANGED = "entry_changed"  # head, body or format is not what was hashed
    GAP = "gap"  # a place in the chain is missing
    CHAIN_BROKEN = "chain_broken"  # inserted, reordered or cut inside
    NOT_WAITING = "not_waiting"  # neither sealed nor waiting: put in beside the program
    UNSEALED_TOO_LONG = "unsealed_too_long"
    WAITING_MISSING = "waiting_missing"  # waits for its seal, but is gone
    CHECKPOINT_FORGED = "checkpoint_forged"  # the signature is not the house's
    CHECKPOINT_DIFFERS = "checkpoint_differs"  # the chain up to here is not the one that was signed
    CHECKPOINT_BEYOND = "checkpoint_beyond"  # the chain was longer when it was signed: the tail was cut
    WITNESS_FORGED = "witness_forged"
    WITNESS_DIFFERS = "witness_differs"  # the chain was rewritten since it was witnessed
    WITNESS_BEYOND = "witness_beyond"  # cut, or set back to an old backup
    WITNESS_UNREADABLE = "witness_unreadable"
    WITNESS_SHORT = "witness_short"  # a checkpoint that it was told long ago is not in it: it is gone, or was cut


@dataclass(frozen=True)
class Bad:
    """The first fault. ``seq`` is the place in the chain (None: not sealed), ``entry`` the entry's id if known.

    Where a signed root differs though every link holds, ``seq`` is the checkpoint's and the fault lies after ``after``,
    the last checkpoint that was right.
    """

    seq: int | None
    entry: UUID | None
    fault: Fault
    after: int | None = None


@dataclass(frozen=True)
class Verification:
    """What a verification found. ``sealed`` entries were checked in the chain, ``waiting`` ones outside it.

    ``witnessed`` of the ``checkpoints`` stand in the witness too.
    """

    ok: bool
    entries: int
    sealed: int
    waiting: int
    checkpoints: int
    witnessed: int
    first_bad: Bad | None


class _Found(Exception):
    """Ends the walk at the first fault."""

    def __init__(self, bad: Bad) -> None:
        super().__init__(bad.fault)
        self.bad = bad


def verify(
    db: Database,
    signer: Signer,
    witness: Path | None = None,
    *,
    clock: Clock | None = None,
    stale_seconds: float = STALE_SECONDS,
) -> Verification:
    """Check the whole log against itself, its signed checkpoints and the witness file.

    Args:
        db: the house's database; one snapshot is read.
        signer: only its public side is used.
        witness: the witness file; without it a tail cut together with its checkpoints goes unseen. One that is named
            and not there is a fault.
        clock: tells how long an entry has waited (default: the machine's).
        stale_seconds: how long it may.
    """
    now = (clock or SystemClock()).now()
    # A line is written after its checkpoint's commit: what stands in the file before the snapshot is in the snapshot.
    length = witness.stat().st_size if witness and witness.exists() else 0
    with db.reading() as session:
        walk = _Walk(session, signer, witness, length, now - TOLD_WITHIN)
        bad = None
        try:
            walk.chain()
            walk.beyond()
            walk.unsealed(now - timedelta(seconds=stale_seconds))
            walk.told()
        except _Found as found:
            bad = found.bad
        return Verification(
            ok=bad is None,
            entries=walk.tree.size + walk.waiting,
            sealed=walk.tree.size,
            waiting=walk.waiting,
            checkpoints=walk.checkpoints,
            witnessed=walk.witnessed,
            first_bad=bad,
        )


class _Walk:
    """One pass over the chain, with checkpoints and witness lines read alongside, both in order of size."""

    def __init__(
        self, session: Session, signer: Signer, witness: Path | None, length: int, told_before: datetime
    ) -> None:
        self._session = session
        self._signer = signer
        self.tree = Frontier()
        self.checkpoints = self.witnessed = self.waiting = 0
        self._good = 0
        self._chain = GENESIS
        self._rows = _checkpoints(session)
        self._lines = read_witness(witness, length) if witness else iter(())
        self._told_before = told_before if witness else None
        self._told = 0
        self._short: Bad | None = None
        self._row: LogCheckpoint | None = None
        self._line: WitnessLine | None = None

    def chain(self) -> None:
        """Check every sealed entry, and what was stated at its place."""
        self._row = next(self._rows, None)
        self._line = self._next_line()
        for row in _sealed(self._session):
            self._check_entry(row)
            self._chain = row.chain
            self.tree.add(row.hash)
            if self._check_stated():
                self._good = self.tree.size

    def beyond(self) -> None:
        """Nothing may state more than there is."""
        after = self.tree.size
        if self._row:
            raise _Found(Bad(after + 1, None, Fault.CHECKPOINT_BEYOND, after))
        if self._line:
            raise _Found(Bad(after + 1, None, Fault.WITNESS_BEYOND, after))

    def unsealed(self, oldest: datetime) -> None:
        """Check the entries that are not in the chain."""
        for row in _outside(self._session):
            if row.waiting is None:
                raise _Found(Bad(None, row.id, Fault.NOT_WAITING))
            if _recomputed(row) != row.hash:
                raise _Found(Bad(None, row.id, Fault.ENTRY_CHANGED))
            if row.at < oldest:
                raise _Found(Bad(None, row.id, Fault.UNSEALED_TOO_LONG))
            self.waiting += 1
        lost = self._session.scalar(
            select(LogUnsealed.entry_id)
            .outerjoin(LogEntry, LogEntry.id == LogUnsealed.entry_id)
            .where(LogEntry.id.is_(None))
            .limit(1)
        )
        if lost is not None:
            raise _Found(Bad(None, lost, Fault.WAITING_MISSING))

    def told(self) -> None:
        """The witness may not know less than it was told."""
        if self._short:
            raise _Found(self._short)

    def _check_stated(self) -> bool:
        before, owed = self.checkpoints + self.witnessed, False
        while self._row and self._row.size <= self.tree.size:
            self._check_checkpoint(self._row)
            owed = self._told_before is not None and self._row.at < self._told_before
            self._row = next(self._rows, None)
        while self._line and self._line.size <= self.tree.size:
            self._check_line(self._line)
            self._line = self._next_line()
        if owed and self._told != self.tree.size and self._short is None:
            self._short = Bad(self.tree.size, None, Fault.WITNESS_SHORT)
        return self.checkpoints + self.witnessed > before

    def _check_entry(self, row: Any) -> None:
        seq = self.tree.size + 1
        if row.seq != seq:
            raise _Found(Bad(seq, None, Fault.GAP))
        if row.id is None:
            raise _Found(Bad(seq, row.entry_id, Fault.ENTRY_MISSING))
        if row.previous != self._chain or row.chain != link(self._chain, row.hash):
            raise _Found(Bad(seq, row.entry_id, Fault.CHAIN_BROKEN))
        if _recomputed(row) != row.hash:
            raise _Found(Bad(seq, row.entry_id, Fault.ENTRY_CHANGED))

    def _check_checkpoint(self, row: LogCheckpoint) -> None:
        said = stated(row)
        if not self._signer.verify(row.key_id, said.statement(), row.signature):
            raise _Found(Bad(row.size, None, Fault.CHECKPOINT_FORGED, self._good))
        if row.size != self.tree.size or row.root != self.tree.root() or row.head != self._chain:
            raise _Found(Bad(row.size, None, Fault.CHECKPOINT_DIFFERS, self._good))
        self.checkpoints += 1

    def _check_line(self, line: WitnessLine) -> None:
        if not self._signer.verify(line.key_id, line.statement, line.signature):
            raise _Found(Bad(line.size, None, Fault.WITNESS_FORGED, self._good))
        if line.size != self.tree.size or line.root != self.tree.root() or line.head != self._chain:
            raise _Found(Bad(line.size, None, Fault.WITNESS_DIFFERS, self._good))
        self.witnessed += self._told != line.size  # two processes may have told one twice
        self._told = line.size

    def _next_line(self) -> WitnessLine | None:
        try:
            return next(self._lines, None)
        except Damaged as error:
            raise _Found(Bad(None, None, Fault.WITNESS_UNREADABLE, self.tree.size)) from error


def _recomputed(row: Any) -> bytes | None:
    try:
        return entry_hash(row)
    except _UNREADABLE:
        return None


_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a cell raises that holds something the program never writes."""

_HEAD = [
    type_coerce(column, String).label(column.name) if column.name in {"log_class", "result"} else column
    for column in LogEntry.__table__.columns
    if column.name != "hash"
]


def _sealed(session: Session) -> Iterator[Any]:
    """Yield seals joined with their entries, in order; a row that cannot be read ends the walk by its name."""
    asked = (
        select(LogSeal.seq, LogSeal.entry_id, LogSeal.previous, LogSeal.chain, LogEntry.hash, *_HEAD)
        .outerjoin(LogEntry, LogEntry.id == LogSeal.entry_id)
        .order_by(LogSeal.seq)
    )
    seq = 0
    try:
        for row in session.execute(asked.execution_options(yield_per=_ROWS)):
            yield row
            seq = row.seq
    except _UNREADABLE:
        yield from _one_by_one(session, asked, seq)


def _one_by_one(session: Session, asked: Select[Any], seq: int) -> Iterator[Any]:
    for number in session.scalars(select(LogSeal.seq).where(LogSeal.seq > seq).order_by(LogSeal.seq)).all():
        try:
            yield session.execute(asked.where(LogSeal.seq == number)).one()
        except _UNREADABLE as error:
            entry = session.scalar(select(LogSeal.entry_id).where(LogSeal.seq == number))
            raise _Found(Bad(number, entry, Fault.ENTRY_CHANGED)) from error


def _outside(session: Session) -> Iterator[Any]:
    """Yield entries without a seal."""
    asked = (
        select(LogEntry.hash, *_HEAD, LogUnsealed.entry_id.label("waiting"))
        .outerjoin(LogUnsealed, LogUnsealed.entry_id == LogEntry.id)
        .where(~select(LogSeal.seq).where(LogSeal.entry_id == LogEntry.id).exists())
        .order_by(LogEntry.at, LogEntry.id)
    )
    try:
        yield from session.execute(asked.execution_options(yield_per=_ROWS))
    except _UNREADABLE as error:
        raise _Found(Bad(None, None, Fault.ENTRY_CHANGED)) from error


def _checkpoints(session: Session) -> Iterator[LogCheckpoint]:
    """Yield checkpoints in order of size, some at a time."""
    size = -1
    while rows := session.scalars(
        select(LogCheckpoint).where(LogCheckpoint.size > size).order_by(LogCheckpoint.size).limit(_ROWS)
    ).all():
        yield from rows
        size = rows[-1].size
        session.expunge_all()
