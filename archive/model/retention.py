"""What has a clock: retention schedules, the days on which records fall due, events that start clocks, and holds."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.approvals import ApprovalState
from archive.model.columns import Code, Key, Names, Version, word


class DueState(StrEnum):
    """Whether a filed record has a day on which its term has run out, and why it has none."""

    DATED = "dated"
    NEVER = "never"  # permanent
    WAITING = "waiting"  # for the event that starts the clock
    UNDATED = "undated"  # the day that the clock starts from is not known
    UNRULED = "unruled"  # no schedule says


class RetentionSchedule(Base):
    """A schedule 保管期限 rule: ``definition`` is a rule as ``retention.rules`` reads it. Changed by drafts alone."""

    __tablename__ = "retention_schedule"

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)
    definition: Mapped[dict[str, Any]]
    version: Mapped[Version]


class ScheduleVersion(Base):
    """A schedule as it was at one version, with the categories that it stood on (ids as text). Insert-only."""

    __tablename__ = "schedule_version"

    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("retention_schedule.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    names: Mapped[Names] = mapped_column(JSON)
    definition: Mapped[dict[str, Any]]
    categories: Mapped[list[str]]
    draft_id: Mapped[UUID | None]


class CategorySchedule(Base):
    """The schedule of a category; those below it have the same unless they have their own."""

    __tablename__ = "category_schedule"

    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"), primary_key=True)
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("retention_schedule.id"), index=True)


class RecordSchedule(Base):
    """A schedule that a dossier or item has instead of its category's. ``sealed``: authority and reason (JSON)."""

    __tablename__ = "record_schedule"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("retention_schedule.id"), index=True)
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ScheduleDraft(Base):
    """A drafted change of a schedule (None: a new one), and how far it has been applied.

    ``categories`` are the ids (as text) of all categories that the schedule would stand on. ``through`` is the last
    record that was reckoned anew (None: not begun), ``done`` of ``total`` how many; ``applied_at`` ends it.
    """

    __tablename__ = "schedule_draft"
    __table_args__ = (Index("ix_schedule_draft_asked_at_id", "asked_at", "id"),)

    id: Mapped[Key]
    schedule_id: Mapped[UUID | None] = mapped_column(ForeignKey("retention_schedule.id"))
    base_version: Mapped[int] = mapped_column(default=0)
    code: Mapped[Code]
    names: Mapped[Names] = mapped_column(JSON)
    definition: Mapped[dict[str, Any]]
    categories: Mapped[list[str]]
    why: Mapped[str] = mapped_column(String(500))
    state: Mapped[ApprovalState] = mapped_column(word(ApprovalState), default=ApprovalState.ASKED)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(500), default="")
    affected: Mapped[list[str]] = mapped_column(JSON, default=list)
    through: Mapped[UUID | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    applied_at: Mapped[datetime | None]


class RecordDue(Base):
    """When a filed record's term has run out, as ``retention.rules`` says, kept in the transactions that change it.

    A row without a day can never be listed as due: the check holds state and day together. ``noticed_on`` is the day on
    which it was found to have fallen due.
    """

    __tablename__ = "record_due"
    __table_args__ = (
        CheckConstraint("(state = 'dated') = (due IS NOT NULL)", name="dated"),
        Index(
            "ix_record_due_due_record_id",
            "due",
            "record_id",
            sqlite_where=text("due IS NOT NULL"),
            postgresql_where=text("due IS NOT NULL"),
        ),
        Index("ix_record_due_state_record_id", "state", "record_id"),
        Index("ix_record_due_schedule_id", "schedule_id"),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    state: Mapped[DueState] = mapped_column(word(DueState))
    due: Mapped[date | None]
    schedule_id: Mapped[UUID | None] = mapped_column(ForeignKey("retention_schedule.id"))
    noticed_on: Mapped[date | None]


class RetentionEvent(Base):
    """Something that starts clocks: of a record (a dossier: of all its items) or of a subject (of all its records).

    ``kind`` is a code. An event that was undone stays, with who undid it and why (``undone_why`` is sealed like
    ``sealed``, its note, under the key of record or subject).
    """

    __tablename__ = "retention_event"
    __table_args__ = (
        CheckConstraint("(record_id IS NULL) <> (subject_id IS NULL)", name="one_of"),
        Index("ix_retention_event_record_id", "record_id"),
        Index("ix_retention_event_subject_id", "subject_id"),
        Index("ix_retention_event_entered_at_id", "entered_at", "id"),
    )

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(40))
    day: Mapped[date]
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    undone_at: Mapped[datetime | None]
    undone_why: Mapped[bytes | None] = mapped_column(LargeBinary)


class HoldKind(StrEnum):
    """What a hold covers. ``place`` is one of the property, ``shelf`` one of the store rooms with what lies there."""

    RECORD = "record"
    DOSSIER = "dossier"
    CATEGORY = "category"
    PLACE = "place"
    SHELF = "shelf"
    QUERY = "query"


class Hold(Base):
    """A hold 冻结: what it covers is neither altered nor destroyed while it stands (``released_at`` is None).

    ``covers`` is what ``retention.holding`` reads: an id, a place's path, or the conditions of a saved query.
    ``through`` and ``swept_at`` tell how far its rows in ``hold_record`` are written or, once released, taken away; the
    rule itself counts at once.
    """

    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_placed_at_id", "placed_at", "id"),)

    id: Mapped[Key]
    kind: Mapped[HoldKind] = mapped_column(word(HoldKind))
    covers: Mapped[dict[str, Any]]
    name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    authority: Mapped[str] = mapped_column(String(200))
    review_on: Mapped[date]
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]
    released_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    released_at: Mapped[datetime | None]
    release_why: Mapped[str] = mapped_column(String(500), default="")
    through: Mapped[UUID | None]
    swept_at: Mapped[datetime | None]


