"""Jobs are rows of the change they follow from; the broker only gets a hint, after the commit."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Database
from archive.ids import new_id
from archive.jobs.outbox import Outbox, kinds_of, queue_of
from archive.jobs.schedule import PERIODIC, enqueue_due
from archive.jobs.status import pending, status
from archive.model.jobs import Job, JobKind, JobState
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres


class Hints:
    def __init__(self) -> None:
        self.sent: list[tuple[str, UUID]] = []

    def wake(self, queue: str, job_id: UUID) -> None:
        self.sent.append((queue, job_id))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
def outbox(clock: FixedClock, hints: Hints) -> Outbox:
    return Outbox(clock, hints)


def jobs(db: Database) -> list[Job]:
    with db.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def test_one_hint_per_queue_and_commit(db: Database, outbox: Outbox, hints: Hints) -> None:
    with db.writing() as work:
        first = outbox.add(work, JobKind.EXTRACT, new_id())
        outbox.add(work, JobKind.EXTRACT, new_id())
        outbox.add_many(work, JobKind.INDEX, [new_id() for _ in range(300)])
        assert hints.sent == []
        work.commit()
        assert [queue for queue, _ in hints.sent] == ["extract", "index"]
        assert hints.sent[0][1] == first
        outbox.add(work, JobKind.INDEX, new_id())
        work.commit()
    assert [queue for queue, _ in hints.sent] == ["extract", "index", "index"]
    assert len(jobs(db)) == 303


def test_a_change_that_is_rolled_back_leaves_no_job_and_no_hint(db: Database, outbox: Outbox, hints: Hints) -> None:
    with db.writing() as work:
        outbox.add(work, JobKind.INDEX, new_id())
    assert (jobs(db), hints.sent) == ([], [])


def test_a_job_for_later_wakes_nobody_now(db: Database, outbox: Outbox, hints: Hints, clock: FixedClock) -> None:
    with db.writing() as work:
        outbox.add(work, JobKind.EXPUNGE, run_after=clock.now() + timedelta(hours=1), payload={"rank": 2})
        work.commit()
    (job,) = jobs(db)
    assert (hints.sent, job.payload, job.run_after) == ([], {"rank": 2}, clock.now() + timedelta(hours=1))


def test_every_kind_has_a_queue() -> None:
    queues = {"backup", "deliver", "extract", "fixity", "ocr", "index", "light", "retention"}
    assert {queue_of(kind) for kind in JobKind} == queues
    assert JobKind.INDEX in kinds_of("index")


def test_two_clocks_queue_a_periodic_job_once_per_period(db: Database, clock: FixedClock, hints: Hints) -> None:
    assert enqueue_due(db, clock, hints) == len(PERIODIC)
    assert enqueue_due(db, clock, hints) == 0
    assert {queue for queue, _ in hints.sent} == {"backup", "fixity", "index", "light", "retention"}


def test_the_next_period_has_its_own_job_when_the_last_one_is_done(db: Database, clock: FixedClock) -> None:
    enqueue_due(db, clock)
    clock.move(minutes=10)
    assert enqueue_due(db, clock) == 0, "the last one still waits"
    with db.writing() as work:
        for job in work.session.scalars(select(Job)):
            job.state = JobState.DONE
        work.commit()
    assert enqueue_due(db, clock) == 1
    assert sorted(job.kind for job in jobs(db)).count(JobKind.CHECKPOINT) == 2


def test_what_waits_is_counted_by_kind_and_state(db: Database, outbox: Outbox, clock: FixedClock) -> None:
    made = clock.now()
    with db.writing() as work:
        outbox.add_many(work, JobKind.INDEX, [new_id(), new_id()])
        work.commit()
    clock.move(minutes=1)
    with db.writing() as work:
        outbox.add(work, JobKind.INDEX, new_id())
        outbox.add(work, JobKind.EXTRACT, new_id())
        work.commit()
    with db.reading() as session:
        counts = {(count.kind, count.state): (count.count, count.oldest) for count in status(session)}
        assert counts[JobKind.INDEX, JobState.QUEUED] == (3, made)
        assert pending(session, [JobKind.EXTRACT], clock.now()) == 1
        assert pending(session, [JobKind.EXTRACT], clock.now(), after=new_id()) == 0
