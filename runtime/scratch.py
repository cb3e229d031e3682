"""A scratch archive for a rehearsal, on the kinds of servers that the house has: made, read raw, and taken away again.

It has a database, a bucket and indices of its own. What reads bytes raw says for each part whether it could: a server's
own files lie where their server lets us, or on this machine.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from archive.errors import NoAccess, Unavailable
from runtime.settings import Settings

if TYPE_CHECKING:
    from minio import Minio

POSTGRESQL, S3, ELASTICSEARCH = SERVERS = ("PostgreSQL", "S3", "Elasticsearch")
"""What the parts of a house may lie on beside what is embedded, as reports call it."""

_BLOCK = 4 * 1024 * 1024
_OF_HOUSE = 30
_FILES = text(
    "SELECT pg_relation_filepath(oid) AS path FROM pg_class WHERE relfilenode > 0 AND relkind IN ('r', 'i', 't', 'm')"
)
_BYTES = text("SELECT pg_read_binary_file(:path, :at, :size)")
_MAY_READ = text("SELECT has_function_privilege('pg_read_binary_file(text, bigint, bigint)', 'EXECUTE')")

Look = Callable[[Sequence[bytes]], int]


@dataclass
class Scratch:
    """A scratch archive: its settings, on what each part of it lies, and how its parts are read raw.

    ``unread`` are the servers whose own files nobody could read.
    """

    settings: Settings
    on: dict[str, str]
    looks: list[Look] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def scanned(self, wanted: Sequence[bytes]) -> int:
        """Return how often any of these bytes stand in what can be read raw."""
        return sum(look(wanted) for look in self.looks)


@contextmanager
def scratch(living: Settings, folder: Path, *, embedded: bool, files: Sequence[tuple[str, Path]]) -> Iterator[Scratch]:
    """Make what a scratch archive needs, and take it away at the end.

    Args:
        living: the house's settings; with an administrator's, where its own credentials may make nothing.
        folder: an empty folder for whatever lies in one.
        embedded: whether all of it is to be embedded, whatever the house has.
        files: which of ``SERVERS`` keeps its files in which folder of this machine; they are read raw as well.

    Raises:
        Unavailable: a server does not answer, or refuses.
    """
    home = folder / "home"
    plain = replace(
        living, home=home, keys=folder / "keys", database_url=f"sqlite:///{home / 'juanku.db'}",
        database_owner_url="", store_url=(home / "objects").as_uri(), search_url="embedded:",
        backup_url=(folder / "backups").as_uri(), store_witness_bucket="", ocr="none", clamav="", wipe_hour=None,
    )  # fmt: skip
    made = Scratch(plain, {"database": "embedded", "store": "embedded", "search": "embedded"})
    own = [path for _server, path in files]
    made.looks.append(lambda wanted: scanned([home, folder / "backups", *own], wanted))
    with ExitStack() as stack:
        if not embedded:
            name = f"rehearsal-{secrets.token_hex(6)}"
            for part in (_database, _store, _search):
                stack.enter_context(part(living, made, name))
        made.unread = [each for each in made.unread if each not in dict(files)]
        yield made


def scanned(places: Sequence[Path], wanted: Sequence[bytes]) -> int:
    """Return how often any of these bytes stand in any file below the places. Raises ``NoAccess``: one is closed."""
    count = 0
    walked = (each for place in places for each in os.walk(place, onerror=_passed_over))
    for path in (Path(folder, name) for folder, _, names in walked for name in names):
        try:
            if path.is_file():
                with path.open("rb") as file:
                    count += counted(iter(lambda: file.read(_BLOCK), b""), wanted)
        except OSError as error:
            _passed_over(error)
    return count


def _passed_over(error: OSError) -> None:
    """Take what is gone for gone: a server that is at work removes files and folders of its own."""
    if isinstance(error, PermissionError):
        raise NoAccess(path=str(error.filename)) from error
    if not isinstance(error, FileNotFoundError):
        raise error


def counted(blocks: Iterator[bytes], wanted: Sequence[bytes]) -> int:
    """Return how often any of these bytes stand in a stream, across its blocks too."""
    keep = max(map(len, wanted)) - 1
    count, tail = 0, b""
    for block in blocks:
        data = tail + block
        count += sum(data.count(each) - tail.count(each) for each in wanted)
        tail = data[-keep:]
    return count


@contextmanager
def _database(living: Settings, made: Scratch, name: str) -> Iterator[None]:
    """Make a database beside the house's, as the owner of its tables or the administrator that the settings name."""
    url = living.database_admin_url or living.database_owner_url or living.database_url
    if not url.startswith("postgresql"):
        yield
        return
    base = f"juanku_{name.replace('-', '_')}"
    own = make_url(url).set(database=base).render_as_string(hide_password=False)
    with _server(url) as server:
        server.exec_driver_sql(f"CREATE DATABASE {base} ENCODING 'UTF8' TEMPLATE template0")
    try:
        made.settings = replace(made.settings, database_url=own)
        made.on["database"] = POSTGRESQL
        with _server(own) as server:
            may = bool(server.execute(_MAY_READ).scalar())
        if may:
            made.looks.append(lambda wanted: _in_relations(own, wanted))
        else:
            made.unread.append(POSTGRESQL)
        yield
    finally:
        with _server(url) as server:
            server.exec_driver_sql(f"DROP DATABASE IF EXISTS {base} WITH (FORCE)")


