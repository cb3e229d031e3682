"""A record whose files come in by the thousand is not indexed anew for each few of them, and misses none."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from archive.fence import raise_fence
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.model import Content, ContentState, Fence, File, Job, JobKind, JobState, Record, TextState
from indexer.asking import ALONE, FEW, MOST_REST, REST, ask_for_index
from indexer.engine import IndexEntry, SearchRequest, Tombstone
from indexer.indexing import IndexRecords
from indexer.pagetext import page, save_pages
from indexer.query.tree import Words
from tests.factories import records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.reference_engine import ReferenceEngine
from tests.fakes.vault import MemoryVault


class Asleep:
    def wake(self, _queue: str, _job: UUID) -> None:
        pass


class Counted(ReferenceEngine):
    """Counts how many entries it was given."""

    given = 0

    def write(self, entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        self.given += len(entries)
        return super().write(entries, tombstones)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), clock=FixedClock(), engine=Counted(), told=[])
    made.outbox = Outbox(made.clock, Asleep(), lambda _session, ids: made.told.extend(ids))
    made.runner = JobRunner(db, made.clock, [IndexRecords(db, made.engine, made.vault, made.clock)])
    with db.writing() as work:
        records.a_house(work.session)
        category = records.a_category(work.session, records.a_fonds(work.session))
        made.one, made.other = (records.a_record(work.session, category).id for _ in range(2))
        for each in (made.one, made.other):
            made.vault.add_owner(work.session, each, due_year=None)
        work.commit()
    yield made
    db.close()


def bring(house: SimpleNamespace, record: UUID, *texts: str) -> None:
    """Have files of a record read, and ask for what follows, in one transaction."""
    with house.db.writing() as work:
        session = work.session
        for text in texts:
            file = File(id=new_id(), record_id=record, name="a.txt")
            session.add(file)
            session.flush()
            content = Content(
                id=new_id(), file_id=file.id, record_id=record, object_key=new_id().hex, state=ContentState.STORED,
                store_version="1", text_state=TextState.TEXT, created_at=house.clock.now(),
            )  # fmt: skip
            file.content_id = content.id
            session.add(content)
            session.flush()
            save_pages(session, house.vault, record, content.id, [page(1, text)])
        session.execute(update(Record).where(Record.id == record).values(version=Record.version + 1))
        ask_for_index(work, house.outbox, [record])
        work.commit()


def settled(house: SimpleNamespace) -> None:
    """Have one record with many files, in the index, and nothing in the last minutes."""
    bring(house, house.one, *["电梯"] * (FEW + 1))
    house.clock.move(seconds=MOST_REST.total_seconds())
    house.runner.drain()


def due(house: SimpleNamespace, record: UUID) -> list[timedelta]:
    """Return how long it is until each job of a record."""
    waiting = select(Job.run_after).where(
        Job.kind == JobKind.INDEX, Job.subject_id == record, Job.state == JobState.QUEUED
    )
    with house.db.reading() as session:
        moments: Sequence[datetime] = session.scalars(waiting.order_by(Job.run_after)).all()
        return [each - house.clock.now() for each in moments]


def finds(house: SimpleNamespace, words: str) -> set[UUID]:
    return {hit.id for hit in house.engine.search(SearchRequest(Words(words), ("1",))).hits}


def test_a_record_of_a_few_files_is_indexed_at_once(house: SimpleNamespace) -> None:
    bring(house, house.one, *["电梯"] * FEW)
    assert due(house, house.one) == [timedelta()]
    house.runner.drain()
    assert finds(house, "电梯") == {house.one}


@pytest.mark.postgres
def test_of_many_files_one_job_does_what_comes_in_until_then(house: SimpleNamespace) -> None:
    bring(house, house.one, *["电梯"] * (FEW + 6))
    for number in range(10):
        bring(house, house.one, f"第{number}号邮件")
        house.runner.drain()
    assert due(house, house.one) == [(FEW + 6) * REST]
    assert set(house.told[-10:]) == {house.one}  # who follows a record's facts hears of each change
    assert len(house.told) == 11
    assert house.engine.given == 0
    house.clock.move(seconds=1)
    house.runner.drain()
    assert (house.engine.given, finds(house, "第9号邮件")) == (1, {house.one})


def test_a_record_beside_it_does_not_wait(house: SimpleNamespace) -> None:
    bring(house, house.one, *["电梯"] * (FEW + 1))
    bring(house, house.other, "消防")
    house.runner.drain()
    assert finds(house, "消防") == {house.other}


def test_nothing_waits_for_longer_than_the_longest_rest(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.asking.REST", timedelta(hours=1))
    bring(house, house.one, *["电梯"] * (FEW + 1))
    assert due(house, house.one) == [MOST_REST]


@pytest.mark.postgres
def test_what_joins_a_large_record_alone_is_found_at_once(house: SimpleNamespace) -> None:
    settled(house)
    for number in range(ALONE):
        bring(house, house.one, f"第{number}号补充协议")
        assert due(house, house.one) == [timedelta()], number
        house.runner.drain()
        assert finds(house, f"第{number}号补充协议") == {house.one}
    bring(house, house.one, "再一份")
    slices = FEW + 1 + ALONE + 1
    assert due(house, house.one) == [slices * REST]
    house.clock.move(seconds=MOST_REST.total_seconds())
    house.runner.drain()
    assert finds(house, "再一份") == {house.one}
    bring(house, house.one, "后来的一份")
    assert due(house, house.one) == [timedelta()]


@pytest.mark.parametrize(("kind", "state", "gathered"), [
    (JobKind.EXTRACT, JobState.QUEUED, True),
    (JobKind.EXTRACT, JobState.RUNNING, True),
    (JobKind.OCR, JobState.QUEUED, True),
    (JobKind.EXTRACT, JobState.DONE, False),
    (JobKind.COMPARE, JobState.QUEUED, False),
])  # fmt: skip
def test_old_files_that_are_read_again_by_the_dozen_are_a_crowd(
    house: SimpleNamespace, kind: JobKind, state: JobState, gathered: bool
) -> None:
    settled(house)
    with house.db.writing() as work:
        contents = work.session.scalars(select(Content.id).limit(ALONE + 1)).all()
        work.session.execute(
            insert(Job),
            [
                {"id": new_id(), "kind": kind, "subject_id": each, "state": state, "run_after": house.clock.now(),
                 "created_at": house.clock.now(), "attempts": 0, "payload": {}}
                for each in contents
            ],
        )  # fmt: skip
        ask_for_index(work, house.outbox, [house.one])
        work.commit()
    assert due(house, house.one) == [(FEW + 1) * REST if gathered else timedelta()]


@pytest.mark.parametrize("put_off", [False, True])
def test_a_job_that_was_taken_does_not_do_what_comes_later(house: SimpleNamespace, put_off: bool) -> None:
    bring(house, house.one, *["电梯"] * (FEW + 1))
    with house.db.writing() as work:  # at work now, or put off for a while because the engine is away
        state = JobState.QUEUED if put_off else JobState.RUNNING
        work.session.execute(update(Job).values(attempts=1, state=state))
        work.commit()
    before = len(due(house, house.one))
    bring(house, house.one, "消防")
    assert len(due(house, house.one)) == before + 1


@pytest.mark.postgres
def test_what_comes_in_while_a_record_is_indexed_is_left_to_the_next_job(house: SimpleNamespace) -> None:
    bring(house, house.one, *["电梯"] * (FEW + 1))
    house.clock.move(seconds=5)
    write = house.engine.write

    def beside(entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        bring(house, house.one, "消防")
        answer: Mapping[UUID, str] = write(entries, tombstones)
        return answer

    house.engine.write = beside
    house.runner.drain()
    assert house.engine.given == 1
    house.engine.write = write
    assert finds(house, "消防") == set()
    house.clock.move(seconds=5)
    house.runner.drain()
    assert (house.engine.given, finds(house, "消防")) == (2, {house.one})


@pytest.mark.postgres
def test_a_record_behind_a_fence_is_left_to_no_later_job(house: SimpleNamespace) -> None:
    bring(house, house.one, *["电梯"] * (FEW + 1))
    house.clock.move(seconds=5)
    house.runner.drain()
    with house.db.writing() as work:  # it is hidden until the index has followed
        raise_fence(work.session, "record", str(house.one), house.clock.now())
        work.session.execute(update(Record).where(Record.id == house.one).values(version=Record.version + 1))
        house.outbox.add(work, JobKind.INDEX, house.one)
        work.commit()
    write, left = house.engine.write, ["消防"]

    def beside(entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        if left:
            bring(house, house.one, left.pop())
        answer: Mapping[UUID, str] = write(entries, tombstones)
        return answer

    house.engine.write = beside
    house.runner.drain()
    with house.db.reading() as session:
        assert session.scalars(select(Fence.value)).all() == []
    assert finds(house, "消防") == {house.one}
