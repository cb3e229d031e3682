"""Kill -9 at every failpoint and at random moments; after each, the invariants are checked.

Run: ``juanku bench faults [--trials N] [--random N] [--only NAME] [--json]``.

A trial copies a small archive and starts two processes, as ``juanku serve`` has them: a taker that catalogues, takes
files in (whole and in pieces) and files them, and a worker that reads, indexes and seals. Each act that the taker was
told is done is written down outside. One or both die by SIGKILL; what ``serve`` would start again is started again.
Then the client goes on where it was (uploads are resumed, records filed), the jobs run out, and it is asked: does
``fsck`` find all invariants, is everything that was acknowledged there, once, and found by its words?

No failure in n trials says, at 95 %, that fewer than 3 in n would fail. SIGKILL does not lose what the system has
cached, so this proves nothing about a power cut.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.failpoints import INTAKE
from benchmarks._faults_after import recover
from benchmarks._faults_house import Paper, make_template, papers, settings_for, take_in, work
from benchmarks._faults_processes import PATIENCE, Child, forked
from runtime.settings import Settings


@dataclass
class Row:
    """What came out of the trials of one kind."""

    name: str
    trials: int = 0
    died: int = 0
    violations: list[str] = field(default_factory=list)


@dataclass
class Rig:
    """Runs trials on copies of a template."""

    folder: Path
    rnd: random.Random
    spans: dict[str, float] = field(default_factory=dict)

    def calibrate(self) -> None:
        """Measure how long undisturbed processes live: random moments are drawn from that."""
        row = Row("undisturbed")
        self.trial(row, failpoint="", victim="nobody")
        if row.violations:
            raise RuntimeError("\n".join(row.violations))

    def trial(self, row: Row, *, failpoint: str, victim: str) -> None:
        """Do one trial: at a failpoint, or (none given) at a random moment."""
        place = self.folder / "trial"
        shutil.copytree(self.folder / "template", place)
        try:
            row.trials += 1
            row.violations += self._run(row, place, failpoint, victim)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run(self, row: Row, place: Path, failpoint: str, victim: str) -> list[str]:
        sent = papers(self.rnd)
        armed, plain = settings_for(place, f"{failpoint}:kill" if failpoint else ""), settings_for(place)
        done, log = place / "done", place / "log"
        begun = time.monotonic()
        worker = forked(log, lambda say: work(armed, done, say))
        taker = forked(log, lambda say: take_in(armed, sent, done, say))
        if failpoint:
            died = self._until_death(taker, worker)
            both = victim == "everything"
        else:
            time.sleep(self.rnd.uniform(0, 0.8 * self.spans[victim]) if victim != "nobody" else 0)
            died = {"web": [taker], "worker": [worker], "everything": [taker, worker]}.get(victim, [])
            both = victim == "everything"
        for child in [taker, worker] if both and died else died:
            child.kill()
        row.died += any(child.status == -signal.SIGKILL for child in (taker, worker))
        children = [taker, worker]
        if not both and worker in died:  # serve starts it again
            children.append(worker := forked(log, lambda say: work(plain, done, say)))
        taker.wait()
        taken = time.monotonic() - begun
        done.touch()  # a taker that died does not say so
        for child in children:
            child.wait()
        if victim == "nobody":
            worked = time.monotonic() - begun
            self.spans = {"web": taken, "worker": worked, "everything": worked}
        acknowledged = taker.told()
        for child in children[1:]:
            os.close(child.pipe)
        return self._checked(plain, {p.name: p for p in sent}, acknowledged, log, children)

    @staticmethod
    def _until_death(taker: Child, worker: Child) -> list[Child]:
        """Wait until one of the two died, or both ended well (the failpoint was not reached)."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for child in (taker, worker):
                if child.status is None:
                    pid, status = os.waitpid(child.pid, os.WNOHANG)
                    child.status = os.waitstatus_to_exitcode(status) if pid else None
                if child.status is not None and child.status != 0:
                    return [child]
            if taker.status == worker.status == 0:
                return []
            time.sleep(0.002)
        return [taker, worker]

    @staticmethod
    def _checked(
        plain: Settings,
        sent: Mapping[str, Paper],
        acknowledged: Sequence[Mapping[str, Any]],
        log: Path,
        children: Sequence[Child],
    ) -> list[str]:
        broken = [f"EXIT {child.status}" for child in children if child.status not in {0, -signal.SIGKILL}]
        checker = forked(log, lambda say: recover(plain, sent, acknowledged, say))
        status = checker.wait()
        found = checker.told()
        if status or not found:
            broken.append(f"RECOVERY {status}")
        else:
            broken += found[-1]["wrong"]
        if broken and log.exists():
            broken.append(log.read_text(errors="replace")[-4000:])
        return broken


def run(trials: int, moments: int, only: str | None, seed: int, said: Callable[[Row], None]) -> list[Row]:
    """Run all trials; ``said`` hears each finished row."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="juanku-faults-") as name:
        rig = Rig(Path(name), random.Random(seed))
        make_template(rig.folder / "template")
        rig.calibrate()
        plan = [(point, point, trials) for point in INTAKE]
        plan += [(f"random: {victim}", "", -(-moments // 3)) for victim in ("web", "worker", "everything")]
        for label, failpoint, count in plan:
            if only and only not in label:
                continue
            row = Row(label)
            for number in range(count):
                victim = label.removeprefix("random: ") if not failpoint else ("one", "everything")[number % 2]
                rig.trial(row, failpoint=failpoint, victim=victim)
            rows.append(row)
            said(row)
    return rows


def main() -> int:
    """Run the trials and print the table; the exit code is 0 when no invariant was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30, help="per failpoint")
    parser.add_argument("--random", type=int, default=300, help="random moments, shared by web, worker and everything")
    parser.add_argument("--only", help="only rows whose name holds this")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    begun = time.monotonic()
    print(f"seed {options.seed}\n\n| killed at | trials | died | violations |\n|---|---|---|---|", file=sys.stderr)
    rows = run(options.trials, options.random, options.only, options.seed, _print)
    bad = sum(bool(row.violations) for row in rows)
    total = sum(row.trials for row in rows)
    print(f"\n{total} trials in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    if options.json:
        document = [{"name": r.name, "trials": r.trials, "died": r.died, "violations": r.violations} for r in rows]
        print(json.dumps({"ok": not bad, "seed": options.seed, "rows": document}, ensure_ascii=False))
    return 1 if bad else 0


def _print(row: Row) -> None:
    print(f"| {row.name} | {row.trials} | {row.died} | {len(row.violations)} |", file=sys.stderr, flush=True)
    for violation in row.violations:
        print(f"    {violation}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
