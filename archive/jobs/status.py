"""How much work waits, for pages, metrics and the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, bindparam, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from archive.jobs.outbox import queue_of
from archive.jobs.runner import FOR_ITS_HOUR
from archive.model.jobs import Job, JobKind, JobState

_KIND = type_coerce(Job.kind, String)
_PENDING = select(func.count(Job.id)).where(
    Job.kind.in_(bindparam("kinds", expanding=True)),
    Job.state.in_((JobState.QUEUED, JobState.RUNNING)),
    or_(Job.error.is_distinct_from(FOR_ITS_HOUR), Job.run_after <= bindparam("now")),
    Job.id > bindparam("after"),
)


@dataclass(frozen=True)
class JobCount:
    """Jobs of one kind in one state; ``oldest`` is when the oldest of them was made, ``due`` when the first was to run.

    ``kind`` is a ``JobKind``, or a word that only a newer version of the program knows.
    """

    kind: str
    state: JobState
    count: int
    oldest: datetime
    due: datetime


def status(session: Session) -> list[JobCount]:
    """Return the counts of all kinds and states that occur."""
    rows = session.execute(
        select(_KIND, Job.state, func.count(), func.min(Job.created_at), func.min(Job.run_after))
        .group_by(_KIND, Job.state)
        .order_by(_KIND, Job.state)
    )
    return [JobCount(*row) for row in rows]


def pending(session: Session, kinds: Sequence[JobKind], now: datetime, *, after: UUID | None = None) -> int:
    """Return how many jobs of these kinds wait or run, of those that were made after an id was.

    What waits for an hour that the house has set, and that is to come, is not counted.
    """
    return session.scalar(_PENDING, {"kinds": list(kinds), "now": now, "after": after or UUID(int=0)}) or 0


_SHOWN = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)


@dataclass(frozen=True)
class QueueCount:
    """How a kind of job stands, and in which queue it is done (None: this version of the program knows no such kind).

    ``oldest`` is when the oldest of those that wait was made.
    """

    queue: str | None
    kind: str
    waiting: int
    running: int
    failed: int
    oldest: datetime | None


def by_queue(counts: Sequence[JobCount]) -> list[QueueCount]:
    """Return one line for each kind of job that waits, runs or failed, those of one queue together."""
    found = {(each.kind, each.state): each for each in counts}

    def count(kind: str, state: JobState) -> int:
        return found[kind, state].count if (kind, state) in found else 0

    lines = []
    for kind in sorted({each.kind for each in counts if each.state in _SHOWN}):
        queue = queue_of(JobKind(kind)) if kind in set(JobKind) else None
        waiting = found.get((kind, JobState.QUEUED))
        lines.append(
            QueueCount(
                queue,
                kind,
                waiting=count(kind, JobState.QUEUED),
                running=count(kind, JobState.RUNNING),
                failed=count(kind, JobState.FAILED),
                oldest=waiting.oldest if waiting else None,
            )
        )
    return sorted(lines, key=lambda line: (line.queue or "~", line.kind))
