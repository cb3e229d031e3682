"""Backup and restore against a plain copy of the same bytes.

Run: ``juanku bench backup [--records N] [--megabytes N] [--home DIR]``. ``--megabytes`` brings in so much more, in
files of 100 KB to 10 MB that hold no text.

The raw limit of the files is reading and writing each object once, flushed to the disk as a store must, by as many
threads as the backup uses. A set also writes all rows; a restore also makes the index and checks everything.
"""

import argparse
import os
import random
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(1, asked.home) as folder:
        if asked.home is None:
            juanku("demo", "--no-serve", "--size", str(asked.records))
        os.environ["JUANKU_BACKUP_URL"] = (folder / "backups").as_uri()
        with opened() as parts:
            bring_in(parts, asked.megabytes)
            objects = parts.settings.home / "objects" / "objects"
            raw = copied(objects, folder / "raw")
            begun = time.perf_counter()
            first = juanku("backup").document
            whole = time.perf_counter() - begun
            begun = time.perf_counter()
            again = juanku("backup").document
            second = time.perf_counter() - begun
            keys = parts.settings.keys
        os.environ |= {"JUANKU_HOME": str(folder / "new"), "JUANKU_KEYS": str(folder / "new.keys")}
        shutil.copytree(keys, folder / "new.keys")
        report = restore(load(), os.environ["JUANKU_BACKUP_URL"], None, lambda step, *_: Out().progress(step))
        rows = [
            ("records, files, megabytes", f"{first['records']:,}, {first['objects']:,}, {first['bytes'] / 1e6:,.0f}"),
            ("raw: the files alone", f"{raw:.1f} s"),
            ("first backup (at least half of raw)", f"{whole:.1f} s, {raw / whole:.0%} of raw"),
            ("second, nothing new", f"{second:.1f} s, {again['copied']} files copied"),
            ("rows, megabytes sealed", f"{first['database_size'] / 1e6:,.1f}"),
            ("restore with index and every check", f"{report.seconds:.1f} s, {'whole' if report.ok else 'NOT WHOLE'}"),
        ]
        table("Backup and restore", rows)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
