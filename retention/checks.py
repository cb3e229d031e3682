"""When records are checked next is planned anew each day (see ``archive.checking``)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.checking import Checks
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind


class PlanChecks:
    """Plans the checks of what was filed, moved or withdrawn since, in short batches."""

    kind = JobKind.PLAN_CHECKS
    batch = 1
    deadline = 600.0
    max_attempts = 5
    keep_done = True

    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Plan."""
        self._checks.plan(jobs[0].still_held)
        return {job.id: Outcome.done() for job in jobs}
