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
from runtime import setting_texts as text

MASK = "•••"

EMBEDDED = "embedded:"
"""The search engine that needs no server."""


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
    database_admin_url: str
    broker_url: str
    broker_ca: str
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
    store_admin_key: str
    store_admin_secret: str
    search_url: str
    search_prefix: str
    search_user: str
    search_password: str
    search_api_key: str
    search_ca: str
    search_admin_user: str
    search_admin_password: str
    port: int
    host: str
    https: bool
    proxies: int
    web_processes: int
    web_threads: int
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
    fixity_days: int
    cooling_days: int
    message_days: int
    wipe_hour: int | None
    fixity_mb: int
    ocr: str
    log_level: str
    log_format: str
    metrics_token: str
    otlp_url: str
    address: str
    mail_url: str
    mail_from: str
    mail_user: str
    mail_password: str
    mail_ca: str
    sms_url: str
    sms_token: str
    wecom_url: str
    dingtalk_url: str
    dingtalk_secret: str
    feishu_url: str
    feishu_secret: str
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


SPECS: Mapping[str, Spec] = {
    "home": Spec("JUANKU_HOME", text.path, "the data folder"),
    "keys": Spec("JUANKU_KEYS", text.path, "the key ring's folder, never inside the data folder"),
    "database_url": Spec(
        "JUANKU_DATABASE_URL", text.address("sqlite", "postgresql+psycopg"), "the database", secret=True
    ),
    "database_owner_url": Spec(
        "JUANKU_DATABASE_OWNER_URL",
        text.address("postgresql+psycopg"),
        "PostgreSQL as the owner of the tables, for making and changing them",
        secret=True,
    ),
    "database_admin_url": Spec(
        "JUANKU_DATABASE_ADMIN_URL",
        text.address("postgresql+psycopg"),
        "PostgreSQL as its administrator, only for setting servers up",
        secret=True,
    ),
    "broker_url": Spec("JUANKU_BROKER_URL", text.broker, "the broker that wakes workers", secret=True),
    "broker_ca": Spec("JUANKU_BROKER_CA", text.file, "the file of the authority that signed the broker's certificate"),
    "store_url": Spec("JUANKU_STORE_URL", text.store, "the object store"),
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
        "JUANKU_STORE_WITNESS_BUCKET", text.bucket, "the bucket that witnesses how long the log was; empty: none"
    ),
    "store_witness_key": Spec("JUANKU_STORE_WITNESS_KEY", str, "the credential of that bucket: its name"),
    "store_witness_secret": Spec(
        "JUANKU_STORE_WITNESS_SECRET", str, "the credential of that bucket: its secret", hidden=True
    ),
    "store_ca": Spec(
        "JUANKU_STORE_CA", text.file, "the file of the authority that signed the object store's certificate"
    ),
    "store_region": Spec("JUANKU_STORE_REGION", str, "the region of the object store"),
    "store_admin_key": Spec(
        "JUANKU_STORE_ADMIN_KEY", str, "the store's administrator, only for setting servers up: its name"
    ),
    "store_admin_secret": Spec("JUANKU_STORE_ADMIN_SECRET", str, "the store's administrator: its secret", hidden=True),
    "search_url": Spec("JUANKU_SEARCH_URL", text.search, "the search engine", secret=True),
    "search_prefix": Spec("JUANKU_SEARCH_PREFIX", text.prefix, "the prefix of search index names"),
    "search_user": Spec("JUANKU_SEARCH_USER", str, "the user name at Elasticsearch"),
    "search_password": Spec("JUANKU_SEARCH_PASSWORD", str, "that user's password", hidden=True),
    "search_api_key": Spec("JUANKU_SEARCH_API_KEY", str, "an API key, instead of user and password", hidden=True),
    "search_ca": Spec("JUANKU_SEARCH_CA", text.file, "certificates that Elasticsearch's own may be signed by"),
    "search_admin_user": Spec(
        "JUANKU_SEARCH_ADMIN_USER", str, "the administrator of Elasticsearch, only for setting servers up"
    ),
    "search_admin_password": Spec("JUANKU_SEARCH_ADMIN_PASSWORD", str, "that administrator's password", hidden=True),
    "port": Spec("JUANKU_PORT", text.whole(0, 65535), "the port of the web server"),
    "host": Spec("JUANKU_HOST", str, "the address the web server listens on"),
    "https": Spec("JUANKU_HTTPS", text.switch, "whether browsers reach the house by TLS alone: on or off"),
    "proxies": Spec(
        "JUANKU_PROXIES", text.whole(0, 9), "how many proxies of the house stand in front of the web server"
    ),
    "web_processes": Spec("JUANKU_WEB_PROCESSES", text.whole(1, 64), "how many processes juanku web has"),
    "web_threads": Spec("JUANKU_WEB_THREADS", text.whole(1, 64), "how many requests each of them answers at once"),
    "worker_threads": Spec("JUANKU_WORKER_THREADS", text.whole(1, 64), "how many jobs a worker runs at once"),
    "pictures_mb": Spec("JUANKU_PICTURES_MB", text.whole(0, 1_000_000), "megabytes for pictures of pages drawn before"),
    "clamav": Spec("JUANKU_CLAMAV", text.scanner, "the socket of ClamAV's daemon; empty: files are not scanned"),
    "api_per_minute": Spec(
        "JUANKU_API_PER_MINUTE",
        text.whole(0, 1_000_000),
        "how many requests one token may send in a minute, 0 for any number",
    ),
    "soffice": Spec("JUANKU_SOFFICE", str, "LibreOffice's program; empty: looked for on PATH; off: not used"),
    "backup_url": Spec("JUANKU_BACKUP_URL", text.backup, "where backups are kept; empty: nowhere", secret=True),
    "backup_key": Spec("JUANKU_BACKUP_KEY", str, "the credential of a bucket for backups: its name"),
    "backup_secret": Spec("JUANKU_BACKUP_SECRET", str, "the credential of that bucket: its secret", hidden=True),
    "backup_ca": Spec("JUANKU_BACKUP_CA", text.file, "the file of the authority that signed the certificate there"),
    "backup_region": Spec("JUANKU_BACKUP_REGION", str, "the region of that bucket"),
    "backup_days": Spec("JUANKU_BACKUP_DAYS", text.whole(1, 36_500), "days after which a backup is forgotten"),
    "fixity_days": Spec(
        "JUANKU_FIXITY_DAYS", text.whole(1, 3650), "days within which each stored file is read and checked"
    ),
    "cooling_days": Spec(
        "JUANKU_COOLING_DAYS", text.whole(1, 365), "days in which anyone concerned may object to a destruction"
    ),
    "message_days": Spec(
        "JUANKU_MESSAGE_DAYS", text.whole(30, 36_500), "days for which messages that were read or sent are kept"
    ),
    "wipe_hour": Spec(
        "JUANKU_WIPE_HOUR", text.whole(0, 23), "hour at which destructions write tables anew; empty: at once"
    ),
    "fixity_mb": Spec("JUANKU_FIXITY_MB", text.whole(1, 100_000), "megabytes a second that checking files may read"),
    "ocr": Spec("JUANKU_OCR", text.one_of(*CHOICES), "what reads scans: auto, rapidocr, tesseract or none"),
    "log_level": Spec("JUANKU_LOG_LEVEL", str.upper, "how much the processes say"),
    "log_format": Spec("JUANKU_LOG_FORMAT", text.one_of("plain", "json"), "how the processes say it: plain or json"),
    "metrics_token": Spec("JUANKU_METRICS_TOKEN", text.token, "the token that opens /metrics; empty: off", hidden=True),
    "otlp_url": Spec("JUANKU_OTLP_URL", text.collector, "the collector of OpenTelemetry that gets traces; empty: none"),
    "address": Spec("JUANKU_ADDRESS", text.pages, "the address at which people reach the house, for links in messages"),
    "mail_url": Spec("JUANKU_MAIL_URL", text.mail, "the mail server; empty: no e-mail"),
    "mail_from": Spec("JUANKU_MAIL_FROM", text.mailbox, "the address that e-mail comes from"),
    "mail_user": Spec("JUANKU_MAIL_USER", str, "the user name at the mail server"),
    "mail_password": Spec("JUANKU_MAIL_PASSWORD", str, "that user's password", hidden=True),
    "mail_ca": Spec("JUANKU_MAIL_CA", text.file, "certificates that the mail server's own may be signed by"),
    "sms_url": Spec("JUANKU_SMS_URL", text.hook, "the gateway for text messages; empty: none", hidden=True),
    "sms_token": Spec("JUANKU_SMS_TOKEN", str, "the token that opens that gateway", hidden=True),
    "wecom_url": Spec("JUANKU_WECOM_URL", text.hook, "the robot of a room of WeCom; empty: none", hidden=True),
    "dingtalk_url": Spec("JUANKU_DINGTALK_URL", text.hook, "the robot of a room of DingTalk; empty: none", hidden=True),
    "dingtalk_secret": Spec("JUANKU_DINGTALK_SECRET", str, "what that robot's messages are signed with", hidden=True),
    "feishu_url": Spec("JUANKU_FEISHU_URL", text.hook, "the robot of a room of Feishu; empty: none", hidden=True),
    "feishu_secret": Spec("JUANKU_FEISHU_SECRET", str, "what that robot's messages are signed with", hidden=True),
    "failpoint": Spec("JUANKU_FAILPOINT", str, "for fault tests only: name:kill or name:raise"),
}


