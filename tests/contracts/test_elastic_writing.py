"""Elasticsearch alone: what it refuses, who wins, what is lost with an index, and what is left of what went."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from archive.errors import InvalidInput, Unavailable
from archive.policy.condition import has
from indexer.engine import BAD_ENTRY, Tombstone
from indexer.query.tree import And, Negate, Or, Query, Words
from tests.factories.elastic import new_prefix, passing_engine, server
from tests.factories.engine_house import ask, entry
from tests.fakes.clock import FixedClock
from tests.fakes.faulty_server import BROKEN, BUSY, ITEMS_BUSY, LARGE, OPEN, REFUSES, SLOW, FaultyServer, faulty_server

if TYPE_CHECKING:
    from indexer.elastic.engine import ElasticEngine


@pytest.fixture
def engine() -> Iterator["ElasticEngine"]:
    made = passing_engine()
    yield made
    made.close()


@pytest.fixture
def front() -> Iterator[FaultyServer]:
    with faulty_server(server()) as made:
        yield made


def found(engine: "ElasticEngine", query: Query | None = None, *partitions: str) -> dict[int, int]:
    request = ask(query, *partitions) if query else ask()
    return {hit.id.int - 1: hit.version for hit in engine.search(request).hits}


def raw(engine: "ElasticEngine") -> Any:
    return engine._client


def test_one_bad_document_does_not_keep_its_neighbours_out(engine: "ElasticEngine") -> None:
    told = engine.write([entry(1), entry(2, year=10**12), entry(3, fonds=None), entry(4)])
    engine.commit()
    assert told == {UUID(int=3): "document_parsing_exception", UUID(int=4): BAD_ENTRY}
    assert set(found(engine)) == {1, 4}


def test_the_newest_version_stays_in_whatever_order_two_workers_write(engine: "ElasticEngine") -> None:
    other = passing_engine(engine._layout.names.prefix, url=server())
    engine.write([entry(1, version=5)])
    other.write([entry(1, version=4), entry(2, version=4)], [Tombstone(entry(1).id, 3, "3")])
    engine.write([entry(2, version=4), entry(3, version=4)], [Tombstone(entry(3).id, 5, "3")])
    other.write([entry(3, version=4)])
    other.write([entry(2, version=3)])
    other.commit()
    engine.commit()
    assert found(engine) == {1: 5, 2: 4}
    engine.write([], [Tombstone(entry(1).id, 6, "3")])
    other.write([entry(1, version=5)])
    other.commit()
    engine.commit()
    assert found(engine) == {2: 4}
    other.close()


def test_two_workers_that_begin_a_partition_make_one_index(engine: "ElasticEngine") -> None:
    other = passing_engine(engine._layout.names.prefix, url=server())
    stale = engine._layout.read()
    other.write([entry(1)])
    engine._layout.begin("3")
    assert (stale, len(engine._layout.read()["3"].indices)) == ({}, 1)
    engine.write([entry(2)])
    engine.commit()
    assert set(found(other)) == {1, 2}
    other.close()


def test_what_another_worker_writes_while_a_partition_is_made_anew_is_in_it(engine: "ElasticEngine") -> None:
    other = passing_engine(engine._layout.names.prefix, url=server())
    engine.write([entry(n) for n in range(5)])
    engine.commit()
    with engine.rebuilding("3") as rebuild:
        other.write([entry(1, version=2), entry(9)], [Tombstone(UUID(int=3), 2, "3")])
        rebuild.write([entry(n) for n in range(5)])
        rebuild.finish()
    assert found(other) == {0: 1, 1: 2, 3: 1, 4: 1, 9: 1}
    other.close()


def test_a_rebuild_that_one_request_of_several_failed_leaves_the_old_index(
    engine: "ElasticEngine", front: FaultyServer
) -> None:
    engine.write([entry(1)])
    engine.commit()
    other = passing_engine(engine._layout.names.prefix, url=front.address)

    def made_anew() -> None:
        with other.rebuilding("3") as rebuild:
            for n in range(8):
                if n == 2:
                    front.fails(BROKEN)
                rebuild.write([entry(n, version=2)])
            rebuild.finish()

    with pytest.raises(Unavailable):
        made_anew()
    assert found(engine) == {1: 1}
    front.fails(OPEN)
    with other.rebuilding("3") as rebuild:
        for n in range(8):
            rebuild.write([entry(n, version=2)])
        assert rebuild.finish() == {}
    assert found(engine) == dict.fromkeys(range(8), 2)
    other.close()


def test_a_write_to_an_index_that_was_replaced_meanwhile_goes_to_the_new_one(engine: "ElasticEngine") -> None:
    engine.write([entry(1)])
    engine.commit()
    before = engine._layout.read()
    with engine.rebuilding("3") as rebuild:
        rebuild.write([entry(1)])
        rebuild.finish()
    now = engine._layout.read
    seen = iter([before])
    engine._layout.read = lambda: next(seen, None) or now()  # type: ignore[method-assign]
    engine.write([entry(1, version=2)])
    engine.commit()
    assert found(engine) == {1: 2}
    assert list(raw(engine).indices.get(index=f"{engine._layout.names.stem}*")) == [now()["3"].live]


def test_a_lost_partition_is_no_empty_one(engine: "ElasticEngine") -> None:
    begun: set[str] = set()
    engine._layout._begun = lambda: begun
    engine.write([entry(1), entry(41, "2")])
    engine.commit()
    begun |= {"2", "3"}
    assert set(found(engine)) == {1, 41}
    engine._layout.remove(engine._layout.read()["2"].indices)
    for _ in range(2):
        with pytest.raises(Unavailable) as lost:
            found(engine)
        assert lost.value.facts == {"part": "index_lost", "partitions": ["2"]}
    assert set(found(engine, Words("token-1", "token"), "3")) <= {1}
    assert engine.needs_rebuild() == {"2"}
    assert engine.write([entry(42, "2"), entry(2)]) == {UUID(int=43): "index_lost"}
    engine.commit()
    with engine.rebuilding("2") as rebuild:
        rebuild.write([entry(41, "2"), entry(42, "2")])
        rebuild.finish()
    assert set(found(engine)) == {1, 2, 41, 42}
    assert engine.needs_rebuild() == frozenset()


def test_an_index_of_another_shape_is_known(engine: "ElasticEngine") -> None:
    engine.write([entry(1), entry(41, "2")])
    assert engine.needs_rebuild() == frozenset()
    index = engine._layout.read()["2"].live
    raw(engine).indices.put_mapping(index=index, properties={"more": {"type": "keyword"}})
    assert engine.needs_rebuild() == {"2"}


def test_an_index_that_cannot_be_answered_from_makes_search_unavailable(engine: "ElasticEngine") -> None:
    engine.write([entry(1)])
    engine.commit()
    names = engine._layout.names
    nowhere = {"index.routing.allocation.require._name": "nobody"}
    raw(engine).indices.create(
        index=names.first("2"), aliases={names.alias("2"): {}}, settings=nowhere, wait_for_active_shards="0"
    )
    assert "2" in engine.needs_rebuild()
    with pytest.raises(Unavailable):
        found(engine)


def test_no_text_is_kept_and_none_but_known_fields(engine: "ElasticEngine") -> None:
    engine.write([entry(1)])
    index = engine._layout.read()["3"].live
    assert "_source" not in raw(engine).get(index=index, id=entry(1).id.hex)
    told = raw(engine).options(ignore_status=400).index(index=index, id="x", document={"secret": "text"})
    assert told["error"]["type"] == "strict_dynamic_mapping_exception"


def test_tombstones_bar_older_writes_and_go_after_30_days(engine: "ElasticEngine") -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    engine._clock = clock
    engine.write([entry(n) for n in range(30)])
    engine.commit()
    engine.write([entry(n, version=2) for n in range(5)], [Tombstone(UUID(int=n + 1), 2, "3") for n in range(5, 10)])
    engine.commit()
    index = engine._layout.read()["3"].live or ""
    assert raw(engine).count(index=index)["count"] == 30
    engine.write([entry(7)])  # older than its tombstone
    engine.commit()
    assert 7 not in found(engine)
    clock.moment += timedelta(days=31)
    engine.expunge("3")
    assert raw(engine).count(index=index)["count"] == 25
    assert (engine.count("3"), len(found(engine))) == (25, 25)


@pytest.mark.faults  # the server lets go of what changed each half minute only
def test_what_was_replaced_is_merged_away(engine: "ElasticEngine") -> None:
    engine.write([entry(n) for n in range(30)])
    engine.commit()
    engine.write([entry(n, version=2) for n in range(5)])
    engine.commit()
    index = engine._layout.read()["3"].live or ""
    assert engine._holding_deleted(index)
    end = time.monotonic() + 400  # a bound against hanging
    while not engine.expunge("3"):
        assert time.monotonic() < end
    assert engine._holding_deleted(index) == set()
    assert len(found(engine)) == 30


def test_a_query_of_too_many_groups_is_told_so(engine: "ElasticEngine") -> None:
    engine.write([entry(1)])
    engine.commit()
    deep: Query = Words("合同")
    for _ in range(30):
        deep = Or((And((Negate(deep), Words("电梯"))), Words("层")))
    with pytest.raises(InvalidInput) as refused:
        found(engine, deep)
    assert refused.value.faults[0].code == "too_deep"


@pytest.mark.parametrize("how", [BUSY, ITEMS_BUSY, BROKEN])
def test_a_busy_server_is_waited_for_and_given_up_in_the_end(front: FaultyServer, how: str) -> None:
    prefix = new_prefix()
    whole = passing_engine(prefix)
    engine = passing_engine(prefix, url=front.address)
    whole.write([entry(1)])
    read = engine._layout.read()
    engine._layout.read = lambda: read  # type: ignore[method-assign]  # the look at the indices is not sent again
    front.fails(how, 2)
    assert engine.write([entry(2), entry(3)]) == {}
    engine.commit()
    assert set(found(whole)) == {1, 2, 3}
    front.fails(how)
    with pytest.raises(Unavailable):
        engine.write([entry(4)])
    engine.close()
    whole.close()


def test_a_document_too_large_for_the_server_keeps_no_other_out(
    front: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from indexer.elastic import bulk as elastic_bulk

    monkeypatch.setattr(elastic_bulk, "CHUNK", 1)
    prefix = new_prefix()
    whole = passing_engine(prefix)
    engine = passing_engine(prefix, url=front.address)
    front.fails(LARGE, 1)
    assert engine.write([entry(1), entry(2), entry(3)]) == {entry(1).id: "status_413"}
    engine.commit()
    assert set(found(whole)) == {2, 3}
    engine.close()
    whole.close()


@pytest.mark.parametrize("how", [REFUSES, BUSY, BROKEN, SLOW])
def test_a_server_that_does_not_answer_makes_search_unavailable_and_nothing_else(front: FaultyServer, how: str) -> None:
    from indexer.elastic.client import connect

    prefix = new_prefix()
    whole = passing_engine(prefix)
    whole.write([entry(1)])
    whole.commit()
    engine = passing_engine(prefix, url=front.address)
    if how == SLOW:
        engine._client = connect(front.address, seconds=0.2)
    front.fails(how)
    for _ in range(2):
        with pytest.raises(Unavailable) as away:
            engine.search(ask(condition=has("state", "filed"), facets=["level"]))
        assert away.value.facts["part"] == "search"
    front.fails("open")
    front.released.set()
    if how == SLOW:
        engine._client = connect(front.address, seconds=120)
    assert set(found(engine)) == {1}
    engine.close()
    whole.close()
