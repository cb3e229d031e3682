"""Seals bytes under the key of their owner. The owner's wrapped key is a row, what opens it is in the ring.

A wrapped key is ``format 1 | n | n generation ids | nonce 12 | cipher 32 | tag 16``. The ids are the *trail*: other
generations under which the same key has been wrapped before (an owner moves when its due year changes). While one of
those keys stands in the ring, an old copy of the database opens with it; an erasure therefore has to touch them all.

A small seal is ``format 1 | salt 16 | nonce 12 | cipher | tag 16`` under a key of its own, derived from the owner's.
"""

import hmac
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Integer, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from archive.clock import Clock, SystemClock
from archive.database import Base
from archive.database.postgres import make_keys_alone
from archive.errors import Damaged, KeyUnavailable
from archive.ids import new_id
from archive.model import Generation, OwnerKey
from archive.ports import ReadableObjects
from storage.ring import KeyRing
from storage.stream import StreamReader, StreamSealer

_MANY = 500
_SALT, _NONCE, _TAG = 16, 12, 16
_SEAL_HEAD = 1 + _SALT + _NONCE
_FORMAT = b"\x01"
_OWNERS = OwnerKey.__table__
_GENERATIONS = Base.metadata.tables["generation"]
_OPEN = (
    select(_GENERATIONS.c.id, _GENERATIONS.c.due_year)
    .where(
        _GENERATIONS.c.open.is_(True),
        or_(_GENERATIONS.c.due_year.is_(None), _GENERATIONS.c.due_year.in_(bindparam("years", expanding=True))),
    )
    .order_by(_GENERATIONS.c.id.desc())  # the last one read, the oldest, is the one that counts
    .with_for_update(read=True)
)
_OPEN_ONE = (
    select(_GENERATIONS.c.id)
    .where(
        _GENERATIONS.c.open.is_(True), _GENERATIONS.c.due_year.is_not_distinct_from(bindparam("year", type_=Integer))
    )
    .order_by(_GENERATIONS.c.id)
    .limit(1)
    .with_for_update(read=True)
)
_PLACED = select(_OWNERS.c.owner_id, _OWNERS.c.generation_id).where(
    _OWNERS.c.owner_id.in_(bindparam("owners", expanding=True))
)
_WRAPPED = _PLACED.add_columns(_OWNERS.c.wrapped)
_INSERT = insert(Base.metadata.tables["owner_key"])
_ONE = select(_OWNERS.c.generation_id, _OWNERS.c.wrapped).where(_OWNERS.c.owner_id == bindparam("whose"))
_MOVE = (
    update(OwnerKey)
    .where(_OWNERS.c.owner_id == bindparam("whose"))
    .values(generation_id=bindparam("generation_id"), wrapped=bindparam("wrapped"))
)


