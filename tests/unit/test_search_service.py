"""A person finds what they may read, all of it, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from archive.errors import InvalidInput, Unavailable
from archive.fence import raise_fence
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.model import Content, ContentState, File, Record, TextState
from archive.policy.guard import Guard
from indexer.engine import Order
from indexer.indexing import IndexRecords
from indexer.pagetext import page, save_pages
from indexer.search import SearchPage, SearchService
from indexer.tantivy.engine import TantivyEngine
from indexer.traces import SearchTraces
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog
from tests.fakes.vault import MemoryVault


class RememberingReadings:
    def __init__(self) -> None:
        self.noted: list[tuple[str, dict[str, Any]]] = []
        self.down = False

    def begin(self, _identity: Identity, act: str, *, body: dict[str, Any]) -> "Future[None]":
        written: Future[None] = Future()
        if self.down:
            written.set_exception(Unavailable(part="log"))
        else:
            self.noted.append((act, body))
            written.set_result(None)
        return written


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    vault, clock, log, readings = MemoryVault(), FixedClock(), RememberingLog(), RememberingReadings()
    engine = TantivyEngine(tmp_path / "index")
    guard = Guard(db, log, clock, "Asia/Shanghai")
    with db.writing() as work:
        session = work.session
        records.a_house(session)
        fonds, other = records.a_fonds(session, "WS"), records.a_fonds(session, "XY")
        root = records.a_category(session, fonds, "工程")
        category = records.a_category(session, fonds, "电梯", parent=root)
        elsewhere = records.a_category(session, other, "财务")
        for rank in (1, 2, 3, 4):
            people.distributed_to(session, rank)
        reader = people.a_person(session, "reader", clearance=2)
        people.grants(session, reader, fonds=fonds.id)
        officer = people.a_person(session, "officer", roles=[Role.AUDIT_ADMIN], clearance=4)
        people.is_custodian(session, officer, 1)
        work.commit()
    yield SimpleNamespace(
        db=db, vault=vault, clock=clock, log=log, readings=readings, engine=engine, root=root, category=category,
        elsewhere=elsewhere, fonds=fonds, person=reader, reader=people.identity_of(reader),
        officer=people.identity_of(officer), index=IndexRecords(db, engine, vault, clock),
        service=SearchService(db, engine, vault, guard, readings, log),
    )  # fmt: skip
    engine.close()
    db.close()


def add(office: SimpleNamespace, title: str, *texts: str, **facts: Any) -> UUID:
    with office.db.writing() as work:
        record = records.a_record(work.session, facts.pop("category", office.category), title=title, **facts)
        office.vault.add_owner(work.session, record.id, due_year=None)
        if texts:
            file = File(id=new_id(), record_id=record.id, name="a.pdf", content_id=new_id())
            work.session.add(file)
            work.session.flush()
            work.session.add(
                Content(
                    id=file.content_id, file_id=file.id, record_id=record.id, state=ContentState.STORED,
                    object_key=file.content_id.hex, text_state=TextState.TEXT, created_at=office.clock.now(),
                )
            )  # fmt: skip
            work.session.flush()
            pages = [page(number, text) for number, text in enumerate(texts, 1)]
            save_pages(work.session, office.vault, record.id, file.content_id, pages)
        work.commit()
    office.index.index([record.id])
    return record.id


def titles(found: SearchPage) -> list[str]:
    return [hit.title for hit in found.hits]


def test_a_reader_finds_titles_and_the_page_of_each_hit(office: SimpleNamespace) -> None:
    add(office, "電梯維修合同", "第一页", "乙方每月检修电梯一次，并作记录")
    add(office, "绿化合同")
    found = office.service.search(office.reader, "电梯")
    [hit] = found.hits
    assert (hit.title, hit.marks, found.total) == ("電梯維修合同", [(0, 2)], 1)
    [passage] = hit.passages
    assert passage.page == 2
    assert [passage.text[start:end] for start, end in passage.marks] == ["电梯"]
    assert office.service.search(office.reader, "电梯", passages=False).hits[0].passages == ()


def test_of_what_is_read_by_a_loan_alone_no_passage_is_told(office: SimpleNamespace) -> None:
    lent = add(office, "借阅的合同", "违约金若干", category=office.elsewhere)
    add(office, "自己的合同", "违约金若干")
    with office.db.writing() as work:
        people.a_loan(work.session, office.person, lent)
        work.commit()
    found = office.service.search(office.reader, "违约金")
    assert {hit.title: len(hit.passages) for hit in found.hits} == {"借阅的合同": 0, "自己的合同": 1}


def test_an_open_phrase_that_goes_on_in_too_many_ways_is_a_fault_of_the_query(
    office: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.tantivy.query._MOST_WAYS", 4)
    for number in range(201, 205):
        add(office, f"合同{number}")
    assert office.service.search(office.reader, "合同201").total == 1
    with pytest.raises(InvalidInput) as raised:
        office.service.search(office.reader, "合同20*")
    assert [fault.code for fault in raised.value.faults] == ["prefix_too_short"]


def test_what_a_broken_partition_leaves_out_is_said(office: SimpleNamespace, tmp_path: Path) -> None:
    add(office, "电梯一")
    assert office.service.search(office.reader, "电梯").complete
    [pointer] = (tmp_path / "index").glob("*-1/CURRENT")
    pointer.write_text("{")
    found = office.service.search(office.reader, "电梯")
    assert (found.total, found.complete) == (0, False)


def test_words_of_what_is_gone_are_looked_for_in_its_own_entry(
    office: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.tantivy.engine.DEEPEST", 2)
    monkeypatch.setattr("indexer.traces._PAGE", 2)
    gone = add(office, "电梯维修合同", drawn_from=date(1990, 1, 1), drawn_to=date(1990, 1, 1))
    for _ in range(4):
        add(office, "电梯维修合同", drawn_from=date(2024, 1, 1), drawn_to=date(2024, 1, 1))
    traces = SearchTraces(office.engine, office.vault)
    assert traces.found_by(["电梯维修合同"], [gone]) == 1
    assert traces.found_by(["电梯维修合同"], [new_id()]) == 0


def test_nothing_above_the_clearance_outside_the_grants_or_of_need_to_know_moves_anything(
    office: SimpleNamespace,
) -> None:
    add(office, "电梯一")
    before = office.service.search(office.reader, "电梯")
    with office.db.writing() as work:
        group = records.a_group(work.session, office.fonds)
        work.commit()
    add(office, "电梯 绝密", level=4)
    add(office, "电梯 知悉", group=group)
    add(office, "电梯 别处", category=office.elsewhere)
    assert office.service.search(office.reader, "电梯") == before
    assert titles(before) == ["电梯一"]
    named = add(office, "电梯 点名", group=group, level=2, named=[office.person])
    assert [hit.record_id for hit in office.service.search(office.reader, "点名").hits] == [named]


def test_an_officer_and_a_custodian_search_no_content(office: SimpleNamespace) -> None:
    add(office, "电梯一")
    found = office.service.search(office.officer, "")
    assert (found.total, found.hits, dict(found.facets)) == (0, [], {})


def test_a_raise_holds_in_search_before_the_index_knows_of_it(office: SimpleNamespace) -> None:
    key = add(office, "电梯一")
    with office.db.writing() as work:
        work.session.get_one(Record, key).level_rank = 3
        raise_fence(work.session, "record", str(key), office.clock.now())
        work.commit()
    found = office.service.search(office.reader, "电梯")
    assert (found.total, titles(found)) == (0, [])
    assert all(not counts for counts in found.facets.values())
    assert office.service.leaks == 0


def test_a_hit_the_database_refuses_is_dropped_counted_and_alarmed(office: SimpleNamespace) -> None:
    key = add(office, "电梯一")
    add(office, "电梯二")
    with office.db.writing() as work:
        work.session.get_one(Record, key).level_rank = 4
        work.commit()
    found = office.service.search(office.reader, "电梯")
    assert (titles(found), found.total, office.service.leaks) == (["电梯二"], 1, 1)
    assert "search.leak" in str(vars(office.log))


def test_a_lowered_record_counts_only_from_the_partition_of_its_level(office: SimpleNamespace) -> None:
    key = add(office, "电梯一", level=2)
    with office.db.writing() as work:
        work.session.get_one(Record, key).level_rank = 1
        work.commit()
    assert titles(office.service.search(office.reader, "电梯")) == []
    assert office.service.leaks == 0


def test_too_many_fences_are_said_openly(office: SimpleNamespace) -> None:
    with office.db.writing() as work:
        for _ in range(1001):
            raise_fence(work.session, "record", str(new_id()), office.clock.now())
        work.commit()
    with pytest.raises(Unavailable) as told:
        office.service.search(office.reader, "电梯")
    assert told.value.facts["part"] == "index_updating"


def test_an_exact_personal_number_finds_its_record_and_no_part_of_it_does(office: SimpleNamespace) -> None:
    key = add(office, "回访 13812345678")
    for typed in ("13812345678", "138 1234 5678", "+86 138-1234-5678"):
        assert [hit.record_id for hit in office.service.search(office.reader, f'"{typed}"').hits] == [key], typed
    for typed in ("1381234", "12345678", "13812345679"):
        assert office.service.search(office.reader, typed).total == 0


def test_filters_narrow_and_facets_count(office: SimpleNamespace) -> None:
    from datetime import date

    add(office, "电梯一", drawn_from=date(2023, 1, 1), drawn_to=date(2023, 12, 31))
    add(office, "电梯二", drawn_from=date(2024, 5, 1), drawn_to=date(2024, 5, 1), level=2)
    found = office.service.search(office.reader, "电梯", order=Order.NEWEST)
    assert titles(found) == ["电梯二", "电梯一"]
    assert found.facets["year"] == {"2023": 1, "2024": 1}
    assert found.facets["category"] == {office.category.id.hex: 2}
    for name, value, expected in (
        ("year", "2023", ["电梯一"]),
        ("level", "2", ["电梯二"]),
        ("category", str(office.root.id), ["电梯二", "电梯一"]),
        ("date", "2023-06..2023", ["电梯一"]),
        ("date", "2024-05", ["电梯二"]),
        ("project", "A1", []),
    ):
        chosen = office.service.search(office.reader, "电梯", filters=[(name, value)], order=Order.NEWEST)
        assert titles(chosen) == expected, name
    for name, value in (("colour", "red"), ("year", "x"), ("fonds", "1"), ("date", "31.31")):
        with pytest.raises(InvalidInput):
            office.service.search(office.reader, "", filters=[(name, value)])


def test_every_query_is_noted_and_no_answer_is_given_when_it_cannot_be(office: SimpleNamespace) -> None:
    add(office, "电梯一")
    office.service.search(office.reader, "电梯", filters=[("level", "1")])
    assert office.readings.noted == [("search.query", {"query": "电梯", "filters": [("level", "1")], "found": 1})]
    office.readings.down = True
    with pytest.raises(Unavailable):
        office.service.search(office.reader, "电梯")


def test_a_record_whose_key_is_gone_is_shown_without_passages(office: SimpleNamespace) -> None:
    key = add(office, "电梯一", "电梯的正文")
    office.vault.erase(key)
    [hit] = office.service.search(office.reader, "电梯").hits
    assert (hit.title, list(hit.passages)) == ("电梯一", [])


def test_a_count_has_what_a_search_would_find_and_notes_nothing(office: SimpleNamespace) -> None:
    for title, facts in (("低", {"level": 1}), ("中", {"level": 2}), ("高", {"level": 3}), ("别处", {})):
        add(office, title, **facts, **({"category": office.elsewhere} if title == "别处" else {}))
    raised = add(office, "升", level=1)
    assert office.service.count(office.reader, [("state", "filed")]) == 3
    assert office.service.count(office.officer, [("state", "filed")]) == 0
    with office.db.writing() as work:
        raise_fence(work.session, "record", str(raised), office.clock.now())
        work.commit()
    assert office.service.count(office.reader, [("state", "filed")]) == 2
    assert office.service.count(office.reader, [("state", "provisional")]) == 0
    assert office.readings.noted == []
