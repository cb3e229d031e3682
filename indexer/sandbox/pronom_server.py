"""The process that tells PRONOM ids: a program of its own, for its library's threads survive no fork.

Started as ``python -m indexer.sandbox.pronom_server FD``. It first says, as one line of JSON, which signatures it has;
then it takes descriptors over the channel, one at a time, and answers each with a line. It ends with the channel.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType

from indexer.sandbox.confinement import Confinement, address_space

MEMORY = 512 * 1024 * 1024
"""Bytes of address space beyond what the loaded library holds."""

SECONDS = 10
"""More time than this for one file ends the process."""

_NEEDED = ("libpthread.so.0", "libresolv.so.2")
"""What the library is linked to, loaded as long as files can be opened; not every system has each of them apart."""

_KNOWN = b"%PDF-1.4\n%%EOF\n"


def main(arguments: list[str]) -> None:
    """Serve on the descriptor named first."""
    with socket.socket(fileno=int(arguments[0])) as channel:
        pygfried = _loaded()
        signatures = _signatures(pygfried)
        _limit()
        _say(channel, {"signatures": signatures})
        while True:
            message, descriptors, _flags, _address = socket.recv_fds(channel, 1, 1)
            if not message or not descriptors:
                return
            signal.alarm(SECONDS)
            _say(channel, {"pronom": _identified(pygfried, descriptors[0])})
            signal.alarm(0)
            os.close(descriptors[0])


def _loaded() -> ModuleType:
    """Load the library behind the walls, for its threads only have those that stood before them."""
    spec = importlib.util.find_spec("pygfried")
    if spec is None or spec.loader is None or spec.origin is None:
        raise ImportError
    for name in _NEEDED:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
    Confinement().confine_server(readable=Path(spec.origin))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _limit() -> None:
    room = address_space()
    limits = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: 64}
    if room:
        limits[resource.RLIMIT_AS] = room + MEMORY
    for kind, value in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))


def _signatures(pygfried: ModuleType) -> str:
    """Identify a small file in full, which also loads what the library loads with its first one."""
    fd = os.memfd_create("juanku", os.MFD_CLOEXEC)
    os.write(fd, _KNOWN)
    found = pygfried.identify(f"/proc/self/fd/{fd}", detailed=True)
    os.close(fd)
    return str(found["identifiers"][0]["details"])


def _identified(pygfried: ModuleType, fd: int) -> str | None:
    try:
        found = pygfried.identify(f"/proc/self/fd/{fd}")
    except Exception:  # noqa: BLE001  (whatever the library raises on an odd file is an answer about that file)
        return None
    return None if found in {None, "", "UNKNOWN"} else str(found)


def _say(channel: socket.socket, fact: dict[str, str | None]) -> None:
    channel.sendall(json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
