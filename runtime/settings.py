"""Settings: read once from the environment, checked, frozen. A broken one stops the start and is named."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from archive.errors import BrokenSetting
from indexer.ocr.engines import AUTO, CHOICES

MASK = "•••"

NEAR = {"127.0.0.1", "::1", "localhost"}
"""Hosts that are this very machine: what goes there needs no TLS."""
_INDEX_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")


@dataclass(frozen=True)
class Spec:
    """What a setting is: its variable, how its text is read, and what it means (a gettext message id)."""

    variable: str
    read: Callable[[str], Any]
    meaning: str
    secret: bool = False
    """It is an address that may hold a password."""
    hidden: bool = False
    """All of it is a secret."""


@dataclass(frozen=True)
class Settings:
    """All settings of one process. ``sources`` tells where each came from: environment, file or default."""

    home: Path
    keys: Path
    database_url: str
    database_owner_url: str
    broker_url: str
    store_url: str
    store_key: str
    store_secret: str
    store_sweep_key: str
    store_sweep_secret: str
    store_destroy_key: str
    store_destroy_secret: str
    store_witness_bucket: str
    store_witness_key: str
    store_witness_secret: str
    store_ca: str
    store_region: str
    search_url: str
    search_prefix: str
    search_user: str
    search_password: str
    search_api_key: str
    search_ca: str
    port: int
    host: str
    worker_threads: int
    pictures_mb: int
    clamav: str
    api_per_minute: int
    soffice: str
    backup_url: str
    backup_key: str
    backup_secret: str
    backup_ca: str
    backup_region: str
    backup_days: int
    ocr: str
    log_level: str
    failpoint: str
    sources: Mapping[str, str]

    @property
    def run(self) -> Path:
        """Folder of what only matters while the product runs: broker, locks, sockets."""
        return self.home / "run"

    @property
    def keys_beside_home(self) -> bool:
        """Whether the ring lies in its default place beside the data (fine to try out, not to run a house)."""
        return self.sources["keys"] == "default"


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal():
            raise ValueError("not_a_number")
        value = int(text)
        if not low <= value <= high:
            raise ValueError("out_of_range")
        return value

    return read


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.split(":", 1)[0] not in schemes:
            raise ValueError("unknown_scheme")
        return text

    return read


def _search(text: str) -> str:
    where = urlsplit(_url("embedded", "http", "https")(text))
    if where.scheme == "embedded":
        return text
    if not where.hostname:
        raise ValueError("not_an_address")
    if where.username or where.password:  # they have settings of their own, which no log of requests shows
        raise ValueError("secret_in_address")
    return _private(text, plain={"http"})


def _prefix(text: str) -> str:
    if not _INDEX_PREFIX.fullmatch(text):
        raise ValueError("not_a_name")
    return text


def _file(text: str) -> str:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError("no_such_file")
    return str(path)


_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,51}[a-z0-9]")


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text):
        raise ValueError("not_a_bucket")
    return text


def _store(text: str) -> str:
    where = urlsplit(text)
    if where.scheme == "file":
        return text
    if where.scheme not in {"s3+http", "s3+https"}:
        raise ValueError("unknown_scheme")
    if where.username or where.password:  # a secret has a variable of its own, and may lie in a file
        raise ValueError("secret_in_address")
    if not where.hostname or where.query or where.fragment:
        raise ValueError("not_an_address")
    _bucket(where.path.removeprefix("/"))
    return _private(text, plain={"s3+http"})


def _backup(text: str) -> str:
    where = urlsplit(text)
    bucket, _, prefix = where.path.removeprefix("/").partition("/")
    if where.scheme != "file":
        _store(urlunsplit(where._replace(path=f"/{bucket}")))
        if not re.fullmatch(r"[0-9a-z/-]*", prefix):
            raise ValueError("not_a_name")
    return text


def _broker(text: str) -> str:
    scheme = text.split(":", 1)[0]
    if scheme not in {"filesystem", "memory", "redis", "rediss", "amqp", "amqps"}:
        raise ValueError("unknown_scheme")
    return _private(text, plain={"redis", "amqp"})


def _private(text: str, *, plain: set[str]) -> str:
    """Refuse an address whose words would go in plain from one machine to another.

    A name without a dot is taken for a neighbour on a machine's own network, as containers have it.
    """
    where = urlsplit(text)
    host = where.hostname or "localhost"
    near = "." not in host and ":" not in host
    if where.scheme in plain and not near and host not in NEAR:
        raise ValueError("needs_tls")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError("unknown_word")
        return text

    return read


def _scanner(text: str) -> str:
    where = urlsplit(text)
    if where.scheme not in {"unix", "tcp"}:
        raise ValueError("unknown_scheme")
    if not (where.path if where.scheme == "unix" else where.hostname and where.port):
        raise ValueError("not_an_address")
    return text


SPECS: Mapping[str, Spec] = {
    "home": Spec("JUANKU_HOME", _path, "the data folder"),
    "keys": Spec("JUANKU_KEYS", _path, "the key ring's folder, never inside the data folder"),
    "database_url": Spec("JUANKU_DATABASE_URL", _url("sqlite", "postgresql+psycopg"), "the database", secret=True),
    "database_owner_url": Spec(
        "JUANKU_DATABASE_OWNER_URL",
        _url("postgresql+psycopg"),
        "PostgreSQL as the owner of the tables, for making and changing them",
        secret=True,
    ),
    "broker_url": Spec("JUANKU_BROKER_URL", _broker, "the broker that wakes workers", secret=True),
    "store_url": Spec("JUANKU_STORE_URL", _store, "the object store"),
    "store_key": Spec("JUANKU_STORE_KEY", str, "the everyday credential of the object store: its name"),
    "store_secret": Spec("JUANKU_STORE_SECRET", str, "the everyday credential: its secret", hidden=True),
    "store_sweep_key": Spec("JUANKU_STORE_SWEEP_KEY", str, "the credential that removes what is not locked: its name"),
    "store_sweep_secret": Spec(
        "JUANKU_STORE_SWEEP_SECRET", str, "the credential that removes what is not locked: its secret", hidden=True
    ),
    "store_destroy_key": Spec("JUANKU_STORE_DESTROY_KEY", str, "the credential of destruction: its name"),
    "store_destroy_secret": Spec(
        "JUANKU_STORE_DESTROY_SECRET", str, "the credential of destruction: its secret", hidden=True
    ),
    "store_witness_bucket": Spec(
        "JUANKU_STORE_WITNESS_BUCKET", _bucket, "the bucket that witnesses how long the log was; empty: none"
    ),
    "store_witness_key": Spec("JUANKU_STORE_WITNESS_KEY", str, "the credential of that bucket: its name"),
    "store_witness_secret": Spec(
        "JUANKU_STORE_WITNESS_SECRET", str, "the credential of that bucket: its secret", hidden=True
    ),
    "store_ca": Spec("JUANKU_STORE_CA", str, "the file of the authority that signed the object store's certificate"),
    "store_region": Spec("JUANKU_STORE_REGION", str, "the region of the object store"),
    "search_url": Spec("JUANKU_SEARCH_URL", _search, "the search engine", secret=True),
    "search_prefix": Spec("JUANKU_SEARCH_PREFIX", _prefix, "the prefix of search index names"),
    "search_user": Spec("JUANKU_SEARCH_USER", str, "the user name at Elasticsearch"),
    "search_password": Spec("JUANKU_SEARCH_PASSWORD", str, "that user's password", hidden=True),
    "search_api_key": Spec("JUANKU_SEARCH_API_KEY", str, "an API key, instead of user and password", hidden=True),
    "search_ca": Spec("JUANKU_SEARCH_CA", _file, "certificates that Elasticsearch's own may be signed by"),
    "port": Spec("JUANKU_PORT", _whole(0, 65535), "the port of the web server"),
    "host": Spec("JUANKU_HOST", str, "the address the web server listens on"),
    "worker_threads": Spec("JUANKU_WORKER_THREADS", _whole(1, 64), "how many jobs a worker runs at once"),
    "pictures_mb": Spec("JUANKU_PICTURES_MB", _whole(0, 1_000_000), "megabytes for pictures of pages drawn before"),
    "clamav": Spec("JUANKU_CLAMAV", _scanner, "the socket of ClamAV's daemon; empty: files are not scanned"),
    "api_per_minute": Spec(
        "JUANKU_API_PER_MINUTE",
        _whole(0, 1_000_000),
        "how many requests one token may send in a minute, 0 for any number",
    ),
    "soffice": Spec("JUANKU_SOFFICE", str, "LibreOffice's program; empty: looked for on PATH; off: not used"),
    "backup_url": Spec("JUANKU_BACKUP_URL", _backup, "where backups are kept; empty: nowhere", secret=True),
    "backup_key": Spec("JUANKU_BACKUP_KEY", str, "the credential of a bucket for backups: its name"),
    "backup_secret": Spec("JUANKU_BACKUP_SECRET", str, "the credential of that bucket: its secret", hidden=True),
    "backup_ca": Spec("JUANKU_BACKUP_CA", _file, "the file of the authority that signed the certificate there"),
    "backup_region": Spec("JUANKU_BACKUP_REGION", str, "the region of that bucket"),
    "backup_days": Spec("JUANKU_BACKUP_DAYS", _whole(1, 36_500), "days after which a backup is forgotten"),
    "ocr": Spec("JUANKU_OCR", _one_of(*CHOICES), "what reads scans: auto, rapidocr, tesseract or none"),
    "log_level": Spec("JUANKU_LOG_LEVEL", str.upper, "how much the processes say"),
    "failpoint": Spec("JUANKU_FAILPOINT", str, "for fault tests only: name:kill or name:raise"),
}


def _defaults(home: Path) -> dict[str, Any]:
    return {
        "keys": home.with_name(home.name + ".keys"),
        "database_url": f"sqlite:///{home / 'juanku.db'}",
        "database_owner_url": "",
        "broker_url": "filesystem://",
        "store_url": (home / "objects").as_uri(),
        "store_key": "",
        "store_secret": "",
        "store_sweep_key": "",
        "store_sweep_secret": "",
        "store_destroy_key": "",
        "store_destroy_secret": "",
        "store_witness_bucket": "",
        "store_witness_key": "",
        "store_witness_secret": "",
        "store_ca": "",
        "store_region": "us-east-1",
        "search_url": "embedded:",
        "search_prefix": "juanku",
        "search_user": "",
        "search_password": "",
        "search_api_key": "",
        "search_ca": "",
        "port": 8000,
        "host": "127.0.0.1",
        "worker_threads": 2,
        "pictures_mb": 512,
        "clamav": "",
        "api_per_minute": 600,
        "soffice": "",
        "backup_url": "",
        "backup_key": "",
        "backup_secret": "",
        "backup_ca": "",
        "backup_region": "us-east-1",
        "backup_days": 90,
        "ocr": AUTO,
        "log_level": "WARNING",
        "failpoint": "",
    }


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Each variable may also be given as ``…_FILE``, the path of a file that holds the value (for secrets).

    Raises:
        BrokenSetting: names the variable and why it cannot be used.
    """
    env = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, spec in SPECS.items():
        text, source = _text(env, spec)
        sources[name] = source
        if text is None:
            continue
        try:
            values[name] = spec.read(text)
        except ValueError as error:
            raise BrokenSetting(variable=spec.variable, reason=str(error)) from error
    home = values.setdefault("home", Path("data").absolute())
    for name, default in _defaults(home).items():
        values.setdefault(name, default)
    keys: Path = values["keys"]
    if keys == home or home in keys.parents:
        raise BrokenSetting(variable="JUANKU_KEYS", reason="inside_home")
    _whole_credentials(values)
    return Settings(**values, sources=sources)


