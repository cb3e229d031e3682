"""What one run of a backup or a restore remembers: the keys of a million objects are too many for memory."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from archive.ports import ObjectInfo
from archive.private_rows import PAGE, PrivateRows
from storage.items import Item

_PAST = "\x7f"
"""Greater than all that keys are made of."""

_TABLES = (
    "CREATE TABLE found (n INTEGER PRIMARY KEY, key TEXT, version TEXT, size INT, modified REAL)",
    "CREATE INDEX found_key ON found (key)",
    "CREATE TABLE came (key TEXT PRIMARY KEY, size INT) WITHOUT ROWID",
    "CREATE TABLE waiting (n INTEGER PRIMARY KEY, key TEXT, size INT, sha256 TEXT, version TEXT)",
    "CREATE TABLE spare (key TEXT PRIMARY KEY) WITHOUT ROWID",
)


class Scratch(PrivateRows):
    """What one run remembers: what a place held, what came into it since, what is still to be copied.

    One thread at a time uses it.

    Args:
        folder: where its file lies; made when absent. Not a folder in memory.

    Raises:
        Unavailable, StorageFull: the folder takes no file, or no more bytes; so does each of its methods.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _TABLES)
        self._coming: list[tuple[str, int]] = []

    # What a place holds

    def note(self, listing: Iterable[ObjectInfo]) -> None:
        """Remember a listing."""
        rows = ((each.key, each.version, each.size, each.modified) for each in listing)
        self.put("INSERT INTO found (key, version, size, modified) VALUES (?, ?, ?, ?)", rows)

    def found(self, key: str) -> ObjectInfo | None:
        """Return what was listed under a key, the last of its versions; None: nothing."""
        rows = self.read("SELECT key, version, size, modified FROM found WHERE key = ? ORDER BY n DESC LIMIT 1", key)
        return ObjectInfo(*rows[0]) if rows else None

    def under(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every version whose key begins with a prefix, by key; then only those that were noted before."""
        query = "SELECT key, version, size, modified, n FROM found WHERE (key, n) > (?, ?) AND key < ?"
        at: tuple[Any, ...] = (prefix, 0)
        while rows := self.read(f"{query} ORDER BY key, n LIMIT ?", *at, prefix + _PAST, PAGE):
            yield from (ObjectInfo(*row[:4]) for row in rows)
            at = (rows[-1][0], rows[-1][4])

    def twins(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the versions under a prefix whose key was listed again after them."""
        before: ObjectInfo | None = None
        for each in self.under(prefix):
            if before is not None and before.key == each.key:
                yield before
            before = each

    # What came since

    def came(self, key: str, size: int) -> None:
        """Remember that an object came into the place."""
        self._coming.append((key, size))
        if len(self._coming) == PAGE:
            self._keep_coming()

    def _keep_coming(self) -> None:
        self.put("INSERT OR REPLACE INTO came VALUES (?, ?)", self._coming)
        self._coming.clear()

    def size_of_new(self, key: str) -> int | None:
        """Return the size of an object that came; None: it did not."""
        if self._coming:
            self._keep_coming()
        rows = self.read("SELECT size FROM came WHERE key = ?", key)
        return int(rows[0][0]) if rows else None

    # What is to be done

    @contextmanager
    def waits(self) -> Iterator[Callable[[Item], None]]:
        """Give what takes an item that is to be copied; all of them are remembered when the block ends."""
        some: list[Item] = []

        def wait(item: Item) -> None:
            some.append(item)
            if len(some) == PAGE:
                self._await(some)
                some.clear()

        yield wait
        self._await(some)

    def _await(self, items: Iterable[Item]) -> None:
        rows = ((each.key, each.size, each.sha256, each.version) for each in items)
        self.put("INSERT INTO waiting (key, size, sha256, version) VALUES (?, ?, ?, ?)", rows)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return int(self.read("SELECT count(*) FROM waiting")[0][0])

    def taken(self) -> Iterator[Item]:
        """Yield what waits, the first first; then none waits any more. Nothing is added meanwhile."""
        query = "SELECT n, key, size, sha256, version FROM waiting WHERE n > ? ORDER BY n LIMIT ?"
        last = 0
        while rows := self.read(query, last, PAGE):
            yield from (Item(*row[1:]) for row in rows)
            last = rows[-1][0]
        self.put("DELETE FROM waiting WHERE n > ?", [(0,)])

    # What nobody needs

    def spare(self, prefix: str) -> None:
        """Take all that was listed under a prefix for spare."""
        self.put(
            "INSERT OR IGNORE INTO spare SELECT key FROM found WHERE key > ? AND key < ?", [(prefix, prefix + _PAST)]
        )

    def keep(self, keys: Iterable[str]) -> None:
        """Take keys for needed after all. Where nothing is spare any more the rest of them is passed over unread."""
        source = iter(keys)
        while self.read("SELECT 1 FROM spare LIMIT 1") and (some := list(islice(source, PAGE))):
            self.put("DELETE FROM spare WHERE key = ?", ((key,) for key in some))

    def spared(self) -> Iterator[ObjectInfo]:
        """Yield every version of what is spare."""
        query = "SELECT key FROM spare WHERE key > ? ORDER BY key LIMIT ?"
        last = ""
        while rows := self.read(query, last, PAGE):
            for (key,) in rows:
                yield from (each for each in self.under(key) if each.key == key)
            last = rows[-1][0]
