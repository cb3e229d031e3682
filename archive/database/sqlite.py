"""The embedded database: one file, and one writer at a time."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from archive.errors import ArchiveError, NoAccess, StorageFull, Unavailable

BUSY_TIMEOUT_MS = 10_000
_LOOK_MS = 3  # SQLite looks after 1 and 2 ms, then we begin again
_TURN_SECONDS = 0.002


class Turn:
    """Writers take turns at SQLite's lock.

    SQLite lets a waiting writer look now and then whether its lock is free: beside one that writes batch after batch it
    looks in vain for seconds. Here the threads of a process wait for each other, and who is next among the processes
    holds a lock on a file beside the database until it has begun; nobody begins twice past someone who waits.
    """

    def __init__(self, database: Path | None) -> None:
        self._threads = threading.RLock()  # a refusal is written while its act, rolled back, is being left
        self._path = database and database.with_name(f"{database.name}-turn")
        self._file: int | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the place of this process's writing thread."""
        if not self._threads.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise Unavailable(part="database")
        try:
            yield
        finally:
            self._threads.release()

    @contextmanager
    def next(self) -> Iterator[None]:
        """Be the next of all processes to begin, while the block waits for SQLite's lock; after ten seconds, anyway."""
        if self._file is None and self._path is not None:
            with suppress(OSError):  # where no file can be made, SQLite says itself what is wrong
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file is None:
            yield
            return
        until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        while not _locked(self._file) and time.monotonic() < until:
            time.sleep(_TURN_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def file_of(engine: Engine) -> Path | None:
    """Return the file of an SQLite database; None when it is in memory."""
    name = engine.url.database
    return Path(name) if name and name != ":memory:" else None


def engine(url: str) -> Engine:
    """Return an engine whose transactions begin as this product's do."""
    made = create_engine(
        url,
        hide_parameters=True,  # an error's text goes to the processes' logs, and must hold no title
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=16,
        max_overflow=16,
    )

    @event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "trusted_schema=OFF",
            "cache_size=-16384",
            "wal_autocheckpoint=4000",  # bulk work touches the same pages again and again: copy them back less often
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("juanku_reading"):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection)

    return made


def reading(made: Engine) -> Engine:
    """Return the engine for snapshots, which wait for no writer."""
    return made.execution_options(juanku_reading=True)


def _begin_writing(connection: Any) -> None:
    """Wait for the write lock, looking again each few milliseconds.

    SQLite's own waiting soon looks only each 100 ms, and starves beside a writer that leaves shorter gaps.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    driver = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout={_LOOK_MS}")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    break
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last time through the engine, which words the error
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def as_ours(error: DBAPIError) -> ArchiveError | None:
    """Return our word for a driver's error, None when there is none."""
    text = str(error.orig).lower()
    if "full" in text or "no space" in text:
        return StorageFull(part="database")
    if "readonly" in text or "unable to open" in text:
        return NoAccess(path="juanku.db")
    if "locked" in text or "busy" in text or "connect" in text or "disk i/o" in text:
        return Unavailable(part="database")
    return None