def _whole_credentials(values: Mapping[str, Any]) -> None:
    """Refuse half a credential, and a store that has none."""
    for each in ("store", "store_sweep", "store_destroy", "store_witness", "backup"):
        halves = [f"{each}_key", f"{each}_secret"]
        given = [name for name in halves if values[name]]
        needed = each in {"store", "backup"} and values[f"{each}_url"].startswith("s3")
        if len(given) == 1 or (needed and not given):
            (missing, *_) = [name for name in halves if name not in given]
            raise BrokenSetting(variable=SPECS[missing].variable, reason="missing")
    if values["store_witness_bucket"] and values["store_url"].startswith("file:"):
        raise BrokenSetting(variable="JUANKU_STORE_WITNESS_BUCKET", reason="store_is_a_folder")
    if values["store_witness_bucket"] and not values["store_witness_key"]:
        raise BrokenSetting(variable="JUANKU_STORE_WITNESS_KEY", reason="missing")


def _text(env: Mapping[str, str], spec: Spec) -> tuple[str | None, str]:
    file_variable = spec.variable + "_FILE"
    if env.get(spec.variable):
        return env[spec.variable], "environment"
    if env.get(file_variable):
        try:
            return Path(env[file_variable]).read_text("utf-8").strip(), f"file {env[file_variable]}"
        except OSError as error:
            raise BrokenSetting(variable=file_variable, reason=error.strerror or "unreadable") from error
    return None, "default"


def shown(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with its source and meaning, secrets masked."""
    rows = []
    for field in fields(settings):
        if field.name == "sources":
            continue
        spec = SPECS[field.name]
        value = str(getattr(settings, field.name))
        rows.append(
            {
                "variable": spec.variable,
                "value": MASK if spec.hidden and value else _masked(value) if spec.secret else value,
                "source": settings.sources[field.name],
                "meaning": spec.meaning,
            }
        )
    return rows


def _masked(value: str) -> str:
    if "://" not in value:
        return MASK if value else value
    parts = urlsplit(value)
    if not (parts.username or parts.password):
        return value
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{host}{port}"))
