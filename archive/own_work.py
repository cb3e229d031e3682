"""What is alike in the long work that a person has a job do: another person's is not there, and old work is forgotten.

A spreadsheet that is brought in, an edit or a move of many, a filing of many.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity
from archive.model import BulkEdit, FilingRun, Job, JobState, Sheet
from archive.model.bulk import BulkMove

Work = TypeVar("Work", BulkEdit, BulkMove, FilingRun, Sheet)


def own(session: Session, kind: type[Work], identity: Identity, key: UUID) -> Work:
    """Return one of a person's own. Raises ``NotFound``."""
    row = session.get(kind, key)
    if row is None or identity.person_id is None or row.person_id != identity.person_id:
        raise NotFound
    return row


def unfinished(session: Session, key: UUID) -> bool:
    """Whether a job of it waits or runs."""
    waits = exists().where(Job.subject_id == key, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    return bool(session.scalar(select(waits)))


def sweep(
    db: Database,
    kind: type[BulkEdit | BulkMove | FilingRun | Sheet],
    before: datetime,
    remove: Callable[[Session, UUID], None],
) -> None:
    """Forget all that was begun before a moment, each in a transaction of its own."""
    with db.reading() as session:
        old = session.scalars(select(kind.id).where(kind.created_at < before)).all()
    for key in old:
        with db.writing() as work:
            remove(work.session, key)
            work.commit()
