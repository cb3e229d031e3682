"""How long people wait while a destruction has the tables written anew. Run: ``juanku bench wiping [--records N]``.

On the database that ``JUANKU_DATABASE_URL`` names (it must be empty), else on SQLite. The archive is a demonstration
and copies of its records (``bench terms``). One thread reads a record again and again, as its page does, another writes
one. First with nothing beside, then while the tables are written anew (``archive.scrubbing``).
"""

import argparse
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select, update

from archive.errors import ArchiveError
from archive.model import Record
from archive.scrubbing import scrub
from benchmarks._common import archive, opened, spread, table, timed
from benchmarks.terms import BASE, multiply, quiet
from runtime.wiring.parts import Parts

ALONE = 10.0
"""Seconds of looking with nothing beside."""


class Person:
    """Does something again and again, and notes how long each took and what was refused."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.waits: list[float] = []
        self.refused: list[str] = []

    def _go_on(self) -> None:
        while not self._over.wait(0.02):
            with timed() as took:
                try:
                    self._act()
                except ArchiveError as error:
                    self.refused.append(error.code)
            self.waits += took

    @contextmanager
    def at_it(self) -> Iterator[None]:
        """Have them at it while the block lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def told(self) -> str:
        """Return how long they waited."""
        refused = f"; refused {len(self.refused)}" if self.refused else ""
        return f"{spread(self.waits)}, longest {max(self.waits):.2f} s of {len(self.waits)}{refused}"


def reader(parts: Parts, ids: Sequence[UUID]) -> Callable[[], object]:
    """Return the act of opening a record."""
    who, pick = parts.people.identity_of("archivist"), random.Random(1)
    return lambda: parts.reader.show(who, pick.choice(ids))


def writer(parts: Parts, ids: Sequence[UUID]) -> Callable[[], object]:
    """Return the act of changing a record."""
    pick = random.Random(2)

    def write() -> None:
        with parts.db.writing() as work:
            key = pick.choice(ids)
            work.session.execute(update(Record).where(Record.id == key).values(notes=f"bench {pick.random()}"))
            work.commit()

    return write


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    asked = parser.parse_args()
    with archive(min(BASE, asked.records)), opened() as parts:
        with quiet(parts):
            pass
        multiply(parts, asked.records)
        with parts.db.reading() as session:
            ids = session.scalars(select(Record.id).limit(5000)).all()
        before, during = ([Person(act(parts, ids)) for act in (reader, writer)] for _ in range(2))
        with before[0].at_it(), before[1].at_it():
            threading.Event().wait(ALONE)
        with timed() as took, during[0].at_it(), during[1].at_it():
            said = scrub(parts.db, parts.settings.database_owner_url)
        rows = [("tables written anew", f"{took[0]:.1f} s, {dict(said)}")]
        for name, alone, beside in zip(("reader", "writer"), before, during, strict=True):
            rows += [(f"{name}, nothing beside", alone.told()), (f"{name}, meanwhile", beside.told())]
        table(f"Tables of {asked.records:,} records written anew on {parts.db.engine.dialect.name}", rows)


if __name__ == "__main__":
    main()
