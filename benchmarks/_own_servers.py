"""Servers of a trial's own, from their programs: they may be killed and filled up, or take TLS alone."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0
MINIO_KEY, MINIO_SECRET = "archive", "archive-secret"
EPMD = "/usr/bin/epmd"
_ELASTIC_USER = "archive-es"
_SERVICES = Path.home() / ".cache" / "archive-services"
_BUILT = _SERVICES / "bin" / "minio"


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


def rabbitmq_program() -> Path | None:
    """Return RabbitMQ's program, past the wrapper that changes the user; None where there is none."""
    found = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return found if found.exists() and Path(EPMD).exists() else None


def elastic_folder() -> Path | None:
    """Return where Elasticsearch is unpacked; None where it, its Java or, for root, a user to run it as is missing."""
    found = _SERVICES / "elasticsearch"
    there = (found / "lib").is_dir() and shutil.which("java")
    with contextlib.suppress(KeyError):
        return found if there and (os.geteuid() or pwd.getpwnam(_ELASTIC_USER)) else None
    return None


_FIRST_PORT = 28_000 + 500 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 9)
_MINE = range(_FIRST_PORT, _FIRST_PORT + 500)
_PORTS: Iterator[int] = itertools.cycle([*_MINE[os.getpid() % 500 :], *_MINE[: os.getpid() % 500]])
"""Below those that the system gives to connections, and others for each worker of a run; of two runs on one machine
each begins elsewhere, for a server listens long after its port was chosen.
"""


def a_port() -> int:
    """Return a port that nobody listens on now, another at each call."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Certificates:
    """A folder with a server's certificate, its key, and the certificate of the authority that signed it."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Whom clients trust."""
        return self.folder / "authority.pem"

    @property
    def shown(self) -> Path:
        """What the server shows, by the name that MinIO looks for."""
        return self.folder / "public.crt"

    @property
    def key(self) -> Path:
        """What it signs with."""
        return self.folder / "private.key"

    def context(self) -> ssl.SSLContext:
        """Return what a client trusts."""
        return ssl.create_default_context(cafile=self.authority)

    def copied(self, folder: Path, user: str | None) -> "Certificates":
        """Return a copy that a server's own user alone may read."""
        shutil.copytree(self.folder, folder)
        for each in (folder, *folder.iterdir()):
            each.chmod(0o700 if each.is_dir() else 0o600)
            if user:
                shutil.chown(each, user, user)
        return Certificates(folder)


