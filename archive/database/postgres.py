"""PostgreSQL: the same contract as the embedded database, for a house with several machines.

A unit of work that writes first takes the house's lock (an advisory lock of its transaction): alone, as SQLite's one
writer, or shared with others that lock each row they rest on. It runs at READ COMMITTED, where each statement sees
what was committed before it began, and so whatever was written by those it waited for.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Enum, NullPool, String, Text, create_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from archive.errors import ArchiveError, BrokenSetting, Fault, InvalidInput, NoAccess, StorageFull, Unavailable

POOL, MORE = 8, 16
"""Connections that each process keeps, and how many more it opens when all are taken."""

_WAIT_SECONDS = 10
_LIMITS = {
    "lock_timeout": "10s",  # as long as SQLite's writers wait for their turn
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",  # a process that stands still holds nobody else up for longer
    "timezone": "UTC",
    "jit": "off",  # what a page asks is long and finds little: compiled, it takes two seconds instead of a millisecond
}
_HOUSE, _KEYS, _SEALER, _MIGRATION, _CLAIM = 0x4A550001, 0x4A550002, 0x4A55414E, 0x4A550003, 0x4A550004

_TAKE = text("SELECT pg_advisory_xact_lock(:lock)")

_AWAY = ("08", "53", "57", "25P03", "55P03")
"""Beginnings of the states that mean: not now. Connection, resources, the operator's acts, time-outs, locks."""

_CROSSED = frozenset({"40001", "40P01"})


def without_limits(session: Session) -> None:
    """Take the time-outs away for this transaction."""
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        session.execute(text(f"SET LOCAL {limit} = 0"))


class Crossed(Unavailable):
    """Two acts waited for each other, and this one was taken back whole: it may be done again at once."""


@compiles(String, "postgresql")
@compiles(Text, "postgresql")
@compiles(Enum, "postgresql")
def _by_code_points(kind: String, compiler: Any, **how: Any) -> str:
    """Have every text column sort and compare by code points, as SQLite's do, whatever the server's language is."""
    said = compiler.visit_TEXT(kind, **how) if isinstance(kind, Text) else compiler.visit_VARCHAR(kind, **how)
    return f'{said} COLLATE "C"' if isinstance(how.get("type_expression"), Column) else str(said)


def engine(url: str, *, patient: bool = False) -> Engine:
    """Return an engine with this product's time-outs and pool. A connection that died is made anew before its use.

    A ``patient`` one, for migrations, has no time-outs and keeps no connection.

    Raises:
        BrokenSetting: the driver is not installed (``reason``: ``driver_missing``).
    """
    limits = " ".join(f"-c {name}={0 if patient and 'timeout' in name else value}" for name, value in _LIMITS.items())
    pool: dict[str, Any] = {"pool_size": POOL, "max_overflow": MORE, "pool_timeout": 3 * _WAIT_SECONDS}
    try:
        made = create_engine(
            url,
            hide_parameters=True,  # an error's text goes to the processes' logs, and must hold no title
            pool_pre_ping=True,
            **({"poolclass": NullPool} if patient else pool),
            connect_args={
                "options": limits,
                "application_name": "juanku",
                "client_encoding": "utf8",  # else a database of none would answer in bytes
                "connect_timeout": _WAIT_SECONDS,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        )
    except ModuleNotFoundError as error:
        raise BrokenSetting(variable="JUANKU_DATABASE_URL", reason="driver_missing") from error

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        how = connection.get_execution_options()
        if not how.get("juanku_reading"):
            kind = "_shared" if how.get("juanku_shared") else ""
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{kind}({_HOUSE})")

    return made


def reading(made: Engine) -> Engine:
    """Return the engine for snapshots: one moment of the whole database, of which nothing can be written."""
    return made.execution_options(juanku_reading=True, isolation_level="REPEATABLE READ", postgresql_readonly=True)


def make_keys_alone(session: Session) -> None:
    """Let nobody else make keys that are made once, until the transaction ends. SQLite has one writer anyway."""
    _alone(session, _KEYS)


def seal_alone(session: Session) -> None:
    """Let nobody else append to the log's chain until the transaction ends."""
    _alone(session, _SEALER)


def claim_alone(session: Session) -> None:
    """Let nobody else take jobs of which no two of one subject may run at once, until the transaction ends."""
    _alone(session, _CLAIM)


def migrating(connection: Connection) -> None:
    """Let no other process migrate, until the connection is closed.

    Raises:
        BrokenSetting: the database does not keep its texts in UTF-8 (``reason``: ``not_utf8``).
    """
    if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
        raise BrokenSetting(variable="JUANKU_DATABASE_URL", reason="not_utf8")
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION})
    connection.commit()


def grant(connection: Connection, role: str, tables: Collection[str], insert_only: Collection[str]) -> None:
    """Give the everyday role what it needs of the owner's tables, and of the log's no more than to add and to read."""
    quoted = connection.dialect.identifier_preparer.quote
    for table in tables:
        rights = "SELECT, INSERT" + ("" if table in insert_only else ", UPDATE, DELETE")
        connection.exec_driver_sql(f"REVOKE ALL ON {quoted(table)} FROM {quoted(role)}")
        connection.exec_driver_sql(f"GRANT {rights} ON {quoted(table)} TO {quoted(role)}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {quoted(role)}")
    connection.commit()


@dataclass(frozen=True)
class About:
    """What a server is: its version, its settings under which a commit may be lost, and who could change the log.

    ``guarded``: triggers forbid it. ``owner``: this role could take them away.
    """

    version: str
    careless: tuple[str, ...]
    guarded: bool
    owner: bool


def about(connection: Connection, insert_only: Collection[str]) -> About:
    """Ask a server about itself."""
    version = str(connection.exec_driver_sql("SHOW server_version").scalar())
    safe = ("fsync", "full_page_writes", "synchronous_commit")
    careless = tuple(name for name in safe if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off")
    triggers = text(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text = ANY(:tables)"
        " AND tgname = tgrelid::regclass::text || '_insert_only' AND tgenabled IN ('O', 'A')"
    )
    owned = text(
        "SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')"
        " OR has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE'))"
        " FROM pg_class WHERE oid::regclass::text = ANY(:tables)"
    )
    tables = {"tables": list(insert_only)}
    guarded = connection.execute(triggers, tables).scalar() == len(insert_only)
    return About(version, careless, guarded, owner=bool(connection.execute(owned, tables).scalar()))


def _alone(session: Session, lock: int) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TAKE, {"lock": lock})


def as_ours(error: DBAPIError) -> ArchiveError | None:
    """Return our word for a driver's error, None when there is none."""
    state = getattr(error.orig, "sqlstate", None)
    if state in _CROSSED:
        return Crossed(part="database")
    if state in {"53100", "53200"}:  # the disk, the memory
        return StorageFull(part="database")
    if state in {"42501", "25006"}:
        return NoAccess(path="database")
    if isinstance(error, DataError):  # too long or too large for its column, or a sign that no text may hold (NUL)
        return InvalidInput(Fault("text", "not_kept"))
    if error.connection_invalidated or (state or "").startswith(_AWAY):
        return Unavailable(part="database")
    return Unavailable(part="database") if state is None and isinstance(error, OperationalError) else None
