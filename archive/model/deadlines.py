"""What falls due, and the house's calendar of working days."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class DeadlineKind(StrEnum):
    """What falls due. Each kind has its ``Watch`` (``archive.reminding.watches``), words (``web.words.deadlines``)."""

    VITAL_REVIEW = "vital_review"
    CORRECTION = "correction"
    GRANT_END = "grant_end"
    POST_END = "post_end"
    LOAN = "loan"
    LOAN_RECALL = "loan_recall"
    LOAN_END = "loan_end"
    DOSSIER_CLOCK = "dossier_clock"
    SECRECY_END = "secrecy_end"
    LOAN_DECISION = "loan_decision"
    PAPER_DECISION = "paper_decision"
    CIRCULATION = "circulation"
    CUSTODY_CHECK = "custody_check"
    AUDIT = "audit"
    AUDIT_FINDING = "audit_finding"
    DESTRUCTION_OBJECTION = "destruction_objection"
    DESTRUCTION_CONFIRM = "destruction_confirm"


class DeadlineState(StrEnum):
    """Whether it is still waited for. ``lapsed``: its subject is gone, and nothing is due any more."""

    OPEN = "open"
    MET = "met"
    LAPSED = "lapsed"


class Deadline(Base):
    """Something that falls due on a day: one row for each kind and subject.

    ``since`` is the day from which its stages count (None: from ever); ``told`` the codes of the stages that were told,
    the newest last. ``look_on`` is the day of the next stage (None: none is to come, or it is not open any more).
    """

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        Index(
            "ix_deadline_look_on_id",
            "look_on",
            "id",
            sqlite_where=text("look_on IS NOT NULL"),
            postgresql_where=text("look_on IS NOT NULL"),
        ),
        Index("ix_deadline_state_due_id", "state", "due", "id"),
        Index("ix_deadline_record_id", "record_id"),
    )

    id: Mapped[Key]
    kind: Mapped[DeadlineKind] = mapped_column(word(DeadlineKind))
    subject_id: Mapped[UUID]
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    due: Mapped[date]
    since: Mapped[date | None]
    state: Mapped[DeadlineState] = mapped_column(word(DeadlineState), default=DeadlineState.OPEN)
    told: Mapped[list[str]] = mapped_column(JSON, default=list)
    look_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[Version]


class WeekdayRule(Base):
    """Whether a day of the week (0: Monday) is worked. A day that has no row is worked from Monday to Friday."""

    __tablename__ = "weekday_rule"

    weekday: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    works: Mapped[bool]


class DayRule(Base):
    """A day that is not as its day of the week: a public holiday, or a day on which one is made up for."""

    __tablename__ = "day_rule"

    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(String(100), default="")
