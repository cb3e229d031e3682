"""Many workers on one archive: each takes its own queues, a newer one's work is left to it, and clocks agree."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import event, select, text

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Database
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner, Outcome
from archive.jobs.schedule import PERIODIC, enqueue_due
from archive.jobs.status import by_queue, status
from archive.model.jobs import Job, JobKind, JobState
from runtime.processes.working import Worker
from tests.fakes.clock import FixedClock


class Nobody:
    def wake(self, _queue: str, _job: UUID) -> None:
        pass


class Doing:
    """A handler that counts, and may do something in between."""

    batch, deadline, max_attempts, keep_done = 1, 300.0, 3, True

    def __init__(self, kind: JobKind, then: object = None) -> None:
        self.kind, self.then, self.count = kind, then, 0

    def run(self, jobs: list) -> dict:
        self.count += len(jobs)
        if callable(self.then):
            self.then()
        return {job.id: Outcome.done() for job in jobs}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def ask(db: Database, clock: FixedClock, *kinds: JobKind) -> None:
    with db.writing() as work:
        for kind in kinds:
            Outbox(clock, Nobody()).add(work, kind)
        work.commit()


def a_worker(db: Database, clock: FixedClock, handlers: list, queues: list[str], stop: threading.Event) -> Worker:
    parts = SimpleNamespace(db=db, clock=clock, waker=Nobody(), runner=JobRunner(db, clock, handlers, Nobody()))
    return Worker(parts, queues, stop)


def states(db: Database) -> dict[str, str]:
    with db.reading() as session:
        return dict(session.execute(text("SELECT kind, state FROM job")).all())


def from_the_future(db: Database, state: str = "queued", lease_until: str | None = None) -> None:
    """Write a job as a newer version of the program does."""
    with db.writing() as work:
        work.session.execute(
            text(
                "INSERT INTO job (id, kind, payload, state, attempts, run_after, created_at, lease_until)"
                " VALUES (zeroblob(16), 'dream', '{}', :state, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00', :until)"
            ),
            {"state": state, "until": lease_until},
        )
        work.commit()


def test_a_worker_takes_its_own_queues_and_leaves_the_others(db: Database, clock: FixedClock) -> None:
    ask(db, clock, JobKind.OCR, JobKind.EXTRACT)
    handlers = [Doing(JobKind.OCR), Doing(JobKind.EXTRACT)]
    worker = a_worker(db, clock, handlers, ["ocr"], threading.Event())
    for queue in ("ocr", "extract", "light"):
        worker.run_queue(queue)
    assert states(db) == {"ocr": "done", "extract": "queued"}


def test_what_a_job_asks_for_in_its_own_queue_is_done_before_the_worker_waits_again(
    db: Database, clock: FixedClock
) -> None:
    ask(db, clock, JobKind.UNPACK)
    reads = Doing(JobKind.EXTRACT)
    unpacks = Doing(JobKind.UNPACK, then=lambda: ask(db, clock, JobKind.EXTRACT))
    a_worker(db, clock, [reads, unpacks], ["extract"], threading.Event()).run_queue("extract")
    assert (unpacks.count, reads.count) == (1, 1)


def test_one_look_tells_what_is_due_of_all_kinds(db: Database, clock: FixedClock) -> None:
    ask(db, clock, JobKind.EXTRACT, JobKind.OCR, JobKind.LOCK)
    later = clock.now() + timedelta(hours=1)
    with db.writing() as work:
        Outbox(clock, Nobody()).add(work, JobKind.INDEX, run_after=later)
        work.commit()
    kinds = (JobKind.INDEX, JobKind.OCR, JobKind.EXTRACT, JobKind.COMPARE)
    runner = JobRunner(db, clock, [Doing(kind) for kind in kinds], Nobody())
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert runner.due((*kinds, JobKind.LOCK)) == [JobKind.OCR, JobKind.EXTRACT], (
        "nobody here takes what is to be locked"
    )
    assert len([each for each in asked if "FROM job" in each]) == 1
    assert runner.due(kinds, asked_before=clock.now() - timedelta(seconds=1)) == []
    assert runner.due(()) == []
    clock.move(hours=1, seconds=1)
    assert runner.due(kinds) == [JobKind.INDEX, JobKind.OCR, JobKind.EXTRACT]


def test_a_worker_that_is_told_to_end_finishes_what_it_does_and_begins_no_more(db: Database, clock: FixedClock) -> None:
    ask(db, clock, JobKind.OCR, JobKind.OCR, JobKind.OCR)
    stop = threading.Event()
    doing = Doing(JobKind.OCR, then=stop.set)
    a_worker(db, clock, [doing], ["ocr"], stop).run_queue("ocr")
    assert doing.count == 1
    with db.reading() as session:
        assert sorted(session.scalars(select(Job.state))) == [JobState.DONE, JobState.QUEUED, JobState.QUEUED]


@pytest.mark.parametrize(("state", "until"), [("queued", None), ("running", "2026-01-01 00:00:00")])
def test_a_kind_that_only_a_newer_worker_knows_stays_for_it(
    db: Database, clock: FixedClock, state: str, until: str | None
) -> None:
    from_the_future(db, state, until)
    ask(db, clock, JobKind.OCR)
    worker = a_worker(db, clock, [Doing(JobKind.OCR)], ["ocr", "light"], threading.Event())
    worker.tick()
    worker.run_queue("ocr")
    found = states(db)
    assert (found["dream"], found["ocr"]) == (state, "done")
    with db.reading() as session:
        lines = {line.kind: line for line in by_queue(status(session))}
    assert lines["dream"].queue is None


def test_clocks_that_strike_together_write_each_periodic_job_once(db: Database, clock: FixedClock) -> None:
    meeting = threading.Barrier(4)

    def strike() -> None:
        meeting.wait()
        enqueue_due(db, clock, Nobody())

    threads = [threading.Thread(target=strike) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert sorted(session.scalars(select(Job.kind))) == sorted(PERIODIC)


def test_the_jobs_are_told_by_queue(db: Database, clock: FixedClock) -> None:
    ask(db, clock, JobKind.OCR, JobKind.OCR, JobKind.LOCK, JobKind.COMPARE)
    JobRunner(db, clock, [Doing(JobKind.COMPARE)]).drain()
    with db.reading() as session:
        lines = by_queue(status(session))
    assert [(line.queue, line.kind, line.waiting, line.running, line.failed) for line in lines] == [
        ("ocr", "ocr", 2, 0, 0),
        ("retention", "lock", 1, 0, 0),
    ]
    assert all(line.oldest == clock.now() for line in lines)


def test_what_is_asked_of_spared_subjects_waits_and_all_else_is_done(db: Database, clock: FixedClock) -> None:
    spared, other = new_id(), new_id()
    outbox = Outbox(clock, Nobody())
    with db.writing() as work:
        outbox.add_many(work, JobKind.INDEX, [spared, other])
        outbox.add(work, JobKind.INDEX)
        work.commit()
    doing = Doing(JobKind.INDEX)
    runner = JobRunner(db, clock, [doing], Nobody())
    while runner.run(JobKind.INDEX, spared={spared}):
        pass
    with db.reading() as session:
        waiting = select(Job.subject_id).where(Job.state == JobState.QUEUED)
        assert (session.scalars(waiting).all(), doing.count) == ([spared], 2)
    assert runner.run(JobKind.INDEX) == 1
