"""Backup and restore against a plain copy of the same bytes. Run: ``juanku bench backup [--records N] [--home DIR]``.

The raw limit of the files is reading and writing each object once, flushed to the disk as a store must, by as many
threads as the backup uses. A set also writes all rows; a restore also makes the index and checks everything.
"""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks._common import archive, juanku, opened, table
from runtime.cli.out import Out
from runtime.restoring import restore
from runtime.settings import load
from storage.copying import COPIERS


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
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(1, asked.home) as folder:
        if asked.home is None:
            juanku("demo", "--no-serve", "--size", str(asked.records))
        os.environ["JUANKU_BACKUP_URL"] = (folder / "backups").as_uri()
        with opened() as parts:
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
