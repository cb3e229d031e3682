"""The database: two ways in, one for writing and one for reading.

``writing()`` begins at once with the write lock (SQLite: ``BEGIN IMMEDIATE``; the driver's own default lost
updates silently), commits once when asked to, and rolls back otherwise. ``reading()`` is a snapshot that never
waits for a writer. What must happen after the commit (waking workers, mail) is left with ``Work.after_commit``.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache, wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID, SafeUUID

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    LargeBinary,
    MetaData,
    Select,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from archive.database import gate, postgres, sqlite
from archive.database.postgres import Crossed
from archive.errors import ArchiveError, Unavailable

_P = ParamSpec("_P")
_R = TypeVar("_R")

SEAL_FIRST = "juanku seal first"
"""Under this key a session's ``info`` names the last entry that must be sealed before its commit returns."""


ACTED, REFUSED = "juanku acted", "juanku refused"
"""Keys of a session's ``info``: what an act was done on (None: nothing that has an id); that a refusal was written."""

_BESIDE: ContextVar[Callable[[Session], None] | None] = ContextVar("written beside an act", default=None)


_SNAPSHOT: ContextVar["tuple[Database, Session] | None"] = ContextVar("one snapshot", default=None)


@contextmanager
def beside(write: Callable[[Session], None]) -> Iterator[None]:
    """Have ``write`` add to each transaction that this thread commits inside, just before its commit."""
    token = _BESIDE.set(write)
    try:
        yield
    finally:
        _BESIDE.reset(token)


_NATIVE, _BYTES = Uuid(), LargeBinary(16)


class Id(TypeDecorator[UUID]):
    """A UUID: 16 bytes in SQLite, native in PostgreSQL; both sort by time for version 7."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's own type: always the same one, for what is worked out of it is kept with it."""
        return _NATIVE if dialect.name == "postgresql" else _BYTES

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
    """Make an id of what the database holds, without the checks of ``UUID()``: bulk work reads many."""
    if value is None:
        return None
    made = _new(UUID)
    _put(made, "int", int.from_bytes(value))
    _put(made, "is_safe", _UNKNOWN)
    return made


