"""The job that brings the rows of a spreadsheet in, with the present rights of who asked for it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.accounts import login_identity
from archive.bringing_in import BringingIn
from archive.database import Database
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind, Person


class BringIn:
    """Brings rows in; a run that broke off goes on at the first row that is not in."""

    kind = JobKind.BRING_IN
    batch = 1
    deadline = 1_800.0
    max_attempts = 5
    keep_done = True

    def __init__(self, db: Database, bringing: BringingIn) -> None:
        self._db = db
        self._bringing = bringing

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do it, batch by batch, as long as the job is held."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        if job.subject_id is None or job.requested_by is None:
            return Outcome.failed("no_subject")
        with self._db.reading() as session:
            identity = login_identity(session, session.get_one(Person, job.requested_by))
        for _ in self._bringing.bring(identity, job.subject_id):
            if not job.still_held():
                return Outcome.retry("lease_lost")
        return Outcome.done()
