"""The database's owner rewrites the log: what verification finds, and what it cannot find.

The log of these tests has 40 sealed entries and signed checkpoints at 10 and 25. Cells that are asserted as undetected
are the ones the documentation (``docs/formats/log.md``) calls so.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update

import archive.model  # noqa: F401  (registers the tables)
from archive.database import Base, Database
from archive.errors import Damaged
from archive.identity import Identity
from archive.ids import new_id
from archive.log.checkpoints import Checkpoints
from archive.log.entry import entry_hash
from archive.log.sealer import GENESIS, Sealer, link
from archive.log.verify import Bad, Fault, Verification, verify
from archive.log.writer import Log
from archive.model.log import LogCheckpoint, LogEntry, LogSeal, LogUnsealed
from tests.fakes.clock import FixedClock
from tests.fakes.signer import MemorySigner
from tests.fakes.vault import MemoryVault

SIZE, CHECKPOINTS = 40, (10, 25)
PLACES = sorted({1, 9, 10, 11, 24, 25, 26, 39, 40, *random.Random(7).sample(range(1, SIZE), 6)})
TABLES = ("log_entry", "log_seal", "log_checkpoint")


class House:
    """A house's database file, its witness, and a database owner's hands."""

    def __init__(self, folder: Path, signer: MemorySigner) -> None:
        self.folder, self.signer, self.clock = folder, signer, FixedClock()
        self.witness = folder / "witness.jsonl"
        self.db = Database(f"sqlite:///{folder}/house.db")

    def build(self) -> None:
        Base.metadata.create_all(self.db.engine)
        vault = MemoryVault()
        record = new_id()
        vault.add_owner(None, record, due_year=None)
        self.fill(Log(vault, self.clock), record, range(1, SIZE + 1))
        with self.db.writing() as work:
            for table in TABLES:
                for verb in ("update", "delete"):
                    work.session.connection().exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
            work.commit()

    def fill(self, log: Log, record: UUID, numbers: Iterable[int], checkpoints: tuple[int, ...] = CHECKPOINTS) -> None:
        chen = Identity("chen", new_id(), address="10.0.0.1")
        for number in numbers:
            self.clock.move(seconds=1)
            with self.db.writing() as work:
                log.note(work.session, chen, "record.read", record=record, body={"n": number})
                work.commit()
            if number in checkpoints or number == SIZE:
                Sealer(self.db, self.clock).seal_all()
            if number in checkpoints:
                Checkpoints(self.db, self.signer, self.clock, self.witness).make()

    def copied(self, folder: Path) -> "House":
        self.db.close()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        copy = House(folder, self.signer)
        copy.clock.moment = self.clock.moment
        return copy

    def rewrite(self, *statements: Any) -> None:
        """Do what the owner of the database can do, foreign keys and triggers aside."""
        with self.db.writing() as work:
            work.session.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for statement in statements:
                work.session.execute(statement)
            work.commit()

    def entry_at(self, seq: int) -> UUID:
        with self.db.reading() as session:
            return session.scalar(select(LogSeal.entry_id).where(LogSeal.seq == seq))

    def rechain(self) -> None:
        """Compute all hashes and the chain anew, so that every link holds."""
        with self.db.writing() as work:
            session = work.session
            rows = session.execute(
                select(LogSeal.entry_id, LogEntry).join(LogEntry, LogEntry.id == LogSeal.entry_id).order_by(LogSeal.seq)
            ).all()
            session.execute(delete(LogSeal))
            chain, seq = GENESIS, 0
            for entry_id, entry in rows:
                fresh = entry_hash(entry)
                session.execute(update(LogEntry).where(LogEntry.id == entry_id).values(hash=fresh))
                seq, previous, chain = seq + 1, chain, link(chain, fresh)
                session.execute(insert(LogSeal).values(seq=seq, entry_id=entry_id, previous=previous, chain=chain))
            work.commit()

    def cut(self, keep: int, *, checkpoints_too: bool = False) -> None:
        with self.db.reading() as session:
            gone = list(session.scalars(select(LogSeal.entry_id).where(LogSeal.seq > keep)))
        statements = [delete(LogSeal).where(LogSeal.seq > keep), delete(LogEntry).where(LogEntry.id.in_(gone))]
        if checkpoints_too:
            statements.append(delete(LogCheckpoint).where(LogCheckpoint.size > keep))
        self.rewrite(*statements)

    def verified(self, *, witness: bool = True) -> Verification:
        return verify(self.db, self.signer, self.witness if witness else None, clock=self.clock)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("house"), MemorySigner())
    house.build()
    return house


@pytest.fixture
def house(original: House, tmp_path: Path) -> Iterator[House]:
    copy = original.copied(tmp_path / "copy")
    yield copy
    copy.db.close()


def found(house: House, **how: Any) -> Bad:
    return house.verified(**how).first_bad


def test_the_untouched_log_is_right(house: House) -> None:
    result = house.verified()
    assert (result.ok, result.sealed, result.checkpoints, result.witnessed) == (True, SIZE, 2, 2)


@pytest.mark.parametrize("seq", PLACES)
@pytest.mark.parametrize("change", [{"actor": "wang"}, {"at": FixedClock().now()}, {"record_id": None}, {"format": 9}])
def test_an_edited_head_is_named(house: House, seq: int, change: dict[str, Any]) -> None:
    entry = house.entry_at(seq)
    house.rewrite(update(LogEntry).where(LogEntry.id == entry).values(**change))
    bad = found(house)
    assert (bad.seq, bad.entry, bad.fault) == (seq, entry, Fault.ENTRY_CHANGED)


@pytest.mark.parametrize("seq", PLACES)
def test_an_edited_body_is_named(house: House, seq: int) -> None:
    entry = house.entry_at(seq)
    house.rewrite(update(LogEntry).where(LogEntry.id == entry).values(body=b"other"))
    assert (found(house).seq, found(house).fault) == (seq, Fault.ENTRY_CHANGED)


@pytest.mark.parametrize("seq", PLACES)
def test_an_edited_entry_with_its_own_hash_made_new_is_named(house: House, seq: int) -> None:
    entry = house.entry_at(seq)
    with house.db.writing() as work:
        row = work.session.get(LogEntry, entry)
        row.actor = "wang"
        row.hash = entry_hash(row)
        work.commit()
    assert (found(house).seq, found(house).fault) == (seq, Fault.CHAIN_BROKEN)


@pytest.mark.parametrize("seq", PLACES)
@pytest.mark.parametrize("column", ["log_class", "at", "person_id", "body"])
def test_nonsense_in_a_cell_is_a_finding_and_not_a_crash(house: House, seq: int, column: str) -> None:
    entry = house.entry_at(seq)
    raw = sqlite3.connect(house.folder / "house.db")
    raw.execute(f"UPDATE log_entry SET {column}='nonsense' WHERE id=?", (entry.bytes,))  # noqa: S608  (the test's own words)
    raw.commit()
    raw.close()
    assert (found(house).seq, found(house).entry, found(house).fault) == (seq, entry, Fault.ENTRY_CHANGED)


@pytest.mark.parametrize("seq", PLACES)
def test_a_deleted_entry_is_named(house: House, seq: int) -> None:
    entry = house.entry_at(seq)
    raw = sqlite3.connect(house.folder / "house.db")
    raw.execute("DELETE FROM log_entry WHERE id=?", (entry.bytes,))
    raw.commit()
    raw.close()
    bad = found(house)
    assert (bad.seq, bad.entry, bad.fault) == (seq, entry, Fault.ENTRY_MISSING)


@pytest.mark.parametrize("seq", [place for place in PLACES if place < SIZE])
def test_an_entry_deleted_with_its_place_leaves_a_gap(house: House, seq: int) -> None:
    entry = house.entry_at(seq)
    house.rewrite(delete(LogSeal).where(LogSeal.seq == seq), delete(LogEntry).where(LogEntry.id == entry))
    assert (found(house).seq, found(house).fault) == (seq, Fault.GAP)


@pytest.mark.parametrize("seq", PLACES)
def test_an_entry_put_in_beside_the_program_is_named(house: House, seq: int) -> None:
    forged = uuid4()
    with house.db.writing() as work:
        like = work.session.get(LogEntry, house.entry_at(seq))
        values = {column.name: getattr(like, column.name) for column in LogEntry.__table__.columns}
        values |= {"id": forged}
        work.session.execute(insert(LogEntry).values(**values))
        work.commit()
    assert (found(house).entry, found(house).fault) == (forged, Fault.NOT_WAITING)


@pytest.mark.parametrize("seq", PLACES)
def test_an_entry_put_into_the_chain_breaks_the_links_after_it(house: House, seq: int) -> None:
    shift = [update(LogSeal).where(LogSeal.seq == at).values(seq=at + 1) for at in range(SIZE, seq - 1, -1)]
    forged = uuid4()
    with house.db.writing() as work:
        like = work.session.get(LogEntry, house.entry_at(seq))
        values = {column.name: getattr(like, column.name) for column in LogEntry.__table__.columns} | {"id": forged}
        row = LogEntry(**values)
        row.hash = entry_hash(row)
        work.session.add(row)
        work.session.flush()
        previous = work.session.scalar(select(LogSeal.previous).where(LogSeal.seq == seq))
        for statement in shift:
            work.session.execute(statement)
        work.session.execute(update(LogSeal).where(LogSeal.seq == seq + 1).values(previous=b"?" * 32))
        chain = link(previous, row.hash)
        work.session.execute(insert(LogSeal).values(seq=seq, entry_id=forged, previous=previous, chain=chain))
        work.commit()
    assert found(house).fault in {Fault.CHAIN_BROKEN, Fault.CHECKPOINT_DIFFERS}
    assert found(house).seq in {seq, seq + 1}


@pytest.mark.parametrize("seq", [place for place in PLACES if place < SIZE])
def test_two_entries_that_changed_places_are_named(house: House, seq: int) -> None:
    first, second = house.entry_at(seq), house.entry_at(seq + 1)
    raw = sqlite3.connect(house.folder / "house.db")
    for at, entry in ((seq, b"\x00" * 16), (seq + 1, first.bytes), (seq, second.bytes)):
        raw.execute("UPDATE log_seal SET entry_id=? WHERE seq=?", (entry, at))
    raw.commit()
    raw.close()
    assert (found(house).seq, found(house).fault) == (seq, Fault.CHAIN_BROKEN)


@pytest.mark.parametrize("keep", [1, 9, 10, 11, 24])
def test_a_tail_cut_below_the_last_checkpoint_is_found(house: House, keep: int) -> None:
    house.cut(keep)
    for witness in (True, False):
        assert (found(house, witness=witness).seq, found(house, witness=witness).fault) == (
            keep + 1,
            Fault.CHECKPOINT_BEYOND,
        )


@pytest.mark.parametrize("keep", [25, 26, 39])
def test_a_tail_cut_after_the_last_checkpoint_is_not_found(house: House, keep: int) -> None:
    house.cut(keep)
    assert house.verified().ok


@pytest.mark.parametrize("keep", [1, 9, 10, 11, 24])
def test_a_tail_cut_with_its_checkpoints_is_found_by_the_witness_alone(house: House, keep: int) -> None:
    house.cut(keep, checkpoints_too=True)
    assert (found(house).seq, found(house).fault) == (keep + 1, Fault.WITNESS_BEYOND)
    assert house.verified(witness=False).ok


@pytest.mark.parametrize("seq", PLACES)
def test_a_chain_computed_anew_is_found_up_to_the_last_checkpoint(house: House, seq: int) -> None:
    house.rewrite(update(LogEntry).where(LogEntry.id == house.entry_at(seq)).values(actor="wang"))
    house.rechain()
    if seq > CHECKPOINTS[-1]:
        assert house.verified().ok
        return
    bad = found(house, witness=False)
    signed = next(size for size in CHECKPOINTS if seq <= size)
    assert (bad.seq, bad.fault) == (signed, Fault.CHECKPOINT_DIFFERS)
    assert bad.after < seq <= bad.seq


@pytest.mark.parametrize("seq", [1, 9, 10, 11, 24, 25])
def test_a_chain_computed_and_signed_anew_is_found_by_the_witness_alone(house: House, seq: int) -> None:
    house.rewrite(update(LogEntry).where(LogEntry.id == house.entry_at(seq)).values(actor="wang"))
    house.rechain()
    house.rewrite(delete(LogCheckpoint))
    Checkpoints(house.db, house.signer, house.clock).make()
    assert found(house).fault is Fault.WITNESS_DIFFERS
    assert house.verified(witness=False).ok


@pytest.mark.parametrize("size", CHECKPOINTS)
def test_a_checkpoint_signed_by_a_stranger_is_found(house: House, size: int) -> None:
    house.rewrite(update(LogCheckpoint).where(LogCheckpoint.size == size).values(signature=MemorySigner().sign(b"x")))
    assert (found(house).seq, found(house).fault) == (size, Fault.CHECKPOINT_FORGED)


def test_an_old_backup_put_back_is_found_by_the_witness_alone(original: House, tmp_path: Path) -> None:
    old = House(tmp_path / "old", original.signer)
    old.folder.mkdir()
    old.db = Database(f"sqlite:///{old.folder}/house.db")
    Base.metadata.create_all(old.db.engine)
    vault, record = MemoryVault(), new_id()
    vault.add_owner(None, record, due_year=None)
    log = Log(vault, old.clock)
    old.fill(log, record, range(1, 11))
    backup = old.copied(tmp_path / "backup")
    old.fill(log, record, range(11, 26))
    shutil.copy(old.witness, backup.witness)
    assert (found(backup).seq, found(backup).fault) == (11, Fault.WITNESS_BEYOND)
    assert backup.verified(witness=False).ok


def test_a_fork_shown_to_another_auditor_is_found_by_comparing_with_the_witness(house: House, tmp_path: Path) -> None:
    fork = house.copied(tmp_path / "fork")
    fork.cut(30)
    vault, record = MemoryVault(), new_id()
    vault.add_owner(None, record, due_year=None)
    for shown in (house, fork):
        shown.fill(Log(vault, shown.clock), record, range(31, 61), checkpoints=(60,))
    assert fork.verified().ok
    assert house.verified().ok
    assert not verify(fork.db, fork.signer, house.witness, clock=fork.clock).ok


def test_an_entry_deleted_before_its_seal_is_found_while_its_place_in_the_queue_stays(house: House) -> None:
    vault, record = MemoryVault(), new_id()
    vault.add_owner(None, record, due_year=None)
    with house.db.writing() as work:
        entry = Log(vault, house.clock).note(work.session, Identity("chen"), "record.read")
        work.commit()
    house.rewrite(delete(LogEntry).where(LogEntry.id == entry))
    assert (found(house).entry, found(house).fault) == (entry, Fault.WAITING_MISSING)
    house.rewrite(delete(LogUnsealed))
    assert house.verified().ok


def test_a_line_of_the_witness_that_was_changed_is_found(house: House) -> None:
    lines = house.witness.read_text().splitlines(keepends=True)
    house.witness.write_text(lines[0].replace('\\"size\\":10', '\\"size\\":11') + lines[1])
    assert found(house).fault is Fault.WITNESS_FORGED
    house.witness.write_text("nonsense\n")
    assert found(house).fault is Fault.WITNESS_UNREADABLE


@pytest.mark.parametrize("left", [None, 0, 1])
def test_a_witness_that_is_gone_or_was_cut_is_found_once_it_should_have_been_told(
    house: House, left: int | None
) -> None:
    lines = house.witness.read_text().splitlines(keepends=True)
    house.witness.unlink() if left is None else house.witness.write_text("".join(lines[:left]))
    assert house.verified().ok  # it may not have been told yet
    house.clock.move(hours=2)
    assert (found(house).fault, found(house).seq) == (Fault.WITNESS_SHORT, 25 if left else 10)
    assert house.verified().witnessed == (left or 0)
    assert house.verified(witness=False).ok
    house.witness.write_text("".join(lines[1:]))
    assert (found(house).fault, found(house).seq) == (Fault.WITNESS_SHORT, 10)
    house.witness.write_text("".join([*lines, lines[1]]))  # two processes told it at once
    assert (house.verified().ok, house.verified().witnessed) == (True, 2)


def test_no_checkpoint_is_signed_over_a_chain_that_was_rewritten(house: House) -> None:
    house.rewrite(update(LogEntry).where(LogEntry.id == house.entry_at(3)).values(actor="wang"))
    house.rechain()
    with pytest.raises(Damaged):
        Checkpoints(house.db, house.signer, house.clock).make()


def test_the_first_of_several_faults_is_named(house: House) -> None:
    later, earlier = house.entry_at(30), house.entry_at(17)
    house.rewrite(update(LogEntry).where(LogEntry.id.in_([later, earlier])).values(actor="wang"))
    assert (found(house).seq, found(house).entry) == (17, earlier)
    assert isinstance(found(house).entry, UUID)
