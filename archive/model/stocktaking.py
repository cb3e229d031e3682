"""Stock-taking: what should lie at a place, every scan, and what became of each copy."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word


class StockState(StrEnum):
    """Where a stock-taking stands. What is ``closed`` never changes."""

    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Tally(StrEnum):
    """What became of a copy, once the stock-taking is closed: each is in one of these."""

    FOUND = "found"
    MISSING = "missing"
    MISPLACED = "misplaced"
    OUT = "out"


class ScanVerdict(StrEnum):
    """What one scan was."""

    FOUND = "found"
    MISPLACED = "misplaced"
    TWICE = "twice"
    UNKNOWN = "unknown"


class FollowUp(StrEnum):
    """What was done about a copy afterwards."""

    MARKED = "marked"
    PUT_THERE = "put_there"
    PUT_BACK = "put_back"
    FOUND = "found"


class Stocktaking(Base):
    """A count of what lies at a place and in all that stands in it. ``path`` is that of the place when it began."""

    __tablename__ = "stocktaking"
    __table_args__ = (
        Index("ix_stocktaking_begun_at_id", "begun_at", "id"),
        Index("ix_stocktaking_place_id_state", "place_id", "state"),
        CheckConstraint("(closed_at is null) = (state <> 'closed')", name="closed_has_a_time"),
    )

    id: Mapped[Key]
    place_id: Mapped[UUID] = mapped_column(ForeignKey("shelf_place.id"))
    path: Mapped[str] = mapped_column(String(40))
    state: Mapped[StockState] = mapped_column(word(StockState), default=StockState.OPENING)
    begun_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    version: Mapped[Version]


class StockItem(Base):
    """A copy in a stock-taking: expected, or found although it was not.

    ``expected_at`` is where it lay by the books when the count began (None: it was out from here, or not expected);
    ``found_at`` where it was scanned last, ``belonged_at`` where the books had it then. The closing sets ``tally``.
    """

    __tablename__ = "stocktaking_item"
    __table_args__ = (
        Index("ix_stocktaking_item_stocktaking_id_tally", "stocktaking_id", "tally"),
        Index("ix_stocktaking_item_copy_id", "copy_id"),
    )

    stocktaking_id: Mapped[UUID] = mapped_column(ForeignKey("stocktaking.id"), primary_key=True)
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copy.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    expected: Mapped[bool]
    expected_at: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    found_at: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    belonged_at: Mapped[UUID | None] = mapped_column(ForeignKey("shelf_place.id"))
    tally: Mapped[Tally | None] = mapped_column(word(Tally))
    follow_up: Mapped[FollowUp | None] = mapped_column(word(FollowUp))


class StockScan(Base):
    """One scan, under the id that the scanning browser gave it, so that it counts once however often it is sent.

    ``label`` is what was scanned, kept of an unknown one alone. Insert-only.
    """

    __tablename__ = "stocktaking_scan"
    __table_args__ = (Index("ix_stocktaking_scan_stocktaking_id_at", "stocktaking_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    stocktaking_id: Mapped[UUID] = mapped_column(ForeignKey("stocktaking.id"))
    at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    place_id: Mapped[UUID] = mapped_column(ForeignKey("shelf_place.id"))
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copy.id"))
    verdict: Mapped[ScanVerdict] = mapped_column(word(ScanVerdict))
    label: Mapped[str | None] = mapped_column(String(100))