@contextmanager
def _server(url: str) -> Iterator[Connection]:
    engine: Engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or "connection"
        raise Unavailable(part="database", reason=str(state)) from error
    finally:
        engine.dispose()


def _in_relations(url: str, wanted: Sequence[bytes]) -> int:
    """Read the files of all tables and indices through the server."""
    with _server(url) as server:
        server.exec_driver_sql("CHECKPOINT")
        return sum(counted(_read(server, row.path), wanted) for row in server.execute(_FILES).all())


def _read(server: Connection, path: str) -> Iterator[bytes]:
    at = 0
    while block := bytes(server.execute(_BYTES, {"path": path, "at": at, "size": _BLOCK}).scalar() or b""):
        yield block
        at += len(block)


@contextmanager
def _store(living: Settings, made: Scratch, name: str) -> Iterator[None]:
    """Make a bucket beside the house's, with all that belongs to it."""
    where = urlsplit(living.store_url)
    if where.scheme == "file":
        yield
        return
    from runtime.stores import administrator  # noqa: PLC0415 (who has no such server needs it not)
    from storage.minio.client import translated  # noqa: PLC0415
    from storage.minio.objects import INCOMING  # noqa: PLC0415
    from storage.minio.setup import set_up  # noqa: PLC0415

    key, secret = living.store_admin_key or living.store_key, living.store_admin_secret or living.store_secret
    client = administrator(living, key, secret)
    bucket = scratch_bucket(where.path.removeprefix("/"), name)
    try:
        set_up(client, bucket)
        made.settings = replace(
            made.settings, store_url=urlunsplit(where._replace(path=f"/{bucket}")), store_key=key, store_secret=secret,
            store_sweep_key="", store_sweep_secret="", store_destroy_key="", store_destroy_secret="",
        )  # fmt: skip
        made.on["store"] = S3
        made.looks.append(lambda wanted: _in_bucket(client, bucket, wanted))
        made.unread.append(S3)
        yield
    finally:
        with translated():
            for each in (bucket, bucket + INCOMING):
                _drop(client, each)


def scratch_bucket(house: str, name: str) -> str:
    """Return the name of a bucket beside the house's: with what is put behind it a store takes 63 letters."""
    return f"{house[:_OF_HOUSE].rstrip('-.')}-{name}"


def _in_bucket(client: "Minio", bucket: str, wanted: Sequence[bytes]) -> int:
    """Read every version of every object as the store gives it."""
    count = 0
    for each in client.list_objects(bucket, include_version=True, recursive=True):
        if each.is_delete_marker:
            continue
        answer = client.get_object(bucket, cast("str", each.object_name), version_id=each.version_id)
        try:
            count += counted(answer.stream(_BLOCK), wanted)
        finally:
            answer.close()
            answer.release_conn()
    return count


def _drop(client: "Minio", bucket: str) -> None:
    from minio.deleteobjects import DeleteObject  # noqa: PLC0415 (as above)

    if not client.bucket_exists(bucket):
        return
    listed = client.list_objects(bucket, include_version=True, recursive=True)
    every = [DeleteObject(cast("str", each.object_name), each.version_id) for each in listed]
    for _refused in client.remove_objects(bucket, every, bypass_governance_mode=True):
        pass
    client.remove_bucket(bucket)


@contextmanager
def _search(living: Settings, made: Scratch, name: str) -> Iterator[None]:
    """Name indices of its own, which are made as they are needed; their files cannot be read through the server."""
    if not living.search_url.startswith("http"):
        yield
        return
    from indexer.elastic.client import Access, connect, reachable  # noqa: PLC0415 (as above)

    prefix = f"{living.search_prefix}-{name}"
    user, password = living.search_user, living.search_password
    if living.search_admin_password:
        user, password = living.search_admin_user, living.search_admin_password
    ca = Path(living.search_ca) if living.search_ca else None
    key = "" if living.search_admin_password else living.search_api_key
    client = connect(living.search_url, Access(user, password, key, ca))
    try:
        made.settings = replace(
            made.settings, search_url=living.search_url, search_prefix=prefix, search_user=user,
            search_password=password, search_api_key=key,
        )  # fmt: skip
        made.on["search"] = ELASTICSEARCH
        made.unread.append(ELASTICSEARCH)
        yield
    finally:
        with reachable():
            for index in client.indices.get(index=f"{prefix}-*", allow_no_indices=True):
                client.indices.delete(index=index, ignore_unavailable=True)
        client.close()
