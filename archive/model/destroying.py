"""Duties in a destruction, what was counted and signed, who objected, and what stays known of what is gone."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class Duty(StrEnum):
    """What someone has to do with a destruction. Nobody has two duties in one."""

    ASKER = "asker"
    DECIDER = "decider"  # at a step of its approval
    CONFIRMER = "confirmer"
    EXECUTOR = "executor"
    WITNESS = "witness"  # 监销人: two of them count before and sign after
    SUPERVISOR = "supervisor"  # of the information system, for electronic files


class SignedHow(StrEnum):
    """How someone signed: from their account (with their password), with a code handed to them, or on paper."""

    ACCOUNT = "account"
    CODE = "code"
    PAPER = "paper"


class DestructionDuty(Base):
    """Someone with a duty in a destruction: a person of the house, or (``person_id`` None) an outsider.

    ``sealed`` is an outsider's name and organisation (JSON) under the destruction's key. ``code`` is the hash of a
    one-time code. ``before`` and ``after`` are the digests that were signed before the count was closed and at the end;
    ``paper_id`` names the picture of a signature on paper.
    """

    __tablename__ = "destruction_duty"
    __table_args__ = (UniqueConstraint("destruction_id", "person_id"),)

    id: Mapped[Key]
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), index=True)
    duty: Mapped[Duty] = mapped_column(word(Duty))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    code: Mapped[str | None] = mapped_column(String(64))
    code_until: Mapped[datetime | None]
    wrong: Mapped[int] = mapped_column(default=0)
    before: Mapped[str | None] = mapped_column(String(64))
    before_at: Mapped[datetime | None]
    before_how: Mapped[SignedHow | None] = mapped_column(word(SignedHow))
    after: Mapped[str | None] = mapped_column(String(64))
    after_at: Mapped[datetime | None]
    after_how: Mapped[SignedHow | None] = mapped_column(word(SignedHow))
    paper_id: Mapped[UUID | None]


class DestructionScan(Base):
    """A paper that was counted for a destruction: a copy on its list, or (``copy_id`` None) one that is not on it.

    ``label`` is what was read of an extra one.
    """

    __tablename__ = "destruction_scan"

    id: Mapped[Key]
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), index=True)
    copy_id: Mapped[UUID | None]
    label: Mapped[str] = mapped_column(String(100))
    scanned_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    scanned_at: Mapped[datetime]


class DestructionObjection(Base):
    """Someone objected to the destruction of a record, ``sealed``: why, under the destruction's key. Insert-only."""

    __tablename__ = "destruction_objection"

    id: Mapped[Key]
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), index=True)
    record_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class DestructionFile(Base):
    """A photograph or scan of a destruction, sealed with its name under the destruction's key. Insert-only."""

    __tablename__ = "destruction_file"

    id: Mapped[Key]
    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), index=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    added_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]


class DestructionForm(Base):
    """A form of a closed destruction as it was printed first, in one language; its hash is in the log. Insert-only."""

    __tablename__ = "destruction_form"

    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    locale: Mapped[str] = mapped_column(String(8), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    kept_at: Mapped[datetime]


class DestroyedRecord(Base):
    """What stays of a destroyed record: the facts that the register 销毁清册 needs, written as the destruction begins.

    It names no row but the destruction's, so that it outlives the record. ``sealed`` is the title, or its neutral form
    (``neutral``), under the destruction's key. The destruction's item says when it was gone, or that it was pulled out.
    ``volumes`` is how many volumes 册 it was: 0 where its dossier, on the same list, tells them; None: not known.
    """

    __tablename__ = "destroyed_record"
    __table_args__ = (
        UniqueConstraint("destruction_id", "position"),
        Index("ix_destroyed_record_archive_number", "archive_number"),
    )

    destruction_id: Mapped[UUID] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    fonds: Mapped[str] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(64))
    level_rank: Mapped[int]
    registration_number: Mapped[str | None] = mapped_column(String(100))
    archive_number: Mapped[str | None] = mapped_column(String(200))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    neutral: Mapped[bool]
    dossier: Mapped[bool] = mapped_column(server_default=false())
    volumes: Mapped[int | None]
    year: Mapped[int | None]
    year_to: Mapped[int | None]
    drawn_up: Mapped[str | None] = mapped_column(String(10))
    filed_on: Mapped[date | None]
    due: Mapped[date]
    term: Mapped[str] = mapped_column(String(16))
    kept_years: Mapped[int]
    pages: Mapped[int | None]
    medium: Mapped[str] = mapped_column(String(32))
    files: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
