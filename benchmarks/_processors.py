"""Processor time of the processes of a server, and of a command, those that ended included. Linux alone.

A process's own time and what its ended children left it are read from ``/proc``; a server is found by the port it
listens on here, so one on another machine has none.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.serving import tree

_TICK = os.sysconf("SC_CLK_TCK")
_LISTENS = "0A"


def servers(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the processes behind the servers of a house's settings, by name: those on this machine."""
    asked = {
        "PostgreSQL": ("JUANKU_DATABASE_URL", 5432),
        "MinIO": ("JUANKU_STORE_URL", 9000),
        "Elasticsearch": ("JUANKU_SEARCH_URL", 9200),
        "Redis": ("JUANKU_BROKER_URL", 6379),
    }
    found = {}
    for name, (setting, usual) in asked.items():
        where = urlsplit(environment.get(setting, ""))
        if where.hostname and (pid := _listener(where.port or usual)):
            found[name] = pid
    return found


def used(pid: int) -> float:
    """Return the seconds of a process and all below it since they began; of children that ended, what was left."""
    return sum(_of_one(each) for each in tree(pid))


def _of_one(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICK
    return 0.0


def _listener(port: int) -> int | None:
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    processes = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    holders = [pid for pid in processes if sockets & set(_open(pid))]
    return min(holders, default=None)  # the first of a tree holds it for its children


def _open(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(each.readlink())


@contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """Put the seconds that each server of this process's settings used meanwhile into ``spent``."""
    there = servers(os.environ)
    before = {name: used(pid) for name, pid in there.items()}
    yield
    spent |= {name: used(pid) - before[name] for name, pid in there.items()}
