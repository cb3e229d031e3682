"""Copying contents from one object store to another, each checked by its hash as it passes."""

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from archive.errors import Interrupted, NotFound, Unavailable
from archive.files.opening import BAD_SECTOR, OTHERS
from archive.ports import ObjectStore, StoredObject
from storage.items import Item
from storage.prefixed import PrefixedStore
from storage.scratch import Scratch

COPIERS = 4
AHEAD = 3 * COPIERS
"""So many objects are handed to the copiers before the first of them has to be done."""

_BATCH, _BATCH_BYTES = 64, 64_000_000
"""So many objects, and about so many bytes, are copied before it is asked whether to go on."""

READINGS = 2
"""How often an object is read that does not come while others do: MinIO says the same of a damaged one and of haste."""

Told = Callable[[str, int, int], None]
"""Hears which step is at work, how much of it is done and how much there is (0: not known)."""


S = TypeVar("S")
T = TypeVar("T")


def all_by(act: Callable[[S], T], items: Iterable[S]) -> Iterator[tuple[S, T]]:
    """Do an act on each item, by several threads; yield the items in order with what it returned, as soon as it did.

    ``items`` are read and what is yielded is dealt with by the caller's thread.
    """
    with ThreadPoolExecutor(COPIERS) as pool:
        under_way: deque[tuple[S, Future[T]]] = deque()
        try:
            for item in items:
                under_way.append((item, pool.submit(act, item)))
                if len(under_way) == AHEAD:
                    first, future = under_way.popleft()
                    yield first, future.result()
            for item, future in under_way:
                yield item, future.result()
        finally:
            for _, future in under_way:
                future.cancel()


class Copying:
    """Copies objects that the target lacks, several at once, each checked by its hash as it passes.

    Args:
        store: where they are.
        target: where they are to be.
        scratch: what the target holds, as it was listed; remembers what comes.
        damaged: keys of what the target holds not whole: it is copied again.
        going_on: says no when the work is to stop.

    ``faults`` are what the last ``copy`` found not whole in the source, and did not copy.
    """

    def __init__(
        self,
        store: ObjectStore,
        target: ObjectStore,
        scratch: Scratch,
        damaged: Collection[str],
        going_on: Callable[[], bool],
    ) -> None:
        self._store = store
        self._target = target
        self.scratch = scratch
        self.damaged = damaged
        self._going_on = going_on
        self.count = self.bytes = 0
        self.faults: set[str] = set()

    def going_on(self) -> None:
        """Raise ``Interrupted`` when the work is to stop."""
        if not self._going_on():
            raise Interrupted

    def there(self, key: str) -> int | None:
        """Return the size of what the target holds whole under a key; None: nothing."""
        size = self.scratch.size_of_new(key)
        if size is None and key not in self.damaged and (listed := self.scratch.found(key)):
            return listed.size
        return size

    def wanted(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass items on, and remember those that the target lacks; ``copy`` copies them."""
        with self.scratch.waits() as wait:
            for item in items:
                if self.there(f"objects/{item.key}") != item.size:
                    wait(item)
                yield item

    def copy(self, told: Told) -> None:
        """Copy what is missing. What its source does not hold whole is told in ``faults``, and not copied."""
        self.faults.clear()
        every = self.scratch.waiting
        told("objects", 0, every)
        for done, (item, good) in enumerate(all_by(self._one, self._asked()), 1):
            if good:
                self.scratch.came(f"objects/{item.key}", item.size)
                self.count, self.bytes = self.count + 1, self.bytes + item.size
            else:
                self.faults.add(item.key)
            if done % _BATCH == 0 or done == every:
                told("objects", done, every)

    def _asked(self) -> Iterator[Item]:
        """Yield what waits; ask now and then whether to go on."""
        count = size = 0
        for item in self.scratch.taken():
            if count % _BATCH == 0 or size >= _BATCH_BYTES:
                self.going_on()
                size = 0
            yield item
            count, size = count + 1, size + item.size

    def _one(self, item: Item) -> bool:
        return copied(item, self._store, PrefixedStore(self._target, "objects/")) is not None


def copied(item: Item, source: ObjectStore, target: ObjectStore) -> StoredObject | None:
    """Copy a content into another store; return what lies there, None when the source does not hold it whole.

    Raises:
        Unavailable: a store does not answer. An object that its store cannot read is not whole.
    """
    for _ in range(READINGS):
        reading = _Reading(item, source, item.version)
        try:
            put = target.put(item.key, reading.blocks())
        except (NotFound, Unavailable):
            if reading.fault is None:
                raise  # the target's
            if not reading.of_its_own():
                return None
        else:
            if reading.whole:
                return put
            target.remove(put.key, put.version)
            return None
    return None


def is_whole(item: Item, store: ObjectStore, version: str) -> bool:
    """Read a content back from a store; whether it is what it was.

    Raises:
        Unavailable: the store does not answer. An object that it cannot read is not whole.
    """
    for _ in range(READINGS):
        reading = _Reading(item, store, version)
        with suppress(NotFound, Unavailable):
            for _block in reading.blocks():
                pass
        if reading.fault is None:
            return reading.whole
        if not reading.of_its_own():
            return False
    return False


class _Reading:
    """One reading of a content; ``fault``: what its store said in place of the rest."""

    def __init__(self, item: Item, store: ObjectStore, version: str) -> None:
        self._item = item
        self._store = store
        self._version = version
        self._passing = Hashed()
        self.fault: NotFound | Unavailable | None = None

    def blocks(self) -> Iterator[bytes]:
        """Yield its bytes."""
        try:
            yield from self._passing.through(self._store.read(self._item.key, self._version))
        except (NotFound, Unavailable) as error:
            self.fault = error
            raise

    @property
    def whole(self) -> bool:
        """Whether what has passed is what it was."""
        return self._passing.sha256 == self._item.sha256

    def of_its_own(self) -> bool:
        """Whether it is worth reading once more: it is there, and its store says so of it alone.

        Raises:
            Unavailable: its fault, where the store hands out nothing else either.
        """
        if isinstance(self.fault, Unavailable):
            if self.fault.facts.get("reason") == BAD_SECTOR or self._hands_out_another():
                return True
            raise self.fault
        return False

    def _hands_out_another(self) -> bool:
        with suppress(Unavailable):
            for info in islice(self._store.list(), OTHERS + 1):
                if info.key != self._item.key:
                    with suppress(NotFound, Unavailable):
                        next(self._store.read(info.key, info.version, 0, 1), b"")
                        return True
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
