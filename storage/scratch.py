"""Rows on a disk while a run lasts: the keys of a million objects are too many for memory.

They lie in a private SQLite file, which has no name any more from the moment it is open: however the run ends, nothing
of it is left.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive.errors import StorageFull, Unavailable
from archive.ports import ObjectInfo
from storage.items import Item
from storage.objects import NO_ROOM

_PAGE = 1_000
_CACHE_KB = 16_384
_PAST = "\x7f"
"""Greater than all that keys are made of."""

_TABLES = (
    "CREATE TABLE found (n INTEGER PRIMARY KEY, key TEXT, version TEXT, size INT, modified REAL)",
    "CREATE INDEX found_key ON found (key)",
    "CREATE TABLE came (key TEXT PRIMARY KEY, size INT) WITHOUT ROWID",
    "CREATE TABLE waiting (n INTEGER PRIMARY KEY, key TEXT, size INT, sha256 TEXT, version TEXT)",
    "CREATE TABLE spare (key TEXT PRIMARY KEY) WITHOUT ROWID",
)


class Scratch:
    """What one run remembers: what a place held, what came into it since, what is still to be copied.

    One thread at a time uses it.

    Args:
        folder: where its file lies; made when absent. Not a folder in memory.

    Raises:
        Unavailable, StorageFull: the folder takes no file, or no more bytes; so does each of its methods.
    """

    def __init__(self, folder: Path) -> None:
        with translated():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=folder, prefix="scratch-") as file:
                self._rows = sqlite3.connect(file.name, isolation_level=None, check_same_thread=False)
                for each in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
                    self._rows.execute(f"PRAGMA {each}")
                self._rows.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
                for each in _TABLES:
                    self._rows.execute(each)
        self._coming: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    # What a place holds

    def note(self, listing: Iterable[ObjectInfo]) -> None:
        """Remember a listing."""
        rows = ((each.key, each.version, each.size, each.modified) for each in listing)
        self._put("INSERT INTO found (key, version, size, modified) VALUES (?, ?, ?, ?)", rows)

    def found(self, key: str) -> ObjectInfo | None:
        """Return what was listed under a key, the last of its versions; None: nothing."""
        rows = self._read("SELECT key, version, size, modified FROM found WHERE key = ? ORDER BY n DESC LIMIT 1", key)
        return ObjectInfo(*rows[0]) if rows else None

    def under(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every version whose key begins with a prefix, by key; then only those that were noted before."""
        query = "SELECT key, version, size, modified, n FROM found WHERE (key, n) > (?, ?) AND key < ?"
        at: tuple[Any, ...] = (prefix, 0)
        while rows := self._read(f"{query} ORDER BY key, n LIMIT ?", *at, prefix + _PAST, _PAGE):
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
        if len(self._coming) == _PAGE:
            self._keep_coming()

    def _keep_coming(self) -> None:
        self._put("INSERT OR REPLACE INTO came VALUES (?, ?)", self._coming)
        self._coming.clear()

    def size_of_new(self, key: str) -> int | None:
        """Return the size of an object that came; None: it did not."""
        if self._coming:
            self._keep_coming()
        rows = self._read("SELECT size FROM came WHERE key = ?", key)
        return int(rows[0][0]) if rows else None

    # What is to be done

    @contextmanager
    def waits(self) -> Iterator[Callable[[Item], None]]:
        """Give what takes an item that is to be copied; all of them are remembered when the block ends."""
        some: list[Item] = []

        def wait(item: Item) -> None:
            some.append(item)
            if len(some) == _PAGE:
                self._await(some)
                some.clear()

        yield wait
        self._await(some)

    def _await(self, items: Iterable[Item]) -> None:
        rows = ((each.key, each.size, each.sha256, each.version) for each in items)
        self._put("INSERT INTO waiting (key, size, sha256, version) VALUES (?, ?, ?, ?)", rows)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return int(self._read("SELECT count(*) FROM waiting")[0][0])

    def taken(self) -> Iterator[Item]:
        """Yield what waits, the first first; then none waits any more. Nothing is added meanwhile."""
        query = "SELECT n, key, size, sha256, version FROM waiting WHERE n > ? ORDER BY n LIMIT ?"
        last = 0
        while rows := self._read(query, last, _PAGE):
            yield from (Item(*row[1:]) for row in rows)
            last = rows[-1][0]
        self._put("DELETE FROM waiting WHERE n > ?", [(0,)])

    # What nobody needs

    def spare(self, prefix: str) -> None:
        """Take all that was listed under a prefix for spare."""
        with translated():
            query = "INSERT OR IGNORE INTO spare SELECT key FROM found WHERE key > ? AND key < ?"
            self._rows.execute(query, (prefix, prefix + _PAST))

    def keep(self, keys: Iterable[str]) -> None:
        """Take keys for needed after all. Where nothing is spare any more the rest of them is passed over unread."""
        source = iter(keys)
        while self._read("SELECT 1 FROM spare LIMIT 1") and (some := list(islice(source, _PAGE))):
            self._put("DELETE FROM spare WHERE key = ?", ((key,) for key in some))

    def spared(self) -> Iterator[ObjectInfo]:
        """Yield every version of what is spare."""
        query = "SELECT key FROM spare WHERE key > ? ORDER BY key LIMIT ?"
        last = ""
        while rows := self._read(query, last, _PAGE):
            for (key,) in rows:
                yield from (each for each in self.under(key) if each.key == key)
            last = rows[-1][0]

    def _read(self, query: str, *given: Any) -> list[Any]:
        with translated():
            return self._rows.execute(query, given).fetchall()

    def _put(self, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
        source = iter(rows)
        while some := list(islice(source, _PAGE)):  # what the source raises is its own
            with translated():
                self._rows.execute("BEGIN")
                self._rows.executemany(query, some)
                self._rows.execute("COMMIT")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the system and SQLite say of files of a run into ``StorageFull`` and ``Unavailable``, part ``disk``."""
    try:
        yield
    except OSError as error:
        raise (StorageFull if error.errno in NO_ROOM else Unavailable)(part="disk") from error
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise (StorageFull if full else Unavailable)(part="disk") from error
