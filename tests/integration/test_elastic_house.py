"""A house on Elasticsearch whose server goes away or loses its indices: nothing is lost, nothing hidden told."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Unavailable
from archive.model import Job, JobKind, JobState
from indexer.rebuild import begun
from runtime.doctor import LOOKS, State
from tests.factories.elastic import new_prefix, passing_engine, server
from tests.factories.search_office import Office
from tests.fakes.faulty_server import BROKEN, BUSY, ITEMS_BUSY, OPEN, REFUSES, FaultyServer, faulty_server

CANARY = "金丝雀canary"


@pytest.fixture
def front() -> Iterator[FaultyServer]:
    with faulty_server(server()) as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, front: FaultyServer) -> Iterator[Office]:
    prefix = new_prefix()
    whole = passing_engine(prefix)
    made = Office(
        tmp_path, {"es": lambda db: passing_engine(prefix, url=front.address, begun=lambda: begun(db), tries=1)}
    )
    made.add("电梯合同")
    made.add(f"{CANARY}电梯合同", level=4)
    made.add(f"{CANARY}电梯合同", apart=True)
    made.add(f"{CANARY}电梯合同", which=1)
    made.settle()
    yield made
    front.fails(OPEN)
    made.close()
    whole.close()


def titles(office: Office) -> list[str]:
    found = office.search("es", office.people[0], "电梯")
    assert found.total == len(found.hits)
    assert set(found.facets["level"]) <= {"1"}
    assert office.search("es", office.people[0], "canary").total == 0
    return sorted(hit.title for hit in found.hits)


def job_of(office: Office, record: UUID) -> tuple[JobState, str | None] | None:
    with office.db.reading() as session:
        row = session.execute(
            select(Job.state, Job.error).where(Job.kind == JobKind.INDEX, Job.subject_id == record)
        ).one_or_none()
    return (row.state, row.error) if row else None


@pytest.mark.parametrize("how", [REFUSES, BUSY, BROKEN, ITEMS_BUSY])
def test_while_the_server_is_away_records_wait_and_search_says_so(
    office: Office, front: FaultyServer, how: str
) -> None:
    assert titles(office) == ["电梯合同"]
    front.fails(how)
    record = office.add("电梯年检")
    office.runner("es").drain()
    assert job_of(office, record) == (JobState.QUEUED, "search")
    if how != ITEMS_BUSY:
        with pytest.raises(Unavailable) as away:
            titles(office)
        assert CANARY not in str(away.value)
    front.fails(OPEN)
    assert titles(office) == ["电梯合同"]
    office.clock.move(minutes=1)
    office.runner("es").drain()
    assert job_of(office, record) is None
    assert titles(office) == ["电梯合同", "电梯年检"]
    assert office.services["es"].leaks == 0


def test_after_its_indices_are_gone_search_waits_for_a_rebuild_and_nothing_is_lost(office: Office) -> None:
    assert titles(office) == ["电梯合同"]
    engine = office.engines["es"]
    for partition in engine.partitions():
        engine.drop(partition)
    record = office.add("电梯年检")
    office.runner("es").drain()
    assert job_of(office, record) == (JobState.QUEUED, "refused:index_lost")
    with pytest.raises(Unavailable) as lost:
        titles(office)
    assert lost.value.facts["part"] == "index_lost"
    assert engine.needs_rebuild() == {"1", "1n", "4"}
    with office.db.writing() as work:
        office.outbox.add(work, JobKind.REBUILD)
        work.commit()
    office.runner("es").drain()
    assert titles(office) == ["电梯合同", "电梯年检"]
    office.clock.move(minutes=1)
    office.runner("es").drain()
    assert job_of(office, record) is None
    with office.db.reading() as session:
        assert list(office.rebuilders["es"].differences(session)) == []
    assert titles(office) == ["电梯合同", "电梯年检"]
    assert office.services["es"].leaks == 0


def test_nothing_of_what_is_hidden_is_in_any_answer_of_the_server(office: Office, front: FaultyServer) -> None:
    front.replies.clear()
    titles(office)
    reader = {row.id for row in office.may_read(office.people[0]).values()}
    told = b"".join(front.replies)
    assert all(key.hex.encode() in told for key in reader)
    everything = office.may_read(office.people[2])
    assert not any(key.hex.encode() in told for key in everything.keys() - reader)
    assert CANARY.encode() not in told


def test_the_doctor_tells_engine_lag_and_what_is_to_be_built_anew(office: Office) -> None:
    parts = SimpleNamespace(engine=office.engines["es"], rebuilder=office.rebuilders["es"])
    looked = [(state, message) for state, message, _ in LOOKS["search"](parts)]
    assert looked == [(State.OK, "search_engine"), (State.OK, "search_lag"), (State.OK, "partitions")]
    parts.engine.drop("1n")
    assert list(LOOKS["search"](parts))[-1] == (State.BROKEN, "needs_rebuild", {"partitions": ["1n"]})
