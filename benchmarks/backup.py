"""Backup and restore against a plain copy of the same bytes.

Run: ``juanku bench backup [--records N] [--megabytes N] [--home DIR] [--servers] [--to folder|s3] [--onto FILE]``.
``--megabytes`` brings in so much more, in files of 100 KB to 10 MB that hold no text. ``--servers``: the house lies on
PostgreSQL, MinIO and Elasticsearch, and is restored onto a second place there; ``--to s3``: its sets lie in a bucket.
``--onto`` names settings, a line ``NAME=value`` for each, of the empty database, store and index that are restored
onto instead; without either a folder.

The raw limit of the files is copying each object once by as many threads as the backup uses: files flushed to the disk
as a store must, objects by ``minio``'s own client (``get_object``, ``put_object``); on the way there, and on the way
back. A set also writes all rows; a restore also makes the index and checks everything. The first set is made in this
process, as a worker does; the start of a command is told beside it. Processor time is this process's alone.
"""

import argparse
import os
import random
import resource
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.model import Category
from benchmarks._common import archive, juanku, opened, table
from benchmarks._named_servers import a_bucket, a_place, raw_bucket
from benchmarks._raw_copy import Folder, Place, Took, copied
from runtime.cli.out import Out
from runtime.restoring import restore
from runtime.settings import load
from runtime.wiring.parts import Parts
from storage.backup_set import BackupSet
from tests.factories import minio_server


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


def onto(folder: Path, keys: Path, settings: Mapping[str, str]) -> None:
    """Have the settings of this process name an empty place with a copy of the ring."""
    os.environ |= {"JUANKU_HOME": str(folder / "new"), "JUANKU_KEYS": str(folder / "new.keys"), **settings}
    shutil.copytree(keys, folder / "new.keys")


def named_in(file: Path) -> Mapping[str, str]:
    """Read the settings that a file names."""
    words = (
        word
        for line in file.read_text("utf-8").splitlines()
        for word in shlex.split(line.removeprefix("export "), comments=True)
    )
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def place_of(url: str) -> Place:
    """Return a store's bytes as they lie there."""
    return Folder(Path(unquote(urlsplit(url).path))) if url.startswith("file:") else raw_bucket(url)


def ratio(name: str, raw: Took, wall: float, cpu: float) -> tuple[str, str]:
    """Return the row that holds work against its raw limit."""
    parts = f"{raw.wall / max(wall, 0.001):.0%} of raw, by the processor {raw.cpu / max(cpu, 0.001):.0%}"
    return name, f"{wall:.1f} s (processor {cpu:.1f} s), {parts}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--servers", action="store_true", help="a house on PostgreSQL, MinIO and Elasticsearch")
    parser.add_argument("--to", choices=("folder", "s3"), default="folder", help="where the sets lie")
    parser.add_argument("--onto", type=Path)
    asked = parser.parse_args()
    with ExitStack() as stack:
        new = named_in(asked.onto) if asked.onto else {}
        if asked.servers:
            os.environ |= stack.enter_context(a_place())
            new = new or stack.enter_context(a_place())
        folder = stack.enter_context(archive(1, asked.home))
        os.environ["JUANKU_BACKUP_URL"] = (folder / "backups").as_uri()
        if asked.to == "s3":
            access = minio_server.needed()
            os.environ |= {"JUANKU_BACKUP_KEY": access.key, "JUANKU_BACKUP_SECRET": access.secret}
            os.environ["JUANKU_BACKUP_URL"] = stack.enter_context(a_bucket())
        if asked.home is None:
            juanku("demo", "--no-serve", "--size", str(asked.records))
        well = measure(stack, folder, asked.megabytes, new)
    sys.exit(0 if well else 1)


def measure(stack: ExitStack, folder: Path, megabytes: int, new: Mapping[str, str]) -> bool:
    """Make two sets and restore; return whether all came whole."""
    place = os.environ["JUANKU_BACKUP_URL"]
    in_bucket = not place.startswith("file:")
    with opened() as parts:
        bring_in(parts, megabytes)
        beside = place_of(stack.enter_context(a_bucket())) if in_bucket else Folder(folder / "raw")
        there = copied(place_of(parts.settings.store_url), beside)
        first, whole, cpu, making = first_set(parts)
        keys = parts.settings.keys
    start = juanku("backups")
    again = juanku("backup")
    onto(folder, keys, new)
    settings = load()
    in_folder = settings.store_url.startswith("file:")
    again_there = Folder(folder / "raw-back") if in_folder else place_of(stack.enter_context(a_bucket()))
    back = copied(beside, again_there)
    steps = Steps()
    report = restore(settings, place, None, steps.told)
    steps.told("")
    well = "whole" if report.ok else "NOT WHOLE"
    rows = [
        ("records, files, megabytes", f"{first.records:,}, {first.objects:,}, {first.bytes / 1e6:,.0f}"),
        ("raw: the files alone, there and back", f"{there.wall:.1f} s, {back.wall:.1f} s"),
        ratio("first backup (at least half of raw)", there, whole, cpu),
        ratio("  its files", there, *making.took.get("objects", (0.0, 0.0))),
        ("  steps, clock/processor", making.shown()),
        ("  by a command", f"{start.wall:.1f} s more for its start, {there.wall / (whole + start.wall):.0%} of raw"),
        ("second, nothing new, by a command", f"{again.wall:.1f} s, {again.document['copied']} files copied"),
        ("rows, megabytes sealed", f"{first.database_size / 1e6:,.1f}"),
        ("restore with index and every check (at most 600 s)", f"{report.seconds:.1f} s, {well}"),
        ("  steps, clock/processor", steps.shown()),
        ratio("  its files (at least half of raw)", back, *steps.took.get("objects", (0.0, 0.0))),
        ("most memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"),
    ]
    table("Backup and restore", rows)
    return bool(report.ok)


if __name__ == "__main__":
    main()
