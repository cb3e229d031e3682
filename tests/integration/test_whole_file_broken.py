"""A whole file whose sender died holds up its record for minutes; one that still comes in is waited for."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from archive import failpoints
from archive.cataloguing.describing import Draft
from archive.clock import SystemClock
from archive.errors import Conflict
from archive.failpoints import Injected
from archive.identity import system
from archive.model import Category, Content, File, LogEntry
from archive.ports import PIECE_BYTES
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.fakes.clock import FixedClock

WHO = system("test")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(SystemClock().now())


@pytest.fixture
def parts(archive: Archive, clock: FixedClock) -> Parts:
    return archive.parts(clock)


@pytest.fixture
def record(parts: Parts) -> UUID:
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    return parts.records.create(WHO, Draft(category.fonds_id, category.id, "请示", drawn_up="2024-03-05"))


def reason(parts: Parts, record: UUID) -> str | None:
    (answer,) = parts.filing.file(WHO, [record])
    return answer.reason


def files(parts: Parts, record: UUID) -> int:
    with parts.db.reading() as session:
        kept = [session.scalars(select(table).where(table.record_id == record)).all() for table in (File, Content)]
    assert len(kept[0]) == len(kept[1])
    return len(kept[0])


def test_a_file_whose_sender_died_holds_up_its_record_for_minutes_only(
    parts: Parts, clock: FixedClock, record: UUID
) -> None:
    failpoints.arm("intake.received:raise")
    try:
        with pytest.raises(Injected):
            parts.intake.receive(WHO, record, "a.txt", [b"x"])
    finally:
        failpoints.arm("")
    assert reason(parts, record) == "receiving"
    clock.moment += timedelta(minutes=6)
    assert reason(parts, record) is None
    assert files(parts, record) == 0
    with parts.db.reading() as session:
        entry = session.scalars(select(LogEntry).where(LogEntry.act == "file.break")).one()
        assert (entry.record_id, parts.log.opened(session, entry)) == (record, {"name": "a.txt"})


def test_a_slow_file_is_waited_for_as_long_as_it_comes_in(parts: Parts, clock: FixedClock, record: UUID) -> None:
    def slow() -> Iterator[bytes]:
        for _ in range(4):
            yield b"x" * PIECE_BYTES
            clock.moment += timedelta(minutes=4)
            if files(parts, record):  # the first piece is read before the file is announced
                assert reason(parts, record) == "receiving"

    assert parts.intake.receive(WHO, record, "a.bin", slow()).size == 4 * PIECE_BYTES
    assert reason(parts, record) is None


def test_a_file_given_up_does_not_come_into_the_filed_record_after_all(
    archive: Archive, parts: Parts, clock: FixedClock, record: UUID
) -> None:
    def stuck() -> Iterator[bytes]:
        yield b"x" * PIECE_BYTES
        yield b"x" * PIECE_BYTES
        clock.moment += timedelta(minutes=6)
        assert reason(parts, record) is None, "filed without it"
        yield b"x"

    with pytest.raises(Conflict):
        parts.intake.receive(WHO, record, "a.bin", stuck())
    assert files(parts, record) == 0
    archive.work(parts)
    assert fsck(parts).violations == ()
