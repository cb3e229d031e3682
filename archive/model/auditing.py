"""Audits and inspections: checklists, audits planned by period, answers, findings, and their follow-up."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Names, Version, word


class AuditKind(StrEnum):
    """What is looked into."""

    DESTRUCTION = "destruction"  # programme, standard and method of destruction
    RULES = "rules"  # the system, and how rules are kept
    SECURITY = "security"  # the security officer's inspection
    ADMINISTRATORS = "administrators"  # their own acts
    RISK = "risk"  # weaknesses, each with its likelihood and a measure


class AuditState(StrEnum):
    """Where an audit stands. Findings are followed up after it is closed, too."""

    PLANNED = "planned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class AuditWord(StrEnum):
    """How a point is answered."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"


class Likelihood(StrEnum):
    """How likely a weakness is to do harm."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FindingState(StrEnum):
    """Where a finding stands: to be mended, mended as its person says, or closed by another who looked."""

    OPEN = "open"
    MENDED = "mended"
    CLOSED = "closed"


class AuditChecklist(Base):
    """A checklist as the house keeps it; ``body`` None: taken back. Insert-only: what is audited by it stays."""

    __tablename__ = "audit_checklist"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(200))
    kept_at: Mapped[datetime]
    kept_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class Audit(Base):
    """An audit of a period, perhaps of one fonds (its code), by a checklist as it was (``body``).

    ``again_months``: when it is closed, the next one is planned. ``sealed`` is its conclusion, under the audit's own
    key; ``facts`` what the system counted, as it stood at the close.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_state_due_id", "state", "due", "id"),)

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[AuditKind] = mapped_column(word(AuditKind))
    names: Mapped[Names] = mapped_column(JSON)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    fonds: Mapped[str | None] = mapped_column(String(64))
    since: Mapped[date]
    until: Mapped[date]
    due: Mapped[date]
    again_months: Mapped[int | None]
    state: Mapped[AuditState] = mapped_column(word(AuditState), default=AuditState.PLANNED)
    planned_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    planned_at: Mapped[datetime]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    version: Mapped[Version]


class AuditAnswer(Base):
    """The answer to a point; ``sealed`` its words (JSON); ``destruction_id`` names a destruction that shows it."""

    __tablename__ = "audit_answer"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audit.id"), primary_key=True)
    point: Mapped[str] = mapped_column(String(40), primary_key=True)
    said: Mapped[AuditWord] = mapped_column(word(AuditWord))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    destruction_id: Mapped[UUID | None] = mapped_column(ForeignKey("destruction.id"))
    said_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    said_at: Mapped[datetime]
    version: Mapped[Version]


class AuditFinding(Base):
    """What an audit found, the person who is to mend it, and by when.

    ``sealed``: what was found and the measure (JSON), under the audit's key. ``mended_by`` never closes it.
    """

    __tablename__ = "audit_finding"
    __table_args__ = (
        UniqueConstraint("audit_id", "number"),
        Index("ix_audit_finding_responsible_id_state", "responsible_id", "state"),
    )

    id: Mapped[Key]
    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audit.id"))
    number: Mapped[int]
    point: Mapped[str | None] = mapped_column(String(40))
    likelihood: Mapped[Likelihood | None] = mapped_column(word(Likelihood))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    responsible_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    due: Mapped[date]
    state: Mapped[FindingState] = mapped_column(word(FindingState), default=FindingState.OPEN)
    made_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    mended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    version: Mapped[Version]


class AuditFollowUp(Base):
    """A step in the follow-up of a finding, ``sealed`` with its words under the audit's key. Insert-only."""

    __tablename__ = "audit_follow_up"

    id: Mapped[Key]
    finding_id: Mapped[UUID] = mapped_column(ForeignKey("audit_finding.id"), index=True)
    step: Mapped[str] = mapped_column(String(20))  # "mend", "back", "close" or "move"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
