"""Small extractions by the fork server, several at once. Run: ``juanku bench forks [--seconds N] [--at-once N]``.

Each is a text of some 3 KB, told apart and read in a process of its own that ends with it. The raw limit does the same
in this process, one after another, fenced off by nothing.
"""

import argparse
import threading
import time
from collections.abc import Callable

from benchmarks._common import SENTENCES, table
from indexer.extract.answer import Extracted
from indexer.sandbox import work
from indexer.sandbox.client import Extractor
from indexer.sandbox.wire import Request

TEXT = "\n".join(SENTENCES * 10).encode()[:3_000].decode("utf-8", "ignore").encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--at-once", type=int, default=4)
    asked = parser.parse_args()
    raw = rate(lambda: work.find(Request("find", len(TEXT), name="说明.txt"), TEXT)[1], 1, asked.seconds / 4)
    with Extractor(parallel=asked.at_once) as extractor:
        forks = rate(lambda: found(extractor), asked.at_once, asked.seconds)
    table(
        f"Small extractions, {len(TEXT):,} bytes each",
        [
            ("raw: in this process, one after another", f"{raw:,.0f} a second"),
            (f"each in a fork, {asked.at_once} at once (at least 200)", f"{forks:,.0f} a second"),
        ],
    )


def found(extractor: Extractor) -> object:
    """Have one read as intake does."""
    with extractor.room(len(TEXT)):
        file = extractor.hold([TEXT], len(TEXT))
        try:
            return extractor.find_held("说明.txt", file, 1, 200)[1]
        finally:
            file.close()


def rate(one: Callable[[], object], at_once: int, seconds: float) -> float:
    """Return how many end a second, after a first one."""
    if not isinstance(one(), Extracted):
        raise SystemExit("it is not read")
    counts, until = [0] * at_once, time.perf_counter() + seconds

    def go_on(place: int) -> None:
        while time.perf_counter() < until:
            one()
            counts[place] += 1

    threads = [threading.Thread(target=go_on, args=(place,)) for place in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


if __name__ == "__main__":
    main()
