"""Puts walls around LibreOffice and becomes it: ``python -m indexer.sandbox.office_run FOLDER LIMITS COMMAND…``.

What remains open is what it needs to run: to read its own program, the system's libraries and fonts, and to write
below FOLDER. It ends with ``REFUSED`` when a wall it must not run without cannot be put up.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import sys
from pathlib import Path

from indexer.sandbox.confinement import Program, cut_network, forbid_files

REFUSED = 99
"""How it ends where the kernel lacks a wall."""

_NO_NEW_PRIVS, _DUMPABLE, _DEATH_SIGNAL, _SECCOMP, _FILTER = 38, 4, 1, 22, 2
_READ = 0x1 | 0x4 | 0x8  # LANDLOCK_ACCESS_FS_EXECUTE | _READ_FILE | _READ_DIR
_READ_WRITE = 0x2 | 0x4  # _WRITE_FILE | _READ_FILE
_SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/usr/share", "/usr/bin", "/lib", "/lib64", "/opt"),
    *("/etc/fonts", "/etc/libreoffice", "/etc/ld.so.cache", "/etc/localtime", "/var/cache/fontconfig"),
    *("/usr/local/share/fonts", "/var/lib/libreoffice", "/var/spool/libreoffice"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

# By audit architecture: the call that makes threads and processes, its newer sister, the one that makes sockets, the
# one that asks whether one may write (LibreOffice looks for a place for its socket with it, and must find none but our
# folder) and where its mode stands, and what is refused: connections, other processes, their memory and signals,
# mounts, namespaces, keys, modules, and ways around a filter.
_CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        435,
        41,
        (21, 24),
        # connect fork vfork kill ptrace setpgid setsid tkill rt_sigqueueinfo tgkill rt_tgsigqueueinfo
        frozenset({42, 57, 58, 62, 101, 109, 112, 200, 129, 234, 297})
        # process_vm_readv process_vm_writev pidfd_send_signal pidfd_open pidfd_getfd pivot_root chroot mount umount2
        | {310, 311, 424, 434, 438, 155, 161, 165, 166}
        # swapon reboot init_module delete_module finit_module kexec_load add_key request_key keyctl unshare setns
        | {167, 169, 175, 176, 313, 246, 248, 249, 250, 272, 308}
        # perf_event_open open_by_handle_at bpf userfaultfd io_uring_* open_tree move_mount fsopen fsconfig fsmount
        | {298, 304, 321, 323, 425, 426, 427, 428, 429, 430, 431, 432},
    ),
    "aarch64": (
        0xC00000B7,
        220,
        435,
        198,
        (48, 32),
        frozenset({203, 129, 117, 154, 157, 130, 138, 131, 240})
        | {270, 271, 424, 434, 438, 41, 51, 40, 39}
        | {224, 142, 105, 106, 273, 104, 217, 218, 219, 97, 268}
        | {241, 265, 280, 282, 425, 426, 427, 428, 429, 430, 431, 432},
    ),
}
_THREAD = 0x00010000  # CLONE_THREAD
_UNIX = 1  # AF_UNIX
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000


def main(arguments: list[str]) -> None:
    """Become the command named, behind walls."""
    folder, limits, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    _limit(json.loads(limits))
    cut_network()
    program = Path(command[0]).parent
    allowed = {Path(path): _READ for path in _SYSTEM}
    allowed |= {Path(path): _READ_WRITE for path in _DEVICES} | {program: _READ, Path(folder): -1}
    stands = libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and forbid_files(libc, allowed) and refuse_calls(libc)
    if not stands:
        sys.exit(REFUSED)
    os.chdir(folder)
    os.execv(command[0], command)  # noqa: S606  (no shell)


def _limit(limits: dict[str, int]) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_FSIZE, limits["folder"]),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def refuse_calls(libc: ctypes.CDLL) -> bool:
    """Build and set the filter: right architecture or death, no refused call, threads but no processes."""
    known = _CALLS.get(platform.machine())
    if known is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    architecture, clone, clone3, socket, (access, mode), refused = known
    load, equal, at_least, has, give = 0x20, 0x15, 0x35, 0x45, 0x06
    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, _KILL), (load, 0, 0, 0)]
    lines += [(at_least, 0, 1, 0x40000000), (give, 0, 0, _ERROR | errno.EPERM)]  # the other numbering of x86-64
    lines += [(equal, 0, 1, clone3), (give, 0, 0, _ERROR | errno.ENOSYS)]  # its flags cannot be seen: use clone
    for number in sorted(refused):
        lines += [(equal, 0, 1, number), (give, 0, 0, _ERROR | errno.EPERM)]
    lines += [(equal, 0, 3, access), (load, 0, 0, mode), (equal, 0, 1, os.W_OK), (give, 0, 0, _ERROR | errno.EACCES)]
    lines += [(equal, 0, 3, socket), (load, 0, 0, 16), (equal, 1, 0, _UNIX), (give, 0, 0, _ERROR | errno.EPERM)]
    lines += [(equal, 0, 3, clone), (load, 0, 0, 16), (has, 1, 0, _THREAD), (give, 0, 0, _ERROR | errno.EPERM)]
    lines += [(give, 0, 0, _ALLOW)]
    program = Program(lines)
    return bool(libc.prctl(_SECCOMP, _FILTER, program.address, 0, 0) == 0)


if __name__ == "__main__":
    main(sys.argv[1:])
