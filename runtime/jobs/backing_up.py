"""Making a backup as a job, each day and when someone asks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from archive.errors import ArchiveError, Damaged, Interrupted
from archive.identity import system
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind
from storage.safekeeping import Safekeeping

PLACE_AWAY = timedelta(minutes=30)
"""How long a backup waits that did not work: the place may be switched off for the night, or starting."""


class MakeBackups:
    """Makes a set where the house has named a place for it; one that does not work is tried again all day.

    Args:
        safekeeping: the acts on backups.
        ending: says whether this process is about to end; the next one makes the set then.
    """

    kind = JobKind.BACKUP
    batch = 1
    deadline = 24 * 3600.0
    max_attempts = 40
    keep_done = False

    def __init__(self, safekeeping: Safekeeping, ending: Callable[[], bool]) -> None:
        self._safekeeping = safekeeping
        self._ending = ending

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Make it; what could not be copied is told by the run's row and the doctor, and copied by the next."""
        (job,) = jobs
        if not self._safekeeping.configured:
            return {job.id: Outcome.done()}
        try:
            self._safekeeping.make(system("backup"), going_on=lambda: not self._ending() and job.still_held())
        except Damaged:
            return {job.id: Outcome.done()}
        except Interrupted as error:
            return {job.id: Outcome.retry(error.code)}
        except ArchiveError as error:
            return {job.id: Outcome.retry(error.code, after=PLACE_AWAY)}
        return {job.id: Outcome.done()}
