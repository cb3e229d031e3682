"""The job that looks for what has fallen due."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.deadlines import DueSweep
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind


class TellWhatIsDue:
    """Tells what has come since the last look."""

    kind = JobKind.DUE
    batch = 1
    deadline = 600.0
    max_attempts = 5
    keep_done = True

    def __init__(self, sweep: DueSweep) -> None:
        self._sweep = sweep

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Look at all that has come."""
        self._sweep.run(jobs[0].still_held)
        return {job.id: Outcome.done() for job in jobs}
