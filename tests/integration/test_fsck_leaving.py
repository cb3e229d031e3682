"""What fsck finds of secrecy periods, of appraisals and of uses."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from archive.ids import new_id
from archive.model import (
    Appraisal,
    AppraisalItem,
    Block,
    Level,
    Person,
    Record,
    RecordOpening,
    RecordSecrecy,
    RecordState,
)
from retention.appraising.concluding import digest_of
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.databases import without_what_it_hangs_on

pytestmark = pytest.mark.postgres

SINCE, ENDS = date(2024, 1, 31), date(2025, 1, 31)


def faults(parts: Parts, invariant: str) -> set[tuple[str, str]]:
    return {(v.what, v.fault) for v in fsck(parts, bytes_too=False).violations if v.invariant == invariant}


def written(parts: Parts, *statements: object) -> None:
    with parts.db.writing() as work:
        without_what_it_hangs_on(work.session)
        for statement in statements:
            work.session.execute(statement)  # type: ignore[call-overload]
        work.commit()


def filed(parts: Parts) -> list[tuple[UUID, int]]:
    with parts.db.reading() as session:
        query = select(Record.id, Record.level_rank).where(Record.state == RecordState.FILED).order_by(Record.id)
        return [(row.id, row.level_rank) for row in session.execute(query)]


def period(key: UUID, rank: int, months: int | None, ends: date | None) -> object:
    return insert(RecordSecrecy).values(record_id=key, level_rank=rank, since=SINCE, months=months, ends=ends)


def test_a_secrecy_period_that_is_not_what_its_record_level_and_months_say(archive: Archive) -> None:
    parts = archive.parts()
    [(whole, a), (early, b), (other, c), (binned, d), (vague, e), *_] = filed(parts)
    written(
        parts,
        update(Level).values(secrecy_months=12),
        delete(RecordSecrecy),
        *(period(key, rank, 12, ENDS) for key, rank in ((whole, a), (early, b), (other, c), (binned, d), (vague, e))),
    )
    assert faults(parts, "INV12") == set()
    written(
        parts,
        update(RecordSecrecy).where(RecordSecrecy.record_id == early).values(ends=date(2025, 1, 30)),
        update(RecordSecrecy).where(RecordSecrecy.record_id == other).values(level_rank=c % 4 + 1),
        update(Record).where(Record.id == binned).values(state=RecordState.BINNED),
        update(RecordSecrecy).where(RecordSecrecy.record_id == vague).values(months=None, ends=None),
        insert(RecordOpening).values(record_id=whole, released=True, since=SINCE),
    )
    assert faults(parts, "INV12") == {
        (str(whole), "released"), (str(early), "ends"), (str(other), "level"), (str(binned), "stray"),
        (str(vague), "condition"),
    }  # fmt: skip


def test_an_appraisal_whose_digest_days_or_blocks_are_not_what_it_says(archive: Archive) -> None:
    parts = archive.parts()
    closed, running = new_id(), new_id()
    with parts.db.reading() as session:
        someone = session.scalars(select(Person.id).limit(1)).one()
        blocked = set(session.scalars(select(Block.record_id)))  # others, as the day goes, in the demonstration
    first, second, *_ = [key for key, _ in filed(parts) if key not in blocked]
    said = {"purpose": "鉴定", "begun_by": someone, "begun_at": parts.clock.now(), "why": "", "version": 1}
    item = {"position": 1, "number": "1", "due": date(2020, 1, 1)}
    block = {"kind": "in_appraisal", "set_at": parts.clock.now(), "cause": "appraisal"}
    written(
        parts,
        insert(Appraisal).values(id=closed, number="2026-9001", state="closed", closed_at=parts.clock.now(), **said),
        insert(Appraisal).values(id=running, number="2026-9002", state="open", **said),
        insert(AppraisalItem).values(appraisal_id=closed, record_id=first, verdict="transfer", **item),
        insert(AppraisalItem).values(appraisal_id=running, record_id=second, **item),
        insert(Block).values(id=new_id(), record_id=second, cause_id=running, **block),
    )
    with parts.db.reading() as session:
        digest, _ = digest_of(session, session.get_one(Appraisal, closed))
    written(parts, update(Appraisal).where(Appraisal.id == closed).values(digest=digest))
    assert faults(parts, "INV13") == set()
    written(
        parts,
        update(AppraisalItem).where(AppraisalItem.appraisal_id == closed).values(verdict="keep"),
        delete(Block).where(Block.record_id == second),
        insert(Block).values(id=new_id(), record_id=first, cause_id=closed, **block),
    )
    assert faults(parts, "INV13") == {
        ("2026-9001", "digest"), (str(first), "until"), (str(first), "blocked"), (str(second), "unblocked"),
    }  # fmt: skip


def test_a_record_that_counts_other_uses_than_the_use_register_holds(archive: Archive) -> None:
    parts = archive.parts()
    assert faults(parts, "INV14") == set()
    (key, _rank), *_ = filed(parts)
    written(parts, update(Record).where(Record.id == key).values(uses=Record.uses + 1))
    assert faults(parts, "INV14") == {(str(key), "count")}
