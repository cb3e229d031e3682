"""Erasing by generation: the erased are unreadable in every older copy, their neighbours are read on."""

import io
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from archive.database import Database
from archive.errors import Damaged, KeyUnavailable
from archive.ids import new_id
from archive.model import Generation, OwnerKey, RingCopy
from storage import generations, keypack
from storage.erasing import RingErasing
from storage.objects import FileStore
from storage.ring import KeyRing
from storage.vault import RingVault
from tests.factories import postgres
from tests.factories.databases import a_database, another
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres


@dataclass
class Sealed:
    """Something sealed for an owner: a field, and a file."""

    owner: UUID
    field: bytes
    content: UUID
    key: str
    version: str


class House:
    """A database, a store and a ring in folders of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ring_folder = folder / "keys"
        self.writes: list[float] = []
        self.db = a_database(folder, on_write=self.writes.append)
        self.store = FileStore(folder / "store")
        self.clock = FixedClock()
        self.ring = KeyRing.create(self.ring_folder)
        self.vault = RingVault(self.ring, self.clock)

    def keep(self, due_year: int | None) -> Sealed:
        """Seal a field and store a file for a new owner."""
        owner, content = new_id(), new_id()
        with self.db.writing() as work:
            self.vault.add_owner(work.session, owner, due_year=due_year)
            field = self.vault.seal(work.session, owner, b"field", context="c")
            sealer = self.vault.unlock(work.session, owner).content_sealer(content)
            work.commit()
        stored = self.store.put(content.hex, [sealer.piece(b"file" * 100, last=True)])
        return Sealed(owner, field, content, stored.key, stored.version)

    def copy_all_but_the_ring(self, target: Path) -> Path:
        """Copy database and objects as a backup would."""
        target.mkdir()
        if postgres.used():
            self.db.close()
            postgres.copied(self.folder, target)
        else:
            source = sqlite3.connect(self.folder / "house.db")
            with sqlite3.connect(target / "house.db") as copy:
                source.backup(copy)
            source.close()
            copy.close()
        shutil.copytree(self.folder / "store", target / "store")
        return target

    def erase(self, *sealed: Sealed) -> generations.Outcome:
        return generations.erase_owners(self.db, self.ring, [each.owner for each in sealed], self.clock)


def readable(db: Database, ring: KeyRing, store: FileStore, sealed: Sealed) -> bool:
    """Whether field and file can be read; both or neither."""
    vault = RingVault(ring)
    with db.reading() as session:
        try:
            assert vault.open(session, sealed.owner, sealed.field, context="c") == b"field"
        except KeyUnavailable:
            with pytest.raises(KeyUnavailable):
                vault.unlock(session, sealed.owner).content_reader(sealed.content, store, sealed.key, sealed.version)
            return False
        reader = vault.unlock(session, sealed.owner).content_reader(sealed.content, store, sealed.key, sealed.version)
        assert b"".join(reader.read()) == b"file" * 100
        return True


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "house"
    folder.mkdir()
    made = House(folder)
    yield made
    made.db.close()


def now_readable(house: House, sealed: Sealed) -> bool:
    return readable(house.db, KeyRing.open(house.ring_folder), house.store, sealed)


def test_an_old_copy_opened_with_ring_and_key_pack_of_today_cannot_read_the_erased(
    house: House, tmp_path: Path
) -> None:
    erased, neighbour, permanent = house.keep(2030), house.keep(2030), house.keep(None)
    backup = house.copy_all_but_the_ring(tmp_path / "backup")

    outcome = house.erase(erased)
    assert outcome.erased == 1
    assert outcome.moved == 1
    assert outcome.complete
    pack = io.BytesIO()
    keypack.write_pack(house.db, pack)
    today = KeyRing.open(house.ring_folder)

    old = another(backup)
    old_store = FileStore(backup / "store")
    # Without the newest pack even the neighbour's old key opens no more: nothing of that generation does.
    assert not readable(old, today, old_store, erased)
    assert not readable(old, today, old_store, neighbour)
    assert readable(old, today, old_store, permanent)

    pack.seek(0)
    keypack.load_pack(old, pack)
    assert not readable(old, today, old_store, erased)
    assert readable(old, today, old_store, neighbour)
    assert readable(old, today, old_store, permanent)
    old.close()

    assert not now_readable(house, erased)
    assert now_readable(house, neighbour)


def test_an_owner_that_changed_its_year_is_erased_from_copies_of_before_too(house: House, tmp_path: Path) -> None:
    erased, neighbour = house.keep(None), house.keep(None)
    backup = house.copy_all_but_the_ring(tmp_path / "backup")
    with house.db.writing() as work:
        house.vault.regroup(work.session, [(erased.owner, 2036)])
        work.commit()
    house.erase(erased)

    old = another(backup)
    assert not readable(old, KeyRing.open(house.ring_folder), FileStore(backup / "store"), erased)
    old.close()
    assert now_readable(house, neighbour)


def test_erasing_again_changes_nothing(house: House) -> None:
    erased, neighbour = house.keep(2030), house.keep(2030)
    house.erase(erased)
    again = house.erase(erased)
    assert (again.erased, again.moved, again.destroyed) == (0, 0, ())
    assert now_readable(house, neighbour)
    with house.db.reading() as session:
        assert len(session.scalars(select(Generation.id)).all()) == 1
    assert len(house.ring.generations()) == 1


def test_new_owners_come_in_after_an_erasure(house: House) -> None:
    house.erase(house.keep(2030))
    assert now_readable(house, house.keep(2030))


def test_rotating_replaces_every_key_and_changes_nothing_else(house: House) -> None:
    kept = [house.keep(year) for year in (2030, 2030, 2031, None)]
    with house.db.writing() as work:
        year = house.vault.log_owner(work.session, 2026)
        work.commit()
    before, root = set(house.ring.generations()), (house.ring_folder / "root.key").read_bytes()
    outcome = generations.rotate(house.db, house.ring, house.clock)
    assert outcome.moved == 5
    assert set(outcome.destroyed) == before
    assert not before & set(house.ring.generations())
    assert (house.ring_folder / "root.key").read_bytes() != root
    assert all(now_readable(house, each) for each in kept)
    with house.db.writing() as work:
        assert house.vault.log_owner(work.session, 2026) == year


class Crash(Exception):
    pass


STEPS: list[tuple[object, str]] = [
    (generations, "_close"),
    (generations, "_move_batch"),
    (generations, "_move_survivors"),
    (generations, "_is_empty"),
    (generations, "refresh_copies"),
    (KeyRing, "destroy_generation"),
    (KeyRing, "add_generation"),
    (generations, "finish"),
]


def crash(monkeypatch: pytest.MonkeyPatch, where: object, name: str, *, after: bool) -> None:
    real: Callable[..., object] = getattr(where, name)

    def crashing(*given: object, **named: object) -> object:
        if after:
            real(*given, **named)
        raise Crash

    monkeypatch.setattr(where, name, crashing)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("where", "name"), STEPS, ids=[name for _, name in STEPS])
def test_an_erasure_that_crashes_is_finished_by_repeating_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, name: str, after: bool
) -> None:
    erased, neighbour = house.keep(2030), house.keep(2030)
    generations.register_copy(house.db, house.ring, "safe", tmp_path / "safe", house.clock)
    backup = house.copy_all_but_the_ring(tmp_path / "backup")
    with monkeypatch.context() as patch:
        crash(patch, where, name, after=after)
        with pytest.raises(Crash):
            house.erase(erased)
    house.ring = KeyRing.open(house.ring_folder)
    assert now_readable(house, neighbour)
    if name == "destroy_generation":  # by then every copy must hold the new keys
        assert readable(house.db, KeyRing.open(tmp_path / "safe"), house.store, neighbour)

    outcome = house.erase(erased)
    assert outcome.complete
    old = another(backup)
    for ring in (KeyRing.open(house.ring_folder), KeyRing.open(tmp_path / "safe")):
        assert not readable(old, ring, FileStore(backup / "store"), erased)
        assert not readable(house.db, ring, house.store, erased)
        assert readable(house.db, ring, house.store, neighbour)
    old.close()
    with house.db.reading() as session:
        assert session.scalars(select(Generation.id).where(Generation.open.is_(False))).all() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("where", "name"), STEPS[1:], ids=[name for _, name in STEPS[1:]])
def test_a_rotation_that_crashes_is_finished_later(
    house: House, monkeypatch: pytest.MonkeyPatch, where: object, name: str, after: bool
) -> None:
    kept = [house.keep(2030), house.keep(None)]
    before = set(house.ring.generations())
    with monkeypatch.context() as patch:
        crash(patch, where, name, after=after)
        with pytest.raises(Crash):
            generations.rotate(house.db, house.ring, house.clock)
    house.ring = KeyRing.open(house.ring_folder)
    assert all(now_readable(house, each) for each in kept)
    generations.finish(house.db, house.ring, house.clock)
    assert all(now_readable(house, each) for each in kept)
    assert not before & set(house.ring.generations())


def test_keys_go_only_when_a_backup_after_the_move_has_what_took_their_place(house: House) -> None:
    one, other, neighbour = house.keep(2030), house.keep(2030), house.keep(2030)
    erasing = RingErasing(house.db, house.ring, house.clock)

    def take(gone: Sealed) -> None:
        with house.db.writing() as work:
            erasing.doom(work.session, [gone.owner])
            work.session.execute(delete(OwnerKey).where(OwnerKey.owner_id == gone.owner))
            work.commit()

    take(one)
    left = erasing.rewrap()  # now the first makes its backup
    with house.db.reading() as session:
        backed = session.get_one(OwnerKey, neighbour.owner).generation_id
    take(other)  # another destruction comes as far as its own
    later = erasing.rewrap()
    assert erasing.destroy(left).destroyed == 1
    assert not house.ring.is_destroyed(backed), "the first's backup is the only one that has the neighbour's key"
    assert erasing.destroy(later).destroyed == 1
    assert house.ring.is_destroyed(backed)
    assert [now_readable(house, each) for each in (one, other, neighbour)] == [False, False, True]


def test_a_copy_of_the_ring_that_is_away_is_named_until_it_confirms(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    erased, neighbour = house.keep(2030), house.keep(2030)
    generations.register_copy(house.db, house.ring, "usb stick", folder, house.clock)
    assert readable(house.db, KeyRing.open(folder), house.store, erased)

    folder.rename(tmp_path / "away")
    house.clock.move(days=1)
    outcome = house.erase(erased)
    assert outcome.unconfirmed == ("usb stick",)
    assert not outcome.complete

    (tmp_path / "away").rename(folder)
    again = generations.finish(house.db, house.ring, house.clock)
    assert again.complete
    assert readable(house.db, KeyRing.open(folder), house.store, neighbour)
    with house.db.reading() as session:
        assert session.scalars(select(RingCopy)).one().confirmed_at == house.clock.now()
        assert session.scalars(select(Generation.id)).all() == house.ring.generations()


def test_no_write_transaction_is_long(house: House) -> None:
    owners = [new_id() for _ in range(3000)]
    with house.db.writing() as work:
        house.vault.add_owners(work.session, [(owner, 2030) for owner in owners])
        work.commit()
    house.writes.clear()
    begun = time.process_time()  # not the clock: the machine that tests may be busy
    outcome = generations.rotate(house.db, house.ring, house.clock)
    taken = time.process_time() - begun
    assert outcome.moved == 3000
    assert len(house.writes) > 15
    assert taken / len(house.writes) < 0.1


def test_a_key_pack_restores_every_wrapped_key_and_no_more(house: House) -> None:
    kept = [house.keep(year) for year in (2030, None)]
    with house.db.writing() as work:
        year = house.vault.log_owner(work.session, 2026)
        work.commit()
    pack = io.BytesIO()
    counts = keypack.write_pack(house.db, pack)
    assert (counts.generations, counts.owners) == (2, 3)
    later = house.keep(2030)
    pack.seek(0)
    assert keypack.load_pack(house.db, pack) == counts
    assert all(now_readable(house, each) for each in kept)
    assert not now_readable(house, later)
    with house.db.writing() as work:
        assert house.vault.log_owner(work.session, 2026) == year
    assert b"field" not in pack.getvalue()


@pytest.mark.parametrize("at", [0, 20, 100, -40, -1])
def test_a_damaged_key_pack_changes_nothing(house: House, at: int) -> None:
    kept = house.keep(2030)
    pack = io.BytesIO()
    keypack.write_pack(house.db, pack)
    whole = bytearray(pack.getvalue())
    for damaged in (bytes(whole[:at]), bytes([*whole[:at], whole[at] ^ 1, *whole[at:][1:]])):
        with pytest.raises(Damaged):
            keypack.load_pack(house.db, io.BytesIO(damaged))
    with house.db.reading() as session:
        assert session.scalars(select(OwnerKey.owner_id)).one() == kept.owner
    assert now_readable(house, kept)
