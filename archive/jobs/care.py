"""Jobs that failed: those who run the system see them, have them done again, or give them up."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from archive.clock import Clock
from archive.database import Database
from archive.database.newest import newest_first
from archive.errors import Conflict, NotFound
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model.jobs import Job, JobKind, JobState
from archive.policy.guard import Guard
from archive.policy.rules import Act


class JobCare:
    """The acts on jobs that failed."""

    def __init__(self, db: Database, guard: Guard, log: Log, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._outbox = outbox
        self._clock = clock

    def failed(self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int) -> Sequence[Job]:
        """Return the jobs that failed for good, the latest first, behind one of this moment and id.

        Raises:
            NotAllowed: not one of those who run the system.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            query = select(Job).where(Job.state == JobState.FAILED, Job.kind.in_(list(JobKind)))
            return session.scalars(newest_first(query, Job.finished_at, Job.id, after).limit(limit)).all()

    def retry(self, identity: Identity, job_id: UUID) -> None:
        """Have a failed job done again, at once.

        Raises:
            NotFound: there is no such job.
            Conflict: it did not fail, or someone was quicker.
            NotAllowed: not one of those who run the system.
        """
        self._end(identity, job_id, "job.retry", JobState.QUEUED)

    def cancel(self, identity: Identity, job_id: UUID) -> None:
        """Give a failed job up. Raises as ``retry``."""
        self._end(identity, job_id, "job.cancel", JobState.CANCELLED)

    def _end(self, identity: Identity, job_id: UUID, act: str, state: JobState) -> None:
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            job = session.get(Job, job_id)
            if job is None:
                raise NotFound
            if job.state is not JobState.FAILED:
                raise Conflict(what="job")
            body = {"kind": job.kind.value, "job": str(job.id), "error": job.error or ""}
            job.state = state
            if state is JobState.QUEUED:
                job.attempts, job.run_after = 0, self._clock.now()
                job.error = job.finished_at = job.lease = job.lease_until = None
                self._outbox.wake_later(work, job)
            self._log.note(session, identity, act, body=body)
            work.commit()
