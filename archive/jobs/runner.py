"""Running jobs: claim a batch, let its handler work under a lease, write how each ended."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import aliased

from archive import failpoints
from archive.clock import Clock
from archive.database import Database, once_more
from archive.errors import ArchiveError
from archive.jobs.lease import Claim, Held, Renewal, claim, due_of, remove, requeue_lost, settle
from archive.jobs.outbox import queue_of
from archive.jobs.schedule import PERIODIC
from archive.model.jobs import Job, JobKind, JobState
from archive.ports import Waker
from archive.trail import following, step

log = logging.getLogger("juanku.job")

LEASE_SECONDS = 60.0
"""How long one lease lasts unless renewed: a dead worker's jobs go on after this."""

DEADLINE = "deadline"
"""Error code of a job that took longer than its kind may."""

NO_OUTCOME = "no_outcome"
"""Error code of a job on which its handler said nothing."""

STALE = timedelta(seconds=30)
"""A queued job that waits longer than this has lost its wake-up."""

KEPT = timedelta(days=30)
"""How long the rows of finished jobs stay to be looked at."""

_FIRST_BACK_OFF = timedelta(seconds=10)
_LONGEST_BACK_OFF = timedelta(hours=1)
_SWEPT = 1000
_ERROR_LENGTH = 500

FOR_ITS_HOUR = "hour"
"""The code of a job that waits for an hour that the house has set. Nobody is to wait for such a one."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended. ``error`` is a code without secret text; ``after`` overrides the back-off of a retry."""

    state: JobState
    error: str | None = None
    after: timedelta | None = None

    @classmethod
    def done(cls) -> "Outcome":
        """It is done."""
        return cls(JobState.DONE)

    @classmethod
    def retry(cls, error: str, after: timedelta | None = None) -> "Outcome":
        """It did not work now; try again later, until the attempts are used up."""
        return cls(JobState.QUEUED, error, after)

    @classmethod
    def failed(cls, error: str) -> "Outcome":
        """It will never work."""
        return cls(JobState.FAILED, error)


@dataclass(frozen=True)
class ClaimedJob:
    """A job as its handler gets it. ``attempts`` counts this one.

    ``still_held`` is asked, outside any write transaction, before something is done that a second worker would do
    again; it also renews the lease of long work.
    """

    id: UUID
    subject_id: UUID | None
    payload: Mapping[str, Any]
    attempts: int
    lease: UUID
    still_held: Callable[[], bool]
    requested_by: UUID | None = None


