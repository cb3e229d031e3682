"""Records become findable, and stop being so, as their rows say."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session

from archive.errors import Interrupted, Unavailable
from archive.fence import raise_fence
from archive.ids import new_id
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import (
    Category,
    Content,
    ContentState,
    Fence,
    File,
    JobState,
    Record,
    RecordState,
    RecordSubject,
    Subject,
    SubjectToken,
    TextState,
)
from archive.trail import following, trail
from indexer import indexing, pagetext
from indexer.engine import TOKEN_FIELD, IndexEntry, SearchRequest, Tombstone
from indexer.entries import Entries
from indexer.indexing import IndexRecords
from indexer.noting import note_partitions
from indexer.pagetext import page, save_pages
from indexer.query.tree import Everything, Query, Words
from indexer.rebuild import Rebuilder
from indexer.search import REPAIR
from runtime.jobs.rebuilding import ANEW, RebuildIndex
from tests.factories import records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.reference_engine import ReferenceEngine
from tests.fakes.vault import MemoryVault

ALL = ("1", "1n", "2", "2n", "3", "3n", "4", "4n")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    vault, clock, engine = MemoryVault(), FixedClock(), ReferenceEngine()
    with db.writing() as work:
        records.a_house(work.session)
        fonds = records.a_fonds(work.session, "WS")
        root = records.a_category(work.session, fonds, "业主档案")
        category = records.a_category(work.session, fonds, "装修", parent=root)
        place = records.a_place(work.session, fonds, "A1/02/")
        records.a_place(work.session, fonds, "A1/")
        work.commit()
    yield SimpleNamespace(
        db=db, vault=vault, clock=clock, engine=engine, category=category, root=root, place=place, fonds=fonds,
        index=IndexRecords(db, engine, vault, clock), rebuilder=Rebuilder(db, engine, vault, tmp_path / "run"),
    )  # fmt: skip
    db.close()


@contextmanager
def heard(target: Any, name: str, hear: Callable[..., None]) -> Iterator[None]:
    event.listen(target, name, hear)
    try:
        yield
    finally:
        event.remove(target, name, hear)


def add(house: SimpleNamespace, **facts: object) -> UUID:
    with house.db.writing() as work:
        record = records.a_record(work.session, house.category, **facts)
        house.vault.add_owner(work.session, record.id, due_year=None)
        work.commit()
    return record.id


def change(house: SimpleNamespace, record_id: UUID, *, fence: bool = False, **facts: object) -> None:
    with house.db.writing() as work:
        record = work.session.get_one(Record, record_id)
        for name, value in facts.items():
            setattr(record, name, value)
        record.version += 1
        if fence:
            raise_fence(work.session, "record", str(record_id), house.clock.now())
        work.commit()


def found(house: SimpleNamespace, query: Query, *partitions: str) -> set[UUID]:
    return {hit.id for hit in house.engine.search(SearchRequest(query, partitions or ALL)).hits}


def job(record_id: UUID) -> ClaimedJob:
    return ClaimedJob(new_id(), record_id, {}, 1, new_id(), lambda: True)


def test_a_record_is_found_by_all_it_says(house: SimpleNamespace) -> None:
    key = add(
        house, title="装修许可证", responsible="工程部", keywords=["阳台"], notes="押金已退", place=house.place,
        archive_number="WS·ZX·2024-Y-0001", fields={"contractor": "鸿运装饰", "days": 30, "tags": ["防水"]},
        drawn_from=date(2024, 3, 1), drawn_to=date(2024, 3, 31),
    )  # fmt: skip
    house.index.index([key])
    for word in ("装修许可", "工程部", "阳台", "押金", "zx 2024", "鸿运", "防水"):
        assert found(house, Words(word)) == {key}, word
    for name, value in (
        ("category", "业主档案"), ("category", "装修"), ("place", "A1/02"), ("place", "A1"), ("fonds", "ws"),
        ("level", "内部"), ("medium", "electronic"), ("state", "filed"),
    ):  # fmt: skip
        assert found(house, Words(value, name)) == {key}, name
    assert found(house, Words("装修"), "2", "1n") == set()


def test_protected_fields_and_subjects_are_found_by_name_and_numbers_by_token_only(house: SimpleNamespace) -> None:
    key = add(house, title="过户登记 13812345678")
    with house.db.writing() as work:
        record = work.session.get_one(Record, key)
        sealed = json.dumps({"buyer": "欧阳修", "identity": "11010519491231002X"}).encode()
        record.sealed_fields = house.vault.seal(work.session, key, sealed, context=f"record-fields:{key.hex}")
        owner = new_id()
        house.vault.add_owner(work.session, owner, due_year=None)
        inside = house.vault.seal(
            work.session, owner, json.dumps({"name": "司马光"}).encode(), context=f"subject:{owner.hex}"
        )
        work.session.add(
            Subject(
                id=owner, fonds_id=house.fonds.id, kind="owner", facts={}, sealed=inside, created_at=house.clock.now()
            )
        )
        work.session.flush()
        work.session.add(SubjectToken(subject_id=owner, token="its-token"))
        work.session.add(RecordSubject(record_id=key, subject_id=owner))
        work.commit()
    house.index.index([key])
    assert found(house, Words("欧阳修")) == found(house, Words("司马光", "person")) == {key}
    for kind, number in (("identity", "11010519491231002X"), ("phone", "13812345678")):
        assert found(house, Words(house.vault.token(kind, number), TOKEN_FIELD)) == {key}
        assert found(house, Words(number)) == set()
    assert found(house, Words("its-token", TOKEN_FIELD)) == {key}


def test_a_record_whose_key_is_gone_is_still_found_by_its_plain_words(house: SimpleNamespace) -> None:
    key = add(house, title="竣工图")
    with house.db.writing() as work:
        sealed = house.vault.seal(work.session, key, b'{"a": "b"}', context=f"record-fields:{key.hex}")
        work.session.get_one(Record, key).sealed_fields = sealed
        work.commit()
    house.vault.erase(key)
    house.index.index([key])
    assert found(house, Words("竣工")) == {key}


def add_pages(house: SimpleNamespace, key: UUID, *texts: str, state: TextState = TextState.TEXT) -> None:
    with house.db.writing() as work:
        file = File(id=new_id(), record_id=key, name="a.pdf", content_id=new_id())
        work.session.add(file)
        work.session.flush()
        work.session.add(
            Content(
                id=file.content_id, file_id=file.id, record_id=key, state=ContentState.STORED,
                object_key=file.content_id.hex, text_state=state, created_at=house.clock.now(),
            )
        )  # fmt: skip
        work.session.flush()
        pages = [page(number, text, [f"page-{number}"]) for number, text in enumerate(texts, 1)]
        save_pages(work.session, house.vault, key, file.content_id, pages)
        work.commit()


def test_page_text_is_found_with_its_tokens_and_no_phrase_runs_over_a_page(house: SimpleNamespace) -> None:
    key = add(house)
    add_pages(house, key, "甲方应当支付", "违约金若干")
    house.index.index([key])
    assert found(house, Words("违约金", "text")) == found(house, Words("page-2", TOKEN_FIELD)) == {key}
    assert found(house, Words("支付违约", "text")) == set()


@pytest.mark.parametrize("rebuilt", [False, True])
def test_of_long_texts_few_are_in_memory_together(
    house: SimpleNamespace, rebuilt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagetext, "PORTION_SLICES", 3)
    keys = [add(house) for _ in range(4)]
    for key in keys[:3]:
        add_pages(house, key, "甲" * 20_000, "乙" * 20_000)
    together = []
    read = Entries.read

    def watched(entries: Entries, session: Session, ids: Sequence[UUID]) -> Any:
        together.append([key for key in ids if key in keys[:3]])
        return read(entries, session, ids)

    monkeypatch.setattr(Entries, "read", watched)
    house.rebuilder.rebuild("1") if rebuilt else house.index.index(keys)
    assert sorted(key for some in together for key in some) == keys[:3]
    assert max(map(len, together)) == 1
    assert found(house, Everything()) == set(keys)


def test_a_raised_record_leaves_the_lower_partition_and_its_fence_is_lifted(house: SimpleNamespace) -> None:
    key = add(house, title="电梯年检")
    house.index.index([key])
    change(house, key, level_rank=3, fence=True)
    house.clock.move(seconds=1)
    house.index.index([key])
    assert (found(house, Everything(), "1"), found(house, Everything(), "3")) == (set(), {key})
    with house.db.reading() as session:
        assert session.scalars(select(Fence)).all() == []
        assert session.get_one(Record, key).indexed_in == ["1", "3"]


def test_need_to_know_has_a_partition_of_its_own(house: SimpleNamespace) -> None:
    with house.db.writing() as work:
        group = records.a_group(work.session, house.fonds)
        work.commit()
    key = add(house, level=2, group=group)
    house.index.index([key])
    assert (found(house, Everything(), "2n"), found(house, Everything(), "2")) == ({key}, set())


@pytest.mark.parametrize("state", [RecordState.BINNED, RecordState.DESTROYED])
def test_a_binned_or_destroyed_record_is_in_no_partition(house: SimpleNamespace, state: RecordState) -> None:
    key = add(house)
    house.index.index([key])
    change(house, key, state=state)
    house.index.index([key])
    assert found(house, Everything()) == set()


def test_what_changes_meanwhile_is_indexed_again_before_the_fence_is_lifted(house: SimpleNamespace) -> None:
    key = add(house, title="旧题名")
    write = house.engine.write

    def change_once(entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> object:
        house.engine.write = write
        house.clock.move(seconds=1)
        change(house, key, title="新题名", level_rank=2, fence=True)
        house.clock.move(seconds=1)
        return write(entries, tombstones)

    house.engine.write = change_once
    house.index.index([key])
    assert (found(house, Words("旧题名")), found(house, Words("新题名"), "2")) == (set(), {key})
    assert found(house, Everything(), "1") == set()


def test_a_fence_raised_after_reading_stays(house: SimpleNamespace) -> None:
    key = add(house)
    commit = house.engine.commit

    def fence_late() -> None:
        commit()
        with house.db.writing() as work:
            raise_fence(work.session, "record", str(key), house.clock.now() + timedelta(seconds=1))
            work.commit()

    house.engine.commit = fence_late
    house.index.index([key])
    with house.db.reading() as session:
        assert len(session.scalars(select(Fence)).all()) == 1


def test_jobs_end_done_and_wait_when_the_engine_is_down(house: SimpleNamespace) -> None:
    key = add(house)
    asked = [job(key), job(key), job(new_id())]
    assert {outcome.state for outcome in house.index.run(asked).values()} == {JobState.DONE}

    def down(*_: object) -> None:
        raise Unavailable(part="search")

    house.engine.write = down
    assert {outcome.state for outcome in house.index.run(asked).values()} == {JobState.QUEUED}


def test_a_record_that_the_engine_refuses_waits_behind_its_fence_and_keeps_no_other_out(house: SimpleNamespace) -> None:
    refused, good = add(house, title="电梯甲"), add(house, title="电梯乙")
    with house.db.writing() as work:
        for key in (refused, good):
            raise_fence(work.session, "record", str(key), house.clock.now())
        work.commit()
    write = house.engine.write

    def refusing(entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> object:
        write([one for one in entries if one.id != refused], tombstones)
        return {refused: "mapper_parsing_exception"}

    house.engine.write = refusing
    jobs = [job(refused), job(good)]
    ends = house.index.run(jobs)
    assert ends[jobs[0].id] == Outcome.retry("refused:mapper_parsing_exception")
    assert ends[jobs[1].id] == Outcome.done()
    assert found(house, Words("电梯")) == {good}
    with house.db.reading() as session:
        assert session.scalars(select(Fence.value)).all() == [str(refused)]


def test_the_partition_is_remembered_before_the_engine_has_the_entry(house: SimpleNamespace) -> None:
    key = add(house)
    seen: list[list[str]] = []
    write = house.engine.write

    def look(*arguments: Sequence[object]) -> object:
        with house.db.reading() as session:
            seen.append(session.get_one(Record, key).indexed_in)
        return write(*arguments)

    house.engine.write = look
    house.index.index([key])
    assert seen == [["1"]]


def test_a_batch_costs_the_same_number_of_queries_whatever_its_size(house: SimpleNamespace) -> None:
    from sqlalchemy import event

    keys = [add(house, title=f"记录{n}", place=house.place) for n in range(12)]
    counts: list[int] = []
    for batch in (keys[:1], keys):
        statements: list[str] = []
        hear = lambda *told, into=statements: into.append(told[2])  # noqa: E731  (a listener of its own for each batch)
        event.listen(house.db.engine, "before_cursor_execute", hear)
        with house.db.reading() as session:
            Entries(house.vault).read(session, batch)
        event.remove(house.db.engine, "before_cursor_execute", hear)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("rebuilt", [True, False])
def test_what_records_point_to_is_read_once_for_all_portions_of_a_batch(
    house: SimpleNamespace, rebuilt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event

    monkeypatch.setattr(pagetext, "PORTION", 2)
    keys = [add(house) for _ in range(8)]
    for key in keys:
        add_pages(house, key, "甲")
    statements: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    house.rebuilder.rebuild("1") if rebuilt else house.index.index(keys)
    assert found(house, Words("甲")) == set(keys)
    assert len([one for one in statements if "FROM category" in one]) == 1
    assert len([one for one in statements if "FROM page_text" in one or "JOIN page_text" in one]) >= 4


@pytest.mark.parametrize("rebuilt", [True, False])
def test_a_new_name_is_in_the_next_batch(house: SimpleNamespace, rebuilt: bool) -> None:
    key = add(house)
    for name in ("旧名", "新名"):
        with house.db.writing() as work:
            work.session.get_one(Category, house.root.id).names = {"zh-Hans": name}
            work.commit()
        house.rebuilder.rebuild("1") if rebuilt else house.index.index([key])
        assert found(house, Words(name, "category")) == {key}
    assert found(house, Words("旧名", "category")) == set()


def test_partitions_are_noted_beside_what_was_noted_meanwhile(house: SimpleNamespace) -> None:
    keys = [add(house), add(house), add(house)]
    with house.db.reading() as session:
        kept = Entries(house.vault).read(session, keys)
    with house.db.writing() as work:
        work.session.get_one(Record, keys[1]).indexed_in = ["3"]
        work.session.get_one(Record, keys[2]).indexed_in = ["2", "1"]
        work.commit()
    note_partitions(house.db, kept)
    with house.db.reading() as session:
        noted = [session.get_one(Record, key).indexed_in for key in keys]
    assert noted == [["1"], ["3", "1"], ["2", "1"]]


def a_try(key: UUID, held: Callable[[], bool], **payload: object) -> ClaimedJob:
    return ClaimedJob(key, None, payload, 1, new_id(), held)


def test_a_rebuild_that_takes_too_long_goes_on_behind_the_partitions_that_it_made(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for level in (1, 2):
        add(house, level=level)
    made: list[str] = []
    rebuilding = house.engine.rebuilding

    @contextmanager
    def noted(partition: str) -> Iterator[Any]:
        with rebuilding(partition) as rebuild:
            yield rebuild
        made.append(partition)

    monkeypatch.setattr(house.engine, "rebuilding", noted)
    handler, key = RebuildIndex(house.rebuilder), new_id()
    outcomes = [handler.run([a_try(key, held)])[key].state for held in (lambda: not made, lambda: True)]
    assert outcomes == [JobState.QUEUED, JobState.DONE]
    assert sorted(made) == sorted(each.partition for each in house.rebuilder.status())
    assert {each.partition: each.entries for each in house.rebuilder.status()}["2"] == 1


@pytest.mark.parametrize("repair", [False, True])
def test_a_lost_lease_ends_a_rebuild_at_its_next_portion(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, repair: bool
) -> None:
    monkeypatch.setattr("indexer.rebuild._BATCH", 1)
    keys = [add(house, level=2) for _ in range(4)]
    written: list[int] = []
    rebuilding = house.engine.rebuilding

    @contextmanager
    def noted(partition: str) -> Iterator[Any]:
        with rebuilding(partition) as rebuild:
            write = rebuild.write
            monkeypatch.setattr(rebuild, "write", lambda entries: (written.append(len(entries)), write(entries)))
            yield rebuild

    monkeypatch.setattr(house.engine, "rebuilding", noted)
    handler, key = RebuildIndex(house.rebuilder), new_id()
    payload = {REPAIR: True, ANEW: ["2"]} if repair else {}
    outcomes = [handler.run([a_try(key, lambda: len(written) < 2, **payload)])[key]]
    assert len(written) == 2
    assert found(house, Everything()) == set()
    outcomes.append(handler.run([a_try(key, lambda: True, **payload)])[key])
    assert [each.state for each in outcomes] == [JobState.QUEUED, JobState.DONE]
    assert found(house, Everything()) == set(keys)


def test_a_lease_lost_behind_the_last_portion_leaves_the_old_partition_in_its_place(
    house: SimpleNamespace,
) -> None:
    key = add(house, level=2)
    house.index.index([key])
    with house.db.writing() as work:
        work.session.get_one(Record, key).title = "白蚁防治"
        work.commit()
    asked = iter([True, True])  # to begin, and for its one portion
    with pytest.raises(Interrupted):
        house.rebuilder.rebuild("2", held=lambda: next(asked, False))
    assert found(house, Words("白蚁"), "2") == set()
    house.rebuilder.rebuild("2")
    assert found(house, Words("白蚁"), "2") == {key}


def test_a_lost_lease_ends_a_repair_before_its_next_records(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.rebuild._BATCH", 2)
    keys = [add(house, level=2) for _ in range(5)]
    asked = iter([True, True])
    with pytest.raises(Interrupted):
        house.rebuilder.repair(held=lambda: next(asked, False))
    house.engine.commit()
    assert len(found(house, Everything())) == 4
    house.rebuilder.repair()
    assert found(house, Everything()) == set(keys)


def test_two_partitions_are_made_side_by_side_the_largest_first(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for level in (2, 3, 3):
        add(house, level=level)
    both, begun = threading.Barrier(2), []
    rebuilding = house.engine.rebuilding

    def together(partition: str) -> Any:
        begun.append(partition)
        if partition in {"2", "3"}:
            both.wait(30)  # one alone waits in vain
        return rebuilding(partition)

    monkeypatch.setattr(house.engine, "rebuilding", together)
    assert house.rebuilder.rebuild() == 3
    assert house.rebuilder.largest_first() == ["3", "2", "1", "1n", "2n", "3n", "4", "4n"]
    assert sorted(begun[:2]) == ["2", "3"]
    assert len(found(house, Everything())) == 3


def test_after_a_fault_no_partition_is_begun_and_those_under_way_are_told(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add(house, level=2)
    failed, asked = threading.Event(), []
    rebuilding = house.engine.rebuilding

    def failing(partition: str) -> Any:
        if partition == "1":
            failed.set()
            raise Unavailable(part="search")
        assert failed.wait(30)
        return rebuilding(partition)

    monkeypatch.setattr(house.engine, "rebuilding", failing)
    made = []
    with pytest.raises(Unavailable):
        made.extend(house.rebuilder.rebuild_each(asked.append(name) or name for name in ("1", "2", "3", "4")))
    assert ("2", 1) in made
    assert found(house, Everything()) == {key}
    assert len(asked) <= 3  # the second may have been done before the fault was seen


def test_who_stops_asking_has_partitions_under_way_abandoned(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagetext, "PORTION", 1)
    monkeypatch.setattr("indexer.rebuild._BATCH", 1)
    for _ in range(5):
        add(house, level=2)
    stopped, jobs = threading.Event(), []
    read = house.rebuilder._read

    def slowly(partition: str) -> Any:
        jobs.append(trail().job)
        for number, entries in enumerate(read(partition)):
            if partition == "2" and number == 1:
                assert stopped.wait(30)
            yield entries

    class Told(threading.Event):
        def set(self) -> None:
            super().set()
            stopped.set()

    monkeypatch.setattr(house.rebuilder, "_read", slowly)
    monkeypatch.setattr("indexer.rebuild.Event", Told)
    with following(job="j-1"):
        made = house.rebuilder.rebuild_each(["2", "1"])
        assert next(made) == ("1", 0)
        made.close()
    assert found(house, Everything()) == set()
    assert jobs == ["j-1", "j-1"]


def test_a_repair_reads_names_for_each_portion(house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagetext, "PORTION", 1)
    keys = [add(house), add(house)]
    for key in keys:
        add_pages(house, key, "甲")
    write = house.engine.write

    def renamed(entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Any:
        if entries:
            with house.db.writing() as work:
                work.session.get_one(Category, house.root.id).names = {"zh-Hans": "新名"}
                work.commit()
        return write(entries, tombstones)

    monkeypatch.setattr(house.engine, "write", renamed)
    house.rebuilder.repair()
    assert len(found(house, Words("甲"))) == 2
    assert len(found(house, Words("新名", "category"))) == 1


def test_differences_name_what_is_missing_stale_and_stray_and_a_rebuild_mends_them(house: SimpleNamespace) -> None:
    missing, stale, stray, good = (add(house, title=f"案{n}") for n in range(4))
    house.index.index([stale, stray, good])
    change(house, stale, title="改")
    change(house, stray, level_rank=2)
    with house.db.reading() as session:
        told = {(one.what, one.partition, str(one.record)) for one in house.rebuilder.differences(session)}
    assert told == {
        ("missing", "1", str(missing)),
        ("stale", "1", str(stale)),
        ("wrong_level", "1", str(stray)),
        ("missing", "2", str(stray)),
    }
    assert house.rebuilder.rebuild() == 4
    with house.db.reading() as session:
        assert list(house.rebuilder.differences(session)) == []
    status = {one.partition: (one.rows, one.entries) for one in house.rebuilder.status()}
    assert (status["1"], status["2"], status["4n"]) == ((3, 3), (1, 1), (0, 0))


@pytest.mark.postgres
def test_what_compares_waits_for_a_slow_engine_as_long_as_it_takes(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, stale = add(house), add(house)
    house.index.index([key, stale])
    change(house, stale, title="改")
    connections: list[Connection] = []
    limits: list[str] = []

    def limit(connection: Connection) -> str:
        """Return for how long the transaction of a connection may stand idle."""
        if house.db.is_sqlite:
            return "0"
        return str(connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar())

    def slow(name: str) -> Iterator[Any]:
        limits.extend(limit(each) for each in connections if not each.closed and each.in_transaction())
        return indexed(name)

    indexed = house.engine.indexed
    monkeypatch.setattr(house.engine, "indexed", slow)
    with heard(Session, "after_begin", lambda *began: connections.append(began[-1])):
        assert [one.record for one in house.rebuilder.compared()] == [stale]
        assert [one.record for one in house.rebuilder.repair()] == [stale]
    assert set(limits) == {"0"}


@pytest.mark.parametrize(("within", "commits"), [(3600.0, 1), (0.0, 4)])
def test_what_is_written_within_a_moment_is_committed_together(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, within: float, commits: int
) -> None:
    monkeypatch.setattr(pagetext, "PORTION", 1)
    monkeypatch.setattr(indexing, "FOUND_WITHIN", within)
    keys = [add(house, title="甲") for _ in range(3)]
    for key in keys:
        add_pages(house, key, "甲")
    made: list[str] = []
    commit = house.engine.commit
    monkeypatch.setattr(house.engine, "commit", lambda: made.append("") or commit())
    house.index.index(keys)
    assert found(house, Words("甲")) == set(keys)
    assert len(made) == commits
