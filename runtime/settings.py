"""Settings: read once from the environment, checked, frozen. A broken one stops the start and is named."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from archive.errors import BrokenSetting
from indexer.ocr.engines import AUTO, CHOICES

MASK = "•••"


@dataclass(frozen=True)
class Spec:
    """What a setting is: its variable, how its text is read, and what it means (a gettext message id)."""

    variable: str
    read: Callable[[str], Any]
    meaning: str
    secret: bool = False


@dataclass(frozen=True)
class Settings:
    """All settings of one process. ``sources`` tells where each came from: environment, file or default."""

    home: Path
    keys: Path
    database_url: str
    broker_url: str
    store_url: str
    search_url: str
    search_prefix: str
    port: int
    host: str
    worker_threads: int
    pictures_mb: int
    clamav: str
    api_per_minute: int
    soffice: str
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
    "broker_url": Spec("JUANKU_BROKER_URL", _url("filesystem", "memory"), "the broker that wakes workers", secret=True),
    "store_url": Spec("JUANKU_STORE_URL", _url("file"), "the object store", secret=True),
    "search_url": Spec("JUANKU_SEARCH_URL", _url("embedded"), "the search engine", secret=True),
    "search_prefix": Spec("JUANKU_SEARCH_PREFIX", str, "the prefix of search index names"),
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
    "ocr": Spec("JUANKU_OCR", _one_of(*CHOICES), "what reads scans: auto, rapidocr, tesseract or none"),
    "log_level": Spec("JUANKU_LOG_LEVEL", str.upper, "how much the processes say"),
    "failpoint": Spec("JUANKU_FAILPOINT", str, "for fault tests only: name:kill or name:raise"),
}


def _defaults(home: Path) -> dict[str, Any]:
    return {
        "keys": home.with_name(home.name + ".keys"),
        "database_url": f"sqlite:///{home / 'juanku.db'}",
        "broker_url": "filesystem://",
        "store_url": (home / "objects").as_uri(),
        "search_url": "embedded:",
        "search_prefix": "juanku",
        "port": 8000,
        "host": "127.0.0.1",
        "worker_threads": 2,
        "pictures_mb": 512,
        "clamav": "",
        "api_per_minute": 600,
        "soffice": "",
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
    return Settings(**values, sources=sources)


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
                "value": _masked(value) if spec.secret else value,
                "source": settings.sources[field.name],
                "meaning": spec.meaning,
            }
        )
    return rows


def _masked(url: str) -> str:
    parts = urlsplit(url)
    if not (parts.username or parts.password):
        return url
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{host}{port}"))
