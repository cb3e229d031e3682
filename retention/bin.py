"""The bin: what was thrown away before filing is kept 30 days, then goes for good."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from archive.bringing_in.imports import Imports
from archive.clock import Clock
from archive.database import Database, Work
from archive.identity import system
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import JobKind, Record, RecordState
from archive.purging import remove_records
from retention.holding import held

BIN_DAYS = 30
GIVE_UP_DAYS = 7
"""Days after which an import that broke off, a spreadsheet on its way in or an unsent form is not waited for."""

BATCH = 50


class LeftOpen(Protocol):
    """What people begin and may never end: kept for them for a while, then forgotten."""

    def sweep(self, before: datetime) -> None:
        """Forget what was not touched since a moment."""
        ...


class EmptyBin:
    """Removes binned records whose time is over: rows, page text and the record's key. Objects are left to the sweeper.

    Only records that were never filed can be in the bin; what is filed ends by destruction alone. What a hold covers
    stays.
    """

    kind = JobKind.EMPTY_BIN
    batch = 1
    deadline = 600.0
    max_attempts = 5
    keep_done = True

    def __init__(
        self, db: Database, imports: Imports, left_open: Sequence[LeftOpen], log: Log, outbox: Outbox, clock: Clock
    ) -> None:
        self._db = db
        self._imports = imports
        self._left_open = left_open
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._last: UUID | None = None  # behind this one the present run goes on

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Put into the bin what broken imports left behind, and empty it of what is due, in short batches."""
        given_up = self._clock.now() - timedelta(days=GIVE_UP_DAYS)
        self._imports.give_up(system("bin"), given_up)
        for each in self._left_open:
            each.sweep(given_up)
        self._last = None
        while jobs[0].still_held() and self._one_batch():
            pass
        return {job.id: Outcome.done() for job in jobs}

    def _one_batch(self) -> bool:
        """Remove one batch; return whether there may be more."""
        limit = self._clock.now() - timedelta(days=BIN_DAYS)
        due = select(Record.id).where(Record.state == RecordState.BINNED, Record.binned_at <= limit)
        with self._db.writing() as work:
            query = due.order_by(Record.id).limit(BATCH)
            ids = work.session.scalars(query if self._last is None else query.where(Record.id > self._last)).all()
            kept = held(work.session, ids)  # asked where it counts: in the transaction that removes
            if free := [key for key in ids if key not in kept]:
                self._remove(work, free)
                work.commit()
        self._last = ids[-1] if ids else None
        return len(ids) == BATCH

    def _remove(self, work: Work, ids: Sequence[UUID]) -> None:
        freed = work.session.scalars(select(Record.id).where(Record.dossier_id.in_(ids), Record.id.not_in(ids))).all()
        remove_records(work.session, ids)
        self._log.note_many(work.session, system("bin"), "record.purge", [(key, None) for key in ids])
        self._outbox.add_many(work, JobKind.INDEX, [*ids, *freed])  # what lay in a dossier has a clock of its own now
