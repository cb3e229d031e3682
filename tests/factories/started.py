"""Command lines as processes of their own that begin where their imports are done: those take most of a short command.

One process for each worker of a test run imports the product and forks for each command. The fork has the command's
own environment, output and exit; how a command begins from nothing is tested by ``test_launcher`` and ``test_serve``.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
_MOST = 1 << 20
LATER = (
    "alembic.command", "archive.house.founding", "runtime.demo.fill", "runtime.setting_up.making", "runtime.upgrading",
    "runtime.wiring.parts", "runtime.processes.working",
)  # fmt: skip
"""What commands import when they need it."""


def run(words: Sequence[str], environment: Mapping[str, str], *, seconds: float = 240) -> tuple[int, str, str]:
    """Run ``juanku`` with these words; return exit code (below 0: the signal that ended it), output and errors.

    Raises:
        TimeoutError: it took longer.
    """
    told, tell = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(told, "rb") as ends:
        request = json.dumps([list(words), dict(environment), str(Path.cwd())]).encode()
        assert len(request) < _MOST
        socket.send_fds(_forker(), [request], [out.fileno(), err.fileno(), tell])
        os.close(tell)
        pid = int(ends.readline())
        code = _code(ends, pid, seconds)
        read = []
        for each in (out, err):
            each.seek(0)
            read.append(each.read().decode())
    return code, read[0], read[1]


def _code(ends: BinaryIO, pid: int, seconds: float) -> int:
    if not select.select([ends], [], [], seconds)[0]:
        os.kill(pid, signal.SIGKILL)
        raise TimeoutError(f"process {pid}")
    return int(ends.readline())


@cache
def _forker() -> socket.socket:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for each in (ours, its):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    words = [sys.executable, "-m", "tests.factories.started", str(its.fileno())]
    subprocess.Popen(words, env=environment, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)
    its.close()
    return ours


def _import_all() -> None:
    from sqlalchemy.orm import configure_mappers

    from runtime.cli.main import MODULES
    from web.words import LOCALES, translations

    for name in [*(f"runtime.cli.{each}" for each in MODULES), *LATER]:
        import_module(name)
    for locale in LOCALES:
        translations(locale)
    configure_mappers()
    gc.collect()
    gc.freeze()


def _serve(channel: socket.socket) -> tuple[list[str], dict[str, str], str]:
    """Fork for each request; return in the fork that is to do it. It ends when the channel does."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that watch bury their own, and nobody waits for them
    while True:
        request, fds, *_ = socket.recv_fds(channel, _MOST, 3)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel.close()
            out, err, tell = fds
            if (pid := os.fork()) == 0:
                os.dup2(out, 1)
                os.dup2(err, 2)
                for fd in fds:
                    os.close(fd)
                words, environment, folder = json.loads(request)
                return words, environment, folder
            os.write(tell, f"{pid}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.write(tell, f"{code}\n".encode())
            os._exit(0)
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    _import_all()
    _words, _environment, _folder = _serve(socket.socket(fileno=int(sys.argv[1])))
    os.environ.clear()
    os.environ.update(_environment)
    os.chdir(_folder)
    sys.argv = ["juanku", *_words]
    from runtime.cli.main import main

    main()
