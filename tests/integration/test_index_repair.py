"""Every planted difference between database and index is found and mended, and nothing else is touched."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from archive.database import Database
from archive.ids import new_id
from archive.model import JobKind, Record
from indexer.engine import IndexEntry, SearchEngine, Tombstone
from indexer.entries import Entries
from indexer.rebuild import begun
from indexer.search import REPAIR
from indexer.tantivy.engine import TantivyEngine
from tests.factories.elastic import passing_engine
from tests.factories.engine_house import never_idle
from tests.factories.search_office import Office

ENGINES: dict[str, Callable[[Path], Callable[[Database], SearchEngine]]] = {
    "tantivy": lambda folder: lambda _db: TantivyEngine(folder / "index", seconds=never_idle()),
    "elasticsearch": lambda _folder: lambda db: passing_engine(begun=lambda: begun(db)),
}


@pytest.fixture(params=list(ENGINES))
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, {"engine": ENGINES[request.param](tmp_path)})
    yield made
    made.close()


def entry_of(office: Office, key: UUID) -> IndexEntry:
    with office.db.reading() as session:
        [kept] = Entries(office.vault).read(session, [key])
    assert kept.entry
    return kept.entry


def differences(office: Office) -> set[tuple[str, str, UUID]]:
    with office.db.reading() as session:
        found = list(office.rebuilders["engine"].differences(session))
    return {(one.what, one.partition, one.record) for one in found}


def test_each_planted_difference_is_found_and_mended(office: Office) -> None:
    engine = office.engines["engine"]
    good, missing, stale, elsewhere, ahead, apart, other = (
        office.add(f"合同{n}", level=2 if n == 4 else 1, apart=n == 5) for n in range(7)
    )
    office.settle()
    assert differences(office) == set()
    stray = new_id()
    engine.write(
        [
            replace(entry_of(office, good), id=stray),
            replace(entry_of(office, elsewhere), partition="2"),
            replace(entry_of(office, apart), partition="1"),
            replace(entry_of(office, ahead), version=99),
            replace(entry_of(office, other), texts={"title": ["另一份合同"]}),
        ],
        [Tombstone(missing, 1, "1")],
    )
    engine.commit()
    with office.db.writing() as work:
        work.session.get_one(Record, stale).version += 1
        work.commit()
    planted = {
        ("missing", "1", missing), ("stale", "1", stale), ("wrong_level", "2", elsewhere),
        ("wrong_level", "1", apart), ("stray", "1", stray), ("stale", "2", ahead), ("words", "1", other),
    }  # fmt: skip
    assert differences(office) == planted
    with office.db.writing() as work:
        office.outbox.add(work, JobKind.REBUILD, payload={REPAIR: True})
        work.commit()
    assert not office.search("engine", office.people[2], "合同").complete
    assert office.runner("engine").drain() == 1
    assert differences(office) == set()
    everyone = office.search("engine", office.people[2], "合同")
    assert everyone.complete
    assert {hit.record_id for hit in everyone.hits} == {good, missing, stale, elsewhere, ahead, other}
    office.change(ahead, title="合同改")
    office.settle()
    assert [hit.record_id for hit in office.search("engine", office.people[2], "合同改").hits] == [ahead]


def test_what_still_waits_is_no_difference_and_is_told_as_lag(office: Office) -> None:
    office.add("合同")
    lag = office.rebuilders["engine"].lag()
    assert (lag.waiting, lag.since, differences(office)) == (1, office.clock.now(), set())
    office.settle()
    assert office.rebuilders["engine"].lag().waiting == 0


def test_a_partition_whose_index_is_gone_is_told_and_made_anew(office: Office) -> None:
    record = office.add("合同")
    office.settle()
    assert office.rebuilders["engine"].broken() == frozenset()
    office.engines["engine"].drop("1")
    assert office.rebuilders["engine"].broken() == {"1"}
    office.rebuilders["engine"].repair()
    assert office.rebuilders["engine"].broken() == frozenset()
    assert [hit.record_id for hit in office.search("engine", office.people[0], "合同").hits] == [record]
