"""Start and memory of ``juanku serve``. Run: ``juanku bench serving [--wait SECONDS]``.

Time until a page answers, and the sum of PSS (each shared page counted once) of the tree after ``--wait`` seconds.
The raw limit is a Python that imports Flask, SQLAlchemy and Celery, and ends.
"""

import argparse
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from benchmarks._common import ROOT, archive, table, timed

PATIENCE = 60


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served() -> Iterator[tuple[str, int, float]]:
    """Serve the archive of this benchmark: its address, the process's id, and the seconds until it answered."""
    port = free_port()
    begun = time.perf_counter()
    words = [sys.executable, "-m", "runtime", "serve", "--port", str(port)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        while not answers(address):
            if time.perf_counter() - begun > PATIENCE or process.poll() is not None:
                raise SystemExit("the server did not come up")
            time.sleep(0.02)
        yield address, process.pid, time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def answers(address: str) -> bool:
    """Whether the sign-in page is there."""
    try:
        with urllib.request.urlopen(f"{address}/sign-in", timeout=5) as reply:  # noqa: S310  (our own address)
            return bool(reply.status == 200)
    except OSError:
        return False


def tree(pid: int) -> list[int]:
    """Return a process and all below it; what ends while it is looked at is left out."""
    below: list[str] = []
    with contextlib.suppress(OSError):
        for thread in list(Path(f"/proc/{pid}/task").iterdir()):
            with contextlib.suppress(OSError):
                below += (thread / "children").read_text().split()
    return [pid, *(each for child in below for each in tree(int(child)))]


def memory(pid: int, kind: str = "Pss") -> float:
    """Return a process's ``Pss`` or ``Rss`` in MB."""
    kept = re.search(rf"^{kind}:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(kept[1]) / 1024 if kept else 0.0


def named(pid: int) -> str:
    """Return the module a process runs."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return next((word.decode() for before, word in pairwise(words) if before == b"-m"), "?")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wait", type=float, default=60)
    asked = parser.parse_args()
    with archive(200):
        with timed() as bare:
            subprocess.run([sys.executable, "-c", "import flask, sqlalchemy, celery"], check=True)
        with served() as (_, _, first):
            pass
        with served() as (_, pid, again):
            time.sleep(asked.wait)
            sizes = {each: memory(each) for each in tree(pid)}
            rows = [(f"  {named(each)} ({each})", f"{size:.0f} MB") for each, size in sizes.items()]
        table(
            "Serve",
            [
                ("raw: Python imports Flask, SQLAlchemy, Celery", f"{bare[0]:.2f} s"),
                ("first and second start to the first page (at most 3 s)", f"{first:.2f} s, {again:.2f} s"),
                (f"PSS of the tree after {asked.wait:.0f} s (at most 350 MB)", f"{sum(sizes.values()):.0f} MB"),
                *rows,
            ],
        )


if __name__ == "__main__":
    main()
