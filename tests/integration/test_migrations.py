"""The migrations make what the program expects, whatever the database, and may be cut off anywhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

import archive.model  # noqa: F401  (registers every table)
from archive.database import Base, Database
from archive.ids import new_id
from archive.model import Hold, HoldKind
from archive.model.log import INSERT_ONLY
from runtime.revisions import migrate, revisions
from tests.factories import people, postgres, records
from tests.factories.databases import ONLY_POSTGRES

pytestmark = pytest.mark.postgres

CUT_OFF = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from archive.database import Database
from runtime.revisions import migrate

after, count = int(sys.argv[2]), 0

@event.listens_for(Engine, "before_cursor_execute")
def count_down(_connection, _cursor, statement, *_more):
    global count
    count += statement.lstrip().startswith(("CREATE TABLE", "ALTER TABLE", "CREATE INDEX"))
    if count > after:
        os.kill(os.getpid(), signal.SIGKILL)

migrate(Database(sys.argv[1]))
"""


def a_bare_one(folder: Path) -> Database:
    return Database(postgres.bare(folder) if postgres.used() else f"sqlite:///{folder}/house.db")


@pytest.fixture(name="bare")
def _bare(tmp_path: Path) -> Iterator[Database]:
    made = a_bare_one(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module", name="db")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = a_bare_one(tmp_path_factory.mktemp("migrated"))
    migrate(made)
    yield made
    made.close()


def as_expected(db: Database) -> None:
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_migrations_make_the_tables_that_the_program_expects(db: Database) -> None:
    as_expected(db)


def test_migrating_twice_changes_nothing(db: Database) -> None:
    migrate(db)
    with db.engine.connect() as connection:
        found, wanted = revisions(connection)
    assert found == wanted


@pytest.mark.parametrize("after", [3, 61, 75])
def test_migrations_cut_off_anywhere_are_finished_by_the_next_start(bare: Database, after: int) -> None:
    cut = subprocess.run(
        [sys.executable, "-c", CUT_OFF, bare.url, str(after)],
        cwd=Path(__file__).parents[2],
        env=os.environ,
        check=False,
    )
    assert cut.returncode == -signal.SIGKILL
    with bare.reading() as session:
        found, wanted = revisions(session.connection())
    assert found is None or found < wanted  # a start says so, and does not work on it
    migrate(bare)
    as_expected(bare)


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_log_is_guarded_by_the_tables_themselves(db: Database, table: str, verb: str) -> None:
    column = next(iter(Base.metadata.tables[table].columns)).name
    act = {"UPDATE": f"UPDATE {table} SET {column} = {column}", "DELETE": f"DELETE FROM {table}"}.get(  # noqa: S608
        verb, f"TRUNCATE {table} CASCADE"
    )
    if not db.is_sqlite:
        with pytest.raises(DBAPIError, match="insert-only"), db.engine.begin() as connection:
            connection.exec_driver_sql(act)
    elif verb != "TRUNCATE":  # SQLite has none, and asks its triggers row by row
        with db.engine.connect() as connection:
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
            ).scalars()
            assert f"{table}_no_{verb.lower()}" in list(names)


def test_a_checkpoint_cannot_be_rewritten(db: Database) -> None:
    columns = {column.name: column.type for column in Base.metadata.tables["log_checkpoint"].columns}
    with db.engine.begin() as connection:
        values = {"size": 1, "at": "2026-01-01 00:00:00", "key_id": "x"}
        if not db.is_sqlite:
            values["house_id"] = "00000000-0000-0000-0000-000000000000"
        row = tuple(values.get(name, b"x") for name in columns)
        marks = ", ".join("?" if db.is_sqlite else "%s" for _ in columns)
        connection.exec_driver_sql(f"INSERT INTO log_checkpoint ({', '.join(columns)}) VALUES ({marks})", row)  # noqa: S608
    with pytest.raises(DBAPIError, match="insert-only"), db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM log_checkpoint")


@ONLY_POSTGRES
def test_every_text_sorts_by_code_points_whatever_the_servers_language(db: Database) -> None:
    with db.engine.connect() as connection:
        others = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('character varying', 'text') AND collation_name IS DISTINCT FROM 'C'"
            " AND table_name <> 'alembic_version'"
        ).all()
    assert others == []


def test_holds_that_were_released_on_what_is_gone_name_it_no_more(bare: Database) -> None:
    migrate(bare, to="0067")
    gone, through = new_id(), new_id()
    with bare.writing() as work:
        session = work.session
        records.a_house(session)
        category = records.a_category(session, records.a_fonds(session, "F"), "C")
        there = records.a_record(session, category).id
        who = people.a_person(session, "archivist", roles=[])
        keys = []
        for record, released in ((gone, True), (there, True), (gone, False)):
            row = Hold(
                id=new_id(), kind=HoldKind.RECORD, covers={"id": str(record)}, name="n", reason="r", authority="a",
                review_on=date(2030, 1, 1), placed_by=who.id, placed_at=people.NOW, through=through,
                released_at=people.NOW if released else None, swept_at=people.NOW if released else None,
            )  # fmt: skip
            session.add(row)
            keys.append(row.id)
        work.commit()
    migrate(bare)
    with bare.reading() as session:
        found = [(row.covers, row.through) for row in (session.get_one(Hold, key) for key in keys)]
    assert found == [({}, None), ({"id": str(there)}, None), ({"id": str(gone)}, through)]
