"""What ``fsck`` checks of terms: the day kept of each record against the rules."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select

from archive.model import Job, JobState, Record
from archive.model.jobs import DAYS_FOLLOW
from retention.reckoning import differences, world
from runtime.wiring.parts import Parts


def wrong_days(parts: Parts, most: int) -> Iterator[tuple[int, list[UUID]]]:
    """Yield by batches of ``most`` how many records were looked at, and those whose day is not what the rules say.

    While a job is to reckon days anew, nothing is looked at.
    """
    last: UUID | None = None
    with parts.db.reading() as session:
        waiting = Job.kind.in_(DAYS_FOLLOW), Job.state.in_((JobState.QUEUED, JobState.RUNNING))
        if session.scalar(select(func.count()).select_from(Job).where(*waiting)):
            return
        here = world(session)
    while True:
        with parts.db.reading() as session:
            query = select(Record.id).order_by(Record.id).limit(most)
            ids = session.scalars(query if last is None else query.where(Record.id > last)).all()
            wrong = list(differences(session, parts.due_days, ids, here))
        yield len(ids), wrong
        if len(ids) < most:
            return
        last = ids[-1]
