"""Running the system: backups, failed jobs, and what was found of each part."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from archive.model import BackupAct, JobKind
from archive.policy.rules import Act
from web import paging
from web.api import problems
from web.api.given_lists import LongPage
from web.api.names import behind, page
from web.api.operations import operation
from web.api.shapes import Shape
from web.asking import require
from web.services import identity, services
from web.words import translator


class BackupRunShown(Shape):
    """A run; ``error``: it did not end well. ``ended_at`` null: it is at work, or was broken off."""

    run: UUID
    act: BackupAct
    set: UUID | None
    began_at: datetime
    ended_at: datetime | None
    error: str | None


class BackupsStand(Shape):
    """How backups stand. ``configured``: a place is named; ``late``: the last good one is missing or too old."""

    configured: bool
    last_good: datetime | None
    last_proved: datetime | None
    late: bool
    at_work: bool
    runs: list[BackupRunShown]
    next: str | None


class JobFailed(Shape):
    """A job that failed for good."""

    job: UUID
    kind: JobKind
    attempts: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class JobsFailed(Shape):
    """The jobs that failed, the latest first."""

    jobs: list[JobFailed]
    next: str | None


class PartFound(Shape):
    """What was found of a part of the system, and what to do, in words."""

    part: str
    state: str = Field(description="ok, warning or broken.")
    words: str


class PartsFound(Shape):
    """What was found of every part."""

    parts: list[PartFound]


@operation("/backups", 403)
def backups(query: LongPage) -> BackupsStand:
    """Say whether backups are made, when the last good one was, and what each run did, the latest first."""
    kept = services().house.safekeeping
    found = kept.runs(identity(), after=behind(query.cursor, paging.read), limit=query.limit + 1)
    runs, following = page(found, query.limit, lambda row: paging.told((row.began_at, row.id)))
    last = kept.last_good()
    return BackupsStand(
        configured=kept.configured, last_good=last, last_proved=kept.last_proved(), late=kept.is_late(last),
        at_work=kept.configured and kept.at_work(),
        runs=[
            BackupRunShown(
                run=row.id, act=row.act, set=row.set_id, began_at=row.began_at, ended_at=row.ended_at, error=row.error
            )
            for row in runs
        ],
        next=following,
    )  # fmt: skip


@operation("/backups", 403, 404, method="POST", status=204)
def ask_for_backup() -> None:
    """Have a backup made by the workers."""
    services().house.safekeeping.ask(identity())


@operation("/jobs/failed", 403)
def failed_jobs(query: LongPage) -> JobsFailed:
    """List the jobs that failed for good, the latest first."""
    after = behind(query.cursor, paging.read)
    found = services().house.jobs.failed(identity(), after=after, limit=query.limit + 1)
    rows, following = page(found, query.limit, lambda row: paging.told_end(row.finished_at, row.id))
    return JobsFailed(
        jobs=[
            JobFailed(
                job=row.id, kind=row.kind, attempts=row.attempts, error=row.error, created_at=row.created_at,
                finished_at=row.finished_at,
            )
            for row in rows
        ],
        next=following,
    )  # fmt: skip


@operation("/jobs/{job_id}/retry", 403, 404, method="POST", status=204)
def retry_job(job_id: UUID) -> None:
    """Have a failed job done again."""
    services().house.jobs.retry(identity(), job_id)


@operation("/jobs/{job_id}/cancel", 403, 404, method="POST", status=204)
def cancel_job(job_id: UUID) -> None:
    """Give a failed job up: what it was to do stays undone."""
    services().house.jobs.cancel(identity(), job_id)


@operation("/parts", 403)
def parts() -> PartsFound:
    """Look at every part of the system, as `juanku doctor` does, and say what to do."""
    require(Act.RUN_SYSTEM)
    found = services().house.examine(translator(problems.language()))
    return PartsFound(parts=[PartFound(part=each.part, state=each.state, words=each.words) for each in found])
