"""What filing asks of the database: little for one record, hardly more for many, and never all that there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.ids import new_id
from archive.model import (
    AlikeRecord,
    Category,
    Deadline,
    DeadlineKind,
    DeadlineState,
    Job,
    LogEntry,
    Message,
    Record,
    RecordDue,
    RecordSecrecy,
)
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.databases import ONLY_SQLITE

pytestmark = pytest.mark.postgres
WHO = system("test")
GROWS = ("record", "counter", "issued_number", "owner_key", "job", "log_entry", "alike_record", "deadline", "message")


@contextmanager
def asked_of(parts: Parts) -> Iterator[list[tuple[str, Any]]]:
    """Note what is asked of the database, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(parts.db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(parts.db.engine, "before_cursor_execute", note)


def drafts(parts: Parts, count: int, name: str = "件") -> list[Draft]:
    """Return descriptions, each third of a level whose period of secrecy begins, each fourth alike in title and day."""
    with parts.db.reading() as session:
        found = session.scalars(select(Category).where(Category.code.in_(("WYYZ", "WYH"))).order_by(Category.code))
        categories = [(row.fonds_id, row.id) for row in found]
    return [
        Draft(
            *categories[n % 2], "同一件" + name if n % 4 == 0 else f"{name}{n}", drawn_up="2024-03-05",
            level_rank=1 if n % 3 == 0 else None, term="D10" if n % 5 else "Y",
        )
        for n in range(count)
    ]  # fmt: skip


def filed(parts: Parts, some: Sequence[Draft]) -> list[UUID]:
    ids = parts.records.create_many(WHO, some)
    assert [each.reason for each in parts.filing.file(WHO, ids)] == [None] * len(ids)
    return ids


def messages(parts: Parts) -> int:
    with parts.db.reading() as session:
        return len(session.scalars(select(Message)).all())


def test_one_record_costs_few_statements_and_a_hundred_hardly_more(archive: Archive) -> None:
    parts = archive.parts()
    filed(parts, drafts(parts, 12, "先"))  # generations of keys and counters stand
    with asked_of(parts) as one:
        filed(parts, drafts(parts, 1, "一"))
    with asked_of(parts) as many:
        filed(parts, drafts(parts, 100, "百"))
    assert len(one) <= 48, [statement for statement, _ in one]
    assert len(many) <= len(one) + 4, [statement for statement, _ in many]


def test_together_and_one_by_one_come_to_the_same(archive: Archive) -> None:
    parts = archive.parts()
    together = filed(parts, drafts(parts, 24, "甲"))
    apart = [key for draft in drafts(parts, 24, "甲") for key in filed(parts, [draft])]
    with parts.db.reading() as session:

        def rows(kind: Any, column: Any, *names: str) -> dict[UUID, list[tuple[Any, ...]]]:
            found: dict[UUID, list[tuple[Any, ...]]] = {}
            for row in session.scalars(select(kind).where(column.in_([*together, *apart]))):
                found.setdefault(getattr(row, column.key), []).append(tuple(getattr(row, name) for name in names))
            return {key: sorted(each, key=repr) for key, each in found.items()}

        for told in (
            rows(RecordDue, RecordDue.record_id, "state", "due", "schedule_id"),
            rows(RecordSecrecy, RecordSecrecy.record_id, "level_rank", "since", "months", "ends"),
            rows(LogEntry, LogEntry.record_id, "act", "actor", "result"),
            rows(Record, Record.id, "state", "version", "title_key"),
        ):
            assert told
            assert [told.get(key) for key in together] == [told.get(key) for key in apart]
        jobs = rows(Job, Job.subject_id, "kind", "state")
        assert all(set(jobs[one]) == set(jobs[other]) for one, other in zip(together, apart, strict=True))
        numbers = rows(Record, Record.id, "registration_number", "archive_number")
        given = [number for each in numbers.values() for number in each[0]]
        assert None not in given
        assert len(set(given)) == len(given) == 96
        alike = {frozenset(pair) for pair in session.execute(select(AlikeRecord.record_id, AlikeRecord.other_id))}
    titles = {
        key: draft.title for ids in (together, apart) for key, draft in zip(ids, drafts(parts, 24, "甲"), strict=True)
    }
    same = {frozenset((a, b)) for a in titles for b in titles if a != b and titles[a] == titles[b]}
    assert alike == same  # within a call and beyond it


@ONLY_SQLITE
def test_nothing_that_grows_is_read_whole(archive: Archive) -> None:
    parts = archive.parts()
    some = filed(parts, drafts(parts, 12, "先"))
    day = parts.guard.day()
    with parts.db.writing() as work:
        for key in some:
            work.session.add(
                Deadline(
                    id=new_id(), kind=DeadlineKind.VITAL_REVIEW, subject_id=key, record_id=key, due=day,
                    state=DeadlineState.OPEN, told=[], look_on=day - timedelta(1),
                )
            )  # fmt: skip
        work.commit()
    with asked_of(parts) as asked:
        filed(parts, drafts(parts, 12, "后"))
        parts.telling.sweep.run()
    with parts.db.reading() as session:
        assert session.scalars(select(Deadline).where(Deadline.look_on <= day)).first() is None
        cursor = session.connection().connection.cursor()
        looked = 0
        for statement, parameters in asked:
            if statement.startswith(("SELECT", "WITH", "UPDATE")) and not isinstance(parameters, list):
                looked += 1
                plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
                whole = [step[3] for step in plan if step[3].startswith("SCAN ")]
                assert not {step.split()[1] for step in whole} & set(GROWS), (statement, plan)
    assert looked > 20


def test_a_message_that_was_told_is_not_counted_again(archive: Archive) -> None:
    parts = archive.parts()
    [key] = filed(parts, drafts(parts, 1, "要"))
    day = parts.guard.day()
    with parts.db.writing() as work:
        work.session.add(
            Deadline(
                id=new_id(), kind=DeadlineKind.VITAL_REVIEW, subject_id=key, record_id=key, due=day,
                state=DeadlineState.OPEN, told=[], look_on=day,
            )
        )  # fmt: skip
        work.commit()
    assert parts.telling.sweep.run() > 0
    before = messages(parts)
    with parts.db.writing() as work:
        row = work.session.scalars(select(Deadline).where(Deadline.record_id == key)).one()
        row.look_on, row.told = day, []
        work.commit()
    assert parts.telling.sweep.run() == 0
    assert messages(parts) == before
