"""Forgetting the likeness of contents that go."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete
from sqlalchemy.orm import Session

from archive.model import AlikeRecord, AlikeText, Likeness, LikenessBand, NotTheSame


def forget(session: Session, contents: "Sequence[UUID] | Select[UUID]") -> None:
    """Remove what is known of the likeness of contents, in the caller's transaction."""
    for column in (Likeness.content_id, LikenessBand.content_id, AlikeText.content_id, AlikeText.other_id):
        gone = delete(column.class_).where(column.in_(contents))
        session.execute(gone.execution_options(synchronize_session=False))


def forget_decisions(session: Session, records: Sequence[UUID]) -> None:
    """Remove what was decided on these records, or waits to be, in the caller's transaction."""
    for column in (NotTheSame.record_id, NotTheSame.other_id, AlikeRecord.record_id, AlikeRecord.other_id):
        session.execute(delete(column.class_).where(column.in_(records)))
