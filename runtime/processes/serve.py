"""``juanku serve``: web, worker and schedule as one process tree that begins and ends together."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from runtime.locks import held
from runtime.ready import NOT_READY
from runtime.setting_up import first_code
from runtime.settings import Settings

STOP_SECONDS = 15
"""How long a child may take to end its work before it is killed; leases and transactions make that safe."""

PR_SET_PDEATHSIG = 1

MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}
"""glibc gives the pieces of uploads back to the system at once, instead of keeping some for each thread."""


class Occupied(Exception):
    """The port is taken, or this archive is already being served. ``args``: what, value."""


def serve(settings: Settings, say: Callable[[str, dict[str, object]], None]) -> int:
    """Run the tree until a signal ends it. A child that dies is started again.

    Args:
        settings: the settings; children read the same environment.
        say: called with a message code and facts when something is worth telling.

    Returns:
        The exit code: 0 after Ctrl-C or a termination signal.

    Raises:
        Occupied: the port is taken, or another ``serve`` runs on this archive.
    """
    with held(settings.run / "serve.lock") as ours:
        if not ours:
            raise Occupied("home", str(settings.home))
        _check_port(settings)
        if first_code.needed(settings):
            say("set_up", {"code": first_code.make(settings), "file": str(settings.home / first_code.FILE)})
        return _Tree(settings, say).run()


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Occupied("port", settings.port) from error


class _Tree:
    """The children, and what keeps them alive."""

    def __init__(self, settings: Settings, say: Callable[[str, dict[str, object]], None]) -> None:
        self._settings = settings
        self._say = say
        count_together(settings)
        self._stop = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def run(self) -> int:
        """Start all, watch all, end all."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        self._start("web")
        self._announce()
        while not self._stop.is_set():
            if "worker" not in self._children and first_code.read(self._settings) is None:
                self._start("worker")  # after the pages answer: people wait for those, jobs have leases
            for name, child in list(self._children.items()):
                if child.poll() == NOT_READY:
                    self._end()
                    return 1
                if child.returncode is not None:
                    self._restart(name, child.returncode)
            self._stop.wait(0.2)
        self._end()
        return 0

    def _start(self, name: str) -> None:
        self._started[name] = time.monotonic()
        self._children[name] = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-m", f"runtime.processes.{name}"],
            start_new_session=True,
            env=child_environment(JUANKU_PORT=str(self._settings.port)),
        )

    def _restart(self, name: str, code: int) -> None:
        self._say("restarted", {"name": name, "code": code})
        if time.monotonic() - self._started[name] < 1:
            self._stop.wait(1)  # it dies at once: do not spin
        if not self._stop.is_set():
            self._start(name)

    def _announce(self) -> None:
        """Say where the pages are once they answer."""
        address = (self._settings.host, self._settings.port)
        while not self._stop.wait(0.05) and self._children["web"].poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(address) == 0:
                    self._say("serving", {"url": f"http://{address[0]}:{address[1]}"})
                    return

    def _end(self) -> None:
        self._say("stopping", {})
        for child in self._children.values():
            child.terminate()
        until = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._say("stopped", {})


def count_together(settings: Settings) -> None:
    """Have this process's children count the requests that they answer where one of them can tell the sum.

    What was counted before is forgotten: those processes are gone.
    """
    folder = settings.run / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    if settings.metrics_token:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def child_environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that belongs to this one and ends with it."""
    return {**MEMORY, **os.environ, **more, "JUANKU_PARENT": str(os.getpid())}


def die_with_parent() -> None:
    """Have this process ended when the tree's root dies, however it dies. Called first thing in each child."""
    if parent := os.environ.get("JUANKU_PARENT"):
        end_with(int(parent))


def end_with(parent: int) -> None:
    """Have this process ended when the one that started it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    if sys.platform != "linux":
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
