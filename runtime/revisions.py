"""The tables' revisions. Ours are counted, and a migration's file begins with its number."""

from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from archive.database import Base, Database, as_ours, postgres
from archive.model.log import INSERT_ONLY

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def newest_revision() -> str:
    """Return the revision that this program's tables have."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revisions(connection: Connection) -> tuple[str | None, str]:
    """Return the tables' revision (None: there are none) and the one that this program has."""
    try:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    except (OperationalError, ProgrammingError) as error:
        if connection.dialect.name != "sqlite" and (ours := as_ours(error)):
            raise ours from error  # it is away, or this role may not look: no word on what is in it
        found = None
    return found, newest_revision()


def migrate(db: Database, owner_url: str = "", to: str = "head") -> None:
    """Bring the tables up to a revision, by default this program's; forward only. What breaks off, the next call ends.

    Args:
        db: the everyday database.
        owner_url: PostgreSQL as the role that owns the tables; empty: the everyday role does.
        to: the revision.
    """
    from alembic import command  # noqa: PLC0415 (heavy, and only used where tables are made)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    patient = None if db.is_sqlite else postgres.engine(owner_url or db.url, patient=True)
    with (patient or db.engine).connect() as connection:
        if patient:
            postgres.migrating(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if owner_url:
            role = db.engine.url.username or ""
            postgres.grant(connection, role, Base.metadata.tables, INSERT_ONLY)


def clear(db: Database, owner_url: str = "") -> None:
    """Take the tables away that something left which broke off; ``owner_url`` as in ``migrate``."""
    with (postgres.engine(owner_url, patient=True) if owner_url else db.engine).begin() as connection:
        Base.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