@dataclass
class Server:
    """A server's process: ``start``, ``kill`` (SIGKILL, all of it) and start again over the same data."""

    words: Sequence[str]
    folder: Path
    port: int
    answers: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    patience: float = PATIENCE
    cwd: Path | None = None
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
        until = time.monotonic() + self.patience
        while not (self.runs() and self.answers()):
            if time.monotonic() > until:
                raise RuntimeError(f"{self.words[0]} does not answer: {(self.folder / 'log').read_text()[-2000:]}")
            if not self.runs():
                with (self.folder / "log").open("ab") as log:
                    self.process = subprocess.Popen(
                        self.words, cwd=self.cwd or self.folder, env=os.environ | self.environment,
                        stdout=log, stderr=log, user=self.user, group=self.user, extra_groups=[] if self.user else None,
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


def _well(asked: str | urllib.request.Request, sealed: Certificates | None) -> bool:
    """Whether a server answers a request over HTTP with 200."""
    try:
        trusted = sealed.context() if sealed else None
        with urllib.request.urlopen(asked, timeout=2, context=trusted) as reply:  # noqa: S310 (our own addresses)
            return bool(reply.status == 200)
    except OSError:
        return False


def postgres(folder: Path, *, data: Path | None = None, sealed: Certificates | None = None) -> Server:
    """Return a PostgreSQL server with a database ``house``, started; everyone on loopback is its owner.

    Args:
        folder: for log and socket.
        data: where the cluster lies (a file system of its own, if that is to fill up).
        sealed: what it shows to those who come by TLS.
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
    made = [str(programs / "initdb"), "-D", str(cluster), "-U", "archive", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"]  # fmt: skip
    more: list[str] | None = [] if user else None
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, user=user, group=user, extra_groups=more)
    given = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "min_wal_size": "2MB",
             "max_wal_size": "16MB", "shared_buffers": "16MB", "max_connections": "60"}  # fmt: skip
    if sealed:
        own_copy = sealed.copied(folder / "certificates", user)
        given |= {"ssl": "on", "ssl_cert_file": str(own_copy.shown), "ssl_key_file": str(own_copy.key)}
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    server = Server(
        [str(programs / "postgres"), "-D", str(cluster), "-p", str(port),
         *(word for name, value in given.items() for word in ("-c", f"{name}={value}"))],
        folder, port, lambda: subprocess.run(ready, check=False).returncode == 0, user=user,
    )  # fmt: skip
    server.start()
    there = ["-h", "127.0.0.1", "-p", str(port), "-U", "archive"]
    subprocess.run([str(programs / "createdb"), *there, "house"], check=True)
    return server


def redis(folder: Path, *, sealed: Certificates | None = None, password: str = "") -> Server:
    """Return a Redis server that keeps nothing on the disk, started; where it has certificates, it takes TLS alone."""
    program, port = redis_program(), a_port()
    if program is None:
        raise RuntimeError("Redis is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    words = [program, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    words += ["--requirepass", password] if password else []
    words += ["--port", "0", "--tls-port"] if sealed else ["--port"]
    words += [str(port)]
    if sealed:
        words += ["--tls-cert-file", str(sealed.shown), "--tls-key-file", str(sealed.key)]
        words += ["--tls-ca-cert-file", str(sealed.authority), "--tls-auth-clients", "no"]
    server = Server(words, folder, port, lambda: _open(port))
    server.start()
    return server


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[Server]:
    """Start a RabbitMQ server with its own names and ports, and end it with what it leaves behind (epmd)."""
    program, port, names = rabbitmq_program(), a_port(), a_port()
    if program is None:
        raise RuntimeError("RabbitMQ is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        "HOME": folder, "RABBITMQ_NODENAME": f"trial{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": port, "RABBITMQ_DIST_PORT": a_port(), "RABBITMQ_MNESIA_BASE": folder / "data",
        "RABBITMQ_LOG_BASE": folder, "RABBITMQ_LOGS": "-", "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": folder / "none",
        "RABBITMQ_GENERATED_CONFIG_DIR": folder, "ERL_EPMD_PORT": names, "ERL_EPMD_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    told = {name: str(value) for name, value in own.items()}
    server = Server([str(program)], folder, port, lambda: _open(port), told, patience=3 * PATIENCE)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([EPMD, "-port", str(names), "-kill"], check=False, capture_output=True, timeout=10)


def minio(folder: Path, *, sealed: Certificates | None = None) -> Server:
    """Return a MinIO server whose objects lie below ``folder``/data, started; with certificates it takes TLS alone."""
    program, port = minio_program(), a_port()
    if program is None:
        raise RuntimeError("MinIO is not installed")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    ready_at = f"{'https' if sealed else 'http'}://127.0.0.1:{port}/minio/health/ready"
    certificates = ["--certs-dir", str(sealed.folder)] if sealed else []

    server = Server(
        [program, "server", str(folder / "data"), "--address", f"127.0.0.1:{port}", "--console-address",
         f"127.0.0.1:{a_port()}", *certificates],
        folder, port, lambda: _well(ready_at, sealed),
        {"MINIO_ROOT_USER": MINIO_KEY, "MINIO_ROOT_PASSWORD": MINIO_SECRET, "MINIO_UPDATE": "off", "MINIO_CI_CD": "1",
         "MINIO_KMS_SECRET_KEY": "archive-key:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
    )  # fmt: skip
    server.start()
    return server


def elastic(folder: Path, *, sealed: Certificates, password: str) -> Server:
    """Return an Elasticsearch that takes TLS alone and asks who one is, started.

    Args:
        folder: an empty one, that everyone may pass through.
        sealed: what it shows.
        password: that of its administrator, ``elastic``.
    """
    home, java, port = elastic_folder(), shutil.which("java"), a_port()
    if home is None or java is None:
        raise RuntimeError("Elasticsearch is not installed")
    user = _ELASTIC_USER if os.geteuid() == 0 else None
    shutil.copytree(home / "config", folder / "config")
    for name in ("data", "logs", "tmp"):
        (folder / name).mkdir()
    for certificate in (sealed.shown, sealed.key):
        shutil.copy(certificate, folder / "config")
    if user:
        for each in (folder, *folder.rglob("*")):
            shutil.chown(each, user, user)
    java_home = Path(java).resolve().parents[1]
    # a trial is over before what a thorough compiler makes would pay: that takes half of a start
    options = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1"
    environment = {"ES_JAVA_HOME": str(java_home), "ES_PATH_CONF": str(folder / "config"), "HOME": str(folder),
                   "ES_TMPDIR": str(folder / "tmp"), "ES_JAVA_OPTS": options, "LANG": "C.UTF-8"}  # fmt: skip

    def tool(name: str, *words: str) -> list[str]:
        return [
            str(java_home / "bin" / "java"), "-Xmx64m", "-XX:+UseSerialGC", f"-Dcli.name={name}", "-Dcli.script=",
            f"-Dcli.libs=lib/tools/{name}-cli", f"-Des.path.home={home}", f"-Des.path.conf={folder / 'config'}",
            "-Des.distribution.type=tar", "-Des.java.type=ES_JAVA_HOME",
            "-cp", f"{home}/lib/*:{home}/lib/cli-launcher/*", "org.elasticsearch.launcher.CliToolLauncher", *words,
        ]  # fmt: skip

    subprocess.run(
        tool("keystore", "add", "-x", "-f", "bootstrap.password"), input=password.encode(), check=True, cwd=home,
        env=os.environ | environment, stdout=subprocess.DEVNULL, user=user, group=user,
        extra_groups=[] if user else None,
    )  # fmt: skip
    given = {"discovery.type": "single-node", "xpack.ml.enabled": "false", "http.port": str(port),
             "transport.port": str(a_port()), "cluster.routing.allocation.disk.threshold_enabled": "false",
             "path.data": str(folder / "data"), "path.logs": str(folder / "logs"), "xpack.security.enabled": "true",
             "xpack.security.http.ssl.enabled": "true", "xpack.security.http.ssl.certificate": sealed.shown.name,
             "xpack.security.http.ssl.key": sealed.key.name}  # fmt: skip
    asked = urllib.request.Request(f"https://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=1s")
    asked.add_header("Authorization", f"Basic {b64encode(f'elastic:{password}'.encode()).decode()}")

    words = tool("server", *(f"-E{name}={value}" for name, value in given.items()))
    server = Server(words, folder, port, lambda: _well(asked, sealed), environment, user=user, patience=600, cwd=home)
    server.start()
    return server


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """Mount a file system in memory that can fill up; None where this process may not."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    mounted = subprocess.run([shutil.which("mount") or "mount", *words], check=False, stderr=subprocess.DEVNULL)
    if mounted.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=True)
