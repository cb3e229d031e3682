"""Backups as acts of the house: who asks for one, what each run did, and when the last good one was made."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from archive.clock import Clock
from archive.database import Database
from archive.errors import ArchiveError, Damaged, NotFound, StandsAlready
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import BackupAct, BackupRun, Content, Job, JobKind, JobState, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from storage.backup_set import BackupSet
from storage.backups import Backups
from storage.copying import Told

MOST = 100
"""Runs that are shown."""

MOST_BAD = 10_000
"""Keys of what a check found missing or changed that its run keeps, so that the next set copies it again."""

AT_WORK = "backup_at_work"

_GOOD = (BackupRun.act == BackupAct.MAKE, BackupRun.ended_at.is_not(None), BackupRun.error.is_(None))

LATE = timedelta(days=2)
"""A last good backup older than this is told as late."""


class Safekeeping:
    """The acts on backups.

    Args:
        backups: the sets; None where the house has named no place for them.
        keep_days: how long a set is kept; never fewer than the last three.
        alone: enters where no other process of this machine makes a set, and says whether that is so.
    """

    def __init__(
        self,
        db: Database,
        guard: Guard,
        log: Log,
        outbox: Outbox,
        clock: Clock,
        backups: Callable[[], Backups] | None,
        keep_days: int,
        alone: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(enter_result=True),
    ) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock
        self._backups = backups
        self._keep = timedelta(days=keep_days)
        self._alone = alone

    @property
    def configured(self) -> bool:
        """Whether the house has named a place for backups."""
        return self._backups is not None

    def backups(self) -> Backups:
        """Return the sets. Raises ``NotFound`` where the house has named no place for them."""
        if self._backups is None:
            raise NotFound
        return self._backups()

    def last_good(self) -> datetime | None:
        """Return when the last set was finished that lacks nothing."""
        with self._db.reading() as session:
            return session.scalar(select(func.max(BackupRun.ended_at)).where(*_GOOD))

    def last_begun(self) -> datetime | None:
        """Return when the last set was begun that lacks nothing."""
        with self._db.reading() as session:
            return session.scalar(select(func.max(BackupRun.began_at)).where(*_GOOD))

    def vital(self) -> tuple[int, int]:
        """Return how many vital records there are, and how many of them the last good backup lacks in part or whole.

        A record is lacking whose row, or a file of it, came after that backup was begun.
        """
        began = self.last_begun()
        vital = (Record.vital_review.is_not(None), Record.state != RecordState.BINNED)
        with self._db.reading() as session:
            count = session.scalar(select(func.count(Record.id)).where(*vital)) or 0
            if began is None:
                return count, count
            files = select(Content.id).where(Content.record_id == Record.id, Content.created_at > began).exists()
            later = select(func.count(Record.id)).where(*vital, or_(Record.created_at > began, files))
            return count, session.scalar(later) or 0

    def last_proved(self) -> datetime | None:
        """Return when a set was last checked or its restore rehearsed, and found whole."""
        acts = (BackupAct.CHECK, BackupAct.REHEARSE)
        query = select(func.max(BackupRun.ended_at)).where(BackupRun.act.in_(acts), BackupRun.error.is_(None))
        with self._db.reading() as session:
            return session.scalar(query)

    def is_late(self, last: datetime | None) -> bool:
        """Whether the last good set, made at ``last``, is missing or too old."""
        return last is None or self._clock.now() - last > LATE

    def runs(self, identity: Identity) -> Sequence[BackupRun]:
        """Return what was done, the latest first, at most 100. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            return session.scalars(
                select(BackupRun).order_by(BackupRun.began_at.desc(), BackupRun.id).limit(MOST)
            ).all()

    def at_work(self) -> bool:
        """Whether a backup is due to be made or is being made. One that did not work waits, and is not at work."""
        due = and_(Job.state == JobState.QUEUED, Job.run_after <= self._clock.now())
        with self._db.reading() as session:
            query = select(Job.id).where(Job.kind == JobKind.BACKUP, or_(due, Job.state == JobState.RUNNING)).limit(1)
            return session.scalar(query) is not None

    def ask(self, identity: Identity) -> None:
        """Have a set made by the workers; one that did not work and waits to be tried again is tried now.

        Raises:
            NotAllowed: this person does not run the system.
            NotFound: the house has named no place for backups.
            StandsAlready: one is being made.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            if not self.configured:
                raise NotFound
            if self.at_work():
                raise StandsAlready(what=AT_WORK)
            waits = select(Job).where(Job.kind == JobKind.BACKUP, Job.state == JobState.QUEUED).limit(1)
            if (job := work.session.scalar(waits)) is not None:
                job.run_after = self._clock.now()
                self._outbox.wake_later(work, job)
            else:
                self._outbox.add(work, JobKind.BACKUP, requested_by=identity.person_id)
            self._log.note(work.session, identity, "backup.ask")
            work.commit()

    def make(
        self, identity: Identity, told: Told = lambda *_: None, going_on: Callable[[], bool] = lambda: True
    ) -> BackupSet:
        """Make a set now, and forget those whose time is over.

        Raises:
            NotAllowed: this person does not run the system.
            StandsAlready: one is being made.
            Damaged: the set is made, but some contents could not be copied whole; facts: ``count``.
            ArchiveError: as ``Backups.make``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
        with self._alone() as alone:
            if not alone:
                raise StandsAlready(what=AT_WORK)
            return self._made(identity, told, going_on)

    def _made(self, identity: Identity, told: Told, going_on: Callable[[], bool]) -> BackupSet:
        with self._run(identity, BackupAct.MAKE) as run:
            backups = self.backups()
            limit = self._clock.now() - self._keep
            made, forgotten = backups.make(limit, told, going_on, self._damaged())
            run.set_id = made.id
            run.facts = {
                "records": made.records,
                "objects": made.objects,
                "bytes": made.bytes,
                "copied": made.copied,
                "copied_bytes": made.copied_bytes,
                "forgotten": forgotten,
            }
            if made.faults:
                run.facts |= {"faults": list(made.faults[:MOST])}
                raise Damaged(what="backup", count=len(made.faults))
        return made

    def check(self, identity: Identity, set_id: UUID | None, told: Told = lambda *_: None) -> list[str]:
        """Hash a set (by default the newest) against its manifest; return what is missing or changed.

        Raises ``NotAllowed``, ``NotFound``.
        """
        with self._run(identity, BackupAct.CHECK) as run:
            backups = self.backups()
            chosen = backups.find(set_id)
            bad = backups.check(chosen, told)
            run.set_id, run.facts = chosen.id, {"objects": chosen.objects, "bad": len(bad), "keys": bad[:MOST_BAD]}
            run.error = "damaged" if bad else None
        return bad

    def _damaged(self) -> Collection[str]:
        """Return what checks found changed since the last good set was begun, by its keys."""
        since = self.last_begun()
        with self._db.reading() as session:
            checks = select(BackupRun.facts).where(BackupRun.act == BackupAct.CHECK)
            if since is not None:
                checks = checks.where(BackupRun.ended_at >= since)
            return {key for facts in session.scalars(checks) for key in facts.get("keys", ())}

    def tell(
        self,
        identity: Identity,
        act: BackupAct,
        set_id: UUID,
        began_at: datetime,
        facts: dict[str, Any],
        error: str | None,
    ) -> None:
        """Keep what a restore or its rehearsal did."""
        with self._run(identity, act) as run:
            run.set_id, run.began_at, run.facts, run.error = set_id, began_at, facts, error

    @contextmanager
    def _run(self, identity: Identity, act: BackupAct) -> Iterator[BackupRun]:
        """Check the right, keep the run from its begin to its end, and write the log."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            run = BackupRun(act=act, began_at=self._clock.now(), facts={})
            work.session.add(run)
            work.commit()
        began = run.began_at
        try:
            yield run
        except ArchiveError as error:
            run.error = error.code
            raise
        except BaseException:
            run.error = "broken_off"
            raise
        finally:
            run.ended_at = self._clock.now()
            run.facts = run.facts | {"seconds": round((run.ended_at - (run.began_at or began)).total_seconds(), 1)}
            with self._db.writing() as work:
                work.session.merge(run)
                facts = {name: told[:MOST] if isinstance(told, list) else told for name, told in run.facts.items()}
                body = {"set": str(run.set_id or ""), "error": run.error or ""} | facts
                self._log.note(work.session, identity, f"backup.{act.value}", body=body)
                work.commit()
