"""Work that follows from a change, and fences that hold until it is done."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class JobKind(StrEnum):
    """What a job does.

    Its subject is a content (extract, unpack, ocr, compare), a record (index, lock), a spreadsheet (bring_in), a run of
    filings (file_many), an edit (bulk_edit), a move (bulk_move), a person (deliver), a schedule's draft or a subject
    (reckon), a hold, a destruction (destroy), an appraisal (appraise, say_all), a review of secrecy, a transfer (pack),
    a bag (take_in), a category
    (follow_scheme), a run of readings (reread) or nothing.
    """

    EXTRACT = "extract"
    UNPACK = "unpack"
    OCR = "ocr"
    COMPARE = "compare"
    RENDITION = "rendition"
    INDEX = "index"
    EMPTY_BIN = "empty_bin"
    SWEEP_ORPHANS = "sweep_orphans"
    CHECKPOINT = "checkpoint"
    EXPUNGE = "expunge"
    REBUILD = "rebuild"
    FORGET_ANSWERS = "forget_answers"
    PLAN_CHECKS = "plan_checks"
    BRING_IN = "bring_in"
    BACKUP = "backup"
    LOCK = "lock"
    FIXITY = "fixity"
    FILE_MANY = "file_many"
    BULK_EDIT = "bulk_edit"
    BULK_MOVE = "bulk_move"
    LOANS = "loans"
    DUE = "due"
    CALENDAR = "calendar"
    DELIVER = "deliver"
    FIND_DUE = "find_due"
    RECKON = "reckon"
    HOLD = "hold"
    DESTROY = "destroy"
    SECRECY = "secrecy"
    APPRAISE = "appraise"
    SAY_ALL = "say_all"
    PACK = "pack"
    TAKE_IN = "take_in"
    FOLLOW_SCHEME = "follow_scheme"
    REREAD = "reread"


DAYS_FOLLOW = (JobKind.RECKON, JobKind.FOLLOW_SCHEME)
"""Jobs by which the days follow on which terms run out."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Base):
    """A piece of work, written in the transaction it follows from; the broker only wakes for it.

    A worker holds it by a lease: only the holder of ``lease`` may finish it. ``request`` is the id of the web request
    it follows from (None: of none).
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_due", "state", "kind", "run_after"),
        Index("ix_job_subject_id", "subject_id"),
    )

    id: Mapped[Key]
    kind: Mapped[JobKind] = mapped_column(word(JobKind))
    subject_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[JobState] = mapped_column(word(JobState), default=JobState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[datetime]
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(500))
    requested_by: Mapped[UUID | None]
    request: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Fence(Base):
    """A fact that search must leave out until the index has caught up (requirement C4).

    ``fact`` is ``record``, ``category`` or ``place`` (a path prefix); ``value`` its value as text.
    """

    __tablename__ = "fence"
    __table_args__ = (UniqueConstraint("fact", "value"),)

    id: Mapped[Key]
    fact: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime]
