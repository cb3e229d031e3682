"""Takes away what a parser never needs: network, files, processes, memory, time.

Every wall stands for itself; the kernel may lack any of them. ``confine_server`` runs once in the fork server after
the parsers are loaded, ``confine_child`` in each fork. Both return the names of the walls that stand.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_NO_NEW_PRIVS, _DUMPABLE, _DEATH_SIGNAL, _SECCOMP, _SECCOMP_FILTER = 38, 4, 1, 22, 2
_NEW_NET, _NEW_USER = 0x40000000, 0x10000000
_LANDLOCK_CREATE, _LANDLOCK_RULE, _LANDLOCK_RESTRICT, _LANDLOCK_VERSION = 444, 445, 446, 1
READ_AND_LOAD = 0x5  # LANDLOCK_ACCESS_FS_EXECUTE | _READ_FILE
_OF_FILES = 0x1 | 0x2 | 0x4 | 1 << 14 | 1 << 15  # the rights that one file can have
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # SECCOMP_RET_ALLOW, _ERRNO | EPERM, _KILL_PROCESS

# By audit architecture: the numbers of the calls that a loaded parser makes. Everything else is refused with EPERM.
_CALLS = {
    "x86_64": (
        0xC000003E,
        # read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 writev
        frozenset({0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 20})
        # sched_yield mremap madvise getpid exit gettimeofday getuid gettid time futex exit_group
        | {24, 25, 28, 39, 60, 96, 102, 186, 201, 202, 231}
        # clock_gettime clock_getres clock_nanosleep newfstatat set_robust_list getrandom rseq
        | {228, 229, 230, 262, 273, 318, 334},
    ),
    "aarch64": (
        0xC00000B7,
        # close lseek read write writev pread64 newfstatat fstat exit exit_group futex set_robust_list
        frozenset({57, 62, 63, 64, 66, 67, 79, 80, 93, 94, 98, 99})
        # clock_gettime clock_getres clock_nanosleep sched_yield rt_sigaction rt_sigprocmask rt_sigreturn gettimeofday
        | {113, 114, 115, 124, 134, 135, 139, 169}
        # getpid getuid gettid brk munmap mremap mmap mprotect madvise getrandom rseq
        | {172, 174, 178, 214, 215, 216, 222, 226, 233, 278, 293},
    ),
}


@dataclass(frozen=True)
class Limits:
    """What one fork may use: ``memory`` bytes beyond what the server holds, ``cpu`` seconds, ``wall`` seconds."""

    memory: int = 768 * 1024 * 1024
    cpu: int = 20
    wall: float = 45.0


class Confinement:
    """The walls of one fork server."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
        self._baseline = address_space()
        self._filter = _seccomp_program() if self._libc else None
        self._server_walls: list[str] = []

    def confine_server(self, standing: Sequence[str] = (), readable: Path | None = None) -> list[str]:
        """Cut this process and all its forks off from network and files. The process must have one thread.

        Args:
            standing: what ``cut_network`` returned, where a library that starts threads was loaded since.
            readable: the one file that may still be opened, for a library that cannot be loaded before.
        """
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self._libc is None:
            return []
        self._libc.prctl(_DUMPABLE, 0, 0, 0, 0)
        walls = list(standing) or cut_network()
        if self._libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            walls.append("no_new_privs")
            if self._landlock(readable):
                walls.append("landlock")
        self._server_walls = walls
        return walls

    def confine_child(self, limits: Limits) -> list[str]:
        """Set the limits of one fork, then let the kernel refuse whatever a parser does not need."""
        walls = [*self._server_walls, *self._set_limits(limits)]
        if self._libc is None:
            return walls
        self._libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        self._libc.prctl(_DUMPABLE, 0, 0, 0, 0)
        if self._seccomp(self._libc):
            walls.append("seccomp")
        return walls

    def _seccomp(self, libc: ctypes.CDLL) -> bool:
        return self._filter is not None and libc.prctl(_SECCOMP, _SECCOMP_FILTER, self._filter.address, 0, 0) == 0

    def _set_limits(self, limits: Limits) -> list[str]:
        wanted = {
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_NOFILE: 64,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NPROC: 0,
            resource.RLIMIT_AS: self._baseline + limits.memory,
        }
        # the soft limit ends it with a signal of its own, which tells a loop from a kill
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 1))
        kept = True
        for kind, value in wanted.items():
            try:
                resource.setrlimit(kind, (value, value))
            except (ValueError, OSError):
                kept = kind != resource.RLIMIT_AS and kept
        return ["limits"] if kept and self._baseline else ["limits_without_memory"]

    def _landlock(self, readable: Path | None) -> bool:
        return self._libc is not None and forbid_files(
            self._libc, {} if readable is None else {readable: READ_AND_LOAD}
        )


def forbid_files(libc: ctypes.CDLL, allowed: Mapping[Path, int]) -> bool:
    """Forbid every way to the file system by Landlock but those allowed, and TCP where the kernel knows how.

    Args:
        libc: the C library.
        allowed: rights (of Landlock; -1 for all) beneath a path. What is absent is left out.

    Returns:
        Whether the wall stands.
    """
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    files = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    words = [files] + [3] * (version >= 4) + [3] * (version >= 6)
    ruleset = struct.pack(f"={len(words)}Q", *words)
    fd = libc.syscall(_LANDLOCK_CREATE, ruleset, len(ruleset), 0)
    if fd < 0:
        return False
    try:
        for path, rights in allowed.items():
            with contextlib.suppress(FileNotFoundError):
                _allow(libc, fd, path, rights & files)
        return bool(libc.syscall(_LANDLOCK_RESTRICT, fd, 0) == 0)
    finally:
        os.close(fd)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    rights &= -1 if path.is_dir() else _OF_FILES
    try:
        libc.syscall(_LANDLOCK_RULE, ruleset, 1, struct.pack("=Qi", rights, fd), 0)
    finally:
        os.close(fd)


def cut_network() -> list[str]:
    """Cut this process off from the network while it has one thread; return the wall that stands then, if any."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
    cut = libc is not None and (libc.unshare(_NEW_NET) == 0 or libc.unshare(_NEW_NET | _NEW_USER) == 0)
    return ["namespace"] if cut else []


class _Head(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Program:
    """A filter in memory that the kernel can be pointed to as long as this object lives."""

    def __init__(self, lines: list[tuple[int, int, int, int]]) -> None:
        code = b"".join(struct.pack("=HBBI", *line) for line in lines)
        self._body = ctypes.create_string_buffer(code, len(code))
        self._head = _Head(len(lines), ctypes.addressof(self._body))
        self.address = ctypes.byref(self._head)


def _seccomp_program() -> Program | None:
    """Build the filter: right architecture or death, a listed call or EPERM."""
    known = _CALLS.get(platform.machine())
    if known is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    architecture, calls = known
    load, equal, give = 0x20, 0x15, 0x06
    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, _KILL), (load, 0, 0, 0)]
    ordered = sorted(calls)
    lines += [(equal, len(ordered) - at, 0, number) for at, number in enumerate(ordered)]
    lines += [(give, 0, 0, _REFUSE), (give, 0, 0, _ALLOW)]
    return Program(lines)


def address_space() -> int:
    """Return the bytes of address space this process has; 0 where the system does not tell (no memory limit then)."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()
    return 0
