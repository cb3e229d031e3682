"""The database: two ways in, one for writing and one for reading.

``writing()`` begins at once with the write lock (SQLite: ``BEGIN IMMEDIATE``; the driver's own default lost
updates silently), commits once when asked to, and rolls back otherwise. ``reading()`` is a snapshot that never
waits for a writer. What must happen after the commit (waking workers, mail) is left with ``Work.after_commit``.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, LargeBinary, MetaData, Uuid, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from archive.errors import ArchiveError, NoAccess, StorageFull, Unavailable

BUSY_TIMEOUT_MS = 10_000
_LOOK_MS = 18  # SQLite looks after 1, 2, 5 and 10 ms, then we begin again


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
    _after: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do ``act`` after a successful commit; it must not raise."""
        self._after.append(act)

    def commit(self) -> None:
        """Commit, then do what was left for afterwards."""
        self.session.commit()
        acts, self._after = self._after, []
        for act in acts:
            act()


class Database:
    """The house's database.

    Args:
        url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.
        on_write: called with the seconds that each write transaction held the lock (for tests and metrics).
    """

    def __init__(self, url: str, *, on_write: Callable[[float], None] | None = None) -> None:
        self.url = url
        self._on_write = on_write
        self.engine = _engine(url)
        self._reader = self.engine.execution_options(juanku_reading=True)

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
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            session.connection()  # take the lock now, not at the first write
            begun = time.perf_counter()
            try:
                yield Work(session)
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
