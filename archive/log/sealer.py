"""Sealing: committed entries are put one after another into the chain, by one sealer at a time.

``chain = SHA-256(0x02 || previous chain || entry hash)``; the first entry's previous chain is 32 zero bytes and its
``seq`` is 1. The database refuses two rows with one ``seq`` or one ``previous``, so the chain cannot fork in it.
"""

import hashlib
import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Base, Database, once_more
from archive.database.postgres import seal_alone
from archive.errors import NotFound
from archive.model.log import LogEntry, LogSeal, LogUnsealed

GENESIS = bytes(32)
"""What the first entry is chained to."""

BATCH = 1000
"""Entries per call of ``seal``; they go in transactions of 50 to 500, as fast as the disk is."""

_LOOK_AHEAD = 20 * BATCH
_SMALLEST = 50
_LARGEST = 500
_AIM_SECONDS = 0.03

_SEAL = insert(Base.metadata.tables["log_seal"])

Waiting = tuple[UUID, bytes]


def link(previous: bytes, entry: bytes) -> bytes:
    """Return the chain value after an entry with this hash."""
    return hashlib.sha256(b"\x02" + previous + entry).digest()


class Sealer:
    """Chains what was committed. Any process may run one: the database lets one at a time append."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._batch = BATCH // 4

    def seal(self, limit: int = BATCH) -> int:
        """Seal up to ``limit`` waiting entries, oldest first, in short transactions; return how many."""
        with self._db.reading() as session:
            waiting = _waiting(session, limit)
        sealed = 0
        while sealed < len(waiting):
            batch = waiting[sealed : sealed + self._batch]
            self._append(batch)
            sealed += len(batch)
        return sealed

    def seal_all(self) -> int:
        """Seal until nothing waits; return how many were sealed."""
        total = 0
        while done := self.seal(_LOOK_AHEAD):
            total += done
        return total

    def wait_sealed(self, entry_id: UUID) -> None:
        """Return once a committed entry is in the chain; for acts that must not take effect unsealed.

        It goes in ahead of what else waits: a batch under way does not hold up a change of rights. A batch of acts
        waits once, for the last of its entries.

        Raises:
            NotFound: there is no such committed entry.
            Unavailable: it could not be sealed now.
        """
        with self._db.reading() as session:
            found = session.scalar(select(LogEntry.hash).where(LogEntry.id == entry_id))
        if found is None:
            raise NotFound(what="log_entry", entry=entry_id)
        self._append([(entry_id, found)])

    @once_more
    def _append(self, batch: Sequence[Waiting]) -> None:
        with self._db.writing(shared=True) as work:
            session = work.session
            begun = time.perf_counter()
            seal_alone(session)
            ids = [entry for entry, _ in batch]
            still = set(session.scalars(select(LogUnsealed.entry_id).where(LogUnsealed.entry_id.in_(ids))))
            if still:
                _chain(session, [item for item in batch if item[0] in still])
            failpoints.reach("seal.before_commit")
            work.commit()
            self._adapt(time.perf_counter() - begun)

    def _adapt(self, took: float) -> None:
        if took > _AIM_SECONDS:
            self._batch = max(_SMALLEST, self._batch // 2)
        elif took < _AIM_SECONDS / 2:
            self._batch = min(_LARGEST, self._batch * 2)


def _waiting(session: Session, limit: int) -> list[Waiting]:
    """Return what waits, begun at the queue: along the time of the entries all that are sealed would be passed."""
    waiting = LogEntry.id.in_(select(LogUnsealed.entry_id))
    found = session.execute(
        select(LogEntry.id, LogEntry.hash).where(waiting).order_by(LogEntry.at, LogEntry.id).limit(limit)
    )
    return [(row.id, row.hash) for row in found]


def _chain(session: Session, batch: Sequence[Waiting]) -> None:
    tail = session.execute(select(LogSeal.seq, LogSeal.chain).order_by(LogSeal.seq.desc()).limit(1)).first()
    seq, chain = (tail.seq, tail.chain) if tail else (0, GENESIS)
    rows = []
    for entry_id, entry_hash in batch:
        seq, previous, chain = seq + 1, chain, link(chain, entry_hash)
        rows.append({"seq": seq, "entry_id": entry_id, "previous": previous, "chain": chain})
    session.execute(_SEAL, rows)
    session.execute(delete(LogUnsealed).where(LogUnsealed.entry_id.in_([entry for entry, _ in batch])))
