"""A job that a person asked for and that goes step by step, such as filing or editing many records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from archive.accounts import login_identity
from archive.database import Database
from archive.identity import Identity
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind, Person


class Stepwise:
    """Does it with the present rights of who asked, as long as the job is held; one that broke off goes on.

    Args:
        kind: of the job; its subject is what is gone on with.
        db: the house's database.
        go_on: does what is left of a subject for a person, and yields after each step.
    """

    batch = 1
    deadline = 1_800.0
    max_attempts = 5
    keep_done = True

    def __init__(self, kind: JobKind, db: Database, go_on: Callable[[Identity, UUID], Iterator[object]]) -> None:
        self.kind = kind
        self._db = db
        self._go_on = go_on

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do it."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        if job.subject_id is None or job.requested_by is None:
            return Outcome.failed("no_subject")
        with self._db.reading() as session:
            identity = login_identity(session, session.get_one(Person, job.requested_by))
        for _ in self._go_on(identity, job.subject_id):
            if not job.still_held():
                return Outcome.retry("lease_lost")
        return Outcome.done()
