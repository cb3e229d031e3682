"""Jobs are done once in effect, whatever dies, hangs, comes late or fails."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Never
from uuid import UUID

import pytest
from sqlalchemy import select, update

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Database
from archive.errors import Unavailable
from archive.ids import new_id
from archive.jobs.lease import LEASE_EXPIRED, claim
from archive.jobs.outbox import Outbox
from archive.jobs.runner import DEADLINE, NO_OUTCOME, ClaimedJob, JobRunner, Outcome, back_off
from archive.jobs.schedule import enqueue_due
from archive.model.jobs import Job, JobKind, JobState
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres

Queued = Callable[..., list[UUID]]
Runs = Callable[..., JobRunner]


class Hints:
    def __init__(self) -> None:
        self.sent = []

    def wake(self, queue: str, job_id: UUID) -> None:
        self.sent.append((queue, job_id))


@dataclass
class Doing:
    """A handler that counts what it did, and does what a test tells it to."""

    kind: JobKind = JobKind.INDEX
    batch: int = 1
    deadline: float = 300.0
    max_attempts: int = 3
    keep_done: bool = True
    how: Callable | None = None
    done: Counter = field(default_factory=Counter)
    sizes: list = field(default_factory=list)

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        self.sizes.append(len(jobs))
        outcomes = self.how(jobs) if self.how else {job.id: Outcome.done() for job in jobs}
        self.done.update(job.id for job in jobs if outcomes.get(job.id) == Outcome.done())
        return outcomes


class Killed(BaseException):
    """A worker dies: nothing after this point runs."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def queued(db: Database, clock: FixedClock) -> Queued:
    def add(count: int = 1, kind: JobKind = JobKind.INDEX) -> list[UUID]:
        with db.writing() as work:
            Outbox(clock, Hints()).add_many(work, kind, [new_id() for _ in range(count)])
            work.commit()
        with db.reading() as session:
            return list(session.scalars(select(Job.id).order_by(Job.id)))

    return add


@pytest.fixture
def runner(db: Database, clock: FixedClock) -> Runs:
    return lambda handler, **more: JobRunner(db, clock, [handler], **more)


def job(db: Database, job_id: UUID) -> Job:
    with db.reading() as session:
        return session.get(Job, job_id)


def die(_jobs: Sequence[ClaimedJob]) -> Never:
    raise Killed


def test_a_job_is_done_and_its_row_stays_or_goes_as_its_kind_says(db: Database, queued: Queued, runner: Runs) -> None:
    (kept,) = queued()
    assert runner(Doing()).run() == 1
    assert (job(db, kept).state, job(db, kept).lease, job(db, kept).attempts) == (JobState.DONE, None, 1)
    assert job(db, kept).finished_at is not None
    gone = queued()[-1]
    runner(Doing(keep_done=False)).drain()
    assert job(db, gone) is None


def test_of_two_runners_on_one_job_one_wins(queued: Queued, runner: Runs) -> None:
    (only,) = queued()
    inside, meeting = [], threading.Barrier(2)
    handler = Doing()

    def work() -> None:
        meeting.wait()
        inside.append(runner(handler).run(job_id=only))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(inside) == [0, 1]
    assert handler.done == {only: 1}


