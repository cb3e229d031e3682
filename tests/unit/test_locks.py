"""What is filed is locked after the filing; a lock's day moves upward alone, and what is not filed is never locked."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from archive.database import Database
from archive.errors import NotFound, Unavailable
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import (
    AttachedTo,
    Attachment,
    Content,
    ContentState,
    File,
    Job,
    JobKind,
    JobState,
    Record,
    RecordState,
)
from storage.locks import BATCH, LEAST, MOST, LockObjects, lock_end, progress
from tests.factories.records import a_category, a_fonds, a_house, a_record
from tests.fakes.clock import FixedClock

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
AS_2031_BEGINS = datetime(2030, 12, 31, 16, tzinfo=UTC)  # in Shanghai


class Locks:
    """A store that locks, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.until: dict[str, datetime] = {}
        self.away = False
        self.missing: set[str] = set()

    def lock(self, key: str, _version: str, until: datetime) -> None:
        if self.away:
            raise Unavailable(part="store")
        if key in self.missing:
            raise NotFound
        assert until > self.until.get(key, NOW)
        self.until[key] = until


class Nobody:
    def wake(self, _queue: str, _job: UUID) -> None:
        pass


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def locks() -> Locks:
    return Locks()


@pytest.fixture
def runner(db: Database, clock: FixedClock, locks: Locks) -> JobRunner:
    return JobRunner(db, clock, [LockObjects(db, locks, clock, "Asia/Shanghai")])


def a_content(db: Database, key: str, state: RecordState = RecordState.FILED, term: str = "D30") -> UUID:
    with db.writing() as work:
        session = work.session
        if not session.scalar(select(Content.id).limit(1)):
            a_house(session)
        record = a_record(session, a_category(session, a_fonds(session)), state=state)
        record.term, record.filed_at, record.drawn_to = term, NOW, date(2020, 5, 1)
        file = File(id=new_id(), record_id=record.id, name="a.txt")
        session.add(file)
        session.flush()
        session.add(
            Content(
                file_id=file.id, record_id=record.id, object_key=key, store_version="v1",
                state=ContentState.STORED, created_at=NOW,
            )
        )  # fmt: skip
        work.commit()
        return record.id


def ask(db: Database, clock: FixedClock, record: UUID | None = None) -> None:
    with db.writing() as work:
        Outbox(clock, Nobody()).add(work, JobKind.LOCK, record)
        work.commit()


def known(db: Database, key: str) -> datetime | None:
    with db.reading() as session:
        return session.scalar(select(Content.locked_until).where(Content.object_key == key))


@pytest.mark.parametrize(
    ("due", "zone", "end"),
    [
        (date(2030, 1, 1), "UTC", datetime(2030, 1, 1, tzinfo=UTC)),
        (date(2030, 1, 1), "Asia/Shanghai", datetime(2029, 12, 31, 16, tzinfo=UTC)),
        (date(2030, 1, 1), "America/New_York", datetime(2030, 1, 1, 5, tzinfo=UTC)),
        (date(2020, 1, 1), "UTC", (NOW + LEAST).replace(hour=0, minute=0)),
        (date(2020, 1, 1), "Asia/Shanghai", (NOW + LEAST).replace(hour=0, minute=0) - timedelta(hours=8)),
        (date(2080, 1, 1), "UTC", (NOW + MOST).replace(hour=0, minute=0)),
        (None, "UTC", (NOW + MOST).replace(hour=0, minute=0)),
    ],
)
def test_a_lock_ends_as_the_house_s_day_begins_on_which_the_term_runs_out_within_a_year_and_ten(
    due: date | None, zone: str, end: datetime
) -> None:
    assert lock_end(due, NOW, zone) == end


def test_a_filing_on_new_year_s_eve_counts_by_the_day_of_the_house(
    db: Database, clock: FixedClock, locks: Locks, runner: JobRunner
) -> None:
    late = a_content(db, "late", term="D5")  # 1 January in Shanghai, 31 December by UTC
    with db.writing() as work:
        at = datetime(2026, 12, 31, 17, tzinfo=UTC)
        work.session.execute(update(Record).where(Record.id == late).values(drawn_to=None, filed_at=at))
        work.commit()
    ask(db, clock, late)
    runner.drain()
    assert locks.until == {"late": datetime(2032, 12, 31, 16, tzinfo=UTC)}


