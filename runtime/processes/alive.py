"""``python -m runtime.processes.alive web|worker``: whether a process of this machine works.

What watches containers asks it.

A worker gives its sign by a file in the machine's folder for temporary files: each service has one of its own.
"""

import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SIGN = "juanku-worker.alive"

SILENT_SECONDS = 60.0
"""A worker looks around every five seconds, and again after a batch of its clock's; a minute is long."""


def give_sign() -> None:
    """Say that this worker works."""
    _sign().touch()


def worker() -> bool:
    """Return whether the worker gave its sign lately."""
    try:
        return time.time() - _sign().stat().st_mtime < SILENT_SECONDS
    except FileNotFoundError:
        return False


def web() -> bool:
    """Return whether the pages answer, and all parts that they need with them."""
    from runtime.settings import load  # noqa: PLC0415 (a worker is asked often, and needs none)

    address = f"http://127.0.0.1:{load().port}/health/ready"
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _sign() -> Path:
    return Path(tempfile.gettempdir()) / SIGN


if __name__ == "__main__":
    sys.exit(0 if {"web": web, "worker": worker}[sys.argv[1]]() else 1)
