"""What keeps a record, or one copy of it, from being lent or moved out."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class BlockKind(StrEnum):
    """Why it stays: it is not there, or it is in work that must not lose it."""

    MISSING = "missing"
    IN_RESTORATION = "in_restoration"
    IN_APPRAISAL = "in_appraisal"
    UNDER_DESTRUCTION = "under_destruction"


class BlockCause(StrEnum):
    """What a block, or its end, came from. New members need no migration."""

    PERSON = "person"
    STOCKTAKING = "stocktaking"
    CHECK = "check"
    PLACING = "placing"
    WITHDRAWAL = "withdrawal"
    DESTRUCTION = "destruction"
    APPRAISAL = "appraisal"


_OPEN = text("ended_at is null")
_OPEN_RECORD = text("ended_at is null and copy_id is null")


class Block(Base):
    """A fact that blocks a record (``copy_id`` None: all its copies) while it is open; ended by an act, never deleted.

    ``cause_id`` names the stock-taking or other act that it came from. ``sealed`` and ``end_sealed`` are the reasons in
    words, under the record's key (None: the act that it came from says it all).
    """

    __tablename__ = "block"
    __table_args__ = (
        Index("uq_block_open_copy", "copy_id", "kind", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "uq_block_open_record", "record_id", "kind", unique=True, sqlite_where=_OPEN_RECORD,
            postgresql_where=_OPEN_RECORD,
        ),
        Index("ix_block_record_id", "record_id"),
        Index("ix_block_kind_ended_at", "kind", "ended_at"),
        CheckConstraint("(ended_at is null) = (ended_cause is null)", name="end_has_cause"),
    )  # fmt: skip

    id: Mapped[Key]
    kind: Mapped[BlockKind] = mapped_column(word(BlockKind))
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copy.id"))
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
    cause: Mapped[BlockCause] = mapped_column(word(BlockCause))
    cause_id: Mapped[UUID | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_cause: Mapped[BlockCause | None] = mapped_column(word(BlockCause))
    ended_cause_id: Mapped[UUID | None]
    end_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[Version]
