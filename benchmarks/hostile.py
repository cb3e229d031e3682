"""Acts of a parser that was taken over, and files that are meant to hurt.

Run: ``juanku bench hostile [--rounds N] [--largest MB] [--samples FOLDER] [--only acts|files]``.

First each act runs N rounds inside a fork of the sandbox: every round must be refused or ended with its reason, the
next honest file read, nothing be left over. Then a set of hostile files is sent through the web of ``juanku serve`` and
read by its worker, and the sum of PSS of the whole tree is watched, with the files held in memory: besides OCR, never
above 2 GB. Every file has to end with a class. The memory of all processes is only shown to root.
"""

import argparse
import contextlib
import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.jobs.status import status
from archive.model import Category, Content, ContentState, Fonds, JobKind, TextState
from archive.model.jobs import JobState
from archive.ports import PIECE_BYTES
from benchmarks._common import archive, opened, table
from benchmarks._hostile_rounds import ACTS, attempt, hostile
from benchmarks._hostile_set import made
from benchmarks.serving import memory, named, served, tree
from benchmarks.upload import Browser
from runtime.demo.people import PEOPLE
from runtime.wiring.parts import Parts

SLEEPS, WORKS = 300, 1800
"""Seconds without any change after which a run is given up: in which its tree slept, and of its processor time."""

_ASLEEP = 0.1
"""Of a processor: a tree that uses less does no work but its clocks'."""

_LOOKS, _TOLD = 5, 60
_READING = (JobKind.EXTRACT, JobKind.UNPACK)

_OCR = "indexer.ocr.server"


