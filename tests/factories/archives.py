"""A whole archive in a folder, worked on by the command line or by its parts."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.clock import Clock
from runtime.processes.working import LocalWaker, work_done
from runtime.settings import Settings, load
from runtime.wiring.parts import Parts, build
from tests.factories import postgres, started

ROOT = Path(__file__).resolve().parents[2]
SIZE = 10

_FIRST_PORT = 20_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_MINE = range(_FIRST_PORT, _FIRST_PORT + 1_000)
_PORTS: Iterator[int] = itertools.cycle([*_MINE[os.getpid() % 1_000 :], *_MINE[: os.getpid() % 1_000]])
"""Others for each worker of a run; of two runs on one machine each begins elsewhere."""


@dataclass(frozen=True)
class Answer:
    """What a command gave back. ``document`` is its standard output, which must be one JSON document."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        read: dict[str, Any] = json.loads(self.out)
        return read


@dataclass
class Archive:
    """An archive's folder: data in ``home``, key ring in ``keys``."""

    folder: Path
    _open: list[Parts] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def environment(self) -> dict[str, str]:
        own = {"JUANKU_HOME": str(self.home), "JUANKU_KEYS": str(self.keys)}
        own["JUANKU_OCR"] = "none"  # each process would load its models anew; OCR has tests of its own
        if postgres.used():
            own["JUANKU_DATABASE_URL"] = postgres.standing(self.folder)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("JUANKU_")}
        return plain | own | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}

    @property
    def settings(self) -> Settings:
        return load(self.environment)

    def copy(self, folder: Path) -> "Archive":
        """Copy it to another folder."""
        shutil.copytree(self.folder, folder)
        if postgres.used():
            postgres.copied(self.folder, folder)
        return Archive(folder)

    def run(self, *words: str | Path, more: Mapping[str, str] | None = None) -> Answer:
        """Run one command line to its end."""
        return Answer(*started.run([*map(str, words)], self.environment | (more or {})))

    def parts(self, clock: Clock | None = None) -> Parts:
        """Open it in this process."""
        opened = build(self.settings, LocalWaker(), clock)
        self._open.append(opened)
        return opened

    def work(self, parts: Parts) -> None:
        """Run all jobs and seal the log."""
        with work_done(parts, wait=True):
            pass

    def close(self) -> None:
        """Close what was opened in this process."""
        while self._open:
            self._open.pop().close()

    @contextlib.contextmanager
    def served(self, more: Mapping[str, str] | None = None) -> Iterator["Served"]:
        """Serve it; yield once the pages answer."""
        tree = Served(self, more or {})
        try:
            tree.until_up()
            yield tree
        finally:
            tree.kill()


def make(folder: Path) -> Archive:
    """Make a demonstration archive."""
    made = Archive(folder)
    folder.mkdir(parents=True)
    answer = made.run("demo", "--no-serve", "--size", str(SIZE), "--json")
    assert answer.code == 0, answer.err
    (folder / "demo.json").write_text(answer.out)
    return made


def free_port() -> int:
    """Return a port that nobody listens on, and that no other worker of this run is given meanwhile."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def children_of(pid: int) -> set[int]:
    """Return every process below ``pid``."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            below.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = set(), [pid]
    while waiting:
        for child in below.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def stood_in_line(pid: int) -> float:
    """Return the seconds that a process's main thread could have run and others had the processor (0: not known)."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def alive(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody has asked after does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Served:
    """A running ``juanku serve``."""

    def __init__(self, archive: Archive, more: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.begun = time.monotonic()
        self.errors = archive.folder / "serve.log"
        with self.errors.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runtime", "serve", "--port", str(self.port)],
                env=archive.environment | more,
                stderr=log,
                start_new_session=True,
            )
        self.up_after = 0.0
        self.held_up = 0.0

    def until_up(self) -> None:
        """Wait until the pages answer."""
        wait_for(lambda: self.answers() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.errors.read_text()
        self.up_after = time.monotonic() - self.begun
        self.held_up = sum(stood_in_line(pid) for pid in (self.process.pid, self.child("web")) if pid)

    def answers(self) -> bool:
        """Whether the pages answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=20) as reply:  # noqa: S310 (our own address)
                return bool(reply.status == 200)
        except OSError:
            return False

    def child(self, name: str) -> int | None:
        """Return the process id of ``web`` or ``worker``."""
        for pid in children_of(self.process.pid):
            with contextlib.suppress(OSError):
                if f"runtime.processes.{name}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        return None

    def tree(self) -> set[int]:
        """Return all its processes."""
        return {self.process.pid} | children_of(self.process.pid)

    def kill(self) -> None:
        """End what is left of it."""
        for pid in self.tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def wait_for(said: Any, seconds: float = 200.0) -> None:
    """Return when ``said`` answers true; fail after ``seconds``."""
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until, f"not so after {seconds} s"
        time.sleep(0.05)
