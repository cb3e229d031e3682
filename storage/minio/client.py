"""The way to a MinIO server (or any S3 store): connections, time-outs, retries, and its errors in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError
from urllib3.util import Retry, Timeout

from archive.errors import ArchiveError, Conflict, NotFound, StorageFull, Unavailable

CONNECT_SECONDS = 3.0
READ_SECONDS = 60.0
"""How long the store may be silent in the middle of an answer. A join of many pieces is one answer."""

TRIES = 4
BACK_OFF = 0.2
"""Seconds before the second retry; each further one waits twice as long."""

CONNECTIONS = 32

_ABSENT = {"NoSuchKey", "NoSuchVersion", "NoSuchUpload"}
_NO_VERSION = {"InvalidArgument", "MethodNotAllowed"}
"""What a store answers when asked for a version id that it never gave, or for one that is a delete marker."""

_FULL = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
_LOCKED = {"ObjectLocked", "InvalidRequest"}


@dataclass(frozen=True)
class Access:
    """Where the store is, and one credential for it.

    ``endpoint`` is ``host:port``; ``secure`` means TLS, checked against ``ca`` (a file; None: the usual authorities).
    """

    endpoint: str
    key: str
    secret: str
    secure: bool = True
    ca: str | None = None
    region: str = "us-east-1"

    def __repr__(self) -> str:
        return f"Access({self.endpoint!r}, {self.key!r})"


class _Retry(Retry):
    """Retries what may be done twice. A put that broke off after it was sent is not: it may have made a version."""

    def increment(self, method: str | None = None, url: str | None = None, *words: Any, **more: Any) -> Self:
        """Count one failure; raise it when it is not to be tried again."""
        error = more.get("error") or (words[1] if len(words) > 1 else None)
        if isinstance(error, ReadTimeoutError | ProtocolError) and not _repeatable(method, url):
            raise error
        return super().increment(method, url, *words, **more)


def _repeatable(method: str | None, url: str | None) -> bool:
    query = parse_qs(urlsplit(url or "").query, keep_blank_values=True)
    return method in {"GET", "HEAD", "DELETE"} or (method == "PUT" and bool({"partNumber", "retention"} & query.keys()))


def pool(access: Access, *, tries: int = TRIES, read_seconds: float = READ_SECONDS) -> urllib3.PoolManager:
    """Return the connections of a client, with time-outs and retries of their own."""
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry would be told as a warning
    return urllib3.PoolManager(
        timeout=Timeout(connect=CONNECT_SECONDS, read=read_seconds),
        maxsize=CONNECTIONS,
        cert_reqs="CERT_REQUIRED",
        ca_certs=access.ca or certifi.where(),
        retries=_Retry(
            total=tries - 1,
            backoff_factor=BACK_OFF,
            status_forcelist=[500, 502, 503, 504],
            allowed_methods=None,
            raise_on_status=False,
            respect_retry_after_header=False,
        ),
    )


def client(access: Access, *, tries: int = TRIES, read_seconds: float = READ_SECONDS) -> Minio:
    """Return a client with time-outs and retries of its own; it connects when it is first used."""
    return Minio(
        access.endpoint,
        access_key=access.key,
        secret_key=access.secret,
        secure=access.secure,
        region=access.region,
        http_client=pool(access, tries=tries, read_seconds=read_seconds),
    )


@contextmanager
def translated(*, version: bool = False) -> Iterator[None]:
    """Turn the store's errors into ours; with ``version``, an id that it never gave is one that is not there.

    Raises:
        NotFound: there is no such object, version or upload.
        Conflict: the version is locked.
        StorageFull: the store takes no more bytes.
        Unavailable: it does not answer, or refuses (fact ``reason``: its code).
    """
    try:
        yield
    except ArchiveError:
        raise
    except S3Error as error:
        if version and error.code in _NO_VERSION:
            raise NotFound from error
        raise _ours(error.code or "", error.response.status) from error
    except InvalidResponseError as error:
        raise _by_status(error._code) from error  # noqa: SLF001 (the library shows the status nowhere else)
    except ServerError as error:
        raise _by_status(error.status_code) from error
    except MaxRetryError as error:
        raise Unavailable(part="store", reason=type(error.reason or error).__name__) from error
    except (MinioException, HTTPError, OSError) as error:
        raise Unavailable(part="store", reason=type(error).__name__) from error


def _ours(code: str, status: int) -> ArchiveError:
    if code in _ABSENT:
        return NotFound()
    if code in _FULL:
        return StorageFull(part="store")
    if code in _LOCKED:
        return Conflict(what="locked")
    return _by_status(status, code)


def _by_status(status: int, code: str = "") -> ArchiveError:
    return StorageFull(part="store") if status == 507 else Unavailable(part="store", reason=code or str(status))
