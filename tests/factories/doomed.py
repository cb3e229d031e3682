"""Destructions that run, put into an archive as rows: what comes before has tests of its own."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from archive.describing import Draft
from archive.ids import new_id
from archive.model import (
    Category,
    Destruction,
    DestructionItem,
    DestructionItemState,
    DestructionState,
    DueState,
    Fonds,
    JobKind,
    Record,
    RecordDue,
)
from runtime.wiring import Parts

LONG_AGO = date(2020, 1, 1)


def filed(parts: Parts, titles: Sequence[str], texts: Sequence[bytes] = (), **more: str) -> list[UUID]:
    """Catalogue and file records, each with a plain text as its file where ``texts`` has one; return their ids."""
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()
        category = session.scalars(select(Category.id).where(Category.fonds_id == fonds, Category.code == "WYS01"))
        drafts = [Draft(fonds, key, title, drawn_up="2010-03-05", **more) for key in category for title in titles]
    ids = parts.records.create_many(who, drafts)
    for key, text in zip(ids, texts, strict=False):
        parts.intake.receive(who, key, "正文.txt", [text])
    outcomes = parts.filing.file(who, ids)
    assert [each.reason for each in outcomes] == [None] * len(ids), outcomes
    return list(ids)


def due(parts: Parts, ids: Sequence[UUID], day: date = LONG_AGO) -> None:
    """Have the terms of records be over since ``day``."""
    with parts.db.writing() as work:
        work.session.execute(delete(RecordDue).where(RecordDue.record_id.in_(ids)))
        for key in ids:
            work.session.add(RecordDue(record_id=key, state=DueState.DATED, due=day))
        work.commit()


def doomed(parts: Parts, ids: Sequence[UUID], number: str = "XH-2026-001", *, work_it: bool = True) -> UUID:
    """Put a destruction of records into the database as one that runs, with its job; return its id."""
    key = new_id()
    who = parts.people.identity_of("archivist").person_id
    assert who
    now = parts.clock.now()
    with parts.db.writing() as work:
        work.session.add(
            Destruction(
                id=key, number=number, purpose="保管期限已满", state=DestructionState.RUNNING, begun_by=who,
                begun_at=now, run_by=who, run_at=now,
            )
        )  # fmt: skip
        work.session.flush()
        items = [
            {"destruction_id": key, "record_id": each, "position": at, "state": DestructionItemState.DOOMED}
            for at, each in enumerate(ids, 1)
        ]
        work.session.execute(insert(DestructionItem), items)
        if work_it:
            parts.outbox.add(work, JobKind.DESTROY, key)
        work.commit()
    return key


def states(parts: Parts, key: UUID) -> dict[UUID, str]:
    """Return of each item its state, with why it was pulled."""
    with parts.db.reading() as session:
        rows = session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == key))
        return {row.record_id: f"{row.state.value} {row.pulled.value}" if row.pulled else row.state.value for row in rows}


def there(parts: Parts, ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these records have a row."""
    with parts.db.reading() as session:
        return set(session.scalars(select(Record.id).where(Record.id.in_(ids))))
