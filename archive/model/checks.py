"""Periodic checks of records against their papers: how often, what is due, what was found."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version

_OPEN = text("done_at is null")


class CheckRule(Base):
    """How often records are checked: of a level, of a category and all below it, of both, or (neither) of the house.

    ``share`` is how many in a hundred have their turn each time; ``since`` the day from which it holds.
    """

    __tablename__ = "check_rule"
    __table_args__ = (
        CheckConstraint("months between 1 and 600", name="interval"),
        CheckConstraint("share between 1 and 100", name="share"),
    )

    id: Mapped[Key]
    level_rank: Mapped[int | None] = mapped_column(ForeignKey("level.rank"))
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"))
    months: Mapped[int]
    share: Mapped[int]
    since: Mapped[date]
    version: Mapped[Version]


class RecordCheck(Base):
    """A check of a record: due on a day, or done, with what agreed with the paper.

    ``sealed`` is the remark, under the record's key.
    """

    __tablename__ = "record_check"
    __table_args__ = (
        Index("uq_record_check_open", "record_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_record_check_due_id", "due", "id"),
        Index("ix_record_check_done_at_id", "done_at", "id"),
        Index("ix_record_check_record_id", "record_id"),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    due: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    label_ok: Mapped[bool | None]
    number_ok: Mapped[bool | None]
    state_ok: Mapped[bool | None]
    description_ok: Mapped[bool | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
