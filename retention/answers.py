"""What programs were answered is forgotten after its days (see ``archive.once``)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from archive.once import BATCH, Once


class ForgetAnswers:
    """Removes answers that no request may ask for again, in short batches."""

    kind = JobKind.FORGET_ANSWERS
    batch = 1
    deadline = 300.0
    max_attempts = 5
    keep_done = True

    def __init__(self, once: Once) -> None:
        self._once = once

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Forget what is due."""
        while jobs[0].still_held() and self._once.forget() == BATCH:
            pass
        return {job.id: Outcome.done() for job in jobs}
