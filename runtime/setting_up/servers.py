"""Setting up a house's servers: the accounts that the product works with, each with no more rights than it needs.

Every step may be done again: what stands is kept, and a secret that was changed in the settings is changed
at its server.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import NullPool, create_engine, make_url, text

from archive.database import Database
from archive.errors import WrongState
from runtime.revisions import revisions
from runtime.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

STEPS = ("database", "store", "search")
EMBEDDED = ("sqlite:", "file:", "embedded:")


def set_up(settings: Settings) -> list[str]:
    """Set up each server of the house whose administrator the settings name; return which.

    Raises:
        Unavailable: a server does not answer, or refuses.
    """
    named = {
        "database": (settings.database_url, settings.database_admin_url, _database),
        "store": (settings.store_url, settings.store_admin_key and settings.store_admin_secret, _store),
        "search": (settings.search_url, settings.search_admin_password, _search),
    }
    done = []
    for name in STEPS:
        url, administrator, step = named[name]
        if administrator and not url.startswith(EMBEDDED):
            step(settings)
            done.append(name)
    return done


def refuse_other_version(settings: Settings) -> None:
    """Refuse tables of another version: changing them under processes that run would break these.

    Raises:
        WrongState: facts ``state`` (``other_version``), ``is`` and ``wanted``.
    """
    url = settings.database_owner_url or settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    db = Database(url)
    try:
        with db.reading() as session:
            found, wanted = revisions(session.connection())
    finally:
        db.close()
    if found not in {None, wanted}:
        raise WrongState(state="other_version", act="set_up", **{"is": found, "wanted": wanted})


def _database(settings: Settings) -> None:
    """Make the roles and the database of the addresses in the settings."""
    everyday = make_url(settings.database_url)
    owner = make_url(settings.database_owner_url or settings.database_url)
    engine = create_engine(settings.database_admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        raw = cast("Connection[Any]", connection.connection.driver_connection)
        for url in (owner, everyday):
            _role(raw, url.username or "", str(url.password or ""))
        found = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": owner.database})
        if found.first() is None:
            _make_database(raw, owner.database or "", owner.username or "")


def _role(connection: "Connection[Any]", name: str, password: str) -> None:
    """Make a role, or give the one that stands this password. The server and its log see a digest of it alone."""
    from psycopg import sql  # noqa: PLC0415 (comes with the extra house)

    digest = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    stands = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    act = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if stands else "CREATE ROLE {} LOGIN PASSWORD {}")
    connection.execute(act.format(sql.Identifier(name), sql.Literal(digest)))


def _make_database(connection: "Connection[Any]", name: str, owner: str) -> None:
    from psycopg import sql  # noqa: PLC0415 (as above)

    act = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
    connection.execute(act.format(sql.Identifier(name), sql.Identifier(owner)))


def _store(settings: Settings) -> None:
    """Make buckets and, at a MinIO, the credentials of the settings with their policies."""
    from runtime.stores import access, administrator, minios  # noqa: PLC0415 (as above)
    from storage.minio.accounts import Account, make_accounts  # noqa: PLC0415
    from storage.minio.setup import set_up as set_up_bucket  # noqa: PLC0415
    from storage.minio.setup import set_up_witness  # noqa: PLC0415

    found = minios(settings)
    if found is None:
        return
    client = administrator(settings, settings.store_admin_key, settings.store_admin_secret)
    set_up_bucket(client, found.bucket)
    if settings.store_witness_bucket:
        set_up_witness(client, settings.store_witness_bucket)
    accounts = [
        Account("everyday", settings.store_key, settings.store_secret),
        Account("sweeper", settings.store_sweep_key, settings.store_sweep_secret),
        Account("destruction", settings.store_destroy_key, settings.store_destroy_secret),
        Account("witness", settings.store_witness_key, settings.store_witness_secret),
    ]
    given = [each for each in accounts if each.key and each.key != settings.store_admin_key]
    ruler = access(settings, settings.store_admin_key, settings.store_admin_secret)
    make_accounts(ruler, given, found.bucket, settings.store_witness_bucket or None)


def _search(settings: Settings) -> None:
    """Give the user of the settings the indices under the house's prefix, and nothing else."""
    from indexer.elastic.client import Access, connect, give_rights  # noqa: PLC0415 (as above)

    ca = Path(settings.search_ca) if settings.search_ca else None
    ruler = Access(settings.search_admin_user, settings.search_admin_password, ca=ca)
    client = connect(settings.search_url, ruler)
    try:
        give_rights(client, settings.search_user, settings.search_password, settings.search_prefix)
    finally:
        client.close()
