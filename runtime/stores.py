"""Which object store the settings name, and the clients that its credentials give."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from archive.errors import BrokenSetting
from archive.ports import ObjectLocks, ObjectStore
from runtime.settings import Settings
from runtime.telemetry import STORE_CALLS, watched_calls
from storage.objects import FileStore
from storage.prefixed import PrefixedStore

if TYPE_CHECKING:
    from minio import Minio

    from storage.minio.client import Access
    from storage.minio.objects import MinioStore
    from storage.witness import WitnessBucket


@dataclass(frozen=True)
class Minios:
    """A store in a bucket. ``sweeper`` and ``destroyer`` are None where the house has given no such credential."""

    store: "MinioStore"
    bucket: str
    everyday: "Minio"
    sweeper: "Minio | None"
    destroyer: "Minio | None"


@dataclass
class StoreParts:
    """Where objects lie, each part built when it is first asked for."""

    settings: Settings

    @cached_property
    def store(self) -> ObjectStore:
        """The object store."""
        made: ObjectStore = self.minios.store if self.minios else FileStore(folder(self.settings))
        return watched_calls("store", made, STORE_CALLS)

    @cached_property
    def locks(self) -> ObjectLocks | None:
        """The same store, where it can lock; None where it cannot."""
        return self.minios.store if self.minios else None

    @cached_property
    def minios(self) -> Minios | None:
        """The store in a bucket with the clients of its credentials; None where objects lie in a folder."""
        return minios(self.settings)

    @cached_property
    def witness_bucket(self) -> "WitnessBucket | None":
        """Where checkpoints are witnessed outside; None where the house has named no bucket."""
        return witness(self.settings)


def backup_store(settings: Settings, url: str) -> ObjectStore:
    """Return the place of backups that an address names: a folder, or a bucket, perhaps under a prefix in it.

    Raises:
        BrokenSetting: it is a bucket, and its credential or the client is missing.
    """
    where = urlsplit(url)
    if where.scheme == "file":
        return FileStore(Path(unquote(where.path)))
    if not settings.backup_key:
        raise BrokenSetting(variable="JUANKU_BACKUP_KEY", reason="missing")
    try:
        from storage.minio.client import Access, client  # noqa: PLC0415 (who keeps backups in a folder needs it not)
        from storage.minio.objects import MinioStore  # noqa: PLC0415
    except ImportError as error:
        raise BrokenSetting(variable="JUANKU_BACKUP_URL", reason="driver_missing") from error
    ca, region = settings.backup_ca or None, settings.backup_region
    secure = where.scheme == "s3+https"
    made = client(Access(where.netloc, settings.backup_key, settings.backup_secret, secure, ca, region))
    bucket, _, prefix = where.path.removeprefix("/").partition("/")
    return PrefixedStore(MinioStore(made, made, bucket), f"{prefix.strip('/')}/" if prefix.strip("/") else "")


def folder(settings: Settings) -> Path:
    """Return the folder of a store that is one."""
    return Path(unquote(urlsplit(settings.store_url).path))


def minios(settings: Settings) -> Minios | None:
    """Return the store in a bucket; None where objects lie in a folder. Nothing is sent yet."""
    if settings.store_url.startswith("file:"):
        return None
    try:
        from storage.minio.objects import MinioStore  # noqa: PLC0415 (who keeps objects in a folder does not need it)
    except ImportError as error:
        raise BrokenSetting(variable="JUANKU_STORE_URL", reason="driver_missing") from error

    everyday = _client(settings, settings.store_key, settings.store_secret)
    sweeper = destroyer = None
    if settings.store_sweep_key:
        sweeper = _client(settings, settings.store_sweep_key, settings.store_sweep_secret)
    if settings.store_destroy_key:
        destroyer = _client(settings, settings.store_destroy_key, settings.store_destroy_secret)
    bucket = urlsplit(settings.store_url).path.removeprefix("/")
    return Minios(MinioStore(everyday, sweeper or everyday, bucket), bucket, everyday, sweeper, destroyer)


def witness(settings: Settings) -> "WitnessBucket | None":
    """Return the bucket that witnesses the log; None where there is none."""
    if not settings.store_witness_bucket:
        return None
    from storage.witness import WitnessBucket  # noqa: PLC0415 (as above)

    made = _client(settings, settings.store_witness_key, settings.store_witness_secret)
    return WitnessBucket(made, settings.store_witness_bucket)


def administrator(settings: Settings, key: str, secret: str) -> "Minio":
    """Return a client under a credential that no setting holds."""
    return _client(settings, key, secret)


def _client(settings: Settings, key: str, secret: str) -> "Minio":
    from storage.minio.client import client  # noqa: PLC0415 (as above)

    return client(access(settings, key, secret))


def access(settings: Settings, key: str, secret: str) -> "Access":
    """Return where the store is, with a credential for it."""
    from storage.minio.client import Access  # noqa: PLC0415 (as above)

    where = urlsplit(settings.store_url)
    secure = where.scheme == "s3+https"
    return Access(where.netloc, key, secret, secure, settings.store_ca or None, settings.store_region)
