"""Making the index anew, mending it and expunging what left it, as jobs: they run where the index's writer lives."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from archive.errors import Interrupted
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from indexer.engine import SearchEngine
from indexer.rebuild import Rebuilder
from indexer.search import REPAIR

NOT_YET = "not_yet"
"""Why a job is tried again: the server still keeps what changed a moment ago, or not every partition is made."""

ANEW = "anew"
"""In the payload: partitions to be made anew, by a repair, or where the engine forgets by nothing else."""


class RebuildIndex:
    """Makes every partition anew, beside the old one, and switches; or mends what differs from the database."""

    kind = JobKind.REBUILD
    batch = 1
    deadline = 23 * 3600.0
    max_attempts = 3
    keep_done = True

    def __init__(self, rebuilder: Rebuilder) -> None:
        self._rebuilder = rebuilder
        self._made: dict[UUID, set[str]] = {}

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Rebuild, or repair."""
        (job,) = jobs
        try:
            if job.payload.get(REPAIR):
                self._rebuilder.repair(job.payload.get(ANEW, ()), held=job.still_held)
            else:
                self._all_anew(job)
        except Interrupted:  # it is another's now, or too late
            return {job.id: Outcome.retry(NOT_YET)}
        return {job.id: Outcome.done()}

    def _all_anew(self, job: ClaimedJob) -> None:
        """Make every partition anew that an earlier try of the job did not."""
        made = self._made.setdefault(job.id, set())
        left = [each for each in self._rebuilder.largest_first() if each not in made]
        for partition, _ in self._rebuilder.rebuild_each(left, held=job.still_held):
            made.add(partition)
        del self._made[job.id]


class ExpungeIndex:
    """Has the engine forget what was replaced or taken out, so that it no longer moves the order of what is there."""

    kind = JobKind.EXPUNGE
    batch = 1
    deadline = 4 * 3600.0
    max_attempts = 10
    keep_done = False

    def __init__(self, rebuilder: Rebuilder, engine: SearchEngine) -> None:
        self._rebuilder = rebuilder
        self._engine = engine

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Expunge every partition; after a destruction, make those anew that the embedded engine has to."""
        (job,) = jobs
        if self._engine.about()["engine"] == "embedded":
            try:
                for partition in sorted(set(job.payload.get(ANEW, ()))):
                    self._rebuilder.rebuild(partition, held=job.still_held)
            except Interrupted:
                return {job.id: Outcome.retry(NOT_YET)}
        done = [self._engine.expunge(partition) for partition in self._engine.partitions()]
        outcome = Outcome.done() if all(done) else Outcome.retry(NOT_YET, after=timedelta(minutes=1))
        return {job.id: outcome}


def index_care(rebuilder: Rebuilder, engine: SearchEngine) -> tuple[RebuildIndex, ExpungeIndex]:
    """Return the handlers of the jobs that look after the index."""
    return RebuildIndex(rebuilder), ExpungeIndex(rebuilder, engine)
