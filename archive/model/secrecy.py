"""How long records are secret, the reviews that end or change that, and what was appraised for release."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, word


class RecordSecrecy(Base):
    """The secrecy period of a filed record whose level has one: from the day it was marked, or to a condition.

    ``sealed`` is the condition, or why the period is another than its level's, under the record's key. ``noticed_on``
    is the day on which its end was put among what falls due.
    """

    __tablename__ = "record_secrecy"
    __table_args__ = (
        CheckConstraint("(months IS NULL) = (ends IS NULL)", name="dated"),
        Index(
            "ix_record_secrecy_ends_record_id",
            "ends",
            "record_id",
            sqlite_where=text("ends IS NOT NULL"),
            postgresql_where=text("ends IS NOT NULL"),
        ),
        Index(
            "ix_record_secrecy_condition",
            "record_id",
            sqlite_where=text("ends IS NULL"),
            postgresql_where=text("ends IS NULL"),
        ),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    since: Mapped[date]
    months: Mapped[int | None]
    ends: Mapped[date | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    noticed_on: Mapped[date | None]


class SecrecyVerdict(StrEnum):
    """What a review would do with its records."""

    LOWER = "lower"  # 直接降级
    RAISE = "raise"
    EXTEND = "extend"
    DECLASSIFY = "declassify"
    DERIVE = "derive"  # 分类降级: the original stays, a derived text is issued at a lower level
    OPEN = "open"  # 开放鉴定: to release
    CONTROL = "control"  # 开放鉴定: not to release, until a day


class SecrecyReview(Base):
    """A review of the secrecy of records; who asked, why, and the decision stand on its request.

    ``to_level`` is the level they come to, ``months`` by how much a period is extended, ``until`` the day until which
    they are not released.
    """

    __tablename__ = "secrecy_review"

    id: Mapped[Key]
    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"), unique=True)
    verdict: Mapped[SecrecyVerdict] = mapped_column(word(SecrecyVerdict))
    to_level: Mapped[int | None] = mapped_column(ForeignKey("level.rank"))
    months: Mapped[int | None]
    until: Mapped[date | None]


class SecrecyOutcome(StrEnum):
    """What became of a record of a review."""

    WAITING = "waiting"
    DONE = "done"
    CHANGED = "changed"  # it stood otherwise by then
    CONTENTS = "contents"  # a dossier that holds something of a higher level


class SecrecyReviewItem(Base):
    """A record under review. ``level_rank`` is its level when it was asked for; ``derived_id`` the derived text.

    ``title`` of several that have texts derived: that of the text, sealed under the record's key.
    """

    __tablename__ = "secrecy_review_item"
    __table_args__ = (Index("ix_secrecy_review_item_record_id", "record_id"),)

    review_id: Mapped[UUID] = mapped_column(ForeignKey("secrecy_review.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    position: Mapped[int]
    level_rank: Mapped[int]
    outcome: Mapped[SecrecyOutcome] = mapped_column(word(SecrecyOutcome), default=SecrecyOutcome.WAITING)
    derived_id: Mapped[UUID | None]
    title: Mapped[bytes | None] = mapped_column(LargeBinary)


class RecordOpening(Base):
    """What a record's opening appraisal came to: released since a day, or kept from release until one."""

    __tablename__ = "record_opening"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    released: Mapped[bool]
    since: Mapped[date]
    until: Mapped[date | None]
