"""Papers that are with people without a loan: those that go round on a slip, and those that a post keeps."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word
from archive.model.shelves import CopyCondition


class CirculationState(StrEnum):
    """Where a circulation slip stands."""

    READY = "ready"  # agreed to; the paper lies in the archive until it is handed out at the counter
    ROUND = "round"  # the paper is with who sends it round, or with one of the receivers
    RETURNED = "returned"
    LOST = "lost"


class Circulation(Base):
    """A circulation slip 文件传递单: one paper that goes from one receiver to the next, and comes back by a day.

    ``sealed`` is its purpose and scope, under the record's key.
    """

    __tablename__ = "circulation"
    __table_args__ = (
        Index("ix_circulation_record_id", "record_id"),
        Index("ix_circulation_copy_id", "copy_id"),
        Index("ix_circulation_state_id", "state", "id"),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copy.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    until: Mapped[date]
    state: Mapped[CirculationState] = mapped_column(word(CirculationState), default=CirculationState.READY)
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    pages_out: Mapped[int | None]
    condition_out: Mapped[CopyCondition] = mapped_column(word(CopyCondition))
    ended_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    pages_in: Mapped[int | None]
    condition_in: Mapped[CopyCondition | None] = mapped_column(word(CopyCondition))
    version: Mapped[Version]


class CirculationStop(Base):
    """One receiver of a slip, in turn: when they signed for the paper."""

    __tablename__ = "circulation_stop"
    __table_args__ = (
        UniqueConstraint("circulation_id", "position"),
        Index("ix_circulation_stop_person_id_signed_at", "person_id", "signed_at"),
    )

    id: Mapped[Key]
    circulation_id: Mapped[UUID] = mapped_column(ForeignKey("circulation.id"))
    position: Mapped[int]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    signed_at: Mapped[datetime | None]


class StandingCustody(Base):
    """A paper that a post keeps for its work 受控发放, without a loan's term: looked at every ``months``.

    ``person_id`` is who holds the post now; ``next_id`` who follows them, once they said so and no supervisor signed
    yet. ``issued_at`` None: it waits at the counter. ``ended_at``: it is back, or was never fetched.
    """

    __tablename__ = "standing_custody"
    __table_args__ = (
        Index("ix_standing_custody_record_id", "record_id"),
        Index("ix_standing_custody_copy_id", "copy_id"),
        Index("ix_standing_custody_person_id", "person_id"),
        Index("ix_standing_custody_post_id_department_id", "post_id", "department_id"),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copy.id"))
    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    next_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    months: Mapped[int]
    check_on: Mapped[date]
    begun_at: Mapped[datetime]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    issued_at: Mapped[datetime | None]
    pages_out: Mapped[int | None]
    condition_out: Mapped[CopyCondition | None] = mapped_column(word(CopyCondition))
    ended_at: Mapped[datetime | None]
    version: Mapped[Version]


class CustodyAct(StrEnum):
    """What happened to a paper in standing custody."""

    CHECKED = "checked"
    HANDED_OVER = "handed_over"
    RETURNED = "returned"
    LOST = "lost"


class CustodyEntry(Base):
    """A check, a hand-over from one holder of the post to the next, the return, or the loss. Insert-only.

    ``signed_by`` is who checked or took it back, or the supervisor who signed.
    """

    __tablename__ = "custody_entry"
    __table_args__ = (Index("ix_custody_entry_custody_id_at", "custody_id", "at"),)

    id: Mapped[Key]
    custody_id: Mapped[UUID] = mapped_column(ForeignKey("standing_custody.id"))
    act: Mapped[CustodyAct] = mapped_column(word(CustodyAct))
    at: Mapped[datetime]
    signed_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    from_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    pages: Mapped[int | None]
    condition: Mapped[CopyCondition | None] = mapped_column(word(CopyCondition))
