"""The ring's folder: private files, replaced whole, destroyed by overwriting."""

import base64
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from archive.errors import BrokenSetting, StorageFull

VARIABLE = "JUANKU_KEYS"
FORMAT = 1


def broken(reason: str, path: Path, **facts: Any) -> BrokenSetting:
    """Return the error that says what is wrong with the ring, and where."""
    return BrokenSetting(variable=VARIABLE, reason=reason, path=str(path), **facts)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter.

    Raises:
        BrokenSetting: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise broken("not_writable", folder, error=error.strerror) from error


def check_private(path: Path) -> None:
    """Refuse a file or folder that others may read.

    Raises:
        BrokenSetting: it is missing, or its mode lets others in.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise broken("missing", path) from None
    except OSError as error:
        raise broken("not_readable", path, error=error.strerror) from error
    if mode & 0o077:
        raise broken("permissions", path, mode=f"{mode:04o}")


def write(path: Path, data: bytes) -> None:
    """Replace a file as a whole; on return it is durable, on error the old one stands.

    Raises:
        StorageFull: the disk takes no more.
        BrokenSetting: the folder cannot be written.
    """
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            passing.unlink()
        if error.errno in {28, 122}:
            raise StorageFull(part="keys") from error
        raise broken("not_writable", path, error=error.strerror) from error


def shred(path: Path) -> None:
    """Overwrite a file with random bytes and remove it. What is not there is already destroyed."""
    try:
        handle = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        overwrite(handle)
    finally:
        os.close(handle)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def overwrite(handle: int) -> None:
    """Overwrite the open file with random bytes, durably."""
    size = os.fstat(handle).st_size
    os.pwrite(handle, os.urandom(size), 0)
    os.fsync(handle)


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a versioned JSON file (see ``write``)."""
    write(path, json.dumps({"format": FORMAT, **facts}, sort_keys=True, indent=1).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a versioned, private JSON file.

    Raises:
        BrokenSetting: it is missing, open to others, not ours, or of a format this version does not know.
    """
    check_private(path)
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise broken("corrupt", path) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise broken("corrupt", path)
    return facts


def text(data: bytes) -> str:
    """Return bytes as text for JSON."""
    return base64.b64encode(data).decode()


def data(facts: Mapping[str, Any], name: str, path: Path) -> bytes:
    """Return the bytes kept as text under ``name``.

    Raises:
        BrokenSetting: there are none.
    """
    try:
        return base64.b64decode(facts[name], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise broken("corrupt", path) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change the ring."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