def acts(rounds: int) -> bool:
    """Run every act; return whether all were contained."""
    lines: list[tuple[str, object]] = []
    faults: list[str] = []
    with hostile() as extractor:
        for act in ACTS:
            row = attempt(extractor, act, rounds)
            ends = ", ".join(f"{end} {count}" for end, count in row.ends.items() if end in ACTS[act])
            middle = sorted(row.seconds)[len(row.seconds) // 2]
            late = f", {row.late} of them once more, alone" if row.late else ""
            took = f"{middle * 1000:,.0f} ms, most {max(row.seconds):.1f} s"
            lines.append((act, f"{ends or 'none'} of {rounds}{late}; {took}"))
            faults += [f"{act}: {fault[:150]}" for fault in row.faults]
    lines += [("acts, rounds, not contained", f"{len(ACTS)}, {len(ACTS) * rounds:,}, {len(faults)}")]
    table("Acts in the child", [*lines, *((fault, "") for fault in faults[:10])])
    return not faults


class Watch:
    """Watches a tree of processes and keeps the moment at which it held most."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = self.with_ocr = self.before = 0.0
        self.then: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        self.before = sum(self._now().values())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.1):
            now = self._now()
            besides = sum(size for name, size in now.items() if name != _OCR)
            self.with_ocr = max(self.with_ocr, sum(now.values()))
            if besides > self.most:
                self.most, self.then = besides, now

    def _now(self) -> dict[str, float]:
        """Return megabytes by program: PSS, and the files that lie in memory (a mapped one counts twice)."""
        found: dict[str, float] = defaultdict(float)
        held: dict[int, float] = {}
        for pid in tree(self._pid):
            with contextlib.suppress(OSError):
                found[named(pid)] += memory(pid)
                held |= dict(_held(pid))
        return {**found, "files held in memory": sum(held.values())}


def _held(pid: int) -> Iterator[tuple[int, float]]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(link.readlink()).startswith("/memfd:juanku"):
                about = link.stat()
                yield about.st_ino, about.st_blocks * 512 / 1024 / 1024


def send(browser: Browser, record: str, path: Path) -> None:
    """Send a file in pieces, as a page's script does."""
    told = json.dumps({"name": path.name, "size": path.stat().st_size}).encode()
    upload = json.loads(browser.ask("POST", f"/uploads/begin/{record}", told))["upload"]
    with path.open("rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PIECE_BYTES), b"")):
            browser.ask("PUT", f"/uploads/{upload}/{number}", piece, "application/octet-stream")
    browser.ask("POST", f"/uploads/{upload}/finish", b"{}")


def drafts(parts: Parts, count: int) -> list[str]:
    """Make records to send files to."""
    with parts.db.reading() as session:
        query = select(Category).join(Fonds, Fonds.id == Category.fonds_id)
        category = session.scalars(query.where(Category.code == "WYYZ", Fonds.code == "H001")).one()
    draft = Draft(category.fonds_id, category.id, "送来的文件", drawn_up="2024", level_rank=1)
    return [str(parts.records.create(system("bench"), draft)) for _ in range(count)]


def signed_in(address: str) -> Browser:
    """Return a browser of an archivist."""
    browser = Browser(address)
    person = next(one for one in PEOPLE if one.login == "archivist")
    browser.sign_in(person.login, person.password)
    return browser


def classes(parts: Parts) -> Counter[str]:
    """Return what became of all contents."""
    found: Counter[str] = Counter()
    with parts.db.reading() as session:
        for state, text, reason in session.execute(select(Content.state, Content.text_state, Content.reason)):
            word = state if state is not ContentState.STORED else text
            found[f"{word.value}: {reason}" if reason else word.value] += 1
    return found


@dataclass(frozen=True)
class Standing:
    """How far a run is: what became of the contents, and the jobs that may still bring more in by kind and state."""

    classes: Counter[str]
    jobs: Mapping[tuple[str, JobState], int]

    @property
    def waiting(self) -> int:
        """How many contents have no class yet, or jobs are left: members come late."""
        found = self.classes
        jobs = sum(count for (_, state), count in self.jobs.items() if state in {JobState.QUEUED, JobState.RUNNING})
        return max(found[TextState.PENDING.value] + found[ContentState.RECEIVING.value], jobs)


def standing(parts: Parts) -> Standing:
    """Return how far it is now."""
    with parts.db.reading() as session:
        jobs = {(each.kind, each.state): each.count for each in status(session) if each.kind in _READING}
    return Standing(classes(parts), jobs)


class Patience:
    """Says when a run is to be given up: nothing changes, and the tree sleeps for long or works for far too long.

    A large file is at work for minutes without a sign in the rows, and on a busy machine for many; so the clock alone
    tells nothing.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._last: Standing | None = None
        self._looked, self._used = time.monotonic(), used(pid)
        self.slept = self.worked = 0.0

    def ends(self, now: Standing) -> bool:
        """Look: ``now`` is how far it is."""
        at, cpu = time.monotonic(), used(self._pid)
        passed, worked = at - self._looked, max(0.0, cpu - self._used)
        self._looked, self._used = at, cpu
        if now != self._last:
            self._last, self.slept, self.worked = now, 0.0, 0.0
        else:
            self.worked += worked
            self.slept += passed if worked < passed * _ASLEEP else 0.0
        return self.slept > SLEEPS or self.worked > WORKS


def used(pid: int) -> float:
    """Return the processor seconds of a tree of processes, with those of its children that have ended."""
    ticks = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            ticks += sum(int(word) for word in Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _wait(parts: Parts, pid: int) -> None:
    """Wait until every content has its class, or patience ends; tell now and then how far it is."""
    patience, told = Patience(pid), 0.0
    while (now := standing(parts)).waiting and not patience.ends(now):
        if time.monotonic() - told > _TOLD:
            told = time.monotonic()
            print(f"{now.waiting:,} wait; {used(pid):,.0f} s of the processor", file=sys.stderr, flush=True)
        time.sleep(_LOOKS)


def files(largest: int, samples: Path | None) -> bool:
    """Send the set and watch; return whether all was within its bounds."""
    with archive() as folder, opened() as parts:
        paths = made(folder / "set", largest)
        if samples:
            paths += [
                path for path in samples.rglob("*") if path.suffix != ".md" and path.is_file() and path.stat().st_size
            ]
        records = drafts(parts, len(paths))
        with served() as (address, pid, _), Watch(pid) as watch:
            browser = signed_in(address)
            begun = time.perf_counter()
            for record, path in zip(records, paths, strict=True):
                send(browser, record, path)
            sent = time.perf_counter() - begun
            _wait(parts, pid)
            took = time.perf_counter() - begun
        found, waiting = classes(parts), standing(parts).waiting
        table(
            "Hostile files through serve",
            [
                ("files, MB", f"{len(paths)}, {sum(path.stat().st_size for path in paths) / 1e6:,.0f}"),
                ("sent; all classified", f"{sent:.0f} s; {took:.0f} s"),
                *((f"  {name}", count) for name, count in found.most_common()),
                ("still waiting", waiting),
                ("PSS of the tree before", f"{watch.before:.0f} MB"),
                ("most, besides OCR (at most 2,000 MB)", f"{watch.most:.0f} MB"),
                *((f"  {name}", f"{size:.0f} MB") for name, size in watch.then.items()),
                ("most, with OCR", f"{watch.with_ocr:.0f} MB"),
            ],
        )
    return not waiting and watch.most <= 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--largest", type=int, default=190, help="MB")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--only", choices=("acts", "files"))
    asked = parser.parse_args()
    well = [
        asked.only == "files" or acts(asked.rounds),
        asked.only == "acts" or files(asked.largest, asked.samples),
    ]
    raise SystemExit(0 if all(well) else 1)


if __name__ == "__main__":
    main()
