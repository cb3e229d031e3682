"""The tables' revisions. Ours are counted, and a migration's file begins with its number."""

from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from archive.database import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def newest_revision() -> str:
    """Return the revision that this program's tables have."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revisions(connection: Connection) -> tuple[str | None, str]:
    """Return the tables' revision (None: there are none) and the one that this program has."""
    try:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except (OperationalError, ProgrammingError):
        found = None
    return found, newest_revision()


def migrate(db: Database, to: str = "head") -> None:
    """Bring the tables up to a revision, by default this program's; forward only."""
    from alembic import command  # noqa: PLC0415 (heavy, and only used where tables are made)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
