"""Requests that need someone's yes: what was asked, by and for whom, its steps, who decides, and what became of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class ApprovalKind(StrEnum):
    """What is asked for."""

    CORRECTION = "correction"
    LOAN = "loan"
    EXTENSION = "extension"
    DESTRUCTION = "destruction"
    SECRECY = "secrecy"
    TRANSFER = "transfer"
    RENEWAL = "renewal"
    CUSTODY = "custody"  # a paper into the standing custody of a post
    CIRCULATION = "circulation"  # a paper round on a slip


class ApprovalState(StrEnum):
    """Where a request stands. Which state may follow which: ``archive.approving.engine.NEXT``."""

    ASKED = "asked"
    QUESTIONED = "questioned"  # someone who decides asked back
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_FOR_OTHERS = text("for_id IS NOT NULL")


class Approval(Base):
    """A request on a record (or on what is not found yet), and its end.

    ``sealed`` is what is asked for and why, ``answer`` why it was decided so: JSON under the record's key, so that both
    go with the record; under the key of ``owner_id`` where the request named no record. ``for_id`` is who gets what
    is asked for, when that is another than who asks; ``about_id`` the loan that an extension is of. ``step`` counts
    from 1; 0: the policy alone says who decides.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_record_id", "record_id"),
        Index("ix_approval_state_asked_at_id", "state", "asked_at", "id"),
        Index("ix_approval_asked_by_asked_at_id", "asked_by", "asked_at", "id"),
        Index("ix_approval_asked_by_state", "asked_by", "state"),
        Index("ix_approval_asked_by_for_others", "asked_by", sqlite_where=_FOR_OTHERS, postgresql_where=_FOR_OTHERS),
    )

    id: Mapped[Key]
    kind: Mapped[ApprovalKind] = mapped_column(word(ApprovalKind))
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    owner_id: Mapped[UUID | None]
    about_id: Mapped[UUID | None]
    state: Mapped[ApprovalState] = mapped_column(word(ApprovalState), default=ApprovalState.ASKED)
    step: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    for_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[Version]


class ApprovalStep(Base):
    """One step of a request, as the route stood when it was asked. ``days`` until others may decide too (``escalate``).

    ``every``: one decides for each of those named; else one decides for all. ``finds``: it names the record first.
    """

    __tablename__ = "approval_step"
    __table_args__ = (Index("ix_approval_step_due_at", "due_at"),)

    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    every: Mapped[bool] = mapped_column(default=False)
    finds: Mapped[bool] = mapped_column(default=False)
    days: Mapped[int | None]
    escalate: Mapped[list[str]] = mapped_column(JSON, default=list)
    due_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]


class ApprovalDecider(Base):
    """Who decides at a step, as a token: ``role:archivist``, ``post:general_manager``, ``head:<department id>``.

    ``done_by`` is who decided for it.
    """

    __tablename__ = "approval_decider"
    __table_args__ = (Index("ix_approval_decider_token", "token"),)

    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(100), primary_key=True)
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class Said(StrEnum):
    """What was said at a step."""

    APPROVED = "approved"
    REFUSED = "refused"
    QUESTION = "question"
    ANSWER = "answer"
    FOUND = "found"  # which record was meant; no decision


class ApprovalWord(Base):
    """What someone said on a request; ``instead_of`` whom they stood in for. Insert-only."""

    __tablename__ = "approval_word"
    __table_args__ = (Index("ix_approval_word_approval_id_at", "approval_id", "at"),)

    id: Mapped[Key]
    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"))
    number: Mapped[int]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    instead_of: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    said: Mapped[Said] = mapped_column(word(Said))
    at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Deputy(Base):
    """Someone stands in for someone from a day to a day, both included. ``ended_at``: taken back."""

    __tablename__ = "deputy"
    __table_args__ = (Index("ix_deputy_person_id", "person_id"), Index("ix_deputy_deputy_id", "deputy_id"))

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    deputy_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    since: Mapped[date]
    until: Mapped[date]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RuleBook(StrEnum):
    """What a house writes down in rules of its own."""

    ROUTES = "routes"
    LOANS = "loans"


class HouseRule(Base):
    """One version of a rule book, as it was typed (YAML) and as it was read; the highest holds. Insert-only."""

    __tablename__ = "house_rule"

    book: Mapped[RuleBook] = mapped_column(word(RuleBook), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    document: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(200))
    kept_at: Mapped[datetime]
    kept_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
