"""What a destruction needs of keys and bytes, over a ring (``ports.KeyErasing``) and folders (``ObjectErasing``)."""

import os
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Damaged, KeyUnavailable
from archive.model import RingCopy
from archive.ports import KeysGone
from storage import generations
from storage.objects import FileStore
from storage.ring import KeyRing

_NONCE = 12


class RingErasing:
    """``ports.KeyErasing``."""

    def __init__(self, db: Database, ring: KeyRing, clock: Clock) -> None:
        self._db = db
        self._ring = ring
        self._clock = clock

    def doom(self, session: Session, owners: Sequence[UUID]) -> None:
        """Close every generation that opens these owners' keys."""
        generations.doom(session, self._ring, owners)

    def rewrap(self) -> Collection[UUID]:
        """Give who is left in closed generations other keys."""
        return generations.rewrap(self._db, self._ring, self._clock)[1]

    def destroy(self, left: Collection[UUID]) -> KeysGone:
        """Destroy the keys of generations, here and in each registered copy of the ring."""
        done = generations.finish(self._db, self._ring, self._clock, left)
        with self._db.reading() as session:
            copies = session.scalar(select(func.count()).select_from(RingCopy)) or 0
        return KeysGone(len(done.destroyed), copies, done.unconfirmed)

    def passing(self, key_id: UUID) -> "RingPassingKey":
        """Return a key of its own."""
        return RingPassingKey(self._ring, key_id)


class RingPassingKey:
    """``ports.PassingKey``: a generation of the ring that no row names."""

    def __init__(self, ring: KeyRing, key_id: UUID) -> None:
        self._ring = ring
        self._id = key_id

    def _key(self) -> bytes:
        try:
            return self._ring.generation(self._id)
        except KeyUnavailable as error:
            if error.facts.get("reason") == "destroyed":
                raise
        self._ring.add_generation(self._id)
        return self._ring.generation(self._id)

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Encrypt a small text."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key()).encrypt(nonce, data, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt it."""
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except InvalidTag:
            raise Damaged(what="passing_key") from None

    def end(self) -> None:
        """Destroy the key."""
        self._ring.destroy_generation(self._id)


class FileErasing:
    """``ports.ObjectErasing`` over a folder, which locks nothing."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def held(self, objects: Mapping[str, str | None]) -> frozenset[str]:  # noqa: ARG002 (the contract's)
        """Nothing is ever held."""
        return frozenset()

    def erase(self, objects: Mapping[str, str | None]) -> frozenset[str]:
        """Remove every version of these keys, whichever is named."""
        for key in objects:
            for info in list(self._store.versions(key)):
                self._store.remove(info.key, info.version)
        return frozenset()

    def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return how many versions stand of each key that is not gone."""
        found = {key: sum(1 for _ in self._store.versions(key)) for key in keys}
        return {key: count for key, count in found.items() if count}