def _defaults(home: Path) -> dict[str, Any]:
    return {
        **dict.fromkeys(SPECS, ""),
        "keys": home.with_name(home.name + ".keys"),
        "database_url": f"sqlite:///{home / 'juanku.db'}",
        "broker_url": "filesystem://",
        "broker_ca": "",
        "store_url": (home / "objects").as_uri(),
        "store_region": "us-east-1",
        "search_url": EMBEDDED,
        "search_prefix": "juanku",
        "search_admin_user": "elastic",
        "port": 8000,
        "host": "127.0.0.1",
        "https": False,
        "proxies": 0,
        "web_processes": 2,
        "web_threads": 8,
        "worker_threads": 2,
        "pictures_mb": 512,
        "api_per_minute": 600,
        "backup_region": "us-east-1",
        "backup_days": 90,
        "fixity_days": 90,
        "cooling_days": 7,
        "message_days": 365,
        "wipe_hour": None,
        "fixity_mb": 20,
        "ocr": AUTO,
        "log_level": "WARNING",
        "log_format": "plain",
    }


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Each variable may also be given as ``…_FILE``, the path of a file that holds the value (for secrets). What is empty
    is not given.

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
    if values["mail_url"] and not values["mail_from"]:
        raise BrokenSetting(variable="JUANKU_MAIL_FROM", reason="missing")
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
            text = Path(env[file_variable]).read_text("utf-8").strip()
        except OSError as error:
            raise BrokenSetting(variable=file_variable, reason=error.strerror or "unreadable") from error
        if text:
            return text, f"file {env[file_variable]}"
    return None, "default"


