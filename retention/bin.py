"""The bin: what was thrown away before filing is kept 30 days, then goes for good."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from archive.clock import Clock
from archive.database import Database, Work
from archive.identity import system
from archive.imports import Imports
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.writer import Log
from archive.model import JobKind, Record, RecordState
from archive.purging import remove_records

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

    Only records that were never filed can be in the bin; what is filed ends by destruction alone.
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

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Put into the bin what broken imports left behind, and empty it of what is due, in short batches."""
        given_up = self._clock.now() - timedelta(days=GIVE_UP_DAYS)
        self._imports.give_up(system("bin"), given_up)
        for each in self._left_open:
            each.sweep(given_up)
        while jobs[0].still_held() and self._one_batch():
            pass
        return {job.id: Outcome.done() for job in jobs}

    def _one_batch(self) -> bool:
        """Remove one batch; return whether there may be more."""
        limit = self._clock.now() - timedelta(days=BIN_DAYS)
        due = select(Record.id).where(Record.state == RecordState.BINNED, Record.binned_at <= limit).limit(BATCH)
        with self._db.writing() as work:
            ids = list(work.session.scalars(due))
            if ids:
                self._remove(work, ids)
                work.commit()
        return len(ids) == BATCH

    def _remove(self, work: Work, ids: Sequence[UUID]) -> None:
        remove_records(work.session, ids)
        self._log.note_many(work.session, system("bin"), "record.purge", [(key, None) for key in ids])
        self._outbox.add_many(work, JobKind.INDEX, ids)
