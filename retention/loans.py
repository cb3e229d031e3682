"""Loans end by themselves: reading rights whose day is over, approvals nobody collected, steps that took too long."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from archive.jobs.runner import ClaimedJob, Outcome
from archive.loans.care import LoanCare
from archive.model import JobKind


class CareForLoans:
    """Does what is due, in short batches."""

    kind = JobKind.LOANS
    batch = 1
    deadline = 300.0
    max_attempts = 5
    keep_done = True

    def __init__(self, care: LoanCare) -> None:
        self._care = care

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Do it."""
        while jobs[0].still_held() and self._care.sweep():
            pass
        return {job.id: Outcome.done() for job in jobs}
