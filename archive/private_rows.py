"""Rows on a disk while a run lasts, where there are too many for memory.

They lie in a private SQLite file, which has no name any more from the moment it is open: however the run ends, nothing
of it is left.
"""

import errno
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive.errors import StorageFull, Unavailable

PAGE = 1_000
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where a disk takes no more."""

_CACHE_KB = 16_384


class PrivateRows:
    """The file of one run. One thread at a time uses it.

    Args:
        folder: where it lies; made when absent. Not a folder in memory.
        tables: the statements that make its tables.

    Raises:
        Unavailable, StorageFull: the folder takes no file, or no more bytes; so does each of its methods.
    """

    def __init__(self, folder: Path, tables: Sequence[str]) -> None:
        with translated():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=folder, prefix="scratch-") as file:
                self._rows = sqlite3.connect(file.name, isolation_level=None, check_same_thread=False)
                for each in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
                    self._rows.execute(f"PRAGMA {each}")
                self._rows.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
                for each in tables:
                    self._rows.execute(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    def read(self, query: str, *given: Any) -> list[Any]:
        """Return the rows of a query."""
        with translated():
            return self._rows.execute(query, given).fetchall()

    def put(self, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Do a statement for each of the rows, of which there may be many."""
        source = iter(rows)
        while some := list(islice(source, PAGE)):  # what the source raises is its own
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
