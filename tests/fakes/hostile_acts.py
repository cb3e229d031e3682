"""What a parser that was taken over might try. Each act runs inside a fork of the sandbox and tells how far it came."""

import contextlib
import ctypes
import mmap
import os
import platform
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

CANARY = Path("/tmp/juanku-sandbox-canary")  # noqa: S108  (a fixed name that no one owns: the fork must not reach it)
SERVER = os.getpid()  # this module is loaded in the server; a fork may not even ask for its parent


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
    return _tried(os.kill, SERVER, signal.SIGKILL)


def trace_parent(_out: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return f"refused {ctypes.get_errno()}" if libc.ptrace(16, SERVER, 0, 0) < 0 else "SUCCEEDED"


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


def nonsense_output(out: int) -> None:
    os.write(out, b"\x00\x00\x00\x05hello")
    os._exit(0)


def segfault(_out: int) -> None:
    ctypes.string_at(0)


def exit_quietly(_out: int) -> None:
    os._exit(0)


def connect_loopback(_out: int) -> str:
    return _tried(lambda: socket.create_connection(("127.0.0.1", 9), 1))


def read_canary(_out: int) -> str:
    return _tried(lambda: os.open(CANARY.with_suffix(".read"), os.O_RDONLY))


def link_out(_out: int) -> str:
    return _tried(os.symlink, "/etc", CANARY)


def follow_own_links(_out: int) -> list[str]:
    """Reach for files by the links that the kernel keeps: the parent's memory, root, environment."""
    names = ("/proc/self/root/etc/passwd", "/proc/self/environ", f"/proc/{SERVER}/mem", f"/proc/{SERVER}/environ")
    return [_tried(lambda name=name: os.open(name, os.O_RDONLY)) for name in names]


def fill_shared_memory(_out: int) -> list[str]:
    return [
        _tried(lambda: os.open("/dev/shm/juanku-sandbox-canary", os.O_WRONLY | os.O_CREAT)),  # noqa: S108
        _tried(os.memfd_create, "full"),
    ]


def leave_as_daemon(_out: int) -> list[str]:
    """Fork twice, as a daemon does that its parent's end does not reach; by fork, vfork and clone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int) -> str:
        found = libc.syscall(number, 0, 0, 0, 0, 0)
        if found == 0:  # the escaped one
            os.setsid()
            time.sleep(600)
        return f"refused {ctypes.get_errno()}" if found < 0 else f"SUCCEEDED {found}"

    numbers = (56, 57, 435) if platform.machine() == "x86_64" else (220, 435)  # clone, fork, clone3
    return [_tried(os.fork), *(call(number) for number in numbers)]


def leave_group(_out: int) -> list[str]:
    return [_tried(os.setpgid, 0, SERVER), _tried(os.setsid)]


def unused_doors(_out: int) -> list[str]:
    """Ask the kernel for what has let processes out before: by number, as the C library would not."""
    libc = ctypes.CDLL(None, use_errno=True)
    # unshare mount pivot_root ptrace process_vm_writev bpf userfaultfd io_uring_setup perf_event_open setns keyctl
    numbers = {"x86_64": (272, 165, 155, 101, 311, 321, 323, 425, 298, 308, 250)}.get(platform.machine(), (97, 40, 41))
    long_ago = tuple(number | 0x40000000 for number in numbers)  # the same by the x32 table
    return [
        f"refused {number}" if libc.syscall(number, 0, 0, 0, 0, 0) < 0 else f"SUCCEEDED {number}"
        for number in numbers + long_ago
    ]


def call_as_32_bit(_out: int) -> str:
    """Call the kernel by the old table, whose numbers a filter may read wrongly (x86 only)."""
    if platform.machine() != "x86_64":
        os.kill(os.getpid(), signal.SIGSYS)
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(b"\xb8\x02\x00\x00\x00\xcd\x80\xc3")  # mov eax, 2 (fork); int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    return f"SUCCEEDED {ctypes.CFUNCTYPE(ctypes.c_int)(address)()}"


def ignore_signals(_out: int) -> None:
    for number in range(1, 65):
        if number not in {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
            signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def write_to_every_descriptor(out: int) -> str:
    """Look for the server's control channel, or another fork's pipe, and speak on it."""
    told, frame = [], b"\x00\x00\x00\x02{}"
    for fd in range(256):
        if fd > 2 and fd != out:
            with contextlib.suppress(OSError):
                told.append(f"SUCCEEDED {fd} {os.write(fd, frame)}")
    return " ".join(told) or "refused"


def double_descriptors(out: int) -> list[str]:
    return [_tried(os.dup, out), _tried(os.dup2, out, 60)]


def close_everything(_out: int) -> None:
    os.closerange(0, 1024)


def half_a_frame(out: int) -> None:
    os.write(out, b"\x00\x00\x00\x64half")
    os._exit(0)


def half_a_frame_and_wait(out: int) -> None:
    os.write(out, b"\x00\x00\x00\x64half")
    sleep(out)


def giant_length(out: int) -> None:
    os.write(out, b"\xff\xff\xff\xff" + b"x" * 1_000)
    os._exit(0)


def nested_answer(out: int) -> None:
    answer = memoryview((1_000_000).to_bytes(4, "big") + b"[" * 1_000_000)
    while answer:
        answer = answer[os.write(out, answer) :]
    os._exit(0)


def trickle(out: int) -> None:
    """Answer a byte at a time, for ever."""
    while True:
        os.write(out, b"\x00")
        time.sleep(0.02)
