"""The way of a record into custody: until when it is to be filed, and when it was sent back on the way."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class CountedFrom(StrEnum):
    """What the days until filing are counted from."""

    DRAWN_UP = "drawn_up"
    YEAR_END = "year_end"


class FilingDeadline(Base):
    """How many days a category's records may wait to be filed; it holds for what lies below, too."""

    __tablename__ = "filing_deadline"

    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"), primary_key=True)
    days: Mapped[int]
    counted_from: Mapped[CountedFrom] = mapped_column(word(CountedFrom))
    version: Mapped[Version]


class SentBack(Base):
    """A draft was sent back to whoever prepares it, and perhaps handed in again. ``sealed``: why, under its key."""

    __tablename__ = "sent_back"
    __table_args__ = (
        Index("ix_sent_back_record_id", "record_id"),
        Index(
            "ix_sent_back_open",
            "sent_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sent_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    sent_at: Mapped[datetime]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]


class FilingRunState(StrEnum):
    """Where the filing of many stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class FilingRun(Base):
    """Many records filed in one act, in batches by a job."""

    __tablename__ = "filing_run"
    __table_args__ = (Index("ix_filing_run_person_id_created_at", "person_id", "created_at"),)

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    state: Mapped[FilingRunState] = mapped_column(word(FilingRunState), default=FilingRunState.RUNNING)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class FilingRunRow(Base):
    """A record of such an act. ``outcome``: None while it waits, ``filed``, or why it was not (a code)."""

    __tablename__ = "filing_run_row"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("filing_run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), index=True)
    outcome: Mapped[str | None] = mapped_column(String(64))
    missing: Mapped[list[str]] = mapped_column(JSON, default=list)
