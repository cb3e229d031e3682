"""Requests that need someone's yes: what was asked, by whom, and what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class ApprovalKind(StrEnum):
    """What is asked for."""

    CORRECTION = "correction"


class ApprovalState(StrEnum):
    """Where a request stands. Which state may follow which: ``archive.approvals.NEXT``."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Approval(Base):
    """A request on a record, and its end.

    ``sealed`` is what is asked for and why, ``answer`` why it was decided so: JSON under the record's key, so that both
    go with the record.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_record_id", "record_id"),
        Index("ix_approval_state_asked_at_id", "state", "asked_at", "id"),
        Index("ix_approval_asked_by_asked_at_id", "asked_by", "asked_at", "id"),
    )

    id: Mapped[Key]
    kind: Mapped[ApprovalKind] = mapped_column(word(ApprovalKind))
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    state: Mapped[ApprovalState] = mapped_column(word(ApprovalState), default=ApprovalState.ASKED)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[Version]