def test_eight_threads_do_five_hundred_jobs_once_each(db: Database, queued: Queued, runner: Runs) -> None:
    queued(500)
    handler = Doing(batch=20, keep_done=False)
    threads = [threading.Thread(target=runner(handler).drain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(handler.done) == 500
    assert set(handler.done.values()) == {1}
    with db.reading() as session:
        assert session.scalars(select(Job)).all() == []


def test_a_job_whose_worker_died_is_done_once_after_its_lease(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    (lost,) = queued()
    with pytest.raises(Killed):
        runner(Doing(how=die)).run()
    handler = Doing()
    assert runner(handler).run() == 0, "the lease still holds"
    clock.move(seconds=61)
    assert runner(handler).run() == 1
    assert (handler.done, job(db, lost).state, job(db, lost).attempts) == ({lost: 1}, JobState.DONE, 2)


def test_the_sweep_puts_lost_jobs_back_and_wakes_their_queue(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    (lost,) = queued()
    hints = Hints()
    with pytest.raises(Killed):
        runner(Doing(how=die)).run()
    assert runner(Doing(), waker=hints).sweep() == 0
    clock.move(seconds=61)
    assert runner(Doing(), waker=hints).sweep() == 1
    assert (job(db, lost).state, job(db, lost).error, hints.sent) == (JobState.QUEUED, LEASE_EXPIRED, [("index", lost)])


def test_the_sweep_wakes_again_for_a_job_whose_wake_up_was_lost(
    queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    (waiting,) = queued()
    hints = Hints()
    runner(Doing(), waker=hints).sweep()
    assert hints.sent == []
    clock.move(seconds=31)
    runner(Doing(), waker=hints).sweep()
    assert hints.sent == [("index", waiting)]


def test_who_finishes_late_loses(db: Database, queued: Queued, runner: Runs, clock: FixedClock) -> None:
    (slow,) = queued()
    second = Doing()
    held = []

    def overtaken(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        clock.move(seconds=61)
        runner(second).run()
        held.append(jobs[0].still_held())
        return {jobs[0].id: Outcome.failed("late")}

    runner(Doing(how=overtaken)).run()
    assert held == [False]
    assert (second.done, job(db, slow).state, job(db, slow).error) == ({slow: 1}, JobState.DONE, None)


@pytest.mark.parametrize("keep_done", [True, False])
def test_who_finishes_late_cannot_end_the_job_of_who_works_on_it_now(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock, *, keep_done: bool
) -> None:
    (slow,) = queued()
    begun, go_on = threading.Event(), threading.Event()
    seen = []

    def hangs(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        begun.set()
        go_on.wait()
        return {jobs[0].id: Outcome.done()}

    first = threading.Thread(target=runner(Doing(how=hangs, keep_done=keep_done)).run)

    def meanwhile(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        go_on.set()
        first.join()
        seen.append((job(db, slow).state, job(db, slow).lease == jobs[0].lease, jobs[0].still_held()))
        return {jobs[0].id: Outcome.done()}

    first.start()
    begun.wait()
    clock.move(seconds=61)
    assert runner(Doing(how=meanwhile)).run() == 1
    assert seen == [(JobState.RUNNING, True, True)]
    assert job(db, slow).state is JobState.DONE


def test_a_long_job_keeps_its_lease_by_asking(db: Database, queued: Queued, runner: Runs, clock: FixedClock) -> None:
    (long,) = queued()
    other = Doing()

    def long_work(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        for _ in range(5):
            clock.move(seconds=50)
            assert jobs[0].still_held()
            assert runner(other).run() == 0
        return {jobs[0].id: Outcome.done()}

    runner(Doing(how=long_work)).run()
    assert (job(db, long).state, other.done) == (JobState.DONE, Counter())


def test_past_its_deadline_a_job_is_not_renewed_and_its_result_is_dropped(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    (slow,) = queued()

    def too_slow(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        clock.move(seconds=11)
        assert not jobs[0].still_held()
        return {jobs[0].id: Outcome.done()}

    runner(Doing(how=too_slow, deadline=10)).run()
    found = job(db, slow)
    assert (found.state, found.error, found.attempts) == (JobState.QUEUED, DEADLINE, 1)
    assert found.run_after == clock.now() + back_off(1)


def test_a_job_that_fails_is_tried_again_later_and_then_given_up(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    (bad,) = queued()

    def down(_jobs: Sequence[ClaimedJob]) -> Never:
        raise Unavailable(part="engine", secret="body text")

    handler = Doing(how=down)
    waits = []
    while job(db, bad).state is JobState.QUEUED:
        assert runner(handler).run() == 1
        assert runner(handler).run() == 0, "not before its time"
        waits.append(job(db, bad).run_after - clock.now())
        clock.move(hours=2)
    found = job(db, bad)
    assert (found.state, found.error, found.attempts) == (JobState.FAILED, "unavailable", 3)
    assert waits[:2] == [timedelta(seconds=10), timedelta(seconds=20)]


def test_one_poisonous_job_hurts_only_itself(db: Database, queued: Queued, runner: Runs) -> None:
    ids = queued(30)
    poison = ids[11]

    def some_fail(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        if any(each.id == poison for each in jobs):
            raise ValueError("text of the file")
        return {each.id: Outcome.done() for each in jobs}

    handler = Doing(batch=30, how=some_fail, keep_done=False)
    runner(handler).run()
    assert set(handler.done) == set(ids) - {poison}
    assert (job(db, poison).state, job(db, poison).error) == (JobState.QUEUED, "ValueError")


def test_a_hundred_poisonous_jobs_among_a_thousand_hold_up_no_other(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    ids = queued(1000)
    poison = set(ids[::10])

    def some_fail(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        if any(each.id in poison for each in jobs):
            raise ValueError("text of the file")
        return {each.id: Outcome.done() for each in jobs}

    handler = Doing(batch=100, how=some_fail, keep_done=False)
    runner(handler).drain()
    assert set(handler.done) == set(ids) - poison, "all others are done before any is tried again"
    for _ in range(2):
        clock.move(hours=2)
        runner(handler).drain()
    assert set(handler.done.values()) == {1}
    with db.reading() as session:
        left = session.execute(select(Job.id, Job.state, Job.attempts)).all()
    assert {tuple(each) for each in left} == {(each, JobState.FAILED, 3) for each in poison}


@pytest.mark.parametrize("minutes", [5, -5, 60, -60, 24 * 60, -24 * 60])
def test_a_clock_that_jumps_while_a_job_is_done_loses_none(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock, minutes: int
) -> None:
    ids = queued(30)
    begun: set[UUID] = set()

    def jumps_once(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        if jobs[0].id not in begun:
            begun.add(jobs[0].id)
            clock.move(seconds=60 * minutes)
            runner(Doing()).sweep()  # another worker, whose clock this is too
        return {each.id: Outcome.done() for each in jobs}

    handler, ended = Doing(how=jumps_once), {}
    for _ in range(4):
        runner(handler).drain()
        with db.reading() as session:
            ended |= {row.id: (row.state, row.attempts) for row in session.scalars(select(Job))}
        clock.move(days=60)  # a clock that went back comes to where it was
        runner(handler).sweep()  # what ended long ago goes
    assert {state for state, _ in ended.values()} == {JobState.DONE}
    assert max(attempts for _, attempts in ended.values()) <= 2
    assert set(ended) == set(handler.done) == set(ids)


def test_a_job_that_kills_its_worker_is_tried_alone_and_then_given_up(
    db: Database, queued: Queued, runner: Runs, clock: FixedClock
) -> None:
    ids = queued(10)
    poison = ids[4]

    def some_kill(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        if any(each.id == poison for each in jobs):
            raise Killed
        return {each.id: Outcome.done() for each in jobs}

    handler = Doing(batch=10, how=some_kill)
    for _ in range(20):
        try:
            runner(handler).drain()
        except Killed:
            clock.move(seconds=61)
            runner(handler).sweep()
    assert set(handler.done) == set(ids) - {poison}
    assert set(handler.done.values()) == {1}
    assert (job(db, poison).state, job(db, poison).error) == (JobState.FAILED, LEASE_EXPIRED)
    assert handler.sizes[0] == 10
    assert set(handler.sizes[1:]) == {1}


def test_a_job_on_which_nothing_was_said_is_not_taken_for_done(db: Database, queued: Queued, runner: Runs) -> None:
    (silent,) = queued()
    runner(Doing(how=lambda _jobs: {})).run()
    assert (job(db, silent).state, job(db, silent).error) == (JobState.QUEUED, NO_OUTCOME)


def test_many_jobs_go_in_batches(queued: Queued, runner: Runs) -> None:
    queued(1200)
    handler = Doing(batch=500, keep_done=False)
    assert runner(handler).drain([JobKind.INDEX]) == 1200
    assert handler.sizes == [500, 500, 200]


def test_kinds_without_a_handler_here_are_left_alone(db: Database, queued: Queued, runner: Runs) -> None:
    (other,) = queued(kind=JobKind.EXTRACT)
    assert runner(Doing()).run(job_id=other) == 0
    assert runner(Doing()).drain() == 0
    assert job(db, other).state is JobState.QUEUED


def test_a_failed_job_of_a_period_is_settled_once_a_later_one_is_done_and_a_cancelled_one_goes_in_time(
    db: Database, runner: Runs, clock: FixedClock
) -> None:
    cancelled = job_row(JobKind.INDEX, JobState.CANCELLED, clock)
    alone = job_row(JobKind.INDEX, JobState.FAILED, clock)
    failed = [job_row(JobKind.LOANS, JobState.FAILED, clock)]
    clock.move(hours=1)
    failed.append(job_row(JobKind.LOANS, JobState.FAILED, clock))

    def keep(*rows: Job) -> None:
        with db.writing() as work:
            work.session.add_all(rows)
            work.commit()

    def there() -> set[UUID]:
        runner(Doing()).sweep()
        with db.reading() as session:
            return set(session.scalars(select(Job.id)))

    keep(cancelled, alone, *failed)
    assert there() == {cancelled.id, alone.id, *(each.id for each in failed)}
    clock.move(hours=1)
    done = job_row(JobKind.LOANS, JobState.DONE, clock)
    keep(done)
    assert there() == {cancelled.id, alone.id, done.id}
    clock.move(days=31)
    assert there() == {alone.id}


def job_row(kind: JobKind, state: JobState, clock: FixedClock) -> Job:
    now = clock.now()
    return Job(
        id=new_id(), kind=kind, payload={}, state=state, attempts=1, run_after=now, created_at=now, finished_at=now
    )


def test_a_periodic_job_is_run_once_in_its_period_even_when_done_rows_go(
    db: Database, runner: Runs, clock: FixedClock
) -> None:
    handler = Doing(kind=JobKind.CHECKPOINT, keep_done=False)
    for _ in range(3):
        enqueue_due(db, clock)
        runner(handler).drain()
    assert sum(handler.done.values()) == 1


def test_old_finished_rows_are_swept_away(db: Database, queued: Queued, runner: Runs, clock: FixedClock) -> None:
    (old,) = queued()
    runner(Doing()).drain()
    clock.move(days=31)
    runner(Doing()).sweep()
    assert job(db, old) is None


def test_a_record_is_indexed_by_one_worker_at_a_time(db: Database, clock: FixedClock, runner: Runs) -> None:
    record, other = new_id(), new_id()
    with db.writing() as work:
        for subject in (record, record, other):
            Outbox(clock, Hints()).add(work, JobKind.INDEX, subject)
            clock.move(seconds=1)
        work.commit()
    beside = Doing(keep_done=False)
    seen: list[UUID | None] = []

    def meanwhile(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        beside.how = lambda others: seen.extend(one.subject_id for one in others) or {}
        runner(beside).run()
        return {one.id: Outcome.done() for one in jobs}

    assert runner(Doing(keep_done=False, how=meanwhile)).run() == 1
    assert seen == [other]
    assert runner(Doing(keep_done=False)).run() == 1


def test_what_a_lost_worker_left_waits_for_another_job_of_its_record(
    db: Database, clock: FixedClock, runner: Runs
) -> None:
    record = new_id()
    with db.writing() as work:
        for _ in range(2):
            Outbox(clock, Hints()).add(work, JobKind.INDEX, record)
            clock.move(seconds=1)
        work.commit()
    beside: list[int] = []

    def meanwhile(jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        with db.writing() as work:
            work.session.execute(update(Job).where(Job.state == JobState.QUEUED).values(error=LEASE_EXPIRED))
            work.commit()
        beside.append(runner(Doing(keep_done=False)).run())
        return {one.id: Outcome.done() for one in jobs}

    assert runner(Doing(keep_done=False, how=meanwhile)).run() == 1
    assert beside == [0]
    assert runner(Doing(keep_done=False)).run() == 1


def test_two_workers_at_one_moment_take_no_two_jobs_of_a_record(db: Database, clock: FixedClock) -> None:
    record = new_id()
    with db.writing() as work:
        for _ in range(2):
            Outbox(clock, Hints()).add(work, JobKind.INDEX, record)
        work.commit()
    now, taken, end = clock.now(), Event(), Event()

    def take(*, slowly: bool) -> int:
        with db.writing(shared=True) as work:
            until = now + timedelta(minutes=1)
            found = claim(
                work.session, JobKind.INDEX, now, due=now, batch=1, until=until, attempts=3, job_id=None
            )  # fmt: skip
            if slowly:
                taken.set()
                assert end.wait(30)
            work.commit()
        return len(found.jobs) if found else 0

    with ThreadPoolExecutor(2) as workers:
        first = workers.submit(take, slowly=True)
        assert taken.wait(30)
        second = workers.submit(take, slowly=False)
        wait([second], timeout=1)  # without a turn of its own it would be through
        end.set()
        assert (first.result(30), second.result(30)) == (1, 0)