class Handler(Protocol):
    """Does one kind of job. Must be idempotent: a job may be run again after a crash, even beside a slow first run."""

    @property
    def kind(self) -> JobKind:
        """What it does."""
        ...

    @property
    def batch(self) -> int:
        """How many jobs it takes at once."""
        ...

    @property
    def deadline(self) -> float:
        """Seconds a batch may take; what comes later is dropped and counts as a failed attempt."""
        ...

    @property
    def max_attempts(self) -> int:
        """How often a job is tried before it is failed."""
        ...

    @property
    def keep_done(self) -> bool:
        """Whether the row of a done job stays (for a while) or goes at once."""
        ...

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do the jobs and tell how each ended, by id. Raising means that the whole batch did not work."""
        ...


@dataclass
class JobRunner:
    """Runs jobs of the kinds it has handlers for. Many runners may share a database.

    Args:
        waker: told of stale jobs by ``sweep``; None wakes nobody.
        lease_seconds: how long a lease lasts unless renewed.
    """

    db: Database
    clock: Clock
    handlers: Sequence[Handler]
    waker: Waker | None = None
    lease_seconds: float = LEASE_SECONDS
    _by_kind: dict[JobKind, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self._by_kind = {handler.kind: handler for handler in self.handlers}

    def run(
        self,
        kind: JobKind | None = None,
        job_id: UUID | None = None,
        *,
        asked_before: datetime | None = None,
        spared: Collection[UUID] = (),
    ) -> int:
        """Run one batch of ``kind`` (None: of the first kind with work), or one job by its id; return how many.

        A job that is not due, is held by another, or has no handler here is left alone, and so is one that was not
        due yet at ``asked_before``, or whose subject is one of ``spared``.
        """
        due = min(asked_before or self.clock.now(), self.clock.now())
        kinds = [kind] if kind else list(self._by_kind)
        with self.db.reading() as session:
            if job_id:
                found = session.scalar(select(Job.kind).where(Job.id == job_id))
                kinds = [found] if found else []
            ready = due_of(session, [each for each in kinds if each in self._by_kind], due)
        if not ready:
            return 0
        handler = self._by_kind[ready[0]]
        taken = self._claim(handler, job_id, due, spared)
        if taken is None:
            return 0
        self._work(handler, taken)
        return len(taken.jobs)

    def due(self, kinds: Sequence[JobKind], asked_before: datetime | None = None) -> list[JobKind]:
        """Return those of ``kinds`` of which ``run`` would find a job: one look for all of them."""
        until = min(asked_before or self.clock.now(), self.clock.now())
        with self.db.reading() as session:
            return due_of(session, [each for each in kinds if each in self._by_kind], until)

    def drain(self, kinds: Sequence[JobKind] | None = None) -> int:
        """Run batches until nothing of ``kinds`` (None: all it has handlers for) is due; return how many jobs."""
        total = 0
        for kind in kinds if kinds is not None else list(self._by_kind):
            while done := self.run(kind):
                total += done
        return total

    def sweep(self) -> int:
        """Put lost jobs back, wake queues with stale jobs, drop rows of no more use; return how many were put back."""
        now = self.clock.now()
        attempts = {kind: handler.max_attempts for kind, handler in self._by_kind.items()}
        with self.db.writing() as work:
            back = requeue_lost(work.session, now, attempts, _SWEPT)
            ended = Job.state.in_((JobState.DONE, JobState.CANCELLED))
            for useless in (and_(ended, Job.finished_at < now - KEPT), _made_up_for()):
                old = select(Job.id).where(useless).limit(_SWEPT)
                work.session.execute(delete(Job).where(Job.id.in_(old)).execution_options(synchronize_session=False))
            work.commit()
        self._wake_stale(now, back)
        return back

    def take_over(self) -> int:
        """Put back at once whatever is marked as running; return how many jobs.

        Only for a runner that knows that no other lives (see ``runtime.processes.working``): it need not wait for the
        leases of a process that was killed.
        """
        with self.db.writing() as work:
            running = update(Job).where(Job.state == JobState.RUNNING)
            past = self.clock.now() - timedelta(seconds=1)
            work.session.execute(running.values(lease_until=past).execution_options(synchronize_session=False))
            work.commit()
        return self.sweep()

    @once_more
    def _claim(self, handler: Handler, job_id: UUID | None, due: datetime, spared: Collection[UUID]) -> Claim | None:
        with self.db.writing(shared=True) as work:
            now = self.clock.now()
            taken = claim(
                work.session,
                handler.kind,
                now,
                due=due,
                batch=handler.batch,
                until=now + timedelta(seconds=min(self.lease_seconds, handler.deadline)),
                attempts=handler.max_attempts,
                job_id=job_id,
                spared=spared,
            )
            work.commit()
        failpoints.reach("job.claimed")
        return taken

    def _work(self, handler: Handler, taken: Claim) -> None:
        deadline = taken.taken + timedelta(seconds=handler.deadline)
        with Renewal(self.db, self.clock, taken, seconds=self.lease_seconds, deadline=deadline) as renewal:
            jobs = [_given(job, taken.lease, renewal) for job in taken.jobs]
            asked = {job.request for job in taken.jobs}
            request = asked.pop() if len(asked) == 1 else None
            with (
                following(request=request, job=str(jobs[0].id), jobs=len(jobs)),
                step(f"job {handler.kind.value}", jobs=len(jobs)),
            ):
                outcomes = _run_apart(handler, jobs, renewal)
                _say(handler, jobs, outcomes, self.clock.now() - taken.taken)
            late = renewal.late()
        if late:
            outcomes = {job.id: Outcome.retry(DEADLINE) for job in jobs}
        self._finish(handler, taken, outcomes)

    def _finish(self, handler: Handler, taken: Claim, outcomes: Mapping[UUID, Outcome]) -> None:
        now = self.clock.now()
        gone: list[UUID] = []
        rows: list[dict[str, Any]] = []
        for job in taken.jobs:
            outcome = outcomes.get(job.id, Outcome.retry(NO_OUTCOME))
            # A periodic job's row is what stops a second one in the same period.
            if outcome.state is JobState.DONE and not handler.keep_done and "period" not in job.payload:
                gone.append(job.id)
            else:
                rows.append(_ending(job, outcome, handler.max_attempts, now))
        failpoints.reach("job.before_end")
        self._end(handler, taken, gone, rows)

    @once_more
    def _end(self, handler: Handler, taken: Claim, gone: Sequence[UUID], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.db.writing(shared=True) as work:
            remove(work, handler.kind, taken.lease, None if len(gone) == len(taken.jobs) else gone)
            settle(work, taken.lease, rows)
            work.commit()

    def _wake_stale(self, now: datetime, back: int) -> None:
        if self.waker is None:
            return
        before = now if back else now - STALE
        due = select(Job.id).where(Job.state == JobState.QUEUED, Job.run_after <= before).limit(1)
        waiting: dict[str, UUID] = {}
        with self.db.reading() as session:
            for kind in self._by_kind:
                if (job_id := session.scalar(due.where(Job.kind == kind))) is not None:
                    waiting[queue_of(kind)] = job_id
        for queue, job_id in waiting.items():
            self.waker.wake(queue, job_id)


def _made_up_for() -> ColumnElement[bool]:
    """Return the condition that a job of each period failed, and that one of a later period was done since."""
    later = aliased(Job)
    done = later.kind == Job.kind, later.state == JobState.DONE, later.created_at > Job.created_at
    since = select(later.id).where(*done).correlate(Job).exists()
    return and_(Job.state == JobState.FAILED, Job.kind.in_(PERIODIC), Job.subject_id.is_(None), since)


def _say(handler: Handler, jobs: Sequence[ClaimedJob], outcomes: Mapping[UUID, Outcome], took: timedelta) -> None:
    """Write how a batch ended, by codes alone."""
    bad = [each for job in jobs if (each := outcomes.get(job.id)) is not None and each.state is not JobState.DONE]
    facts = {"kind": handler.kind.value, "ms": round(took.total_seconds() * 1000), "not_done": len(bad)}
    errors = sorted({each.error for each in bad if each.error})
    level = logging.WARNING if any(each.state is JobState.FAILED for each in bad) else logging.INFO
    ended = ", ".join(errors) or "done"
    log.log(level, "job %s: %s", handler.kind.value, ended, extra={"facts": facts | {"errors": errors}})


def _given(job: Held, lease: UUID, renewal: Renewal) -> ClaimedJob:
    return ClaimedJob(
        job.id, job.subject_id, job.payload, job.attempts, lease, lambda: renewal.still_held(job.id), job.requested_by
    )


def _run_apart(handler: Handler, jobs: Sequence[ClaimedJob], renewal: Renewal) -> dict[UUID, Outcome]:
    """Run a batch; if it fails as a whole, run it job by job, so that one bad job hurts only itself."""
    try:
        return dict(handler.run(jobs))
    except Exception as error:  # noqa: BLE001  (whatever a handler raises is that job's failure, not the worker's)
        if len(jobs) == 1:
            return {jobs[0].id: Outcome.retry(_code(error))}
    outcomes: dict[UUID, Outcome] = {}
    for job in jobs:
        if renewal.late():
            break
        outcomes |= _run_apart(handler, [job], renewal)
    return outcomes


def _ending(job: Held, outcome: Outcome, max_attempts: int, now: datetime) -> dict[str, Any]:
    state, run_after = outcome.state, None
    if state is JobState.QUEUED:
        if job.attempts >= max_attempts:
            state = JobState.FAILED
        else:
            run_after = now + (outcome.after or back_off(job.attempts))
    error = outcome.error[:_ERROR_LENGTH] if outcome.error else None
    finished = None if state is JobState.QUEUED else now
    return {"job": job.id, "state": state, "error": error, "run_after": run_after, "finished_at": finished}


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after the given number of attempts: 10 s, 20 s, 40 s …, at most an hour."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(_FIRST_BACK_OFF * doublings, _LONGEST_BACK_OFF)


def _code(error: Exception) -> str:
    """Name a failure without its text, which may hold what was read."""
    return error.code if isinstance(error, ArchiveError) else type(error).__name__
