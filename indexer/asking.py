"""Asking that records be indexed anew because of a text: at once, or, where that is much work, for many texts together.

A record is indexed as a whole. One whose files come in by the thousand would be indexed at each of them, which is work
that grows with the square of their number.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.database import Work
from archive.jobs.outbox import Outbox
from archive.model import Content, JobKind, PageText

FEW = 64
"""A record with no more files than this is indexed at once."""

REST = timedelta(milliseconds=10)
"""How long it waits, for each slice of text that it has: some times as long as indexing it takes."""

MOST_REST = timedelta(minutes=2)


def ask_for_index(work: Work, outbox: Outbox, records: Collection[UUID]) -> None:
    """Ask that records be indexed; one with many files is indexed a while later, with what comes in until then."""
    session = work.session
    counted = select(Content.record_id).where(Content.record_id.in_(records)).group_by(Content.record_id)
    many = set(session.scalars(counted.having(func.count() > FEW)))
    outbox.add_many(work, JobKind.INDEX, sorted(set(records) - many))
    for record in sorted(many):
        outbox.add_gathered(work, JobKind.INDEX, record, lambda record=record: _rest(session, record))  # type: ignore[misc]


def _rest(session: Session, record: UUID) -> timedelta:
    slices = select(func.count()).select_from(PageText).join(Content, Content.id == PageText.content_id)
    return min((session.scalar(slices.where(Content.record_id == record)) or 0) * REST, MOST_REST)
