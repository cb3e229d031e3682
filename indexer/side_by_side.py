"""Rows and entries side by side, in the order of their ids: of a million neither side lies in memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self
from uuid import UUID

from archive.errors import StorageFull, Unavailable
from indexer.engine import Indexed

_PAGE = 1_000
_CACHE_KB = 16_384


@dataclass(frozen=True, slots=True)
class Pair:
    """What is held of a record. ``row``: its row's version; None: there is none here. ``entry`` None: there is none."""

    id: UUID
    row: int | None
    entry: Indexed | None

    @property
    def same(self) -> bool:
        """Whether the entry was made from this version of the row."""
        return self.entry is not None and self.row == self.entry.version


class Noted:
    """Entries of an engine, which tells them in no order, put in order.

    They lie in a nameless file of SQLite's own, where the system keeps such (``SQLITE_TMPDIR``), once they are too many
    for its memory; however a run ends nothing of it is left.

    Raises:
        StorageFull, Unavailable: the disk takes no more; so does each of its methods.
    """

    def __init__(self, entries: Iterable[Indexed]) -> None:
        with _translated():
            self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            for each in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", f"cache_size=-{_CACHE_KB}"):
                self._rows.execute(f"PRAGMA {each}")
            self._rows.execute("CREATE TABLE held (id BLOB, version INT, mark TEXT, n INTEGER PRIMARY KEY)")
        source = iter(entries)
        while some := list(islice(source, _PAGE)):  # what the engine raises is its own
            rows = [(each.id.bytes, each.version, str(each.mark)) for each in some]
            with _translated():
                self._rows.execute("BEGIN")
                self._rows.executemany("INSERT INTO held (id, version, mark) VALUES (?, ?, ?)", rows)
                self._rows.execute("COMMIT")
        with _translated():
            self._rows.execute("CREATE INDEX held_id ON held (id)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    def in_order(self) -> Iterator[Indexed]:
        """Yield them by id."""
        at: tuple[bytes, int] = (b"", 0)
        query = "SELECT id, version, mark, n FROM held WHERE (id, n) > (?, ?) ORDER BY id, n LIMIT ?"
        while rows := self._page(query, *at):
            yield from (Indexed(UUID(bytes=row[0]), row[1], int(row[2])) for row in rows)
            at = (rows[-1][0], rows[-1][3])

    def _page(self, query: str, key: bytes, number: int) -> list[tuple[bytes, int, str, int]]:
        with _translated():
            return self._rows.execute(query, (key, number, _PAGE)).fetchall()


def paired(rows: Iterable[tuple[UUID, int]], entries: Iterable[Indexed]) -> Iterator[Pair]:
    """Yield each record of either side once; both are in the order of ids."""
    left, right = iter(rows), iter(entries)
    row, entry = next(left, None), next(right, None)
    while row or entry:
        if row and (entry is None or row[0] < entry.id):
            yield Pair(row[0], row[1], None)
            row = next(left, None)
        elif entry and (row is None or entry.id < row[0]):
            yield Pair(entry.id, None, entry)
            entry = next(right, None)
        elif row:
            yield Pair(row[0], row[1], entry)
            row, entry = next(left, None), next(right, None)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise (StorageFull if full else Unavailable)(part="disk") from error
