"""Faults of the servers: killed, away, slow, full, emptied, wiped, cut off at a commit; after each, nothing is missing.

Run: ``juanku bench server_faults [--only FT7] [--trials N] [--hours H] [--json]``; ``bench faults`` kills the processes
of a house on one machine.

Each trial acts on a house on PostgreSQL, Redis, MinIO and Elasticsearch (``benchmarks._server_house``), breaks
one of them, looks at what people are told meanwhile, mends it and lets a worker go on. Then ``fsck`` must find every
invariant, what was acknowledged must be there, once, and be found by its words; whoever may not read a record must
not have seen it. A clock that is set forward stands for waiting until leases run out.

No failure in n trials says, at 95 %, that fewer than 3 in n would fail.
"""

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import _faults_database as database
from benchmarks import _faults_search as search
from benchmarks import _faults_store as store
from benchmarks import _faults_work as work
from benchmarks._server_house import House, a_house, missing, seen

THIRDS = 3
TURN = "JUANKU_FAULTS_THIRD"
"""The variable that says which third of the faults is tested, 0 to 2; else the day does."""

Act = Callable[[House, int], Iterator[str]]


@dataclass(frozen=True)
class Fault:
    """A fault of the reliability matrix, and what does it once. ``seconds``: about how long that takes."""

    code: str
    act: Act

    @property
    def name(self) -> str:
        """How it is asked for and told."""
        part = self.act.__module__.rpartition("_")[2]
        return f"{self.code} {part}: {self.act.__name__.replace('_', ' ')}"


FAULTS = tuple(
    Fault(code, act)
    for code, act in (
        ("FT1", work.worker_killed),
        ("FT2", work.web_killed),
        ("FT3", store.lost_answer),
        ("FT4", database.same_request),
        ("FT5", work.broker_killed),
        ("FT6", work.redelivered),
        ("FT6", work.ended_late),
        ("FT7", search.away),
        ("FT7", search.slow),
        ("FT7", search.busy),
        ("FT7", search.red),
        ("FT7", search.wiped),
        ("FT7", search.misshapen),
        ("FT8", store.away),
        ("FT8", store.busy),
        ("FT8", store.slow),
        ("FT8", store.cut_answer),
        ("FT8", store.wrong_credentials),
        ("FT8", store.killed),
        ("FT8", store.missing_object),
        ("FT8", store.bit_flipped),
        ("FT8", store.flipped_on_the_way),
        ("FT9", database.away),
        ("FT9", database.killed_under_load),
        ("FT9", database.killed_at_commit),
        ("FT9", database.commit_unknown),
        ("FT9", database.commit_never_sent),
        ("FT10", store.full),
        ("FT10", database.disk_full),
        ("FT12", database.clocks),
        ("FT13", database.numbers_at_once),
    )
)


@dataclass
class Row:
    """What came out of the trials of one fault."""

    name: str
    trials: int = 0
    wrong: list[str] = field(default_factory=list)


def third() -> int:
    """Return which third of the faults is today's: by the day of the year, or as ``JUANKU_FAULTS_THIRD`` says."""
    said = os.environ.get(TURN)
    return (int(said) if said else datetime.now(UTC).timetuple().tm_yday) % THIRDS


def of_third(which: int) -> Sequence[Fault]:
    """Return the faults of one third; all thirds together are all faults."""
    return FAULTS[which::THIRDS]


def trial(house: House, fault: Fault, number: int) -> list[str]:
    """Do a fault once; return what is wrong during it and after it."""
    try:
        found = list(fault.act(house, number))
    finally:
        house.settle()
    return found + house.wrong()


def run(faults: Sequence[Fault], trials: int, said: Callable[[Row], None]) -> list[Row]:
    """Run each fault in a house of its own; ``said`` hears each finished row."""
    rows = []
    for fault in faults:
        row = Row(fault.name)
        with tempfile.TemporaryDirectory(prefix="juanku-faults-") as name, a_house(Path(name)) as house:
            for number in range(trials):
                row.trials += 1
                row.wrong += trial(house, fault, number)
            row.wrong += house.wrong(everything=True)
        rows.append(row)
        said(row)
    return rows


def soak(hours: float, said: Callable[[Row], None], pick: random.Random) -> list[Row]:
    """Let faults of all kinds come in no order upon one house for so many hours (FT18)."""
    row, until = Row(f"FT18 {hours:g} h, faults in no order"), time.monotonic() + hours * 3600
    with tempfile.TemporaryDirectory(prefix="juanku-faults-") as name, a_house(Path(name), megabytes=2048) as house:
        usual = [one for one in FAULTS if one.act is not database.disk_full]
        while time.monotonic() < until:
            fault = pick.choice(usual)
            row.trials += 1
            row.wrong += [f"{fault.name}: {wrong}" for wrong in trial(house, fault, row.trials)]
        row.wrong += house.wrong(everything=True)
    said(row)
    return [row]


def main() -> int:
    """Run the trials and print the table; the exit code is 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1, help="per fault")
    parser.add_argument(
        "--only", default="", help="only faults whose name holds these words, such as FT8 or 'database: away'"
    )
    parser.add_argument("--hours", type=float, help="FT18: faults in no order for so long, instead")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if absent := missing():
        seen(f"not there: {', '.join(absent)}")
        return 2
    begun = time.monotonic()
    seen("| fault | trials | wrong |\n|---|---|---|")
    if asked.hours:
        rows = soak(asked.hours, _print, random.Random(asked.seed))
    else:
        rows = run(
            [one for one in FAULTS if re.search(rf"\b{re.escape(asked.only)}\b", one.name)], asked.trials, _print
        )
    seen(f"\n{sum(row.trials for row in rows)} trials in {time.monotonic() - begun:.0f} s")
    bad = any(row.wrong for row in rows)
    if asked.json:
        told = [{"name": row.name, "trials": row.trials, "wrong": row.wrong} for row in rows]
        print(json.dumps({"ok": not bad, "seed": asked.seed, "rows": told}, ensure_ascii=False))
    return 1 if bad else 0


def _print(row: Row) -> None:
    seen(f"| {row.name} | {row.trials} | {len(row.wrong)} |")
    for wrong in row.wrong:
        seen(f"    {wrong}")


if __name__ == "__main__":
    sys.exit(main())
