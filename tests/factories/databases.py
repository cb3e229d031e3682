"""An empty database with every table."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, text
from sqlalchemy.orm import Session

from archive.database import Base, Database
from archive.database.postgres import Crossed
from archive.errors import Unavailable
from archive.ids import new_id
from tests.factories import postgres

ONLY_SQLITE = pytest.mark.skipif(postgres.used(), reason="of the embedded database's own file")
ONLY_POSTGRES = pytest.mark.skipif(not postgres.used(), reason="no PostgreSQL server (JUANKU_TEST_POSTGRES)")

T = TypeVar("T")


def an_engine() -> Engine:
    """Make one without the product's ways, for a test that takes all back. In memory, or on the server."""
    if postgres.used():
        return create_engine(postgres.empty(Path(f"an-engine-{new_id()}")))
    made = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(made)
    return made


def without_what_it_hangs_on(session: Session) -> None:
    """Let rows stand, in this transaction, though what they refer to does not."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    session.execute(text("PRAGMA defer_foreign_keys=ON" if sqlite else "SET LOCAL session_replication_role = replica"))


def another(folder: Path) -> Database:
    """Open the one that a folder has once more."""
    return Database(postgres.standing(folder) if postgres.used() else f"sqlite:///{folder}/house.db")


def a_database(folder: Path, **more: Any) -> Database:
    """Make one in a file of the folder, or on the server; ``more`` goes to ``Database``. The caller closes it."""
    if postgres.used():
        return Database(postgres.empty(folder), **more)
    file = folder / "house.db"
    if not file.exists():
        file.write_bytes(_empty())
    return Database(f"sqlite:///{file}", **more)


def patiently(act: Callable[[], T]) -> T:
    """Do an act, again as often as a crowded database asks for it: who comes last waits longer than that allows."""
    while True:
        try:
            return act()
        except Crossed:  # who takes rows in the one order crosses nobody twice
            raise
        except Unavailable:
            continue


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        made = Database(f"sqlite:///{file}")
        Base.metadata.create_all(made.engine)
        made.close()
        return file.read_bytes()
