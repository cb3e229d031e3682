"""Who is at work on an archive: advisory locks on files under ``JUANKU_HOME/run``."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Try to hold a lock; yield whether it is ours. The system lets it go when the process ends, however it ends."""
    handle = _opened(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock beside others who hold it so; while one of them does, nobody holds it alone (see ``held``)."""
    handle = _opened(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    for folder in (path.parent.parent, path.parent):  # a machine of a house on servers may make its data folder here
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