def test_what_was_filed_is_locked_and_what_was_not_is_not(
    db: Database, clock: FixedClock, locks: Locks, runner: JobRunner
) -> None:
    filed, waiting = a_content(db, "filed", term="D10"), a_content(db, "waiting", RecordState.PROVISIONAL)
    ask(db, clock, filed)
    ask(db, clock, waiting)
    runner.drain()
    assert locks.until == {"filed": AS_2031_BEGINS}
    assert known(db, "filed") == AS_2031_BEGINS
    assert known(db, "waiting") is None
    with db.reading() as session:
        found = progress(session, NOW)
    assert (found.filed, found.locked, found.first_end) == (1, 1, AS_2031_BEGINS)


def test_the_batch_job_locks_what_was_missed_and_moves_on_what_ends_soon(
    db: Database, clock: FixedClock, locks: Locks, runner: JobRunner
) -> None:
    for key in ("new", "soon", "far"):
        a_content(db, key, term="Y")
    with db.writing() as work:
        for key, days in (("soon", 20), ("far", 700)):
            end = NOW + timedelta(days=days)
            work.session.execute(update(Content).where(Content.object_key == key).values(locked_until=end))
        work.commit()
    ask(db, clock)
    runner.drain()
    end = lock_end(None, NOW, "Asia/Shanghai")
    assert locks.until == {"new": end, "soon": end}
    assert known(db, "far") == NOW + timedelta(days=700)
    locks.until.clear()
    ask(db, clock)
    runner.drain()
    assert locks.until == {}


def test_a_store_that_is_away_is_asked_again_later(
    db: Database, clock: FixedClock, locks: Locks, runner: JobRunner
) -> None:
    record = a_content(db, "filed")
    locks.away = True
    ask(db, clock, record)
    runner.drain()
    with db.reading() as session:
        job = session.scalars(select(Job)).one()
    assert (job.state, job.error, job.attempts) == (JobState.QUEUED, "unavailable", 1)
    locks.away = False
    clock.move(minutes=1)
    runner.drain()
    assert set(locks.until) == {"filed"}


def test_a_missing_object_holds_up_no_other(db: Database, clock: FixedClock, locks: Locks, runner: JobRunner) -> None:
    a_content(db, "gone")
    a_content(db, "there")
    locks.missing = {"gone"}
    ask(db, clock)
    runner.drain()
    assert set(locks.until) == {"there"}
    assert known(db, "gone") is None
    assert BATCH > 2


def attach(db: Database, key: str, record: UUID | None, about: AttachedTo = AttachedTo.REQUEST) -> None:
    with db.writing() as work:
        work.session.add(
            Attachment(
                id=new_id(), about=about, subject_id=new_id(), record_id=record, owner_id=record or new_id(),
                name="a.png", media_type="image/png", object_key=key, store_version="v1", size=1, created_at=NOW,
            )
        )  # fmt: skip
        work.commit()


def test_what_is_attached_to_an_act_is_locked_as_its_record_is(
    db: Database, clock: FixedClock, locks: Locks, runner: JobRunner
) -> None:
    filed, waiting = a_content(db, "filed", term="D10"), a_content(db, "waiting", RecordState.PROVISIONAL)
    for key, record in (("of filed", filed), ("of waiting", waiting), ("of none", None)):
        attach(db, key, record)
    attach(db, "letter", None, AttachedTo.USE)
    ask(db, clock, filed)
    runner.drain()
    assert locks.until == dict.fromkeys(("filed", "of filed"), AS_2031_BEGINS)
    ask(db, clock)
    runner.drain()
    assert locks.until == {
        "filed": AS_2031_BEGINS, "of filed": AS_2031_BEGINS, "of none": lock_end(None, NOW, "Asia/Shanghai"),
    }  # fmt: skip
    with db.reading() as session:
        found = progress(session, NOW)
        known_now = session.scalar(select(Attachment.locked_until).where(Attachment.object_key == "of filed"))
    assert (found.filed, found.locked, found.first_end, known_now) == (3, 3, AS_2031_BEGINS, AS_2031_BEGINS)
