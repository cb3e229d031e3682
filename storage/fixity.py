"""Proof without keys that stored bytes are still what was stored: the cipher bytes' hash against the row's."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from archive.errors import NotFound, Unavailable
from archive.model import Content
from archive.ports import ObjectStore

_READINGS = 2
"""How often an object is read whose bytes do not come: MinIO answers as if it were busy when its disk damaged them."""


class Fixity(StrEnum):
    """What a check of a content found. ``UNREADABLE``: the store knows the object and does not hand its bytes out."""

    WHOLE = "whole"
    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """One content and what its check found."""

    content_id: UUID
    object_key: str
    fixity: Fixity


def cipher_hash(store: ObjectStore, key: str, version: str) -> str:
    """Return the hex SHA-256 of an object's bytes as they lie in the store. Raises ``NotFound``."""
    digest = hashlib.sha256()
    for block in store.read(key, version):
        digest.update(block)
    return digest.hexdigest()


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
        try:
            same = cipher_hash(store, content.object_key, content.store_version) == content.cipher_sha256
        except NotFound:
            return Fixity.MISSING
        except Unavailable:  # the object's own fault, so long as the store answers what it is asked of it next
            continue
        return Fixity.WHOLE if same else Fixity.CHANGED
    store.stat(content.object_key, content.store_version)
    return Fixity.UNREADABLE
