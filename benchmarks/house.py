"""A house of many records on servers: made within minutes, then measured. Run: ``juanku bench house [--records N]``.

On the servers that the settings name (PostgreSQL at least; the search engine and the store as they are set). A database
without a house gets a demonstration of 10,000 records, which is multiplied there (``benchmarks._grown_house``); then
the index is made. A house of as many records is measured as it stands. ``--only`` names what is measured:

- ``statements``: every page that each kind of person comes to by links; the slowest statements, timed by the server;
- ``search``: the service against the raw client that sends the same query, in turns;
- ``filing``: cataloguing and filing, and searching, in turns with the house of 10,000 records of ``--small`` (a file of
  ``export`` lines, as ``JUANKU_DATABASE_URL=…``): the median of five pairs;
- ``pages``, ``loans``: pages at the server, as ``bench pages`` and ``bench lendings`` measure them.
"""

import argparse
import os
import shlex
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, func, inspect, select

from archive.identity import system
from archive.model import Record
from benchmarks import lendings, pages
from benchmarks._common import juanku, opened, spread, table
from benchmarks._every_page import Seen, Slow, again, walk
from benchmarks._grown_house import grow
from benchmarks.elastic import Asking
from benchmarks.statements import MARK_MS, plan
from runtime.demo.fill import BARE, _grounds
from runtime.demo.writing import Writer
from runtime.processes.pages import make_app
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build

BASE = 10_000
PAIRS = 5
FILED_AT_ONCE = 500
PHRASES = 100
EVERYBODY = ("archivist", "clerk", "staff", "manager", "resident", "secrecy", "security", "audit", "system")
MEASURES = ("statements", "search", "filing", "pages", "loans")


def main() -> None:
    """Make what is not there, measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--loans", type=int)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--small", type=Path)
    parser.add_argument("--people", nargs="*", default=EVERYBODY)
    parser.add_argument("--only", nargs="*", choices=MEASURES, default=MEASURES)
    asked = parser.parse_args()
    stands(asked.records, asked.loans if asked.loans is not None else asked.records)
    with opened() as parts:
        if "statements" in asked.only:
            statements(parts, asked.people)
        if "search" in asked.only:
            search(parts)
        if "filing" in asked.only and asked.small:
            with closing(build(load(settings_of(asked.small)), NoWaker())) as small:
                pairs(small, parts)
        if "pages" in asked.only:
            pages.measure(parts, asked.rounds)
        if "loans" in asked.only:
            lendings.measure(parts, asked.rounds)


def stands(records: int, loans: int) -> None:
    """Make the house, unless so many records are there."""
    begun = time.perf_counter()

    def told(words: str) -> None:
        print(f"  {time.perf_counter() - begun:6.0f} s  {words}", flush=True)

    engine = create_engine(load().database_url)
    with engine.connect() as connection:
        set_up = inspect(connection).has_table("record")
        there = connection.scalar(select(func.count()).select_from(Record)) if set_up else 0
    engine.dispose()
    if there and there > records * 0.9:
        return
    if not there:
        juanku("demo", "--no-serve", "--no-files", "--size", str(min(BASE, records)))
        told("the demonstration")
    with opened() as parts:
        grow(parts, records, loans, told)
    made = juanku("index", "rebuild")
    told(f"the index: {made.document}")


def statements(parts: Parts, people: Sequence[str]) -> None:
    """Walk through the pages as each of ``people``; print how many, and each statement of more than half the mark."""
    app = make_app(parts)
    app.config["WTF_CSRF_ENABLED"] = False
    slow: dict[str, Slow] = {}
    seen: dict[str, list[Seen]] = {login: list(walk(parts, app, login, slow)) for login in people}
    timed = sorted(again(parts, list(slow.values())), key=lambda each: -each.ms)
    rows = [
        (login, f"{len(each)} addresses of {len({one.endpoint for one in each})} pages") for login, each in seen.items()
    ]
    late = [each for each in timed if each.ms > MARK_MS]
    table(f"Statements of pages (at most {MARK_MS} ms at the server): {len(late)} over it", rows)
    for each in timed:
        if each.ms > MARK_MS / 2:
            print(f"  {each.ms:6.0f} ms  {each.page}: {each.node}\n            {' '.join(each.words.split())[:300]}")
    for each in late:
        print(
            f"\n{each.ms:.0f} ms, {each.page}: {' '.join(each.words.split())}",
            *plan(parts, each.words, each.given),
            sep="\n",
        )


def search(parts: Parts) -> None:
    """Print how long the raw client and the service take for the same phrases, asked in turns."""
    asking = Asking(parts, "archivist", PHRASES)
    raw, service = asking.in_turns()
    at = min(int(len(raw) * 0.95), len(raw) - 1)
    reach = sorted(raw)[at] * 1000 * 1.3 + 10
    table(
        f"Search through the service (p95 at most 1.3 × raw + 10 ms: {reach:.1f} ms)",
        [("raw client, the same query", spread(raw)), ("service: policy, fences, facets, check, log", spread(service))],
    )


def pairs(small: Parts, large: Parts) -> None:
    """File and search in the small house and in the large one by turns; print the medians of the ratios."""
    filed: list[list[float]] = []
    found: list[list[float]] = []
    for number in range(PAIRS + 1):  # the first warms up
        filed.append([_filed(each, number) for each in (small, large)])
        found.append([_found(each) for each in (small, large)])
    rows = []
    for name, pair, most in (("filing", filed[1:], 1.3), ("search", found[1:], 2.0)):
        ratio = statistics.median(after / before for before, after in pair)
        told = ", ".join(f"{before * 1000:.2f} → {after * 1000:.2f}" for before, after in pair)
        rows.append((f"{name} (at most {most} ×)", f"{ratio:.2f} ×; ms: {told}"))
    table(f"The small house and the large one, {PAIRS} pairs", rows)


def _filed(parts: Parts, number: int) -> float:
    """Catalogue and file some records in batches; return seconds a record."""
    with parts.db.reading() as session:
        grounds = _grounds(session)
    writer = Writer(seed=number)
    drafts = [writer.draft(grounds[n % 4 == 3], 10_000_000 + number * FILED_AT_ONCE + n) for n in range(FILED_AT_ONCE)]
    begun = time.perf_counter()
    for start in range(0, FILED_AT_ONCE, BARE):
        with parts.db.writing() as work:
            ids = parts.records.insert(work, system("bench"), drafts[start : start + BARE])
            parts.filing.in_work(work, system("bench"), ids)
            work.commit()
    return (time.perf_counter() - begun) / FILED_AT_ONCE


def _found(parts: Parts) -> float:
    """Return the median of searches through the service, in seconds."""
    return statistics.median(Asking(parts, "archivist", PHRASES // 4).service())


def settings_of(file: Path) -> Mapping[str, str]:
    """Return this process's environment with what a file of ``export NAME=value`` lines says otherwise."""
    words = [word for line in file.read_text().splitlines() for word in shlex.split(line) if "=" in word]
    return {**os.environ, **dict(word.split("=", 1) for word in words)}


if __name__ == "__main__":
    main()
