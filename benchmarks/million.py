"""A large archive, filled, filed and indexed by the command. Run: ``juanku bench million [--records N]``."""

import argparse

from benchmarks._common import archive, juanku, opened, table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    asked = parser.parse_args()
    with archive():
        ran = juanku("demo", "--no-serve", "--no-files", "--size", str(asked.records))
        with opened() as parts:
            indexed = sum(parts.engine.count(name) for name in parts.engine.partitions())
        table(
            f"demo --no-files --size {asked.records}",
            [
                ("wall", f"{ran.wall:.1f} s, {asked.records / ran.wall:,.0f} records/s"),
                ("processor time a record", f"{ran.cpu / asked.records * 1000:.2f} ms"),
                ("a million at this rate (at most 15 min)", f"{ran.wall / asked.records * 1e6 / 60:.1f} min"),
                ("records, in the index", f"{ran.document['records']}, {indexed}"),
            ],
        )


if __name__ == "__main__":
    main()
