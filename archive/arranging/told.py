"""What moves of the house did, for the page of the system."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.model import MoveRun

SHOWN = 5


def latest_moves(session: Session) -> Sequence[MoveRun]:
    """Return the last moves, the latest first."""
    return session.scalars(select(MoveRun).order_by(MoveRun.began_at.desc()).limit(SHOWN)).all()
