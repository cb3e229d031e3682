"""Backups as acts of the house: who asks for one, what each run did, and when the last good one was made."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database, Work
from archive.database.newest import newest_first
from archive.errors import ArchiveError, Damaged, NotFound, StandsAlready
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import BackupAct, BackupRun, Content, FixityFinding, Job, JobKind, JobState, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from storage.backup_set import BackupSet, LastRun
from storage.backups import Backups
from storage.copying import Told
from storage.fixity.keeping import standing_findings
from storage.fixity.plan import STORED

MOST = 100
"""Runs that are shown."""

MOST_BAD = 10_000
"""Keys of what a check found missing or changed, or a set lacks, that its run keeps: the next set copies it again."""

AT_WORK = "backup_at_work"

DAMAGED = "damaged"
"""A set lacks files of which nobody knew that they are not whole, or a check or a restore found something."""

DAMAGED_KNOWN = "damaged_known"
"""A set lacks files, all of them such as the checks of stored files have found, which tell of them."""

DAMAGED_OLDER = "damaged_older"
"""A set lacks nothing, but an older one does not verify."""

BROKEN_OFF = "broken_off"

_WELL = or_(BackupRun.error.is_(None), BackupRun.error.in_((DAMAGED_KNOWN, DAMAGED_OLDER)))
_GOOD = (BackupRun.act == BackupAct.MAKE, BackupRun.ended_at.is_not(None), _WELL)
_FINISHED = (BackupRun.act == BackupAct.MAKE, BackupRun.ended_at.is_not(None), BackupRun.set_id.is_not(None))

_AT_MOST = timedelta(days=1)
"""So long a check or a rehearsal is taken to be at work that has not ended."""

LATE = timedelta(days=2)
"""A last good backup older than this is told as late."""


def run_facts(made: BackupSet) -> dict[str, Any]:
    """Return what the run that made a set keeps of it; ``faults`` where the set lacks something."""
    facts: dict[str, Any] = {
        "records": made.records,
        "objects": made.objects,
        "bytes": made.bytes,
        "copied": made.copied,
        "copied_bytes": made.copied_bytes,
    }
    return facts | ({"faults": list(made.faults[:MOST_BAD])} if made.faults else {})


def unknown(session: Session, faults: Collection[str]) -> list[str]:
    """Return those keys of lost files that no check of stored files has found yet, in order."""
    known = set(session.scalars(standing_findings().with_only_columns(FixityFinding.object_key)))
    return sorted(set(faults) - known)


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
        """Return when the last set was finished that lacks nothing but what was known to be lost.

        One of a clock that was ahead does not count until that day.
        """
        with self._db.reading() as session:
            past = BackupRun.ended_at <= self._clock.now()
            return session.scalar(select(func.max(BackupRun.ended_at)).where(*_GOOD, past))

    def last_finished(self) -> BackupRun | None:
        """Return the run that finished a set last, whatever the set lacks."""
        with self._db.reading() as session:
            past = BackupRun.ended_at <= self._clock.now()
            query = select(BackupRun).where(*_FINISHED, past).order_by(BackupRun.ended_at.desc(), BackupRun.id.desc())
            return session.scalar(query.limit(1))

    def vital(self) -> tuple[int, int]:
        """Return how many vital records there are, and how many of them the last backup lacks in part or whole.

        A record is lacking whose row, or a file of it, came after that backup was begun or could not be copied into it.
        """
        last = self.last_finished()
        vital = (Record.vital_review.is_not(None), Record.state != RecordState.BINNED)
        with self._db.reading() as session:
            count = session.scalar(select(func.count(Record.id)).where(*vital)) or 0
            if last is None:
                return count, count
            missing = or_(Content.created_at > last.began_at, Content.object_key.in_(last.facts.get("faults", ())))
            files = select(Content.id).where(Content.record_id == Record.id, missing).exists()
            later = select(func.count(Record.id)).where(*vital, or_(Record.created_at > last.began_at, files))
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

    def runs(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = MOST
    ) -> Sequence[BackupRun]:
        """Return what was done, the latest first, behind the run of a moment and an id. Raises ``NotAllowed``."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            query = newest_first(select(BackupRun), BackupRun.began_at, BackupRun.id, after)
            return session.scalars(query.limit(limit)).all()

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
            Damaged: the set is made, but some contents could not be copied whole (facts: ``count``), or an older set
                does not verify (``part``).
            ArchiveError: as ``Backups.make``.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
        with self._alone() as alone:
            if not alone:
                raise StandsAlready(what=AT_WORK)
            return self._made(identity, told, going_on)

    def _made(self, identity: Identity, told: Told, going_on: Callable[[], bool]) -> BackupSet:
        with self.running(identity, BackupAct.MAKE) as run:
            made = self.backups().make(self._clock.now() - self._keep, told, going_on, self._last())
            run.set_id = made.set.id
            run.facts = run_facts(made.set) | {"forgotten": made.forgotten}
            if made.fault:
                run.error = made.fault.code
            if made.damaged:
                run.error = DAMAGED_OLDER
                run.facts |= {"damaged_sets": [str(each) for each in made.damaged]}
            if made.set.faults:
                run.error = DAMAGED if self._unknown(made.set.faults) else DAMAGED_KNOWN
                raise Damaged(what="backup", count=len(made.set.faults))
            if made.damaged:
                raise Damaged(what="backup", part=f"sets/{made.damaged[0]}/manifest")
        return made.set

    def _unknown(self, faults: Collection[str]) -> bool:
        """Whether no check of stored files has found one of these yet; each such is to be looked at now."""
        with self._db.writing() as work:
            new = unknown(work.session, faults)[:MOST_BAD]
            ids = work.session.scalars(select(STORED.id).where(STORED.object_key.in_(new[:MOST]))).all()
            self._outbox.add_many(work, JobKind.FIXITY, ids)
            work.commit()
        return bool(new)

    def check(self, identity: Identity, set_id: UUID | None, told: Told = lambda *_: None) -> list[str]:
        """Hash a set (by default the newest) against its manifest; return what is missing or changed.

        Raises ``NotAllowed``, ``NotFound``.
        """
        with self.running(identity, BackupAct.CHECK) as run:
            backups = self.backups()
            chosen = backups.find(set_id)
            bad = backups.check(chosen, told)
            run.set_id, run.facts = chosen.id, {"objects": chosen.objects, "bad": len(bad), "keys": bad[:MOST_BAD]}
            run.error = DAMAGED if bad else None
        return bad

    def _last(self) -> LastRun:
        """Return the last set, and what is changed since: what checks found, and what that one lacked already."""
        last = self.last_finished()
        with self._db.reading() as session:
            checks = select(BackupRun.facts).where(BackupRun.act == BackupAct.CHECK)
            if last is not None:
                checks = checks.where(BackupRun.ended_at >= last.began_at)
            changed = {key for facts in session.scalars(checks) for key in facts.get("keys", ())}
        if last is None:
            return LastRun(changed=changed)
        changed |= {f"objects/{key}" for key in last.facts.get("faults", ())}
        return LastRun(last.set_id, changed, [UUID(each) for each in last.facts.get("damaged_sets", ())])

    def tell(
        self,
        identity: Identity,
        act: BackupAct,
        set_id: UUID,
        began_at: datetime,
        facts: dict[str, Any],
        error: str | None,
    ) -> None:
        """Keep what a restore did."""
        with self.running(identity, act) as run:
            run.set_id, run.began_at, run.facts, run.error = set_id, began_at, facts, error

    @contextmanager
    def running(self, identity: Identity, act: BackupAct) -> Iterator[BackupRun]:
        """Check the right, keep the run from its begin to its end, however it ends, and write the log.

        Earlier runs that have no end are ended first: they were killed. One that is at work on another machine after
        all writes its own end over this.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            self._end_killed(work, identity, act)
            run = BackupRun(act=act, began_at=self._clock.now(), facts={}, set_id=None, error=None, ended_at=None)
            work.session.add(run)
            work.commit()
        began = run.began_at
        try:
            yield run
        except ArchiveError as error:
            run.error = run.error or error.code
            raise
        except BaseException:
            run.error = BROKEN_OFF
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

    def _end_killed(self, work: Work, identity: Identity, act: BackupAct) -> None:
        now = self._clock.now()
        left = select(BackupRun).where(BackupRun.ended_at.is_(None), BackupRun.act == act)
        if act is not BackupAct.MAKE:  # sets are made one at a time; of the others several may run
            left = left.where(BackupRun.began_at < now - _AT_MOST)
        for run in work.session.scalars(left).all():
            run.ended_at, run.error = now, BROKEN_OFF
            body = {"set": str(run.set_id or ""), "error": BROKEN_OFF, "began_at": run.began_at.isoformat()}
            self._log.note(work.session, identity, f"backup.{act.value}", body=body)
