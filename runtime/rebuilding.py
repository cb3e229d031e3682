"""Making the index anew as a job: it runs where the index's writer lives."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from indexer.rebuild import Rebuilder


class RebuildIndex:
    """Makes every partition anew, beside the old one, and switches."""

    kind = JobKind.REBUILD
    batch = 1
    deadline = 4 * 3600.0
    max_attempts = 3
    keep_done = True

    def __init__(self, rebuilder: Rebuilder) -> None:
        self._rebuilder = rebuilder

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Rebuild."""
        self._rebuilder.rebuild()
        return {job.id: Outcome.done() for job in jobs}
