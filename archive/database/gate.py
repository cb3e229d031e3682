"""The gate that every write passes: while a house moves, nothing is written but what reading itself writes.

It stands inside the transaction, behind the write lock. Who closes the house takes that lock alone, so whatever was
begun before is committed when the house is closed, and whatever begins later finds it closed.
"""

import re
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from archive.errors import ReadOnly

STILL_WRITTEN = frozenset(
    {"log_entry", "log_unsealed", "log_seal", "log_checkpoint", "web_session", "sign_in_failures"}
)
"""Tables that are written while the house is read only: the log of what was read, and who is signed in."""

WAIT_SECONDS = 60
"""After so many seconds a program may ask again."""

_WRITES = re.compile(r'(?<!for )\b(?:insert(?: or \w+)? into|update|delete from)\s+"?(\w+)', re.IGNORECASE)
_ASKED = "SELECT state, place FROM closure"


def pass_through(connection: Connection, place: str) -> None:
    """Let a unit of work begin, or begin for the log alone.

    Args:
        connection: in its transaction, with the write lock.
        place: the object store of this process.

    Raises:
        ReadOnly: nothing is written here now (facts ``state`` and, when it will pass, ``seconds``).
    """
    state = standing(connection, place)
    if state == "read_only":
        connection.execution_options(juanku_log_only=True)
    elif state:
        raise refusal(state)


def standing(connection: Connection, place: str) -> str | None:
    """Return how the house is closed for a process with this object store; None: it is open."""
    try:
        rows = connection.exec_driver_sql(_ASKED).all()
    except OperationalError as error:
        if "no such table" in str(error.orig):  # SQLite, before there are tables: nothing can have closed it
            return None
        raise
    found = [state for state, at in rows if state != "moved" or at in {"", place}]
    return max(found, key=("read_only", "closing", "arriving", "moved").index, default=None)


def refusal(state: str) -> ReadOnly:
    """Return what a writer is told."""
    return ReadOnly(state="moved") if state == "moved" else ReadOnly(state="read_only", seconds=WAIT_SECONDS)


def guard(engine: Engine) -> None:
    """Have an engine refuse, in a unit of work for the log alone, to write anything else."""

    @event.listens_for(engine, "before_cursor_execute")
    def _look(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if connection.get_execution_options().get("juanku_log_only") and not statement.startswith("SELECT"):
            for table in _WRITES.findall(statement):
                if table not in STILL_WRITTEN:
                    raise refusal("read_only")
