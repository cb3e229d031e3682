"""The periodic checkpoint: seal what waits, sign how long the log is, and have it witnessed outside."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from archive.database import Database
from archive.jobs.runner import ClaimedJob, Outcome
from archive.log.checkpoints import Checkpoints, untold
from archive.log.sealer import Sealer
from archive.model import JobKind

if TYPE_CHECKING:
    from storage.witness import WitnessBucket


class MakeCheckpoints:
    """Makes a checkpoint of the log."""

    kind = JobKind.CHECKPOINT
    batch = 1
    deadline = 300.0
    max_attempts = 5
    keep_done = False

    def __init__(
        self, sealer: Sealer, checkpoints: Checkpoints, db: Database, outside: "WitnessBucket | None" = None
    ) -> None:
        self._sealer = sealer
        self._checkpoints = checkpoints
        self._db = db
        self._outside = outside

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Seal and sign; a bucket that does not answer is told all that it missed when the job is tried again."""
        self._sealer.seal_all()
        self._checkpoints.make()
        if self._outside:
            tell(self._db, self._outside)
        return {job.id: Outcome.done() for job in jobs}


def tell(db: Database, outside: "WitnessBucket") -> int:
    """Witness every checkpoint that the bucket does not have yet; return how many. Raises ``Unavailable``."""
    with db.reading() as session:
        lines = list(untold(session, outside.told()))
    for size, at, line in lines:
        outside.tell(size, line, at)
    return len(lines)
