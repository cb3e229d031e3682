"""What need not be kept for long is forgotten after its days (``archive.once``, ``archive.people.forgetting``)."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind


class ForgetAnswers:
    """Removes answers that no request may ask for again, sessions long ended and old failures, in short batches.

    Args:
        forgets: each forgets some, and returns how many.
    """

    kind = JobKind.FORGET_ANSWERS
    batch = 1
    deadline = 300.0
    max_attempts = 5
    keep_done = True

    def __init__(self, *forgets: Callable[[], int]) -> None:
        self._forgets = forgets

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Forget what is due."""
        for forget in self._forgets:
            while jobs[0].still_held() and forget():
                pass
        return {job.id: Outcome.done() for job in jobs}
