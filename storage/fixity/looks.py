"""Proof without keys that stored bytes are still what was stored: the cipher bytes' hash against the row's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from archive.database import Database
from archive.errors import NotFound, Unavailable
from archive.files.opening import own_fault
from archive.model import Fixity
from archive.ports import ObjectStore
from storage.copying import READINGS

__all__ = ["Fixity", "Look", "cipher_hash", "look"]


@dataclass(frozen=True)
class Look:
    """What was found of an object: ``size`` and hex ``sha256`` of the bytes that are there (None: none)."""

    fixity: Fixity
    size: int | None = None
    sha256: str | None = None


class Stored(Protocol):
    """What must be known of an object to check it."""

    @property
    def object_key(self) -> str:
        """Its key."""
        ...

    @property
    def store_version(self) -> str | None:
        """Its version."""
        ...

    @property
    def cipher_size(self) -> int | None:
        """Its length in bytes."""
        ...

    @property
    def cipher_sha256(self) -> str | None:
        """Its hash in hex."""
        ...


def cipher_hash(store: ObjectStore, key: str, version: str) -> str:
    """Return the hex SHA-256 of an object's bytes as they lie in the store. Raises ``NotFound``."""
    digest = hashlib.sha256()
    for block in store.read(key, version):
        digest.update(block)
    return digest.hexdigest()


def look(store: ObjectStore, stored: Stored, db: Database, passed: Callable[[int], None] = lambda _bytes: None) -> Look:
    """Read all of an object and tell what it is.

    Args:
        store: where it lies.
        stored: what it should be.
        db: knows the other objects, one of which is asked for when this one does not come.
        passed: hears of each block how many bytes it has; may take its time.

    Raises:
        Unavailable: the store does not answer. That is no finding; an object that it cannot read is one.
    """
    if stored.store_version is None:
        return Look(Fixity.MISSING)
    for _ in range(READINGS):
        try:
            return _read(store, stored, stored.store_version, passed)
        except NotFound:
            return Look(Fixity.MISSING)
        except Unavailable as error:
            if not own_fault(error, db, store, stored.object_key):
                raise
    return Look(Fixity.UNREADABLE)


def _read(store: ObjectStore, stored: Stored, version: str, passed: Callable[[int], None]) -> Look:
    digest, size = hashlib.sha256(), 0
    for block in store.read(stored.object_key, version):
        digest.update(block)
        size += len(block)
        passed(len(block))
    same = size == stored.cipher_size and digest.hexdigest() == stored.cipher_sha256
    return Look(Fixity.WHOLE if same else Fixity.CHANGED, size, digest.hexdigest())
