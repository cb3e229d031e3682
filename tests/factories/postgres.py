"""Databases on a real PostgreSQL server, when ``JUANKU_TEST_POSTGRES`` names one (a role that may make databases).

Each folder that would hold an SQLite file has a database instead. Empty ones are copied from a template, and are
emptied and used again: that takes a tenth of a copy's time.
"""

import atexit
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine, make_url, text
from sqlalchemy.engine import Connection

from archive.database import Database
from runtime.revisions import MIGRATIONS, migrate

SERVER = os.environ.get("JUANKU_TEST_POSTGRES", "")
_CONTROLLER = os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
_PREFIX = f"juanku_test_{_CONTROLLER}_"
_LOCK = 0x4A55FFFF

_free: list[str] = []
_taken: dict[Path, str] = {}

_EMPTY = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %%I', name); END LOOP;
END $$
"""
_WHOLE = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"


def used() -> bool:
    """Whether this run's databases lie on PostgreSQL."""
    return bool(SERVER)


def url_of(name: str) -> str:
    """Return the address of a database by its name."""
    return _address(name).render_as_string(hide_password=False)


def _address(name: str) -> URL:
    return make_url(SERVER).set(database=name)


@contextmanager
def connected(name: str = "postgres") -> Iterator[Connection]:
    """Connect without the product: each statement is a transaction."""
    engine = create_engine(_address(name), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def empty(folder: Path) -> str:
    """Return the address of the folder's database with every table; what is new is empty."""
    if folder not in _taken:
        _taken[folder] = _free.pop() if _free else _copied(template(), folder)
    return url_of(_taken[folder])


def bare(folder: Path) -> str:
    """Return the address of the folder's new database without any table."""
    return url_of(_made(folder, "template0"))


def copied(source: Path, folder: Path) -> None:
    """Give a folder a copy of another's database. Nobody may be connected to that."""
    _taken[folder] = _copied(_taken.get(source) or _name(source), folder)  # another worker may have made that


def moved(source: Path, folder: Path) -> None:
    """Give a folder the database of another."""
    with connected() as server:
        server.exec_driver_sql(f"ALTER DATABASE {_taken.pop(source)} RENAME TO {_name(folder)}")
    _taken[folder] = _name(folder)


def standing(folder: Path) -> str:
    """Return the address of the database that a folder has, whoever made it; make a bare one where there is none."""
    if folder in _taken:
        return url_of(_taken[folder])
    with connected() as server:
        found = server.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": _name(folder)}).first()
    return url_of(_name(folder)) if found else bare(folder)


def taken() -> set[Path]:
    """Return the folders that have a database."""
    return set(_taken)


def give_back(folder: Path) -> None:
    """Empty a folder's database for another test, or drop it when it is not what it was."""
    name = _taken.pop(folder)
    with connected() as server:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        server.execute(text(ended), {"name": name})
        if not name.startswith(f"{_PREFIX}e"):
            _drop(server, name)
            return
    with connected(name) as used_one:
        if used_one.exec_driver_sql(_WHOLE).scalar() == _guards():
            used_one.exec_driver_sql(_EMPTY)
            _free.append(name)
            return
    with connected() as server:
        _drop(server, name)


def drop_all() -> None:
    """Drop what this run made."""
    if not SERVER:
        return
    with connected() as server:
        rows = server.execute(text("SELECT datname FROM pg_database WHERE starts_with(datname, :p)"), {"p": _PREFIX})
        for (name,) in rows.all():
            _drop(server, name)


def template() -> str:
    """Return the name of the database with every table and nothing in them; made once for each state of the tables."""
    digest = hashlib.sha256()
    for path in sorted((MIGRATIONS / "versions").glob("*.py")):
        digest.update(path.read_bytes())
    name = f"juanku_template_{digest.hexdigest()[:16]}"
    with connected() as server:
        server.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        if not server.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first():
            _drop(server, f"{name}_new")
            server.exec_driver_sql(f"CREATE DATABASE {name}_new TEMPLATE template0")
            db = Database(url_of(f"{name}_new"))
            migrate(db)
            db.close()
            server.exec_driver_sql(f"ALTER DATABASE {name}_new RENAME TO {name}")
    return name


def _guards() -> int:
    from archive.model.log import INSERT_ONLY

    return len(INSERT_ONLY)


def _copied(source: str, folder: Path) -> str:
    return _made(folder, source, "e" if source.startswith("juanku_template") else "")


def _made(folder: Path, source: str, kind: str = "") -> str:
    name = _name(folder, kind)
    with connected() as server:
        _drop(server, name)
        server.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {source}")
    _taken[folder] = name
    return name


def _name(folder: Path, kind: str = "") -> str:
    return f"{_PREFIX}{kind or 'a'}{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


def _drop(server: Connection, name: str) -> None:
    server.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


if SERVER and not os.environ.get("PYTEST_XDIST_WORKER"):
    atexit.register(drop_all)
