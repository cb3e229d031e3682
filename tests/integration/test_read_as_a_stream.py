"""What is read of a whole database comes through a cursor of the server: the driver holds a part of it at a time."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import ServerCursor
from sqlalchemy import event
from sqlalchemy.orm import Session

from archive.database import Base, Database
from runtime.fsck.dossiers import dossier_faults
from storage import dump
from storage.contents import items_of
from storage.keypack import KeyPack
from tests.factories.databases import ONLY_POSTGRES, a_database

pytestmark = [pytest.mark.postgres, ONLY_POSTGRES]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = a_database(tmp_path)
    yield made
    made.close()


def streamed(db: Database, act: Callable[[], Iterable[object]]) -> int:
    """Return how many statements of an act were read through a cursor of the server."""
    found = []

    def executed(_: Any, cursor: Any, *__: Any) -> None:
        found.append(isinstance(cursor, ServerCursor))

    event.listen(db.engine, "after_cursor_execute", executed)
    for _ in act():
        pass
    event.remove(db.engine, "after_cursor_execute", executed)
    return sum(found)


def of_one(db: Database, act: Callable[[Session], Iterable[object]]) -> Iterator[object]:
    with db.reading(long=True) as session:
        yield from act(session)


def test_the_contents_are_a_stream(db: Database) -> None:
    assert streamed(db, lambda: of_one(db, items_of)) == 2, "of records, and what is attached"


def test_the_wrapped_keys_are_a_stream(db: Database) -> None:
    assert streamed(db, lambda: KeyPack(db).blocks()) == 1


def test_each_table_of_a_dump_is_a_stream(db: Database) -> None:
    tables = {table.name for table in Base.metadata.sorted_tables} - dump.LEFT_OUT
    assert streamed(db, lambda: of_one(db, lambda session: dump.write(session, "1"))) == len(tables)


def test_the_items_of_dossiers_are_a_stream(db: Database) -> None:
    parts: Any = SimpleNamespace(db=db)
    assert streamed(db, lambda: dossier_faults(parts, 10)) == 1
