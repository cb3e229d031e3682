"""Looking at stored bytes as a job: a share each day, one that a reader could not have, all or mending when asked."""

import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from archive.errors import ArchiveError
from archive.identity import system
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from storage.fixity.care import EVERYTHING, MEND, FixityCare
from storage.fixity.mending import Mending

ASK_EVERY = 5.0
"""Seconds between two looks whether the job is still ours: small objects are read by the hundred a second."""


class CheckFixity:
    """Runs what the job asks for.

    Args:
        ending: says whether this process is about to end; a run then goes on in the next one.
    """

    kind = JobKind.FIXITY
    batch = 1
    deadline = 23 * 3600.0
    max_attempts = 100
    keep_done = False

    def __init__(self, care: FixityCare, mending: Mending, ending: Callable[[], bool]) -> None:
        self._care = care
        self._mending = mending
        self._ending = ending

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do it; what was looked at is kept however it ends."""
        (job,) = jobs

        asked = time.monotonic()

        def going_on() -> bool:
            nonlocal asked
            if self._ending():
                return False
            if time.monotonic() - asked < ASK_EVERY:
                return True
            asked = time.monotonic()
            return job.still_held()

        try:
            if MEND in job.payload:
                self._mending.mend(system("fixity"), going_on)
            elif job.subject_id is not None:
                self._care.look_at(system("fixity"), job.subject_id)
            else:
                everything = EVERYTHING in job.payload
                self._care.run(system("fixity"), job.id, everything=everything, going_on=going_on)
        except ArchiveError as error:
            return {job.id: Outcome.retry(error.code)}
        if self._ending():
            return {job.id: Outcome.retry("interrupted")}
        return {job.id: Outcome.done()}
