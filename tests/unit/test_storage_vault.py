"""What is sealed for an owner opens for that owner, in that place, as long as the key stands."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from archive.database import Database
from archive.errors import Damaged, KeyUnavailable
from archive.ids import new_id
from archive.model import Generation, OwnerKey
from archive.ports import Vault
from storage.objects import FileStore
from storage.ring import KeyRing
from storage.vault import RingVault, trail_of
from tests.fakes.clock import FixedClock


@pytest.fixture
def vault(tmp_path: Path) -> RingVault:
    return RingVault(KeyRing.create(tmp_path / "keys"), FixedClock())


def test_it_keeps_the_port(vault: RingVault) -> None:
    port: Vault = vault
    assert port.token("phone", "1") == vault.ring.token("phone", "1")


def test_a_seal_opens_for_its_owner_and_context_alone(db: Database, vault: RingVault) -> None:
    owner, other = new_id(), new_id()
    with db.writing() as work:
        vault.add_owner(work.session, owner, due_year=2036)
        vault.add_owner(work.session, other, due_year=2036)
        sealed = vault.seal(work.session, owner, "张三".encode(), context="record-fields:1")
        assert "张三".encode() not in sealed
        assert vault.open(work.session, owner, sealed, context="record-fields:1") == "张三".encode()
        with pytest.raises(Damaged):
            vault.open(work.session, owner, sealed, context="record-fields:2")
        with pytest.raises(Damaged):
            vault.open(work.session, other, sealed, context="record-fields:1")
        assert vault.seal(work.session, owner, b"x", context="") != vault.seal(work.session, owner, b"x", context="")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), at=st.integers(0, 10_000), cut=st.booleans())
def test_a_changed_seal_is_damaged(db: Database, vault: RingVault, data: bytes, at: int, cut: bool) -> None:
    owner = new_id()
    with db.writing() as work:
        vault.add_owner(work.session, owner, due_year=None)
        sealed = bytearray(vault.seal(work.session, owner, data, context="c"))
        if cut:
            sealed = sealed[: at % len(sealed)]
        else:
            sealed[at // 8 % len(sealed)] ^= 1 << (at % 8)
        with pytest.raises(Damaged):
            vault.open(work.session, owner, bytes(sealed), context="c")


def test_many_are_sealed_and_opened_with_holes_where_they_cannot(db: Database, vault: RingVault) -> None:
    owners = [new_id() for _ in range(1200)]
    with db.writing() as work:
        session = work.session
        vault.add_owners(session, [(owner, 2030 + at % 3) for at, owner in enumerate(owners)])
        items = [(owner, owner.bytes, owner.hex) for owner in owners]
        sealed = vault.seal_many(session, items)
        again = [(owner, each, owner.hex) for owner, each in zip(owners, sealed, strict=True)]
        assert vault.open_many(session, again) == [owner.bytes for owner in owners]
        session.execute(delete(OwnerKey).where(OwnerKey.owner_id == owners[3]))
        again[5] = (owners[5], sealed[6], owners[5].hex)
        expected = [None if at in {3, 5} else owner.bytes for at, owner in enumerate(owners)]
        assert vault.open_many(session, again) == expected
        with pytest.raises(KeyUnavailable):
            vault.seal_many(session, items)


def test_an_owner_without_key_and_a_destroyed_generation_are_unavailable(db: Database, vault: RingVault) -> None:
    owner, neighbour = new_id(), new_id()
    with db.writing() as work:
        session = work.session
        vault.add_owners(session, [(owner, 2030), (neighbour, 2031)])
        sealed = vault.seal(session, owner, b"x", context="c")
        kept = vault.seal(session, neighbour, b"y", context="c")
        with pytest.raises(KeyUnavailable):
            vault.seal(session, new_id(), b"x", context="c")
        generation = session.execute(select(OwnerKey.generation_id).where(OwnerKey.owner_id == owner)).scalar_one()
        vault.ring.destroy_generation(generation)
        with pytest.raises(KeyUnavailable):
            vault.open(session, owner, sealed, context="c")
        assert vault.open_many(session, [(owner, sealed, "c"), (neighbour, kept, "c")]) == [None, b"y"]


def test_a_wrapped_key_put_under_another_owner_is_damaged(db: Database, vault: RingVault) -> None:
    one, other = new_id(), new_id()
    with db.writing() as work:
        session = work.session
        vault.add_owners(session, [(one, 2030), (other, 2030)])
        wrapped = session.execute(select(OwnerKey.wrapped).where(OwnerKey.owner_id == one)).scalar_one()
        session.execute(update(OwnerKey).where(OwnerKey.owner_id == other).values(wrapped=wrapped))
        with pytest.raises(Damaged):
            vault.seal(session, other, b"x", context="c")


def test_owners_of_a_year_share_a_generation_and_years_do_not(db: Database, vault: RingVault) -> None:
    with db.writing() as work:
        vault.add_owners(work.session, [(new_id(), year) for year in (2030, None, 2030, 2031)])
        vault.add_owner(work.session, new_id(), due_year=2030)
        work.commit()
    with db.reading() as session:
        years = sorted(session.scalars(select(Generation.due_year)), key=str)
    assert years == [2030, 2031, None]
    assert len(vault.ring.generations()) == 3


def test_a_log_year_has_one_owner(db: Database, vault: RingVault) -> None:
    with db.writing() as work:
        first = vault.log_owner(work.session, 2026)
        assert vault.log_owner(work.session, 2026) == first
        assert vault.log_owner(work.session, 2027) != first
        sealed = vault.seal(work.session, first, b"words", context="log:1")
        assert vault.open(work.session, first, sealed, context="log:1") == b"words"


def test_an_owner_whose_year_changes_keeps_its_seals_and_its_trail(db: Database, vault: RingVault) -> None:
    owner = new_id()
    with db.writing() as work:
        session = work.session
        vault.add_owner(session, owner, due_year=None)
        sealed = vault.seal(session, owner, b"x", context="c")
        first = session.execute(select(OwnerKey.generation_id)).scalar_one()
        vault.regroup(session, [(owner, 2040)])
        vault.regroup(session, [(owner, 2040)])
        assert vault.open(session, owner, sealed, context="c") == b"x"
        second, wrapped = session.execute(select(OwnerKey.generation_id, OwnerKey.wrapped)).one()
        assert second != first
        assert trail_of(wrapped) == (first,)
        vault.regroup(session, [(owner, None)])
        assert trail_of(session.execute(select(OwnerKey.wrapped)).scalar_one()) == (second,)
        with pytest.raises(KeyUnavailable):
            vault.regroup(session, [(new_id(), 2040)])


def test_a_content_is_sealed_stored_and_read_after_the_session(db: Database, vault: RingVault, tmp_path: Path) -> None:
    store, owner, content = FileStore(tmp_path / "store"), new_id(), new_id()
    plain = b"juanku " * 200_000
    with db.writing() as work:
        vault.add_owner(work.session, owner, due_year=2030)
        sealer = vault.unlock(work.session, owner).content_sealer(content)
        work.commit()
    stored = store.put("k", [sealer.piece(plain, last=True)])
    with db.reading() as session:
        reader = vault.unlock(session, owner).content_reader(content, store, stored.key, stored.version)
        with pytest.raises(Damaged):
            vault.unlock(session, owner).content_reader(new_id(), store, stored.key, stored.version)
    assert reader.size == len(plain)
    assert b"".join(reader.read()) == plain
    assert b"".join(reader.read(600_000, 11)) == plain[600_000:600_011]
