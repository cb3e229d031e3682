"""The database: two ways in, one for writing and one for reading.

``writing()`` begins at once with the write lock (SQLite: ``BEGIN IMMEDIATE``; the driver's own default lost
updates silently), commits once when asked to, and rolls back otherwise. ``reading()`` is a snapshot that never
waits for a writer. What must happen after the commit (waking workers, mail) is left with ``Work.after_commit``.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    LargeBinary,
    MetaData,
    Select,
    Uuid,
    bindparam,
    create_engine,
    event,
    select,
)
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from archive.errors import ArchiveError, NoAccess, StorageFull, Unavailable

BUSY_TIMEOUT_MS = 10_000
_LOOK_MS = 3  # SQLite looks after 1 and 2 ms, then we begin again
_TURN_SECONDS = 0.002

SEAL_FIRST = "juanku seal first"
"""Under this key a session's ``info`` names the last entry that must be sealed before its commit returns."""


ACTED, REFUSED = "juanku acted", "juanku refused"
"""Keys of a session's ``info``: what an act was done on (None: nothing that has an id); that a refusal was written."""

_BESIDE: ContextVar[Callable[[Session], None] | None] = ContextVar("written beside an act", default=None)


@contextmanager
def beside(write: Callable[[Session], None]) -> Iterator[None]:
    """Have ``write`` add to each transaction that this thread commits inside, just before its commit."""
    token = _BESIDE.set(write)
    try:
        yield
    finally:
        _BESIDE.reset(token)


class Id(TypeDecorator[UUID]):
    """A UUID: 16 bytes in SQLite, native in PostgreSQL; both sort by time for version 7."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's own type."""
        return dialect.type_descriptor(Uuid() if dialect.name == "postgresql" else LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Turn a UUID into what the driver takes."""
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Turn what the driver gives into a UUID."""
        return value if value is None or dialect.name == "postgresql" else UUID(bytes=value)

    def bind_processor(self, dialect: Dialect) -> Any:
        """As ``process_bind_param``, in one call a value instead of three: most of what bulk work binds are ids."""
        return super().bind_processor(dialect) if dialect.name == "postgresql" else _to_bytes

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """As ``process_result_value``, in one call."""
        return super().result_processor(dialect, coltype) if dialect.name == "postgresql" else _to_id


def _to_bytes(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _to_id(value: bytes | None) -> UUID | None:
    return None if value is None else UUID(bytes=value)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; keep UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a moment must be aware"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give an aware moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all entities."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads this class attribute)
        UUID: Id,
        datetime: Moment,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


@dataclass
class Work:
    """One unit of work: a session, and what to do once it is committed."""

    session: Session
    _seal: Callable[[UUID], None] | None = None
    _after: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do ``act`` after a successful commit; it must not raise."""
        self._after.append(act)

    def commit(self) -> None:
        """Commit, do what was left for afterwards, then wait for the seal of an entry that asked for it.

        Raises:
            Unavailable: the entry could not be sealed now (``part="log"``). The act is committed and logged.
        """
        if (write := _BESIDE.get()) is not None:
            write(self.session)
        self.session.commit()
        acts, self._after = self._after, []
        for act in acts:
            act()
        entry: UUID | None = self.session.info.pop(SEAL_FIRST, None)
        if entry is not None and self._seal:
            self._seal(entry)


class _Turn:
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


class Database:
    """The house's database.

    Args:
        url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.
        seal: waits until a log entry is sealed, for acts that may not return before (see ``SEAL_FIRST``).
        on_write: called with the seconds that each write transaction held the lock (for tests and metrics).
    """

    def __init__(
        self,
        url: str,
        *,
        seal: Callable[[UUID], None] | None = None,
        on_write: Callable[[float], None] | None = None,
    ) -> None:
        self.url = url
        self._seal = seal
        self._on_write = on_write
        self.engine = _engine(url)
        self._reader = self.engine.execution_options(juanku_reading=True)
        self._turn = _Turn(_file_of(self.engine)) if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """Open a unit of work that holds the write lock. Leaving without ``commit`` rolls back.

        Raises:
            Unavailable: the database does not answer or stays locked.
            StorageFull: the disk takes no more.
        """
        turn = self._turn.writing() if self._turn else nullcontext()
        with turn, _translated(), Session(self.engine, expire_on_commit=False) as session:
            with self._turn.next() if self._turn else nullcontext():
                session.connection()  # take the lock now, not at the first write
            begun = time.perf_counter()
            try:
                yield Work(session, self._seal)
            finally:
                if session.in_transaction():
                    session.rollback()
                if self._on_write:
                    self._on_write(time.perf_counter() - begun)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a snapshot for reading."""
        with _translated(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._turn:
            self._turn.close()


def _file_of(engine: Engine) -> Path | None:
    """Return the file of an SQLite database; None when it is in memory."""
    name = engine.url.database
    return Path(name) if name and name != ":memory:" else None


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(
        url,
        hide_parameters=True,  # an error's text goes to the processes' logs, and must hold no title
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=16,
        max_overflow=16,
    )

    @event.listens_for(engine, "connect")
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

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("juanku_reading"):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection)

    return engine


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


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's ways of saying full, busy or not allowed into ours."""
    try:
        yield
    except OperationalError as error:
        if ours := as_ours(error):
            raise ours from error
        raise


def rows_by_id(session: Session, kind: type[Base], wanted: Collection[UUID | None]) -> dict[UUID, Any]:
    """Return by id the rows of ``kind`` (its columns, no entities) that are wanted; there may be fewer.

    Bulk work and what is asked at every act read this way: an entity costs twice as much.
    """
    keys = [key for key in wanted if key is not None]
    if not keys:
        return {}
    one, many = _by_id(kind)
    asked = (one, {"key": keys[0]}) if len(keys) == 1 else (many, {"ids": keys})
    return {row.id: row for row in session.connection().execute(*asked)}


@cache
def _by_id(kind: type[Base]) -> tuple[Select[Any], Select[Any]]:
    """Return the queries for one row by id and for many; building them takes longer than running them.

    The list of many is spelt out anew each time.
    """
    columns = kind.__table__.c
    rows = select(*columns)
    return rows.where(columns.id == bindparam("key")), rows.where(columns.id.in_(bindparam("ids", expanding=True)))


def as_ours(error: OperationalError) -> ArchiveError | None:
    """Return our word for a driver's error, None when there is none."""
    text = str(error.orig).lower()
    if "full" in text or "no space" in text:
        return StorageFull(part="database")
    if "readonly" in text or "unable to open" in text:
        return NoAccess(path="juanku.db")
    if "locked" in text or "busy" in text or "connect" in text or "disk i/o" in text:
        return Unavailable(part="database")
    return None
