"""How much work waits, for pages, metrics and the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.model.jobs import Job, JobKind, JobState


@dataclass(frozen=True)
class JobCount:
    """Jobs of one kind in one state; ``oldest`` is when the oldest of them was made."""

    kind: JobKind
    state: JobState
    count: int
    oldest: datetime


def status(session: Session) -> list[JobCount]:
    """Return the counts of all kinds and states that occur."""
    rows = session.execute(
        select(Job.kind, Job.state, func.count(), func.min(Job.created_at))
        .group_by(Job.kind, Job.state)
        .order_by(Job.kind, Job.state)
    )
    return [JobCount(*row) for row in rows]


def pending(session: Session, kinds: Sequence[JobKind]) -> int:
    """Return how many jobs of these kinds wait or run."""
    states = (JobState.QUEUED, JobState.RUNNING)
    counted = select(func.count()).select_from(Job).where(Job.kind.in_(kinds), Job.state.in_(states))
    return session.scalar(counted) or 0
