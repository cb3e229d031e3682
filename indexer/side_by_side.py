"""Rows and entries side by side, in the order of their ids: of a million neither side lies in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from archive.private_rows import PAGE, PrivateRows
from indexer.engine import Indexed

_TABLES = (
    "CREATE TABLE held (n INTEGER PRIMARY KEY, id BLOB, version INT, mark TEXT)",
    "CREATE INDEX held_id ON held (id, n)",
)


_SORTED = 5_000
"""So many entries are put in order before they are written: their places in the table lie nearer to each other."""


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


class Noted(PrivateRows):
    """Entries of an engine, which tells them in no order, put in order.

    Args:
        folder: where its file lies, on a disk of this machine.

    Raises:
        Unavailable, StorageFull: the folder takes no file, or no more bytes; so does each of its methods.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _TABLES)

    def note(self, entries: Iterable[Indexed]) -> None:
        """Remember what the engine tells."""
        rows = ((each.id.bytes, each.version, str(each.mark)) for each in entries)
        while some := sorted(islice(rows, _SORTED)):
            self.put("INSERT INTO held (id, version, mark) VALUES (?, ?, ?)", some)

    def in_order(self) -> Iterator[Indexed]:
        """Yield them by id."""
        at: tuple[bytes, int] = (b"", 0)
        query = "SELECT id, version, mark, n FROM held WHERE (id, n) > (?, ?) ORDER BY id, n LIMIT ?"
        while rows := self.read(query, *at, PAGE):
            yield from (Indexed(UUID(bytes=row[0]), row[1], int(row[2])) for row in rows)
            at = (rows[-1][0], rows[-1][3])


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
