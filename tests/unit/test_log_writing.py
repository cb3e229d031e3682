"""Writing entries, reading their bodies, sealing them, and grouping those of readings."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Database
from archive.errors import KeyUnavailable, NotFound, Unavailable
from archive.identity import Identity
from archive.ids import new_id
from archive.log.checkpoints import Checkpoints, read_witness
from archive.log.readings import Readings
from archive.log.sealer import Sealer
from archive.log.verify import Fault, verify
from archive.log.writer import Log
from archive.model.log import LogClass, LogEntry, LogResult, LogSeal, LogUnsealed
from tests.factories.databases import ONLY_SQLITE, a_database
from tests.fakes.clock import FixedClock
from tests.fakes.signer import MemorySigner
from tests.fakes.vault import MemoryVault

pytestmark = pytest.mark.postgres

CHEN = Identity("chen", new_id(), address="10.0.0.1", session_id=new_id())


@pytest.fixture
def holds() -> list[float]:
    return []


@pytest.fixture
def db(tmp_path: Path, holds: list[float]) -> Iterator[Database]:
    database = a_database(tmp_path, on_write=holds.append)
    yield database
    database.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
def log(vault: MemoryVault, clock: FixedClock) -> Log:
    return Log(vault, clock)


@pytest.fixture
def record(vault: MemoryVault) -> UUID:
    owner = new_id()
    vault.add_owner(None, owner, due_year=None)
    return owner


def entries(db: Database) -> list[LogEntry]:
    with db.reading() as session:
        return list(session.scalars(select(LogEntry).order_by(LogEntry.at)))


def noted(db: Database, log: Log, act: str = "record.read", **facts: Any) -> UUID:
    with db.writing() as work:
        entry = log.note(work.session, CHEN, act, **facts)
        work.commit()
    return entry


def test_an_entry_names_who_did_what_and_keeps_the_words_sealed(db: Database, log: Log, record: UUID) -> None:
    noted(db, log, "record.describe", record=record, body={"title": {"before": "旧", "after": "新"}})
    (entry,) = entries(db)
    assert (entry.actor, entry.person_id, entry.act, entry.record_id) == (
        "chen",
        CHEN.person_id,
        "record.describe",
        record,
    )
    assert (entry.log_class, entry.result, entry.body_owner) == (LogClass.RECORD, LogResult.DONE, record)
    assert "新".encode() not in entry.body
    with db.reading() as session:
        assert log.opened(session, entry) == {"title": {"before": "旧", "after": "新"}}


def test_the_entry_goes_with_its_act_when_the_act_is_rolled_back(db: Database, log: Log, record: UUID) -> None:
    with db.writing() as work:
        log.note(work.session, CHEN, "record.file", record=record)
    assert entries(db) == []


def test_what_was_typed_in_a_search_is_sealed_under_the_years_key(db: Database, log: Log, vault: MemoryVault) -> None:
    noted(db, log, "search.query", body={"q": "绝密"})
    (entry,) = entries(db)
    assert entry.body_owner == vault.log_owner(None, 2026)


def test_a_body_about_a_subject_goes_with_the_subjects_key(db: Database, log: Log, vault: MemoryVault) -> None:
    subject = new_id()
    vault.add_owner(None, subject, due_year=None)
    noted(db, log, "subject.describe", subject=subject, body={"phone": "1"})
    vault.erase(subject)
    (entry,) = entries(db)
    with db.reading() as session:
        assert log.opened(session, entry) is None


def test_erasing_a_key_leaves_the_proof_whole(
    db: Database, log: Log, vault: MemoryVault, record: UUID, clock: FixedClock
) -> None:
    noted(db, log, record=record, body={"title": "x"})
    Sealer(db, clock).seal_all()
    vault.erase(record)
    assert verify(db, MemorySigner(), clock=clock).ok


def test_a_refused_act_is_logged_in_a_transaction_of_its_own(db: Database, log: Log, record: UUID) -> None:
    log.note_apart(db, CHEN, "record.read", record=record)
    assert [entry.result for entry in entries(db)] == [LogResult.REFUSED]


def test_many_entries_come_in_one_go(db: Database, log: Log, vault: MemoryVault) -> None:
    owners = [new_id() for _ in range(50)]
    vault.add_owners(None, [(owner, None) for owner in owners])
    with db.writing() as work:
        log.note_many(work.session, CHEN, "record.create", [(owner, {"n": str(owner)}) for owner in owners])
        work.commit()
    with db.reading() as session:
        found = list(session.scalars(select(LogEntry)))
        assert {entry.record_id for entry in found} == set(owners)
        assert [body["n"] for body in log.opened_many(session, found)] == [str(entry.record_id) for entry in found]


def test_nobody_changes_or_deletes_an_entry_through_the_program(db: Database, log: Log) -> None:
    noted(db, log)
    for statement in ("UPDATE log_entry SET act='x.y'", "DELETE FROM log_entry"):
        with db.writing() as work, pytest.raises(DBAPIError, match="insert-only"):
            work.session.connection().exec_driver_sql(statement)


def test_sealing_keeps_the_order_of_time_and_empties_the_queue(
    db: Database, log: Log, clock: FixedClock, holds: list[float]
) -> None:
    made = []
    for _ in range(700):
        clock.move(seconds=1)
        made.append(noted(db, log))
    holds.clear()
    assert Sealer(db, clock).seal(1000) == 700
    with db.reading() as session:
        seals = list(session.scalars(select(LogSeal).order_by(LogSeal.seq)))
        assert [seal.entry_id for seal in seals] == made
        assert [seal.seq for seal in seals] == list(range(1, 701))
        assert session.scalar(select(func.count()).select_from(LogUnsealed)) == 0
    assert len(holds) >= 2


@ONLY_SQLITE
def test_a_look_for_what_waits_passes_nothing_that_is_sealed(db: Database, log: Log, clock: FixedClock) -> None:
    noted(db, log)
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    assert Sealer(db, clock).seal() == 1
    (look,) = [each for each in asked if "log_unsealed" in each[0] and "ORDER BY" in each[0]]
    with db.reading() as session:
        plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {look[0]}", look[1])]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN log_entry")], plan


def test_two_sealers_at_once_make_one_chain(db: Database, log: Log, clock: FixedClock) -> None:
    for _ in range(60):
        noted(db, log)
    sealers = [threading.Thread(target=Sealer(db, clock).seal_all) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
    found = verify(db, MemorySigner(), clock=clock)
    assert (found.ok, found.sealed) == (True, 60)


def test_a_destruction_waits_until_its_entry_is_sealed(db: Database, log: Log, clock: FixedClock) -> None:
    entry = noted(db, log)
    Sealer(db, clock).wait_sealed(entry)
    with db.reading() as session:
        assert session.scalar(select(LogSeal.seq).where(LogSeal.entry_id == entry)) == 1
    with pytest.raises(NotFound):
        Sealer(db, clock).wait_sealed(uuid4())


def test_the_chain_cannot_fork_in_the_database(db: Database, log: Log, clock: FixedClock) -> None:
    first, second = noted(db, log), noted(db, log)
    Sealer(db, clock).seal_all()
    with db.reading() as session:
        seal = session.scalar(select(LogSeal).where(LogSeal.seq == 2))
    with db.writing() as work:
        work.session.add(LogSeal(seq=3, entry_id=uuid4(), previous=seal.previous, chain=b"x" * 32))
        with pytest.raises(IntegrityError, match="previous"):
            work.session.flush()
    assert {first, second}


def test_readings_of_many_threads_share_a_commit_and_are_durable(
    db: Database, log: Log, clock: FixedClock, record: UUID, holds: list[float]
) -> None:
    readings = Readings(db, log, clock)
    threads = [
        threading.Thread(target=readings.note, args=(CHEN, "file.read"), kwargs={"record": record}) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entries(db)) == 40
    assert len(holds) <= 40
    readings.close()
    with pytest.raises(Unavailable):
        readings.note(CHEN, "file.read")


def test_an_error_reaches_only_the_reader_it_belongs_to(
    db: Database, log: Log, clock: FixedClock, record: UUID
) -> None:
    readings = Readings(db, log, clock)
    failed = []

    def read(owner: UUID) -> None:
        try:
            readings.note(CHEN, "file.read", record=owner, body={"a": 1})
        except KeyUnavailable:
            failed.append(owner)

    gone = new_id()
    threads = [threading.Thread(target=read, args=(gone if n == 7 else record,)) for n in range(20)]
    with db.writing():  # all of them wait behind this writer, and so come in one batch
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    readings.close()
    assert failed == [gone]
    assert len(entries(db)) == 19


def test_one_opening_of_a_file_is_one_entry_for_half_an_hour(
    db: Database, log: Log, clock: FixedClock, record: UUID
) -> None:
    readings, file = Readings(db, log, clock), new_id()
    assert readings.note_once(CHEN, "file.read", file, record=record)
    clock.move(minutes=29)
    assert not readings.note_once(CHEN, "file.read", file, record=record)
    clock.move(minutes=2)
    assert readings.note_once(CHEN, "file.read", file, record=record)
    assert readings.note_once(CHEN, "file.read", new_id(), record=record)
    other = Identity("chen", CHEN.person_id, session_id=new_id())
    assert readings.note_once(other, "file.read", file, record=record)
    readings.close()
    assert len(entries(db)) == 4


def test_an_opening_whose_entry_failed_is_noted_the_next_time(
    db: Database, log: Log, clock: FixedClock, vault: MemoryVault
) -> None:
    readings, file, owner = Readings(db, log, clock), new_id(), new_id()
    with pytest.raises(KeyUnavailable):
        readings.note_once(CHEN, "file.read", file, record=owner, body={"a": 1})
    vault.add_owner(None, owner, due_year=None)
    assert readings.note_once(CHEN, "file.read", file, record=owner, body={"a": 1})
    readings.close()


def test_a_checkpoint_is_made_only_when_something_is_new(
    db: Database, log: Log, clock: FixedClock, tmp_path: Path
) -> None:
    witness = tmp_path / "witness.jsonl"
    checkpoints = Checkpoints(db, MemorySigner(), clock, witness)
    assert checkpoints.make() is None
    noted(db, log)
    Sealer(db, clock).seal_all()
    assert checkpoints.make().size == 1
    assert checkpoints.make() is None
    assert [line.size for line in read_witness(witness)] == [1]


def test_a_witness_that_missed_a_checkpoint_is_told_later(
    db: Database, log: Log, clock: FixedClock, tmp_path: Path
) -> None:
    signer, witness = MemorySigner(), tmp_path / "away" / "witness.jsonl"
    for _ in range(2):
        noted(db, log)
        Sealer(db, clock).seal_all()
        Checkpoints(db, signer, clock).make()
    Checkpoints(db, signer, clock, witness).make()
    with witness.open("ab") as file:
        file.write(b'{"signature":"torn')
    noted(db, log)
    Sealer(db, clock).seal_all()
    signer.renew()
    Checkpoints(db, signer, clock, witness).make()
    assert [line.size for line in read_witness(witness)] == [1, 2, 3]
    found = verify(db, signer, witness, clock=clock)
    assert (found.ok, found.checkpoints, found.witnessed) == (True, 3, 3)
    assert json.loads(witness.read_text().splitlines()[0])["statement"]


def test_of_a_long_witness_the_end_alone_is_read(
    db: Database, log: Log, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.log.checkpoints._TAIL", 1_000)
    signer, witness = MemorySigner(), tmp_path / "witness.jsonl"
    for _ in range(6):
        noted(db, log)
        Sealer(db, clock).seal_all()
        Checkpoints(db, signer, clock, witness).make()
        with witness.open("ab") as file:
            file.write(b'{"signature":"torn')
    assert [line.size for line in read_witness(witness)] == [1, 2, 3, 4, 5, 6]
    assert witness.stat().st_size > 2_000
    witness.write_bytes(b"spoilt" + witness.read_bytes()[6:])  # far from the end: for verification to find
    noted(db, log)
    Sealer(db, clock).seal_all()
    assert Checkpoints(db, signer, clock, witness).make().size == 7
    assert witness.read_bytes().count(b"\n") == 7


def test_an_entry_that_nobody_seals_is_found(db: Database, log: Log, clock: FixedClock) -> None:
    entry = noted(db, log)
    assert verify(db, MemorySigner(), clock=clock).ok
    clock.moment += timedelta(minutes=5)
    bad = verify(db, MemorySigner(), clock=clock).first_bad
    assert (bad.fault, bad.entry) == (Fault.UNSEALED_TOO_LONG, entry)
