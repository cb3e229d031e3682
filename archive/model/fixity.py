"""What checks of stored bytes found: each run, and each object that was not what had been stored."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class Fixity(StrEnum):
    """What a check of a content found. ``unreadable``: the disk itself gives no bytes back."""

    WHOLE = "whole"
    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


class FindingEnd(StrEnum):
    """How a finding ended: a good copy was put in its place, or the object was found whole again."""

    MENDED = "mended"
    WHOLE = "whole"


class FixityRun(Base):
    """A run over a share of all objects; ``id`` is its job's. ``total`` is how many objects there were.

    ``objects``, ``bytes`` (of cipher) and ``bad`` are what it has looked at so far. A run without ``ended_at`` is at
    work, or was broken off and goes on.
    """

    __tablename__ = "fixity_run"
    __table_args__ = (Index("ix_fixity_run_began_at", "began_at"),)

    id: Mapped[Key]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    objects: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    bad: Mapped[int] = mapped_column(default=0)


class FixityFinding(Base):
    """An object version that was not what had been stored, and what became of it.

    ``content_id`` is the content's id, or the attachment's. ``size`` and ``sha256`` are those of the bytes that were
    found (None: there were none). A content whose record is gone leaves its findings here. ``set_id`` names the backup
    set that the good copy came from.
    """

    __tablename__ = "fixity_finding"
    __table_args__ = (Index("ix_fixity_finding_ended_at", "ended_at"),)

    id: Mapped[Key]
    content_id: Mapped[UUID] = mapped_column(index=True)
    object_key: Mapped[str] = mapped_column(String(100))
    store_version: Mapped[str | None] = mapped_column(String(100))
    found: Mapped[Fixity] = mapped_column(word(Fixity))
    found_at: Mapped[datetime]
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    ended: Mapped[FindingEnd | None] = mapped_column(word(FindingEnd))
    ended_at: Mapped[datetime | None]
    set_id: Mapped[UUID | None]
