"""What a parser that was taken over might try. Each act runs inside a fork of the sandbox and tells how far it came."""

import ctypes
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

CANARY = Path("/tmp/juanku-sandbox-canary")  # noqa: S108  (a fixed name that no one owns: the fork must not reach it)


def _tried(act: Callable[..., object], *arguments: object) -> str:
    try:
        return f"SUCCEEDED {act(*arguments)!r}"
    except (OSError, ValueError) as error:  # setrlimit says EPERM as ValueError
        return f"refused {error}"


def inet_socket(_out: int) -> str:
    return _tried(socket.socket)


def unix_socket(_out: int) -> str:
    return _tried(socket.socketpair)


def write_canary(_out: int) -> str:
    return _tried(lambda: os.open(CANARY, os.O_WRONLY | os.O_CREAT))


def read_password_file(_out: int) -> str:
    return _tried(lambda: os.open("/etc/passwd", os.O_RDONLY))


def list_root(_out: int) -> str:
    return _tried(os.listdir, "/")


def run_program(_out: int) -> str:
    return _tried(os.execv, "/bin/true", ["true"])


def fork_bomb(_out: int) -> str:
    return _tried(os.fork)


def start_thread(_out: int) -> str:
    import _thread

    try:
        _thread.start_new_thread(time.sleep, (60,))
    except RuntimeError:
        return "refused"
    return "SUCCEEDED"


def kill_parent(_out: int) -> str:
    return _tried(os.kill, os.getppid(), signal.SIGKILL)


def trace_parent(_out: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return f"refused {ctypes.get_errno()}" if libc.ptrace(16, os.getppid(), 0, 0) < 0 else "SUCCEEDED"


def more_memory_allowed(_out: int) -> str:
    return _tried(resource.setrlimit, resource.RLIMIT_AS, (-1, -1))


def environment(_out: int) -> str:
    return " ".join(sorted(os.environ))


def open_descriptors(_out: int) -> list[int]:
    found = []
    for fd in range(256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def allocate(_out: int) -> int:
    return len(bytearray(2 * 1024**3))


def loop(_out: int) -> None:
    while True:
        pass


def sleep(_out: int) -> None:
    while True:
        time.sleep(0.01)


def huge_output(out: int) -> None:
    junk = b"x" * 1_000_000
    for _ in range(1_000):
        os.write(out, junk)


def inflating_output(out: int) -> None:
    import zlib

    packer = zlib.compressobj(9, wbits=-15)  # one block is packed and repeated: to pack all would outlast the CPU limit
    block = packer.compress(b"[" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.adler32(b"[" * 200_000_000).to_bytes(4, "big")
    bomb = b"\x78\xda" + block * 200 + packer.flush() + check
    os.write(out, len(bomb).to_bytes(4, "big") + bomb)
    os._exit(0)


def nonsense_output(out: int) -> None:
    os.write(out, b"\x00\x00\x00\x05hello")
    os._exit(0)


def segfault(_out: int) -> None:
    ctypes.string_at(0)


def exit_quietly(_out: int) -> None:
    os._exit(0)
