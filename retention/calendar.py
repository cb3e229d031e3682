"""The job that follows a change of the calendar."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.calendar_moves import CalendarMoves
from archive.jobs.runner import ClaimedJob, Outcome
from archive.model import JobKind


class FollowCalendar:
    """Reckons days that are counted in working days anew."""

    kind = JobKind.CALENDAR
    batch = 1
    deadline = 600.0
    max_attempts = 5
    keep_done = True

    def __init__(self, moves: CalendarMoves) -> None:
        self._moves = moves

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Move what is otherwise by the calendar of now."""
        self._moves.run(jobs[0].still_held)
        return {job.id: Outcome.done() for job in jobs}
