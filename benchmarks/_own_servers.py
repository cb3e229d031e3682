"""Servers of a trial's own, which may be killed and filled up: PostgreSQL, Redis and MinIO from their programs."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0
MINIO_KEY, MINIO_SECRET = "archive", "archive-secret"
_BUILT = Path.home() / ".cache" / "archive-services" / "bin" / "minio"


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    return Path(other).resolve().parent if other else None


def redis_program() -> str | None:
    """Return Redis's program; None where there is none."""
    return shutil.which("redis-server")


def minio_program() -> str | None:
    """Return MinIO's program; None where there is none."""
    return shutil.which("minio") or (str(_BUILT) if _BUILT.exists() else None)


_FIRST_PORT = 28_000 + 500 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 9)
_PORTS = itertools.cycle(range(_FIRST_PORT, _FIRST_PORT + 500))
"""Below those that the system gives to connections, and others for each worker of a run."""


def a_port() -> int:
    """Return a port that nobody listens on now, another at each call."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Server:
    """A server's process: ``start``, ``kill`` (SIGKILL, all of it) and start again over the same data."""

    words: Sequence[str]
    folder: Path
    port: int
    answers: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it unless it runs; return when it answers.

        Raises:
            RuntimeError: it does not come up.
        """
        until = time.monotonic() + PATIENCE
        while not (self.runs() and self.answers()):
            if time.monotonic() > until:
                raise RuntimeError(f"{self.words[0]} does not answer: {(self.folder / 'log').read_text()[-2000:]}")
            if not self.runs():
                with (self.folder / "log").open("ab") as log:
                    self.process = subprocess.Popen(
                        self.words, cwd=self.folder, env=os.environ | self.environment, stdout=log, stderr=log,
                        user=self.user, group=self.user, extra_groups=[] if self.user else None,
                        start_new_session=True,
                    )  # fmt: skip
            time.sleep(0.05)

    def runs(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill it and its children as a crash would."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._children_gone()

    def _children_gone(self) -> None:
        """Wait until no process of the group is left: a database does not start beside its own remains."""
        until = time.monotonic() + PATIENCE
        while self.process and time.monotonic() < until:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.01)


def _open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgres(folder: Path, *, data: Path | None = None) -> Server:
    """Return a PostgreSQL server with a database ``house``, started; everyone on loopback is its owner.

    Args:
        folder: for log and socket.
        data: where the cluster lies (a file system of its own, if that is to fill up).
    """
    programs, port = postgres_programs(), a_port()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    cluster = (data or folder) / "cluster"
    for each in (folder, cluster):
        each.mkdir(parents=True, exist_ok=True)
        if user:
            shutil.chown(each, user, user)
    made = [programs / "initdb", "-D", cluster, "-U", "archive", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--no-sync", "--wal-segsize=1"]  # fmt: skip
    own = {"user": user, "group": user, "extra_groups": [] if user else None}
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, **own)  # type: ignore[call-overload]
    given = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "min_wal_size": "2MB",
             "max_wal_size": "16MB", "shared_buffers": "16MB", "max_connections": "60"}  # fmt: skip
    ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    server = Server(
        [str(programs / "postgres"), "-D", str(cluster), "-p", str(port),
         *(word for name, value in given.items() for word in ("-c", f"{name}={value}"))],
        folder, port, lambda: subprocess.run(ready, check=False).returncode == 0, user=user,
    )  # fmt: skip
    server.start()
    there = ["-h", "127.0.0.1", "-p", str(port), "-U", "archive"]
    subprocess.run([programs / "createdb", *there, "house"], check=True)
    return server


def redis(folder: Path) -> Server:
    """Return a Redis server that keeps nothing on the disk, started."""
    program, port = redis_program(), a_port()
    if program is None:
        raise RuntimeError("Redis is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    words = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    server = Server(words, folder, port, lambda: _open(port))
    server.start()
    return server


def minio(folder: Path) -> Server:
    """Return a MinIO server whose objects lie below ``folder``/data, started."""
    program, port = minio_program(), a_port()
    if program is None:
        raise RuntimeError("MinIO is not installed")
    (folder / "data").mkdir(parents=True, exist_ok=True)

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/minio/health/ready", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    server = Server(
        [program, "server", str(folder / "data"), "--address", f"127.0.0.1:{port}", "--console-address",
         f"127.0.0.1:{a_port()}"],
        folder, port, ready,
        {"MINIO_ROOT_USER": MINIO_KEY, "MINIO_ROOT_PASSWORD": MINIO_SECRET, "MINIO_UPDATE": "off", "MINIO_CI_CD": "1",
         "MINIO_KMS_SECRET_KEY": "archive-key:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
    )  # fmt: skip
    server.start()
    return server


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """Mount a file system in memory that can fill up; None where this process may not."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
    mounted = subprocess.run([shutil.which("mount") or "mount", *words], check=False, stderr=subprocess.DEVNULL)
    if mounted.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=True)