_new, _put = object.__new__, object.__setattr__
_UNKNOWN = SafeUUID.unknown


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

    def bind_processor(self, dialect: Dialect) -> Any:
        """As ``process_bind_param``; what is written at once is of one moment, which is worded once."""
        own = super().bind_processor(dialect)
        return own if own is None or dialect.name == "postgresql" else lru_cache(maxsize=256)(own)

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
    _before: list[Callable[[], None]] = field(default_factory=list)

    def before_commit(self, act: Callable[[], None]) -> None:
        """Do ``act`` in the transaction, when all else in it is done; what it raises takes everything back."""
        self._before.append(act)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do ``act`` after a successful commit; it must not raise."""
        self._after.append(act)

    def commit(self) -> None:
        """Commit, do what was left for afterwards, then wait for the seal of an entry that asked for it.

        Raises:
            Unavailable: the entry could not be sealed now (``part="log"``). The act is committed and logged.
        """
        befores, self._before = self._before, []
        for before in befores:
            before()
        if (write := _BESIDE.get()) is not None:
            write(self.session)
        self.session.commit()
        acts, self._after = self._after, []
        for act in acts:
            act()
        entry: UUID | None = self.session.info.pop(SEAL_FIRST, None)
        if entry is not None and self._seal:
            self._seal(entry)


class Database:
    """The house's database.

    Args:
        url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.
        seal: waits until a log entry is sealed, for acts that may not return before (see ``SEAL_FIRST``).
        on_write: called with the seconds that each write transaction held the lock (for tests and metrics).
        place: the object store that goes with it; a house that has left this store is closed here.

    ``heeds_gate`` False: this one writes though the house is closed, or has no tables yet (moving, restoring).
    """

    def __init__(
        self,
        url: str,
        *,
        seal: Callable[[UUID], None] | None = None,
        on_write: Callable[[float], None] | None = None,
        place: str = "",
    ) -> None:
        self.url = url
        self.heeds_gate = True
        self._place = place
        self._seal = seal
        self._on_write = on_write
        embedded = url.startswith("sqlite")
        self.engine = sqlite.engine(url) if embedded else postgres.engine(url)
        gate.guard(self.engine)
        self._reader = (sqlite if embedded else postgres).reading(self.engine)
        self._turn = sqlite.Turn(sqlite.file_of(self.engine)) if embedded else None
        self._sharer = self.engine.execution_options(juanku_shared=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self, *, shared: bool = False) -> Iterator[Work]:
        """Open a unit of work that holds the write lock. Leaving without ``commit`` rolls back.

        ``shared`` lets other shared ones write at the same time, where the database can (PostgreSQL). It is for an act
        that locks each row it rests on before it looks, in the one order (records by id, then counters), and that is
        done ``once_more`` if it crosses another; all else writes alone, and can rely on what it has read.

        Raises:
            Unavailable: the database does not answer or stays locked.
            StorageFull: the disk takes no more.
            ReadOnly: the house is being moved or has moved (see ``archive.database.gate``).
        """
        turn = self._turn.writing() if self._turn else nullcontext()
        engine = self._sharer if shared else self.engine
        with turn, _translated(), Session(engine, expire_on_commit=False) as session:
            with self._turn.next() if self._turn else nullcontext():
                connection = session.connection()  # take the lock now, not at the first write
            if self.heeds_gate:
                gate.pass_through(connection, self._place)
            begun = time.perf_counter()
            try:
                yield Work(session, self._seal)
            finally:
                if session.in_transaction():
                    session.rollback()
                if self._on_write:
                    self._on_write(time.perf_counter() - begun)

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """Have all that this thread reads inside be of one snapshot: what several services tell fits together then."""
        with self.reading() as session:
            token = _SNAPSHOT.set((self, session))
            try:
                yield
            finally:
                _SNAPSHOT.reset(token)

    @contextmanager
    def reading(self, *, long: bool = False) -> Iterator[Session]:
        """Open a snapshot for reading; a ``long`` one has no time-outs."""
        kept = _SNAPSHOT.get()
        if kept and kept[0] is self and not long:
            yield kept[1]
            return
        with _translated(), Session(self._reader, expire_on_commit=False) as session:
            if long and not self.is_sqlite:
                postgres.without_limits(session)
            yield session

    def closed(self) -> str | None:
        """Return how the house is closed to writers here (see ``archive.model.moves.Closed``); None: it is open."""
        with self.reading() as session:
            return gate.standing(session.connection(), self._place)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._turn:
            self._turn.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's ways of saying full, busy or not allowed into ours."""
    try:
        yield
    except NoConnection as error:
        raise Unavailable(part="database") from error
    except DBAPIError as error:
        if ours := as_ours(error):
            raise ours from error
        raise


def is_reading(session: Session) -> bool:
    """Return whether a session is a snapshot for reading, in which what was asked once need not be asked again."""
    bind = session.get_bind()
    return isinstance(bind, Engine) and bool(bind.get_execution_options().get("juanku_reading"))


def as_ours(error: DBAPIError) -> ArchiveError | None:
    """Return our word for a driver's error, None when there is none."""
    if hasattr(error.orig, "sqlstate"):
        return postgres.as_ours(error)
    return sqlite.as_ours(error) if isinstance(error, OperationalError) else None


def once_more(act: Callable[_P, _R]) -> Callable[_P, _R]:
    """Have an act that crossed another's locks, and was taken back whole, done a second time."""

    @wraps(act)
    def done(*given: _P.args, **named: _P.kwargs) -> _R:
        try:
            return act(*given, **named)
        except Crossed:
            return act(*given, **named)

    return done


def rows_by_id(
    session: Session, kind: type[Base], wanted: Collection[UUID | None], *, lock: bool = False
) -> dict[UUID, Any]:
    """Return by id the rows of ``kind`` (its columns, no entities) that are wanted; there may be fewer.

    Bulk work and what is asked at every act read this way: an entity costs twice as much. ``lock`` holds them, taken
    in order of their ids, until the transaction ends.
    """
    keys = [key for key in wanted if key is not None]
    if not keys:
        return {}
    one, many = _locked_by_id(kind) if lock else _by_id(kind)
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


@cache
def _locked_by_id(kind: type[Base]) -> tuple[Select[Any], Select[Any]]:
    """As ``_by_id``; rows that others only refer to are not held up."""
    one, many = _by_id(kind)
    return one.with_for_update(key_share=True), many.order_by(kind.__table__.c.id).with_for_update(key_share=True)
