"""Wiping what a database keeps of rows that are gone: dead pages, and what its log can be made to let go of."""

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from archive.database import Base, Database, postgres

DONE, BUSY, REFUSED = "done", "busy", "refused"
_TRIES = 20
_SEALED = {"page_text"}  # by far the largest, and nothing in it is read without a key that is gone
_LOCK_MS = 2000
_LOCKED = "55P03"  # lock_not_available
_PAUSE = 0.25
_TURN = 0x4A550005  # beside those of ``archive.database.postgres``
_STILL_SEEN = re.compile("[1-9]")  # the detail begins, in any language, with how many dead rows could not be left out
_MAY = text(
    "SELECT c.relname FROM pg_class c WHERE c.relname = ANY(:tables)"
    " AND NOT pg_has_role(current_user, c.relowner, 'USAGE')"
)


def scrub(db: Database, owner_url: str = "") -> Mapping[str, str]:
    """Wipe dead pages and shorten the log; return for each step whether it was ``done``, ``busy`` or ``refused``.

    Args:
        db: the database.
        owner_url: of PostgreSQL, who owns the tables, if that is another than who uses them.
    """
    if db.is_sqlite:
        return _sqlite(db)
    engine = postgres.engine(owner_url or db.url, patient=True)
    try:
        return _postgres(engine)
    finally:
        engine.dispose()


def _sqlite(db: Database) -> Mapping[str, str]:
    """Write the whole file anew, then empty the write-ahead log."""
    return {
        "vacuum": _tried(db, "VACUUM"),
        "checkpoint": _tried(db, "PRAGMA wal_checkpoint(TRUNCATE)"),
    }


def _tried(db: Database, statement: str) -> str:
    """Run a statement outside of any transaction; readers and writers may hold it up for a moment."""
    for _ in range(_TRIES):
        raw = db.engine.raw_connection()
        try:
            answer = raw.cursor().execute(statement).fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                return REFUSED
        else:
            if not answer or answer[0] == 0:
                return DONE
        finally:
            raw.close()
        time.sleep(_PAUSE)
    return BUSY


def _postgres(engine: Engine) -> Mapping[str, str]:
    tables: Sequence[str] = [table.name for table in Base.metadata.sorted_tables]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection, _in_turn(connection):
        foreign = connection.execute(_MAY, {"tables": tables}).all()
        said = {"vacuum": REFUSED, "written_anew": REFUSED}
        if not foreign:
            connection.exec_driver_sql(f"VACUUM {', '.join(tables_quoted(tables))}")
            said = {"vacuum": DONE, "written_anew": _written_anew(connection)}
        for step, statement in (("checkpoint", "CHECKPOINT"), ("switch_log", "SELECT pg_switch_wal()")):
            try:
                connection.exec_driver_sql(statement)
                said[step] = DONE
            except DBAPIError:
                said[step] = REFUSED
    return said


@contextmanager
def _in_turn(connection: Connection) -> Iterator[None]:
    """Let no other process write tables anew meanwhile. It is asked for again and again: who waits for it sees rows."""
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:turn)"), {"turn": _TURN}):
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:turn)"), {"turn": _TURN})


def _written_anew(connection: Connection) -> str:
    """Write the tables that lose rows with a record anew: a mere ``VACUUM`` leaves the bytes of dead rows standing.

    Who reads or writes one of them waits meanwhile; who holds it is waited for a moment, and nobody behind us for long.
    A row that someone who began before its end may still see is written anew too, so the table is taken once more. To
    that counts, for ``FULL`` alone, who writes in any other database of the server: a mere ``VACUUM`` before it takes
    the dead rows out without them.
    """
    connection.exec_driver_sql(f"SET lock_timeout = {_LOCK_MS}")
    kept: list[str] = []
    connection.connection.driver_connection.add_notice_handler(lambda said: kept.append(said.message_detail or ""))  # type: ignore[union-attr]  # it is connected
    ended = DONE
    for name in tables_quoted(_of_records()):
        for again in range(_TRIES):
            kept.clear()
            try:
                if again:
                    connection.exec_driver_sql(f"VACUUM {name}")
                connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {name}")
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", "") != _LOCKED:
                    return REFUSED  # such as a disk without room for the second copy
            else:
                if not any(_STILL_SEEN.match(each) for each in kept):
                    break
            time.sleep(_PAUSE)
        else:
            ended = BUSY
    return ended


def _of_records() -> Sequence[str]:
    """Return the tables of records and of all that hangs on one by a key."""
    found = {"record", "content", "file"}
    hangs = [
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name in found for key in table.foreign_keys)
    ]
    return sorted(found.union(hangs) - _SEALED)


def tables_quoted(names: Sequence[str]) -> list[str]:
    """Return names of tables as a statement takes them."""
    return [f'"{name}"' for name in names]
