"""The job that edits many records, or undoes that, with the present rights of who asked for it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.accounts import login_identity
from archive.bulk import BulkEditing
from archive.database import Database
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind, Person


class BulkEditJob:
    """Edits records; a run that broke off goes on at the first that waits."""

    kind = JobKind.BULK_EDIT
    batch = 1
    deadline = 1_800.0
    max_attempts = 5
    keep_done = True

    def __init__(self, db: Database, editing: BulkEditing) -> None:
        self._db = db
        self._editing = editing

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do it, record by record, as long as the job is held."""
        return {job.id: self._one(job) for job in jobs}

    def _one(self, job: ClaimedJob) -> Outcome:
        if job.subject_id is None or job.requested_by is None:
            return Outcome.failed("no_subject")
        with self._db.reading() as session:
            identity = login_identity(session, session.get_one(Person, job.requested_by))
        for _ in self._editing.run(identity, job.subject_id):
            if not job.still_held():
                return Outcome.retry("lease_lost")
        return Outcome.done()
