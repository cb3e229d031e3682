"""Backup and restore against a plain copy of the same bytes.

Run: ``juanku bench backup [--records N] [--megabytes N] [--home DIR] [--onto FILE]``. ``--megabytes`` brings in so much
more, in files of 100 KB to 10 MB that hold no text. ``--onto`` names settings, a line ``NAME=value`` for each, of the
empty database, store and index that are restored onto, for example servers; without it a folder.

The raw limit of the files is reading and writing each object once, flushed to the disk as a store must, by as many
threads as the backup uses. A set also writes all rows; a restore also makes the index and checks everything. The first
set is made in this process, as a worker does; the start of a command is told beside it.
"""

import argparse
import os
import random
import resource
import shlex
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.model import Category
from benchmarks._common import archive, juanku, opened, table
from runtime.cli.out import Out
from runtime.restoring import restore
from runtime.settings import load
from runtime.wiring.parts import Parts
from storage.backup_set import BackupSet
from storage.copying import COPIERS


def bring_in(parts: Parts, megabytes: int) -> None:
    """Bring files of random bytes in, a hundred to a record; nobody reads them."""
    given, left, number = random.Random(7), megabytes * 1_000_000, 0
    who = system("benchmark")
    with parts.db.reading() as session:
        fonds, category = session.execute(select(Category.fonds_id, Category.id).limit(1)).one()
    while left > 0:
        if number % 100 == 0:
            record = parts.records.create(who, Draft(fonds, category, "大文件", drawn_up="2024", level_rank=1))
        size = int(10 ** given.uniform(5, 7))
        parts.intake.receive(who, record, f"{number}.bin", [given.randbytes(size)])
        left, number = left - size, number + 1


def copied(source: Path, target: Path) -> float:
    """Copy every object, each flushed; return the seconds."""
    target.mkdir()

    def one(path: Path) -> None:
        with path.open("rb") as read, (target / path.name).open("wb") as write:
            shutil.copyfileobj(read, write)
            write.flush()
            os.fsync(write.fileno())

    begun = time.perf_counter()
    with ThreadPoolExecutor(COPIERS) as pool:
        list(pool.map(one, [path for path in source.rglob("*") if path.is_file()]))
    return time.perf_counter() - begun


class Steps:
    """Hears the steps of long work, and keeps what each took: seconds on the clock and of the processor."""

    def __init__(self) -> None:
        self._now = ""
        self._since = (0.0, 0.0)
        self.took: dict[str, tuple[float, float]] = {}
        self._out = Out()

    def told(self, step: str, *_: int) -> None:
        """Begin a step, if it is another; ``""`` ends the last."""
        name, at = step.partition(" ")[0], (time.perf_counter(), time.process_time())
        if name != self._now:
            wall, cpu = self.took.get(self._now, (0.0, 0.0))
            self.took[self._now] = (wall + at[0] - self._since[0], cpu + at[1] - self._since[1])
            self._now, self._since = name, at
        self._out.progress(step)

    def shown(self) -> str:
        """Return the steps in one line."""
        return ", ".join(f"{name} {wall:.1f}/{cpu:.1f}" for name, (wall, cpu) in self.took.items() if name)


def first_set(parts: Parts) -> tuple[BackupSet, float, float, Steps]:
    """Make a set in this process; return it, the seconds on the clock and of the processor, and its steps."""
    steps = Steps()
    begun, cpu = time.perf_counter(), time.process_time()
    made = parts.safekeeping.make(system("benchmark"), steps.told)
    steps.told("")
    return made, time.perf_counter() - begun, time.process_time() - cpu, steps


def onto(folder: Path, keys: Path, file: Path | None) -> None:
    """Have the settings of this process name an empty place with a copy of the ring."""
    os.environ |= {"JUANKU_HOME": str(folder / "new"), "JUANKU_KEYS": str(folder / "new.keys")}
    shutil.copytree(keys, folder / "new.keys")
    for line in file.read_text("utf-8").splitlines() if file else ():
        for word in shlex.split(line.removeprefix("export "), comments=True):
            name, _, value = word.partition("=")
            os.environ[name] = value


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--onto", type=Path)
    asked = parser.parse_args()
    with archive(1, asked.home) as folder:
        if asked.home is None:
            juanku("demo", "--no-serve", "--size", str(asked.records))
        os.environ["JUANKU_BACKUP_URL"] = (folder / "backups").as_uri()
        with opened() as parts:
            bring_in(parts, asked.megabytes)
            raw = copied(parts.settings.home / "objects" / "objects", folder / "raw")
            first, whole, cpu, making = first_set(parts)
            keys = parts.settings.keys
        start = juanku("backups")
        again = juanku("backup")
        onto(folder, keys, asked.onto)
        steps = Steps()
        report = restore(load(), os.environ["JUANKU_BACKUP_URL"], None, steps.told)
        steps.told("")
        well = "whole" if report.ok else "NOT WHOLE"
        files = steps.took.get("objects", (0.0, 0.0))[0]
        rows = [
            ("records, files, megabytes", f"{first.records:,}, {first.objects:,}, {first.bytes / 1e6:,.0f}"),
            ("raw: the files alone", f"{raw:.1f} s"),
            (
                "first backup (at least half of raw)",
                f"{whole:.1f} s (processor {cpu:.1f} s), {raw / whole:.0%} of raw",
            ),
            ("  steps, clock/processor", making.shown()),
            ("  by a command", f"{start.wall:.1f} s more for its start, {raw / (whole + start.wall):.0%} of raw"),
            ("second, nothing new, by a command", f"{again.wall:.1f} s, {again.document['copied']} files copied"),
            ("rows, megabytes sealed", f"{first.database_size / 1e6:,.1f}"),
            (
                "restore with index and every check (at most 600 s)",
                f"{report.seconds:.1f} s, {well}",
            ),
            ("  steps, clock/processor", steps.shown()),
            ("  its files (at least half of raw)", f"{files:.1f} s, {raw / max(files, 0.001):.0%} of raw"),
            ("most memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"),
        ]
        table("Backup and restore", rows)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
