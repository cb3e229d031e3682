"""Reading while a large batch is written. Run: ``juanku bench reading [--records N]``.

One process catalogues and files N records in batches; this one searches and opens records meanwhile. The raw limit is
the same reading with nobody writing.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

from sqlalchemy import select

from archive.model import Record
from benchmarks._common import ROOT, archive, opened, spread, table
from runtime.wiring.parts import Parts

HELD = 1_000


def read(parts: Parts, login: str, going: Callable[[], bool]) -> tuple[list[float], list[str]]:
    """Search and open records while ``going``; return the seconds of each, and what failed."""
    person = parts.people.identity_of(login)
    with parts.db.reading() as session:
        keys = session.scalars(select(Record.id).limit(HELD)).all()
    took: list[float] = []
    failed: list[str] = []
    words = ("电梯", "消防设施", "验收单", "会议纪要", "物资")
    number = 0
    while going():
        number += 1
        begun = time.perf_counter()
        try:
            if number % 2:
                parts.search.search(person, words[number % len(words)])
            else:
                parts.reader.show(person, keys[number % len(keys)])
        except Exception as error:  # noqa: BLE001  (whatever goes wrong is what is counted here)
            if type(error).__name__ != "NotFound":
                failed.append(repr(error))
        took.append(time.perf_counter() - begun)
        time.sleep(0.005)
    return took, failed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    asked = parser.parse_args()
    with archive(1_000), opened() as parts:
        until = time.perf_counter() + 5
        alone, _ = read(parts, "archivist", lambda: time.perf_counter() < until)
        words = [sys.executable, "-m", "runtime", "demo", "--no-serve", "--no-files", "--size", str(asked.records)]
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as writing:
            beside, failed = read(parts, "archivist", lambda: writing.poll() is None)
        table(
            f"Reading while {asked.records:,} records are written",
            [
                ("raw: nobody writes (p50 / p95 / p99)", spread(alone)),
                ("while written (p99 at most 300 ms)", spread(beside)),
                ("readings, errors", f"{len(beside)}, {len(failed)}"),
                *[("  " + one[:150], "") for one in failed[:3]],
            ],
        )


if __name__ == "__main__":
    main()
