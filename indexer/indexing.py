"""The index job: brings engines up to date with rows, batch by batch.

A record's partition is written into its row before the engine gets the entry, so that no crash leaves an entry in a
partition that nobody remembers. Whatever changed while the job ran is done again before the job ends, but for what a
later job will do; a record behind a fence, which nobody finds, is left to none. A fence is lifted only in a transaction
that finds the row as it was indexed.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive import failpoints
from archive.clock import Clock
from archive.database import Database
from archive.errors import Unavailable
from archive.fence import lift
from archive.jobs.lease import untaken
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import Fence, JobKind, Record
from archive.ports import Vault
from indexer.engine import SearchEngine, Tombstone
from indexer.entries import Entries, Kept
from indexer.noting import note_partitions
from indexer.pagetext import portions

BATCH = 1000

FOUND_WITHIN = 1.0
"""Seconds that a written entry may wait to be found while others of its batch are written: a commit costs what some
dozens of entries do."""

LAST = 2**53
"""The version at which a record that has no row any more is taken out: no entry is newer."""

log = logging.getLogger(__name__)

_ROUNDS = 5


class IndexRecords:
    """Handler of index jobs (see ``archive.jobs.runner.Handler``)."""

    kind = JobKind.INDEX
    batch = BATCH
    deadline = 300.0
    max_attempts = 50
    keep_done = False

    def __init__(self, db: Database, engine: SearchEngine, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._engine = engine
        self._entries = Entries(vault)
        self._clock = clock

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Index the records of a batch. An engine that does not answer puts all of them off."""
        wanted = [job.subject_id for job in jobs if job.subject_id is not None]
        try:
            undone = self.index(list(dict.fromkeys(wanted)))
        except Unavailable as error:
            return {job.id: Outcome.retry(str(error.facts.get("part", "search"))) for job in jobs}
        return {job.id: _outcome(undone.get(job.subject_id) if job.subject_id else None) for job in jobs}

    def index(self, ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Bring records up to date in the engine; return those of which that was not done, and why.

        That is ``changed_meanwhile``, or ``refused:`` with the engine's code; a refused record stays behind its fence.

        Raises:
            Unavailable: database or engine do not answer.
        """
        waiting = list(ids)
        refused: dict[UUID, str] = {}
        for _ in range(_ROUNDS):
            if not waiting:
                break
            moment = self._clock.now()
            versions: dict[UUID, int] = {}
            with self._db.reading() as session:
                there = set(session.scalars(select(Record.id).where(Record.id.in_(waiting))))
                chunks = list(portions(session, [key for key in waiting if key in there]))
                entries = self._entries.together(session)
            gone = [key for key in waiting if key not in there]
            self._take_out(gone)
            versions.update(dict.fromkeys(gone, 0))
            committed = time.monotonic()
            for chunk in chunks:
                with self._db.reading() as session:
                    kept = entries.read(session, chunk)
                note_partitions(self._db, kept)
                failpoints.reach("index.remembered")
                refused |= self._write(kept)
                if time.monotonic() - committed >= FOUND_WITHIN:
                    self._engine.commit()
                    committed = time.monotonic()
                versions.update((one.record_id, one.version) for one in kept if one.record_id not in refused)
            self._engine.commit()
            failpoints.reach("index.written")
            waiting = self._settle(versions, moment)
        return refused | dict.fromkeys(waiting, "changed_meanwhile")

    def _take_out(self, gone: Sequence[UUID]) -> None:
        """Take out records whose rows are gone for good, wherever they are."""
        if gone:
            self._engine.write([], [Tombstone(key, LAST, each) for key in gone for each in self._engine.partitions()])

    def _write(self, kept: Sequence[Kept]) -> dict[UUID, str]:
        entries = [one.entry for one in kept if one.entry]
        tombstones = [
            Tombstone(one.record_id, one.version, partition)
            for one in kept
            for partition in one.indexed_in
            if one.entry is None or partition != one.entry.partition
        ]
        refused = self._engine.write(entries, tombstones)
        failpoints.reach("index.before_commit")
        for key, why in refused.items():
            log.warning("record %s was not indexed: %s", key, why)
        return {key: f"refused:{why}" for key, why in refused.items()}

    def _settle(self, versions: Mapping[UUID, int], moment: datetime) -> list[UUID]:
        """Return the records that changed since they were read and are left to no later job; lift others' fences."""
        with self._db.reading() as session:
            changed = _changed(session, versions)
            fenced = set(session.scalars(select(Fence.value).where(Fence.fact == "record")))
        steady = [key for key in versions if str(key) in fenced and key not in changed]
        if steady:
            with self._db.writing() as work:
                changed |= _changed(work.session, {key: versions[key] for key in steady})
                for key in steady:
                    if key not in changed:
                        lift(work.session, "record", str(key), moment)
                work.commit()
        if left := {key for key in changed if str(key) not in fenced}:
            with self._db.reading() as session:
                changed -= set(session.scalars(untaken(self.kind, left)))
        return sorted(changed)


def _outcome(undone: str | None) -> Outcome:
    return Outcome.retry(undone) if undone else Outcome.done()


def _changed(session: Session, versions: Mapping[UUID, int]) -> set[UUID]:
    rows = session.execute(select(Record.id, Record.version).where(Record.id.in_(list(versions)))).all()
    return {key for key, version in rows if versions[key] != version}