class RingVault:
    """``ports.Vault`` over a key ring. No owner's key is kept beyond the call, but by what was unlocked."""

    def __init__(self, ring: KeyRing, clock: Clock | None = None) -> None:
        self.ring = ring
        self._clock = clock or SystemClock()

    # Owners

    def add_owner(self, session: Session, owner: UUID, *, due_year: int | None) -> None:
        """Make a key for a new owner, in the generation of the year it falls due (None: permanent)."""
        self.add_owners(session, [(owner, due_year)])

    def add_owners(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        """Make keys for many new owners at once."""
        self._insert(session, [(owner, year, None) for owner, year in owners])

    def regroup(self, session: Session, owners: Sequence[tuple[UUID, int | None]]) -> None:
        """Move owners to the generations of other due years, rewrapping their keys.

        Raises:
            KeyUnavailable: an owner's key is destroyed.
        """
        targets = self._open_generations(session, {year for _, year in owners})
        for start in range(0, len(owners), _MANY):
            batch = dict(owners[start : start + _MANY])
            where = _generations_of(session, batch)
            for owner in batch:
                if owner not in where:
                    raise KeyUnavailable(key=str(owner), reason="destroyed")
            moving = [owner for owner, year in batch.items() if where[owner] != targets[year]]
            rows = wrapped_keys(session, moving, lock=True)
            moves = [
                (owner, generation, wrapped, targets[batch[owner]])
                for owner, (generation, wrapped) in rows.items()
                if generation != targets[batch[owner]]
            ]
            move(session, self.ring, moves)

    def log_owner(self, session: Session, year: int) -> UUID:
        """Return the owner of a year's log key, made on first use."""
        found = session.execute(select(OwnerKey.owner_id).where(OwnerKey.log_year == year)).scalar_one_or_none()
        if found is not None:
            return found
        make_keys_alone(session)
        found = session.execute(select(OwnerKey.owner_id).where(OwnerKey.log_year == year)).scalar_one_or_none()
        if found is not None:
            return found
        owner = new_id()
        self._insert(session, [(owner, None, year)])
        return owner

    def open_generation(self, session: Session, due_year: int | None) -> UUID:
        """Return the generation that takes owners of a due year, made (row and key) when there is none.

        Locks its row against being closed until the transaction ends.
        """
        found: UUID | None = session.connection().execute(_OPEN_ONE, {"year": due_year}).scalar_one_or_none()
        if found is None:
            make_keys_alone(session)
            found = session.execute(_OPEN_ONE, {"year": due_year}).scalar_one_or_none()
        if found is not None:
            return found
        made = new_id()
        self.ring.add_generation(made)  # first: a key without a row harms nothing, a row without a key would
        row = {"id": made, "due_year": due_year, "open": True, "created_at": self._clock.now()}
        session.execute(insert(Generation), [row])
        return made

    def _open_generations(self, session: Session, years: Collection[int | None]) -> dict[int | None, UUID]:
        """Return the open generation of each year; as ``open_generation``, with one query for all that are there."""
        if len(years) == 1:
            return {year: self.open_generation(session, year) for year in years}
        asked = {"years": [year for year in years if year is not None]}
        rows = session.connection().execute(_OPEN, asked)
        found = {year: key for key, year in rows if year in years}
        return {year: found.get(year) or self.open_generation(session, year) for year in years}

    def _insert(self, session: Session, owners: Iterable[tuple[UUID, int | None, int | None]]) -> None:
        grouped: dict[int | None, list[tuple[UUID, int | None]]] = defaultdict(list)
        for owner, year, log_year in owners:
            grouped[year].append((owner, log_year))
        rows = []
        generations = self._open_generations(session, grouped)
        for year, members in grouped.items():
            generation = generations[year]
            key = self.ring.generation(generation)
            for owner, log_year in members:
                wrapped = _wrap(key, owner, generation, os.urandom(32), ())
                rows.append({"owner_id": owner, "generation_id": generation, "log_year": log_year, "wrapped": wrapped})
        if rows:
            session.connection().execute(_INSERT, rows)

    # Small seals

    def seal(self, session: Session, owner: UUID, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text. ``context`` (what it is and whose) must be given again to open it."""
        return _seal(self._key(session, owner), owner, data, context)

    def open(self, session: Session, owner: UUID, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what ``seal`` made. Raises ``Damaged`` when bytes, owner or context differ."""
        return _open(self._key(session, owner), owner, sealed, context)

    def seal_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes]:
        """Seal many (owner, data, context) with one look-up of keys."""
        keys = self._keys(session, {owner for owner, _, _ in items})
        missing = next((owner for owner, _, _ in items if owner not in keys), None)
        if missing is not None:
            raise KeyUnavailable(key=str(missing), reason="destroyed")
        return [_seal(keys[owner], owner, data, context) for owner, data, context in items]

    def open_many(self, session: Session, items: Sequence[tuple[UUID, bytes, str]]) -> list[bytes | None]:
        """Open many (owner, sealed, context); None where the key is gone or the bytes are damaged."""
        keys = self._keys(session, {owner for owner, _, _ in items})
        opened: list[bytes | None] = []
        for owner, sealed, context in items:
            try:
                opened.append(_open(keys[owner], owner, sealed, context) if owner in keys else None)
            except Damaged:
                opened.append(None)
        return opened

    def token(self, kind: str, value: str) -> str:
        """Return the keyed token of a personal number (blind index): equal values, equal tokens."""
        return self.ring.token(kind, value)

    # Work that goes on without the database

    def unlock(self, session: Session, owner: UUID) -> "UnlockedKey":
        """Take an owner's key out, for work that goes on after the session is closed."""
        return UnlockedKey(owner, self._key(session, owner))

    def unlock_many(self, session: Session, owners: Collection[UUID]) -> "dict[UUID, UnlockedKey]":
        """Take the keys of many out at once; an owner whose key cannot be had is left out."""
        return {owner: UnlockedKey(owner, key) for owner, key in self._keys(session, owners).items()}

    # Keys

    def _key(self, session: Session, owner: UUID) -> bytes:
        found = session.execute(_ONE, {"whose": owner}).one_or_none()
        if found is None:
            raise KeyUnavailable(key=str(owner), reason="destroyed")
        generation, wrapped = found
        return unwrap(self.ring.generation(generation), owner, generation, wrapped)

    def _keys(self, session: Session, owners: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys that can be had; owners whose key is gone or damaged are left out."""
        found: dict[UUID, bytes] = {}
        generations: dict[UUID, bytes | None] = {}
        for owner, (generation, wrapped) in wrapped_keys(session, owners).items():
            if generation not in generations:
                generations[generation] = self._generation(generation)
            key = generations[generation]
            try:
                if key is not None:
                    found[owner] = unwrap(key, owner, generation, wrapped)
            except Damaged:
                continue
        return found

    def _generation(self, generation: UUID) -> bytes | None:
        try:
            return self.ring.generation(generation)
        except KeyUnavailable:
            return None


@dataclass(frozen=True)
class UnlockedKey:
    """``ports.Unlocked``."""

    owner: UUID
    _key: bytes = field(repr=False)

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text, as ``RingVault.seal``."""
        return _seal(self._key, self.owner, data, context)

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what was sealed, as ``RingVault.open``."""
        return _open(self._key, self.owner, sealed, context)

    def content_sealer(self, content_id: UUID, *, resume: bytes | None = None) -> StreamSealer:
        """Begin to encrypt a content; ``resume`` is its first cipher piece when going on after a break."""
        return StreamSealer(self._key, content_id, resume=resume)

    def content_reader(
        self, content_id: UUID, store: ReadableObjects, key: str, version: str, told: int | None = None
    ) -> StreamReader:
        """Open a stored content."""
        return StreamReader(self._key, content_id, store, key, version, told)


def wrapped_keys(session: Session, owners: Iterable[UUID], *, lock: bool = False) -> dict[UUID, tuple[UUID, bytes]]:
    """Return generation and wrapped key of each owner that has one, by one query per 500 owners."""
    wanted = list(owners)
    found: dict[UUID, tuple[UUID, bytes]] = {}
    query = _WRAPPED.with_for_update() if lock else _WRAPPED
    for start in range(0, len(wanted), _MANY):
        asked = {"owners": wanted[start : start + _MANY]}
        for owner, generation, wrapped in session.connection().execute(query, asked):
            found[owner] = (generation, wrapped)
    return found


def _generations_of(session: Session, owners: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the generation of each of at most 500 owners that has a key."""
    placed: dict[UUID, UUID] = dict(session.connection().execute(_PLACED, {"owners": list(owners)}).all())
    return placed


def move(session: Session, ring: KeyRing, moves: Sequence[tuple[UUID, UUID, bytes, UUID]]) -> None:
    """Rewrap owners' keys: each move is (owner, its generation, its wrapped key, the new generation)."""
    standing: dict[UUID, bool] = {}
    rows = []
    for owner, old, wrapped, new in moves:
        trail = {*trail_of(wrapped), old} - {new}
        for generation in trail - standing.keys():
            standing[generation] = not ring.is_destroyed(generation)
        key = unwrap(ring.generation(old), owner, old, wrapped)
        kept = sorted(generation for generation in trail if standing[generation])
        made = _wrap(ring.generation(new), owner, new, key, kept)
        rows.append({"whose": owner, "generation_id": new, "wrapped": made})
    if rows:
        session.connection().execute(_MOVE, rows)


def trail_of(wrapped: bytes) -> tuple[UUID, ...]:
    """Return the generations under which a key was wrapped before. Raises ``Damaged``."""
    if len(wrapped) < 2 or wrapped[:1] != _FORMAT or len(wrapped) != 2 + wrapped[1] * 16 + _NONCE + 32 + _TAG:
        raise Damaged(what="owner_key")
    return tuple(UUID(bytes=wrapped[at : at + 16]) for at in range(2, 2 + wrapped[1] * 16, 16))


def _wrap(generation_key: bytes, owner: UUID, generation: UUID, key: bytes, trail: Sequence[UUID]) -> bytes:
    head = _FORMAT + bytes([len(trail)]) + b"".join(each.bytes for each in trail)
    nonce = os.urandom(_NONCE)
    return head + nonce + AESGCM(generation_key).encrypt(nonce, key, _owner_bound(owner, generation, head))


def unwrap(generation_key: bytes, owner: UUID, generation: UUID, wrapped: bytes) -> bytes:
    """Return an owner's key. Raises ``Damaged`` when the row is not what was written for this owner."""
    trail_of(wrapped)
    at = 2 + wrapped[1] * 16
    bound = _owner_bound(owner, generation, wrapped[:at])
    try:
        return AESGCM(generation_key).decrypt(wrapped[at : at + _NONCE], wrapped[at + _NONCE :], bound)
    except InvalidTag:
        raise Damaged(what="owner_key", owner=str(owner)) from None


def _owner_bound(owner: UUID, generation: UUID, head: bytes) -> bytes:
    return b"juanku owner key 1" + owner.bytes + generation.bytes + head


def _seal_key(key: bytes, salt: bytes) -> AESGCM:
    # One block of HKDF-Expand: an owner's key is random already and needs no extraction (RFC 5869, 3.3).
    return AESGCM(hmac.digest(key, b"juanku seal 1" + salt + b"\x01", "sha256"))


def _seal_bound(owner: UUID, context: str) -> bytes:
    return b"juanku seal 1" + owner.bytes + context.encode()


def _seal(key: bytes, owner: UUID, data: bytes, context: str) -> bytes:
    fresh = os.urandom(_SALT + _NONCE)
    salt, nonce = fresh[:_SALT], fresh[_SALT:]
    return _FORMAT + fresh + _seal_key(key, salt).encrypt(nonce, data, _seal_bound(owner, context))


def _open(key: bytes, owner: UUID, sealed: bytes, context: str) -> bytes:
    if len(sealed) < _SEAL_HEAD + _TAG or sealed[:1] != _FORMAT:
        raise Damaged(what="sealed", owner=str(owner))
    salt, nonce = sealed[1 : 1 + _SALT], sealed[1 + _SALT : _SEAL_HEAD]
    try:
        return _seal_key(key, salt).decrypt(nonce, sealed[_SEAL_HEAD:], _seal_bound(owner, context))
    except InvalidTag:
        raise Damaged(what="sealed", owner=str(owner)) from None
