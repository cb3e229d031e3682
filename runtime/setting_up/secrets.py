"""The first-run step of a house in containers: its folders, and secrets that nobody chose, for its owner alone."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from archive import failpoints
from archive.errors import StandsAlready

FOLDERS = ("data/house", "data/postgres", "data/minio", "data/elasticsearch", "data/clamav", "ring", "backup")
"""What the servers and the product write into; below them ``secrets``."""

CONTAINER_OWNER = 10001
"""Who owns it all when the step is run by root: nothing of a house runs as root."""

_BYTES = 32


@dataclass(frozen=True)
class Made:
    """What was made: names of files below ``folder``, and whose they are."""

    folder: Path
    files: tuple[str, ...]
    owner: tuple[int, int]


def make(folder: Path) -> Made:
    """Make folders, secrets and ``.env`` below a folder; files have mode 0600, folders 0700.

    All secrets come in place at once, and ``.env`` last: a run that broke off is done once more.

    Raises:
        StandsAlready: there are secrets, or an ``.env``: they are never written over, for servers hold to the old ones.
    """
    owner = (CONTAINER_OWNER, CONTAINER_OWNER) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    kept, environment, begun = folder / "secrets", folder / ".env", folder / "first-run.new"
    stands = kept.is_dir() and any(kept.iterdir())
    left = stands and (begun / ".env").exists()  # a run that broke off before its very last step
    if environment.exists() or (stands and not left):
        raise StandsAlready(what="secrets", name=str(kept))
    files = _secrets()
    if not left:
        _prepare(folder, begun, files, owner)
        (begun / "secrets").replace(kept)
        failpoints.reach("secrets.kept")
    (begun / ".env").replace(environment)
    begun.rmdir()
    return Made(folder, (*(f"secrets/{name}" for name in files), ".env"), owner)


def _prepare(folder: Path, begun: Path, files: Mapping[str, str], owner: tuple[int, int]) -> None:
    """Make the folders, and in one beside them all that is to be put in place; what a run before left goes."""
    if begun.exists():
        rmtree(begun)
    kept, folders = begun / "secrets", [folder / name for name in FOLDERS]
    for each in [begun, kept, *folders]:
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        each.chmod(0o700)
    for name, text in files.items():
        _write(kept / name, text)
    failpoints.reach("secrets.written")
    _write(begun / ".env", _environment(owner))
    if os.geteuid() == 0:
        for each in [folder / "data", kept, *folders, *(kept / name for name in files)]:
            os.chown(each, *owner)


def _secrets() -> Mapping[str, str]:
    """Return the files' texts. Addresses name the services of ``docker-compose.yml``."""
    admin, owner, everyday, broker = (secrets.token_urlsafe(_BYTES) for _ in range(4))
    alone = (
        "store-admin",
        "store-everyday",
        "store-sweep",
        "store-destroy",
        "store-witness",
        "search-admin",
        "search",
        "metrics",
    )
    return {
        "database-admin": admin,
        "database-admin-url": f"postgresql+psycopg://postgres:{admin}@postgres:5432/postgres",
        "database-owner-url": f"postgresql+psycopg://juanku_owner:{owner}@postgres:5432/juanku",
        "database-url": f"postgresql+psycopg://juanku:{everyday}@postgres:5432/juanku",
        "redis.conf": f"requirepass {broker}",
        "broker-url": f"redis://:{broker}@redis:6379/0",
        **{name: secrets.token_urlsafe(_BYTES) for name in alone},
    }


def _environment(owner: tuple[int, int]) -> str:
    return f"""\
# What docker compose reads. Secrets lie in the folder secrets, each in a file of its own.

# Who owns the folders, and as whom every container runs.
JUANKU_UID={owner[0]}
JUANKU_GID={owner[1]}

# Where things lie. Put the ring and the backups on disks of their own, and JUANKU_DATA on an encrypted one.
JUANKU_DATA=./data
JUANKU_RING=./ring
JUANKU_BACKUP=./backup

# on, and 1, once a proxy with TLS stands in front.
JUANKU_HTTPS=off
JUANKU_PROXIES=0

# How messages leave the house; what opens a way lies in a file that only its owner reads.
#JUANKU_ADDRESS=https://archive.example
#JUANKU_MAIL_URL=smtps://mail.example
#JUANKU_MAIL_FROM=archive@example.com
#JUANKU_MAIL_USER=archive
#JUANKU_MAIL_PASSWORD_FILE=./secrets/mail-password
#JUANKU_WECOM_URL_FILE=./secrets/wecom-url

# With ClamAV:
#COMPOSE_PROFILES=clamav
#JUANKU_CLAMAV=tcp://clamav:3310
"""


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")
