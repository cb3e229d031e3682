"""Whatever comes, goes or happens to the clock: each stored file is read within its period, and not all in one day."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from archive.database import Database
from archive.identity import system
from archive.ids import new_id
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Content, ContentState, File, FixityRun
from archive.policy.guard import Guard
from storage.fixity.care import FixityCare
from storage.fixity.plan import share
from tests.factories.databases import a_database
from tests.factories.records import a_category, a_fonds, a_house, a_record
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault

WHO = system("test")
BYTES = b"bytes"


class Silent:
    def wake(self, queue: str, job_id: object) -> None:
        """Do nothing."""


@dataclass
class World:
    """An archive whose store tells who was read when."""

    db: Database
    clock: FixedClock
    record: object
    days: int = 5
    read_at: dict[str, list[datetime]] = field(default_factory=dict)

    def read(self, key: str, _version: str, *_range: int) -> Iterator[bytes]:
        self.read_at.setdefault(key, []).append(self.clock.now())
        return iter([BYTES])

    def come(self, count: int) -> None:
        with self.db.writing() as work:
            for _ in range(count):
                file = File(id=new_id(), record_id=self.record, name="a.txt")
                work.session.add(file)
                work.session.flush()
                content = Content(
                    id=new_id(), file_id=file.id, record_id=self.record, state=ContentState.STORED,
                    object_key=new_id().hex, store_version="v", created_at=self.clock.now(),
                    cipher_size=len(BYTES), cipher_sha256=sha256(BYTES).hexdigest(),
                )  # fmt: skip
                work.session.add(content)
            work.commit()

    def go(self, count: int) -> None:
        with self.db.writing() as work:
            last = [row.id for row in work.session.query(Content).order_by(Content.id.desc()).limit(count)]
            work.session.execute(delete(Content).where(Content.id.in_(last)))
            work.commit()

    def standing(self) -> dict[str, datetime]:
        """Return when each object came."""
        with self.db.reading() as session:
            return {row.object_key: row.created_at for row in session.query(Content)}

    def day(self) -> FixityRun:
        """Let a day pass, with its run at its end."""
        log = Log(MemoryVault(), self.clock)
        guard = Guard(self.db, log, self.clock, "Asia/Shanghai")
        outbox = Outbox(self.clock, Silent())
        care = FixityCare(self.db, guard, log, outbox, self.clock, self, self.days)  # type: ignore[arg-type]
        self.clock.move(days=1)
        return care.run(WHO)


@pytest.fixture(scope="module")
def base() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        db = a_database(Path(folder))
        with db.writing() as work:
            a_house(work.session)
            record = a_record(work.session, a_category(work.session, a_fonds(work.session))).id
            work.commit()
        yield World(db, FixedClock(), record)
        db.close()


@pytest.fixture
def world(base: World) -> World:
    return base


def fresh(base: World, days: int = 5) -> World:
    with base.db.writing() as work:
        work.session.execute(delete(Content))
        work.commit()
    base.clock.moment, base.days = START, days
    base.read_at.clear()
    return base


few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(
    days=st.integers(1, 6),
    first=st.integers(0, 12),
    acts=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=8),
)
def test_each_is_read_within_the_period_whatever_comes_and_goes(
    base: World, days: int, first: int, acts: list[tuple[int, int]]
) -> None:
    world = fresh(base, days)
    world.come(first)
    for come, go in [*acts, *[(0, 0)] * days]:
        world.come(come)
        world.go(go)
        world.day()
        for key, came in world.standing().items():
            last = max([came, *world.read_at.get(key, [])])
            assert world.clock.now() - last <= timedelta(days=days), (key, last)


@few
@given(count=st.integers(1, 20), days=st.integers(2, 6))
def test_what_came_in_one_day_is_spread_over_the_period(base: World, count: int, days: int) -> None:
    world = fresh(base, days)
    world.come(count)
    runs = [world.day().objects for _ in range(days)]
    assert max(runs) <= share(count, days)
    assert sum(runs) >= count
    assert set(world.read_at) == set(world.standing())


@few
@given(
    count=st.integers(1, 10),
    jumps=st.lists(st.sampled_from([-4000, -30, -1, 0, 0, 1, 30, 4000]), min_size=1, max_size=6),
)
def test_a_clock_that_jumps_makes_nobody_wait_and_no_run_endless(base: World, count: int, jumps: list[int]) -> None:
    world = fresh(base)
    world.come(count)
    for jump in jumps:
        world.clock.move(days=jump)
        assert world.day().objects <= count
    world.read_at.clear()
    for _ in range(world.days):
        world.day()
    assert set(world.read_at) == set(world.standing())


def test_the_one_that_waits_longest_comes_first_and_a_new_one_waits_its_turn(world: World) -> None:
    fresh(world, 3)
    world.come(3)
    old = set(world.standing())
    world.day()
    world.come(1)
    (new,) = set(world.standing()) - old
    world.day()
    assert new not in world.read_at
    world.day()
    world.day()
    assert new in world.read_at
