"""The job that looks for what has fallen due."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.database import Database
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from archive.policy.guard import Guard
from archive.reminding.deadlines import DueSweep
from archive.reminding.delivering import mark_stale


class TellWhatIsDue:
    """Tells what has come since the last look."""

    kind = JobKind.DUE
    batch = 1
    deadline = 600.0
    max_attempts = 5
    keep_done = True

    def __init__(self, db: Database, guard: Guard, sweep: DueSweep) -> None:
        self._db = db
        self._guard = guard
        self._sweep = sweep

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Look at all that has come, and at what was begun to be sent and never ended."""
        self._sweep.run(jobs[0].still_held)
        mark_stale(self._db, self._guard)
        return {job.id: Outcome.done() for job in jobs}
