"""Asking that records be indexed anew because of a text: at once, or, where that is much work, for many texts together.

A record is indexed as a whole. One whose files come in by the thousand would be indexed at each of them, which is work
that grows with the square of their number. So what comes in crowds is gathered; what comes alone, to a record however
large, is found at once.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from archive.database import Work
from archive.jobs.outbox import Outbox
from archive.model import Content, Job, JobKind, JobState, PageText

FEW = 64
"""A record with no more files than this is indexed at once."""

ALONE = 4
"""So many files that a larger record gets within ``MOST_REST`` are no crowd: it is indexed at once for each."""

REST = timedelta(milliseconds=10)
"""How long a crowd waits, for each slice of text that its record has: some times as long as indexing it takes."""

MOST_REST = timedelta(minutes=2)

_TO_READ = (
    Job.subject_id == Content.id,
    Job.kind.in_((JobKind.EXTRACT, JobKind.OCR)),
    Job.state.in_((JobState.QUEUED, JobState.RUNNING)),
)


def ask_for_index(work: Work, outbox: Outbox, records: Collection[UUID]) -> None:
    """Ask that records be indexed; one whose many files come in crowds later, together with what comes until then."""
    session = work.session
    counted = select(Content.record_id).where(Content.record_id.in_(records)).group_by(Content.record_id)
    many = set(session.scalars(counted.having(func.count() > FEW)))
    outbox.add_many(work, JobKind.INDEX, sorted(set(records) - many))
    for record in sorted(many):
        outbox.add_gathered(work, JobKind.INDEX, record, partial(_rest, session, record))


def _rest(session: Session, record: UUID, now: datetime) -> timedelta:
    if not _crowded(session, record, now):
        return timedelta()
    slices = select(func.count()).select_from(PageText).join(Content, Content.id == PageText.content_id)
    return min((session.scalar(slices.where(Content.record_id == record)) or 0) * REST, MOST_REST)


def _crowded(session: Session, record: UUID, now: datetime) -> bool:
    """Whether more than a few files of a record came in lately or are still to be read, for the first time or again."""
    to_read = select(Job.id).where(*_TO_READ).exists()
    lately = Content.created_at > now - MOST_REST
    crowd = select(Content.id).where(Content.record_id == record, or_(lately, to_read)).limit(ALONE + 1)
    return len(session.scalars(crowd).all()) > ALONE