_BETWEEN = " · "
"""What stands between the parts of a place's name; paths may hold it too."""

_STORE = re.compile(f"{_BETWEEN}((?:file|s3\\+https?):\\S.*?){_BETWEEN}", re.IGNORECASE)


def place_of(settings: Settings) -> str:
    """Name where a house lies, without its secrets: database, store and index."""
    where = urlsplit(settings.database_url)
    at = where.netloc.rpartition("@")[2]
    database = where.path.removeprefix("/") if where.scheme == "sqlite" else f"{at}{where.path}"
    search = urlsplit(settings.search_url).netloc.rpartition("@")[2]
    found = f"{search} {settings.search_prefix}" if search else f"{settings.home}/index"
    return _BETWEEN.join((database, settings.store_url, found))


def store_in(place: str) -> str:
    """Return the address of the store out of the name of a place; "": it cannot be told."""
    found = _STORE.search(place)
    return found[1] if found else ""


def earlier_place_of(settings: Settings) -> str:
    """Name it as earlier versions did, whose moves may still be under way: servers by their hosts, without ports."""
    where, search = urlsplit(settings.database_url), urlsplit(settings.search_url)
    database = where.path.removeprefix("/") if where.scheme == "sqlite" else f"{where.hostname}{where.path}"
    found = f"{search.hostname} {settings.search_prefix}" if search.hostname else f"{settings.home}/index"
    return _BETWEEN.join((database, settings.store_url, found))


def shown(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with its source and meaning, secrets masked."""
    rows = []
    for field in fields(settings):
        if field.name == "sources":
            continue
        spec = SPECS[field.name]
        found = getattr(settings, field.name)
        value = ("on" if found else "off") if isinstance(found, bool) else "" if found is None else str(found)
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
        return MASK if value and value != EMBEDDED else value
    parts = urlsplit(value)
    if not (parts.username or parts.password):
        return value
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{host}{port}"))
