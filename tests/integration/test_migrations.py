from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

import archive.model  # noqa: F401  (registers every table)
from archive.database import Base, Database
from archive.model.log import INSERT_ONLY
from runtime.revisions import migrate, revisions


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/house.db")
    migrate(database)
    return database


def test_the_migrations_make_the_tables_that_the_program_expects(db: Database) -> None:
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_twice_changes_nothing(db: Database) -> None:
    migrate(db)
    with db.engine.connect() as connection:
        found, wanted = revisions(connection)
    assert found == wanted


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_the_log_is_guarded_by_the_tables_themselves(db: Database, table: str, verb: str) -> None:
    with db.engine.connect() as connection:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).scalars()
        assert f"{table}_no_{verb.lower()}" in list(names)


def test_a_checkpoint_cannot_be_rewritten(db: Database) -> None:
    columns = [column.name for column in Base.metadata.tables["log_checkpoint"].columns]
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO log_checkpoint ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
            tuple(1 if name == "size" else b"x" for name in columns),
        )
    with pytest.raises(IntegrityError, match="insert-only"), db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM log_checkpoint")
