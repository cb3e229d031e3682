"""What follows when a category is renamed or stands elsewhere in the tree: its records are found by it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from archive.database import Database
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind, Record
from archive.scheme.tree import below

BATCH = 500


class FollowScheme:
    """Asks for the records of a category, and of all below it, to be indexed anew; their due days follow with that."""

    kind = JobKind.FOLLOW_SCHEME
    batch = 1
    deadline = 1_800.0
    max_attempts = 20
    keep_done = False

    def __init__(self, db: Database, outbox: Outbox) -> None:
        self._db = db
        self._outbox = outbox

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Ask for each branch."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        if job.subject_id is None:
            return Outcome.failed("no_subject")
        last, found = UUID(int=0), list[UUID]()
        query = select(Record.id).where(Record.category_id.in_(below(job.subject_id))).order_by(Record.id)
        while True:
            if not job.still_held():
                return Outcome.retry("lease_lost")
            with self._db.writing() as work:
                found = list(work.session.scalars(query.where(Record.id > last).limit(BATCH)))
                self._outbox.add_many(work, JobKind.INDEX, found)
                work.commit()
            if len(found) < BATCH:
                return Outcome.done()
            last = found[-1]
