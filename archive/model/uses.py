"""Uses by readers from outside, who have no account: who they were, what for, and which records they used."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class IdentityPaper(StrEnum):
    """By what paper a reader from outside showed who they are."""

    RESIDENT = "resident"  # 居民身份证
    PASSPORT = "passport"
    PERMIT = "permit"  # of residents of Hong Kong, Macao and Taiwan
    OTHER = "other"


class UseHow(StrEnum):
    """How a reader from outside used a record."""

    READ = "read"  # in the reading room
    COPIES = "copies"  # handed out at the counter


class OutsideReader(Base):
    """A reader from outside who is known from a visit.

    ``sealed`` is who they are (JSON: name, paper, number, organisation, contact), under the reader's own key; ``token``
    finds the whole number of their paper again, ``name_token`` their whole name. ``last_at``: when they came last.
    """

    __tablename__ = "outside_reader"
    __table_args__ = (
        Index("ix_outside_reader_name_token", "name_token"),
        Index("ix_outside_reader_last_at_id", "last_at", "id"),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    name_token: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    version: Mapped[Version]


_UNGATHERED = text("reader_id IS NULL AND token <> ''")
"""Visits from before the register of readers."""


class OutsideUse(Base):
    """One visit of a reader from outside; ``reader_id``: who it was, as long as they are in the register.

    ``sealed`` is who they are (JSON: name, paper, number, organisation), under the visit's own key; ``token`` finds
    the whole number of their paper again, and no part of it.
    """

    __tablename__ = "outside_use"
    __table_args__ = (
        Index("ix_outside_use_token", "token"),
        Index("ix_outside_use_staff_id", "staff_id"),
        Index("ix_outside_use_reader_id", "reader_id"),
        Index("ix_outside_use_ungathered", "id", sqlite_where=_UNGATHERED, postgresql_where=_UNGATHERED),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime]
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    token: Mapped[str] = mapped_column(String(64))
    reader_id: Mapped[UUID | None] = mapped_column(ForeignKey("outside_reader.id"))
    version: Mapped[Version]


class OutsideUseRecord(Base):
    """A record that was used on a visit. ``sealed``: need, and effect once known (JSON), under the record's key."""

    __tablename__ = "outside_use_record"
    __table_args__ = (
        UniqueConstraint("use_id", "record_id"),
        Index("ix_outside_use_record_record_id", "record_id"),
        Index("ix_outside_use_record_at_id", "at", "id"),
    )

    id: Mapped[Key]
    at: Mapped[datetime]
    use_id: Mapped[UUID] = mapped_column(ForeignKey("outside_use.id"))
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    how: Mapped[UseHow] = mapped_column(word(UseHow))
    pages: Mapped[int | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
