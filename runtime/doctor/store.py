"""What the doctor looks at where objects lie in a bucket."""

import os
from collections.abc import Iterator
from typing import Any

from minio import Minio

from archive.errors import ArchiveError
from runtime.locks import held
from runtime.settings import Settings
from runtime.stores import Minios, administrator
from storage.minio.setup import clock_apart, may_delete, state
from storage.witness import WitnessBucket

MOST_APART = 60.0
"""Seconds by which the store's clock may be wrong without a word."""

MOST_OF_ALL = 900.0
"""S3 refuses a request that is older than a quarter of an hour, whatever was asked."""

Seen = Iterator[tuple[str, str, dict[str, Any]]]


def looked_at(settings: Settings, minios: Minios) -> Seen:
    """Yield state (``ok``, ``warning``, ``broken``), message and facts of each thing. Raises ``Unavailable``."""
    bucket = {"bucket": minios.bucket}
    apart = round(clock_apart(minios.everyday))
    far = abs(apart) > MOST_OF_ALL
    yield "broken" if far else "warning" if abs(apart) > MOST_APART else "ok", "store_clock", {"seconds": apart}
    if far:
        return
    found = state(minios.everyday, minios.bucket)
    if not (found.exists and found.incoming):
        yield "broken", "no_bucket", bucket
        return
    yield ("ok", "bucket_versioned", bucket) if found.versioned else ("broken", "bucket_not_versioned", bucket)
    yield ("ok", "bucket_locks", bucket) if found.locks else ("warning", "bucket_without_locks", bucket)
    yield from _rights(settings, minios)
    if not settings.store_url.startswith("s3+https"):
        yield "warning", "store_plain", {}
    yield from _written(minios)
    yield from _witness(settings)


def _rights(settings: Settings, minios: Minios) -> Seen:
    if may_delete(minios.everyday, minios.bucket):
        yield "warning", "everyday_deletes", {}
    else:
        yield "ok", "everyday_keeps", {}
    if minios.sweeper is None:
        yield "warning", "no_sweeper", {}
    elif not may_delete(minios.sweeper, minios.bucket):
        yield "broken", "sweeper_cannot", {}
    if minios.destroyer is None:
        with held(settings.run / "serve.lock") as no_worker_of_these_settings:
            yield "ok" if no_worker_of_these_settings else "warning", "no_destroyer", {}


def _written(minios: Minios) -> Seen:
    """Write, read and sweep an object; without a right to delete it stays, and the sweep takes it in a day."""
    stored = minios.store.put(f"doctor/{os.urandom(8).hex()}", [b"juanku"])
    back = b"".join(minios.store.read(stored.key, stored.version))
    try:
        minios.store.remove(stored.key, stored.version)
    except ArchiveError:
        yield "warning", "sweeper_cannot", {}
    yield ("ok" if back == b"juanku" else "broken"), "written_and_read", {}


def _witness(settings: Settings) -> Seen:
    if not settings.store_witness_bucket:
        yield "warning", "no_witness", {}
        return
    client: Minio = administrator(settings, settings.store_witness_key, settings.store_witness_secret)
    told = WitnessBucket(client, settings.store_witness_bucket).told()
    yield "ok", "witness", {"bucket": settings.store_witness_bucket, "size": told}
    if may_delete(client, settings.store_witness_bucket):
        yield "warning", "witness_deletes", {"bucket": settings.store_witness_bucket}
