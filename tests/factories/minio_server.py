"""A real MinIO server, if one is there: where ``JUANKU_TEST_MINIO`` (host:port) says, or where it usually is.

It must know the credential that ``services/minio.sh`` gives it. Each caller gets buckets of its own.
"""

import os
import secrets
import socket

import pytest
from minio import MinioAdmin
from minio.credentials import StaticProvider

from storage.minio.client import Access, client
from storage.minio.objects import MinioStore
from storage.minio.setup import set_up

USUAL = "127.0.0.1:9000"
KEY, SECRET = "archive", "archive-secret"


def address() -> str | None:
    """Where it answers; None where there is none."""
    where = os.environ.get("JUANKU_TEST_MINIO", USUAL)
    host, _, port = where.partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return where if probe.connect_ex((host, int(port))) == 0 else None


def needed() -> Access:
    """Return the server's own credential, or skip the test."""
    where = address()
    if where is None:
        pytest.skip("no MinIO answers (JUANKU_TEST_MINIO, or 127.0.0.1:9000)")
    return Access(where, KEY, SECRET, secure=False)


def a_bucket(access: Access) -> str:
    """Make a bucket, with all that belongs to it, that nobody else uses."""
    name = f"test-{secrets.token_hex(8)}"
    set_up(client(access), name)
    return name


def a_store(access: Access | None = None, bucket: str | None = None) -> MinioStore:
    """Return a store on a bucket of its own, under the server's own credential."""
    access = access or needed()
    made = client(access)
    return MinioStore(made, made, bucket or a_bucket(access))


def administrator(access: Access) -> MinioAdmin:
    """Return what makes credentials and quotas."""
    return MinioAdmin(
        endpoint=access.endpoint, credentials=StaticProvider(access.key, access.secret), region="", secure=False
    )


def a_person(access: Access, policy: dict[str, object]) -> Access:
    """Make a credential that may do what the policy says and nothing else."""
    admin = administrator(access)
    name, secret = f"user-{secrets.token_hex(6)}", secrets.token_hex(12)
    admin.user_add(name, secret)
    admin.policy_add(name, policy=policy)
    admin.policy_set(name, user=name)
    return Access(access.endpoint, name, secret, secure=False)
