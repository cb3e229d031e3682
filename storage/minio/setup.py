"""The bucket as it must be, and what each credential may do in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import token_hex
from typing import Any
from uuid import uuid4

from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.error import S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, Expiration, LifecycleConfig, Rule
from minio.versioningconfig import VersioningConfig

from archive.errors import NotFound, Unavailable
from storage.minio.client import translated
from storage.minio.objects import INCOMING

FORGOTTEN_DAYS = 30
"""Days after which the store itself drops an upload that nobody took up again; the sweeper comes much sooner."""

_LOOK = ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:ListBucket"]
_LIST = ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetLifecycleConfiguration"]
_READ = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold"]
_WRITE = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
_LOCK = ["s3:PutObjectRetention", "s3:PutObjectLegalHold"]
_DELETE = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
_BYPASS = "s3:BypassGovernanceRetention"


@dataclass(frozen=True)
class BucketState:
    """How a bucket is: what must hold before an archive trusts it."""

    exists: bool
    versioned: bool
    locks: bool
    incoming: bool


def set_up(client: Minio, bucket: str) -> BucketState:
    """Make the buckets where they are absent: versioned, with object lock, and a place for pieces beside.

    What stands is left as it is. Object lock can be given to a bucket only when it is made.

    Raises:
        Unavailable: the store does not answer or refuses.
    """
    with translated():
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket, object_lock=True)
        if client.get_bucket_versioning(bucket).status != ENABLED:
            client.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
        if not client.bucket_exists(bucket + INCOMING):
            client.make_bucket(bucket + INCOMING)
        expires = Rule(
            ENABLED,
            rule_filter=Filter(prefix=""),
            rule_id="forgotten-uploads",
            expiration=Expiration(days=FORGOTTEN_DAYS),
        )
        client.set_bucket_lifecycle(bucket + INCOMING, LifecycleConfig([expires]))
        broken = AbortIncompleteMultipartUpload(days_after_initiation=1)
        rule = Rule(
            ENABLED,
            rule_filter=Filter(prefix=""),
            rule_id="broken-multiparts",
            abort_incomplete_multipart_upload=broken,
        )
        try:
            client.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))
        except S3Error as error:  # MinIO takes no such rule, and drops them after a day by itself
            if error.code not in {"MalformedXML", "InvalidRequest", "NotImplemented", "InvalidArgument"}:
                raise
    return state(client, bucket)


def set_up_witness(client: Minio, bucket: str) -> None:
    """Make the bucket that witnesses the log, where it is absent. Raises ``Unavailable``."""
    with translated():
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket, object_lock=True)


def may_delete(client: Minio, bucket: str) -> bool:
    """Return whether a credential could remove a version: it asks for one that is not there, so nothing is lost.

    A store looks at the right before it looks for the version.
    """
    try:
        with translated():
            client.remove_object(bucket, f"doctor/{token_hex(8)}", version_id=str(uuid4()))
    except Unavailable as error:
        if error.facts.get("reason") == "AccessDenied":
            return False
        raise
    except NotFound:
        pass
    return True


def clock_apart(client: Minio) -> float:
    """Return by how many seconds the store's clock is ahead of this machine's (below zero: behind)."""
    with translated():
        try:
            answer = client._execute("GET")  # noqa: SLF001 (the library tells of an answer's date in no public way)
        except S3Error as refused:  # as it does where the clocks are far apart
            answer = refused.response
    told = parsedate_to_datetime(answer.headers["date"])
    return (told - datetime.now(UTC)).total_seconds()


def state(client: Minio, bucket: str) -> BucketState:
    """Look at a bucket. Raises ``Unavailable``."""
    with translated():
        if not client.bucket_exists(bucket):
            return BucketState(exists=False, versioned=False, locks=False, incoming=False)
        versioned = client.get_bucket_versioning(bucket).status == ENABLED
        try:
            client.get_object_lock_config(bucket)
            locks = True
        except S3Error as error:
            if error.code != "ObjectLockConfigurationNotFoundError":
                raise
            locks = False
        incoming = client.bucket_exists(bucket + INCOMING)
    return BucketState(exists=True, versioned=versioned, locks=locks, incoming=incoming)


def policies(bucket: str, witness: str | None = None) -> Mapping[str, dict[str, Any]]:
    """Return what each credential may do, by its name, as the store's administrator enters it."""
    pieces = bucket + INCOMING
    own = [
        _allow([*_LOOK, *_LIST], _bucket(bucket), _bucket(pieces)),
        _allow([*_READ, *_WRITE, *_LOCK], _objects(bucket)),
        _allow([*_READ, *_WRITE, *_DELETE], _objects(pieces)),
        _deny([*_DELETE, _BYPASS], _objects(bucket)),
    ]
    sweeper = [
        _allow([*_LOOK, *_LIST], _bucket(bucket)),
        _allow([*_READ, "s3:DeleteObjectVersion", "s3:DeleteObject", "s3:AbortMultipartUpload"], _objects(bucket)),
        _deny([_BYPASS, *_LOCK], _objects(bucket)),
    ]
    destroyer = [
        _allow([*_LOOK, *_LIST], _bucket(bucket)),
        _allow([*_READ, *_LOCK, *_DELETE, _BYPASS], _objects(bucket)),
    ]
    made = {"everyday": own, "sweeper": sweeper, "destruction": destroyer}
    if witness:
        made["witness"] = [
            _allow(_LOOK, _bucket(witness)),
            _allow(["s3:GetObject", "s3:PutObject", "s3:PutObjectRetention"], _objects(witness)),
            _deny([*_DELETE, _BYPASS], _objects(witness)),
        ]
    return {name: {"Version": "2012-10-17", "Statement": statements} for name, statements in made.items()}


def _allow(actions: list[str], *where: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(where)}


def _deny(actions: list[str], *where: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": actions, "Resource": list(where)}


def _bucket(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _objects(name: str) -> str:
    return f"arn:aws:s3:::{name}/*"
