"""A place of its own on the servers that tests are given: a database, a bucket and a prefix that nobody else has.

``JUANKU_TEST_POSTGRES``, ``JUANKU_TEST_MINIO`` and ``JUANKU_TEST_ELASTICSEARCH`` name them.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from minio import Minio

from benchmarks._raw_copy import Bucket
from tests.factories import elastic, minio_server, postgres


def raw_bucket(url: str) -> Bucket:
    """Return a bucket by its address, as the bare client sees it."""
    where = urlsplit(url)
    client = Minio(where.netloc, minio_server.KEY, minio_server.SECRET, secure=False, region="us-east-1")
    return Bucket(client, where.path.removeprefix("/"))


@contextmanager
def a_bucket() -> Iterator[str]:
    """Make a bucket, and return its address; it goes at the end."""
    access = minio_server.needed()
    name = minio_server.a_bucket(access)
    try:
        yield f"s3+http://{access.endpoint}/{name}"
    finally:
        client = Minio(access.endpoint, access.key, access.secret, secure=False, region="us-east-1")
        for each in [name, *(f"{name}{end}" for end in ("-incoming",))]:
            with suppress(Exception):  # a bucket that is held keeps what lies in it
                emptied(client, each)


def emptied(client: Minio, name: str) -> None:
    """Remove a bucket with all its versions."""
    for each in client.list_objects(name, include_version=True, recursive=True):
        client.remove_object(name, each.object_name or "", version_id=each.version_id)
    client.remove_bucket(name)


@contextmanager
def a_place() -> Iterator[Mapping[str, str]]:
    """Make a place for a house; return the settings that name it. All of it goes at the end."""
    name, prefix = f"juanku_bench_{secrets.token_hex(6)}", elastic.new_prefix()
    with postgres.connected() as server:
        server.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        with a_bucket() as bucket:
            yield {
                "JUANKU_DATABASE_URL": postgres.url_of(name),
                "JUANKU_STORE_URL": bucket,
                "JUANKU_STORE_KEY": minio_server.KEY,
                "JUANKU_STORE_SECRET": minio_server.SECRET,
                "JUANKU_SEARCH_URL": elastic.server(),
                "JUANKU_SEARCH_PREFIX": prefix,
            }
    finally:
        elastic.sweep(prefix)
        with postgres.connected() as server:
            server.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
