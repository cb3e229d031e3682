"""Records for destructions that run (``runtime.rehearsing.doom`` puts one in as rows), and what became of them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select

from archive.cataloguing.describing import Draft
from archive.model import (
    Category,
    DestructionItem,
    DueState,
    Fonds,
    Record,
    RecordDue,
)
from runtime.wiring.parts import Parts

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


def states(parts: Parts, key: UUID) -> dict[UUID, str]:
    """Return of each item its state, with why it was pulled."""
    with parts.db.reading() as session:
        rows = session.scalars(select(DestructionItem).where(DestructionItem.destruction_id == key))
        return {row.record_id: " ".join(filter(None, (row.state, row.pulled))) for row in rows}


def there(parts: Parts, ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these records have a row."""
    with parts.db.reading() as session:
        return set(session.scalars(select(Record.id).where(Record.id.in_(ids))))
