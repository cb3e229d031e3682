"""Papers that dossiers must have: the templates of a house, what each dossier follows, and its clocks."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Code, Key, Version

NEVER = date.max
"""Stands for no day in ``RequiredPapers.next_due``, so that it is ordered behind every day on every database."""


class DossierTemplate(Base):
    """One version of a dossier template that a house has made; the highest ``version`` is offered. Insert-only.

    ``body`` None: from here on the shipped template of this code is offered again, or none.
    """

    __tablename__ = "dossier_template"

    code: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(200))
    kept_at: Mapped[datetime]
    kept_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class RequiredPapers(Base):
    """A dossier that follows a template (``template_version`` 0: as shipped).

    ``facts`` are yes, no, or days (ISO) by code. ``linked_id`` is the other dossier that must be whole. ``next_due`` is
    the earliest day of its clocks that are not met (``NEVER``: none).
    """

    __tablename__ = "required_papers"
    __table_args__ = (
        Index("ix_required_papers_next_due_dossier_id", "next_due", "dossier_id"),
        Index("ix_required_papers_template", "template"),
    )

    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    template: Mapped[Code]
    template_version: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    linked_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"), index=True)
    next_due: Mapped[date] = mapped_column(default=NEVER)
    version: Mapped[Version]


class PaperMet(Base):
    """An item that was said to be a paper of its dossier, and what was seen of it.

    It counts as long as the item lies in the dossier.
    """

    __tablename__ = "paper_met"
    __table_args__ = (UniqueConstraint("dossier_id", "paper", "record_id"),)

    id: Mapped[Key]
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    paper: Mapped[Code]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    copy_sealed: Mapped[bool] = mapped_column(default=False)
    seen_on: Mapped[date | None]
    seen_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    returned_on: Mapped[date | None]
    returned_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class DossierPerson(Base):
    """A person (a subject) that a dossier names in a part of its template."""

    __tablename__ = "dossier_person"

    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    part: Mapped[Code] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    exclusive: Mapped[bool] = mapped_column(default=False)


class DossierClock(Base):
    """A clock of a dossier as plain days, for whatever reminds of them: from when, due, and when it was met."""

    __tablename__ = "dossier_clock"
    __table_args__ = (Index("ix_dossier_clock_due", "due"),)

    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    clock: Mapped[Code] = mapped_column(primary_key=True)
    since: Mapped[date]
    due: Mapped[date]
    met_on: Mapped[date | None]
