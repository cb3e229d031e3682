"""Copying contents from one object store to another, each checked by its hash as it passes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from archive.errors import Interrupted, NotFound
from archive.ports import ObjectStore, StoredObject
from storage.prefixed import PrefixedStore

COPIERS = 4
_BATCH = 64

Told = Callable[[str, int, int], None]
"""Hears which step is at work, how much of it is done and how much there is (0: not known)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A content to copy: where it lies, in cipher bytes how long, and their SHA-256."""

    key: str
    size: int
    sha256: str
    version: str = ""


class Copying:
    """Copies objects that the target lacks, several at once, each checked by its hash as it passes.

    Args:
        store: where they are.
        target: where they are to be.
        there: keys and sizes of what the target holds.
        going_on: says no when the work is to stop.
    """

    def __init__(
        self, store: ObjectStore, target: ObjectStore, there: dict[str, int], going_on: Callable[[], bool]
    ) -> None:
        self._store = store
        self._target = target
        self._going_on = going_on
        self.there = there
        self.count = self.bytes = 0
        self.faults: set[str] = set()

    def going_on(self) -> None:
        """Raise ``Interrupted`` when the work is to stop."""
        if not self._going_on():
            raise Interrupted

    def copy(self, items: Sequence[Item], told: Told) -> None:
        """Copy what is missing. What is damaged or gone at its source is told in ``faults``, and not copied."""
        wanted = [item for item in items if self.there.get(f"objects/{item.key}") != item.size]
        with ThreadPoolExecutor(COPIERS) as pool:
            for start in range(0, len(wanted), _BATCH):
                self.going_on()
                batch = wanted[start : start + _BATCH]
                for item, good in zip(batch, pool.map(self._one, batch), strict=True):
                    if good:
                        self.there[f"objects/{item.key}"] = item.size
                        self.count, self.bytes = self.count + 1, self.bytes + item.size
                        self.faults.discard(item.key)
                    else:
                        self.faults.add(item.key)
                told("objects", start + len(batch), len(wanted))

    def _one(self, item: Item) -> bool:
        return copied(item, self._store, PrefixedStore(self._target, "objects/")) is not None


def copied(item: Item, source: ObjectStore, target: ObjectStore) -> StoredObject | None:
    """Copy a content into another store; return what lies there, None when the source does not hold it whole."""
    passing = Hashed()
    try:
        put = target.put(item.key, passing.through(source.read(item.key, item.version)))
    except NotFound:
        return None
    if passing.sha256 == item.sha256:
        return put
    target.remove(put.key, put.version)
    return None


def is_whole(item: Item, store: ObjectStore, version: str) -> bool:
    """Read a content back from a store; whether it is what it was."""
    passing = Hashed()
    with suppress(NotFound):
        for _ in passing.through(store.read(item.key, version)):
            pass
        return passing.sha256 == item.sha256
    return False


class Hashed:
    """Hashes what passes."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the blocks as they come."""
        for block in blocks:
            self._digest.update(block)
            yield block

    @property
    def sha256(self) -> str:
        """The hash of what has passed."""
        return self._digest.hexdigest()
