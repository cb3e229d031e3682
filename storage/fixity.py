"""Proof without keys that stored bytes are still what was stored: the cipher bytes' hash against the row's."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from archive.errors import NotFound, Unavailable
from archive.model import Content, Fixity
from archive.ports import ObjectStore

__all__ = ["Finding", "Fixity", "Look", "check", "cipher_hash", "look"]

BAD_SECTOR = "EIO"
_READINGS = 2
"""How often an object is read whose bytes do not come: MinIO answers as if it were busy when its disk damaged them."""


@dataclass(frozen=True)
class Finding:
    """One content and what its check found."""

    content_id: UUID
    object_key: str
    fixity: Fixity


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


def look(store: ObjectStore, stored: Stored, passed: Callable[[int], None] = lambda _bytes: None) -> Look:
    """Read all of an object and tell what it is.

    Args:
        store: where it lies.
        stored: what it should be.
        passed: hears of each block how many bytes it has; may take its time.

    Raises:
        Unavailable: the store does not answer. That is no finding; a disk that cannot read a file is one.
    """
    if stored.store_version is None:
        return Look(Fixity.MISSING)
    digest, size = hashlib.sha256(), 0
    try:
        for block in store.read(stored.object_key, stored.store_version):
            digest.update(block)
            size += len(block)
            passed(len(block))
    except NotFound:
        return Look(Fixity.MISSING)
    except Unavailable as error:
        if error.facts.get("reason") != BAD_SECTOR:
            raise
        return Look(Fixity.UNREADABLE)
    same = size == stored.cipher_size and digest.hexdigest() == stored.cipher_sha256
    return Look(Fixity.WHOLE if same else Fixity.CHANGED, size, digest.hexdigest())


def check(store: ObjectStore, contents: Iterable[Content]) -> Iterator[Finding]:
    """Yield one finding per stored content. A store that does not answer raises ``Unavailable``: that is no finding."""
    for content in contents:
        yield Finding(content.id, content.object_key, _fixity(store, content))


def _fixity(store: ObjectStore, content: Content) -> Fixity:
    if content.store_version is None:
        return Fixity.MISSING
    for _ in range(_READINGS):
        known = store.stat(content.object_key, content.store_version)
        if known is None:
            return Fixity.MISSING
        if known.size != content.cipher_size:
            return Fixity.CHANGED
        with suppress(Unavailable):  # the object's own fault, so long as the store answers what it is asked of it next
            return look(store, content).fixity
    store.stat(content.object_key, content.store_version)
    return Fixity.UNREADABLE
