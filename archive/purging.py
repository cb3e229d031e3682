"""Removing the rows of records for good: of those whose bin time is over, and of those that were destroyed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from archive.likeness import forget, forget_decisions
from archive.model import (
    Approval,
    Content,
    File,
    HoldRecord,
    ImportEntry,
    OwnerKey,
    PageText,
    Proposal,
    ReadingRight,
    Record,
    RecordDue,
    RecordPerson,
    RecordRelation,
    RecordSchedule,
    RecordSubject,
    RetentionEvent,
    ScannedPage,
    SheetRow,
)
from archive.shelving.rules import forget_copies


def remove_records(session: Session, ids: Sequence[UUID]) -> None:
    """Remove records with all their rows and keys. Objects are left to the sweeper, index and log to the caller."""
    contents = select(Content.id).where(Content.record_id.in_(ids))
    freed = update(Record).where(Record.dossier_id.in_(ids))
    session.execute(freed.values(dossier_id=None, position=None, volume=None))
    for pages in (PageText, ScannedPage, Proposal):
        session.execute(delete(pages).where(pages.content_id.in_(contents)))
    forget(session, contents)
    forget_decisions(session, ids)
    related = or_(RecordRelation.record_id.in_(ids), RecordRelation.other_id.in_(ids))
    session.execute(delete(RecordRelation).where(related))
    forget_copies(session, ids)
    for table in (
        RecordPerson, RecordSubject, ReadingRight, Approval, ImportEntry, SheetRow, Content, File, RecordDue,
        RecordSchedule, RetentionEvent, HoldRecord,
    ):  # fmt: skip
        session.execute(delete(table).where(table.record_id.in_(ids)))
    session.execute(delete(Record).where(Record.id.in_(ids)))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id.in_(ids)))
