"""What was done about backups: each run, and how it ended."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class BackupAct(StrEnum):
    """What a run did: make a set, check one by its hashes, or rehearse its restore."""

    MAKE = "make"
    CHECK = "check"
    REHEARSE = "rehearse"
    RESTORE = "restore"


class BackupRun(Base):
    """A run. ``error`` is a code when it did not end well; ``facts`` are counts and seconds, without secret text.

    ``set_id`` names the set in the backup's store. A run without ``ended_at`` is at work, or was broken off.
    """

    __tablename__ = "backup_run"
    __table_args__ = (Index("ix_backup_run_act_ended_at", "act", "ended_at"),)

    id: Mapped[Key]
    act: Mapped[BackupAct] = mapped_column(word(BackupAct))
    set_id: Mapped[UUID | None]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(100))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