class HoldRecord(Base):
    """A record that a hold was found to cover; it stays so until the hold is released.

    ``on_store``: the object store was told to hold its objects, too.
    """

    __tablename__ = "hold_record"

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    since: Mapped[datetime]
    on_store: Mapped[bool] = mapped_column(default=False)


class RecordExtension(Base):
    """That a record is kept on until a day, by an appraisal or a renewal: it falls due no sooner. Insert-only.

    ``until`` of what is kept for good is ``archive.terms.FOREVER``. ``sealed``: authority and reason (JSON), under the
    record's key.
    """

    __tablename__ = "record_extension"
    __table_args__ = (
        CheckConstraint("(appraisal_id IS NULL) <> (approval_id IS NULL)", name="one_of"),
        Index("ix_record_extension_record_id", "record_id"),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    until: Mapped[date]
    appraisal_id: Mapped[UUID | None] = mapped_column(ForeignKey("appraisal.id"))
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey("approval.id"))
    set_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RenewalItem(Base):
    """A record that a request would keep on 续期 until a day; why, and by which authority, stands on the request."""

    __tablename__ = "renewal_item"
    __table_args__ = (Index("ix_renewal_item_record_id", "record_id"),)

    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    position: Mapped[int]
    until: Mapped[date]


class MatterKind(StrEnum):
    """What is not settled yet."""

    CLAIM = "claim"
    UNPAID = "unpaid"
    COMPLAINT = "complaint"
    LAWSUIT = "lawsuit"
    OTHER = "other"


class UnsettledMatter(Base):
    """An unsettled matter 未了事项: of a record (a dossier: of all its items) or of a subject (of all its records).

    While it is open, none of these is destroyed. ``sealed`` and ``closed_why`` are why it was entered and how it ended,
    under the key of record or subject.
    """

    __tablename__ = "unsettled_matter"
    __table_args__ = (
        CheckConstraint("(record_id IS NULL) <> (subject_id IS NULL)", name="one_of"),
        Index("ix_unsettled_matter_record_id", "record_id"),
        Index("ix_unsettled_matter_subject_id", "subject_id"),
        Index("ix_unsettled_matter_opened_at_id", "opened_at", "id"),
    )

    id: Mapped[Key]
    kind: Mapped[MatterKind] = mapped_column(word(MatterKind))
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[bytes | None] = mapped_column(LargeBinary)
