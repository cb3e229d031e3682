"""Fifty people file at once, from several processes. Run: ``juanku bench beside [--people N] [--seconds N]``.

On the database that ``JUANKU_DATABASE_URL`` names (it must be empty), else on SQLite. Ends with an error if a number
came twice, one was left out, or anyone was told of anything but success.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from archive.identity import system
from archive.model import Counter, IssuedNumber
from benchmarks._common import ROOT, archive, opened, spread, table
from runtime.demo.fill import _grounds
from runtime.demo.writing import Writer

OPERATOR = system("bench")
READY = 60
"""Records that each person finds catalogued and files, one by one, over and over the first few seconds."""


def one_process(people: int, seconds: float, seed: int) -> None:
    """File as ``people`` threads; print how long each filing took."""
    with opened() as parts:
        with parts.db.reading() as session:
            grounds = _grounds(session)
        waiting = [
            parts.records.create_many(OPERATOR, [mine.draft(grounds[0], 1) for _ in range(READY)])
            for mine in (Writer(seed=seed * 1000 + number) for number in range(people))
        ]
        print("ready", flush=True)
        sys.stdin.readline()
        until = time.perf_counter() + seconds
        took: list[float] = []

        def person(ids: Sequence[object]) -> None:
            for record in ids:
                begun = time.perf_counter()
                (filed,) = parts.filing.file(OPERATOR, [record])  # type: ignore[list-item]
                if filed.archive_number is None:
                    raise SystemExit(f"not filed: {filed}")
                took.append(time.perf_counter() - begun)
                if time.perf_counter() > until:
                    return

        with ThreadPoolExecutor(people) as pool:
            list(pool.map(person, waiting))  # whatever one of them was told ends this process
        print(*took, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    each = asked.people // asked.processes
    if asked.seed:
        one_process(asked.people, asked.seconds, asked.seed)
        return
    with archive():
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.beside", f"--people={each}", f"--seconds={asked.seconds}",
                 f"--seed={number + 1}"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(asked.processes)
        ]  # fmt: skip
        for child in running:
            child.stdout.readline()  # type: ignore[union-attr]
        begun = time.perf_counter()
        told = [child.communicate("\n")[0] for child in running]
        wall = time.perf_counter() - begun
        if any(child.returncode for child in running):
            raise SystemExit("someone was told of a fault")
        took = [float(word) for line in told for word in line.split()]
        with opened() as parts, parts.db.reading() as session:
            given = session.scalar(select(func.count()).select_from(IssuedNumber))
            counted = session.scalar(select(func.sum(Counter.last)))
            kind = session.get_bind().dialect.name
        if given != counted:
            raise SystemExit(f"{given} numbers, but the counters stand at {counted}")
        table(
            f"{asked.people} people filing at once, {asked.processes} processes, {kind}",
            [("filings", f"{len(took) / wall:,.0f} a second"), ("each", spread(took))],
        )


if __name__ == "__main__":
    main()
