"""Papers handed in by batch 移交批次: the hand-over list, what was found of each line, and who signed.

And what other archives hand over: their bags, and the records that came in by them.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word
from archive.model.shelves import Carrier


class HandInState(StrEnum):
    """Where a batch stands: with the clerk (open, returned), with the archives (handed in, checked), or signed."""

    OPEN = "open"
    HANDED_IN = "handed_in"
    RETURNED = "returned"
    CHECKED = "checked"
    SIGNED = "signed"


class LineState(StrEnum):
    """Where a line stands. ``passed`` and ``withdrawn`` are its ends."""

    LISTED = "listed"
    HANDED_IN = "handed_in"
    PASSED = "passed"
    FAILED = "failed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Failing(StrEnum):
    """Why a line does not pass."""

    NOT_THERE = "not_there"
    PAGES_DIFFER = "pages_differ"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    LABEL_WRONG = "label_wrong"
    NOT_THE_ORIGINAL = "not_the_original"
    WRONG_DESCRIPTION = "wrong_description"
    OTHER = "other"


class SignedBy(StrEnum):
    """The two sides of a hand-over."""

    HANDED = "handed"
    RECEIVED = "received"


class HandIn(Base):
    """A batch. ``sealed`` is its name under a key of its own, which seals its lines too.

    ``round`` counts how often it was handed in; 0: not yet.
    """

    __tablename__ = "hand_in"
    __table_args__ = (Index("ix_hand_in_state_created_at_id", "state", "created_at", "id"),)

    id: Mapped[Key]
    fonds_id: Mapped[UUID] = mapped_column(ForeignKey("fonds.id"))
    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    state: Mapped[HandInState] = mapped_column(word(HandInState), default=HandInState.OPEN)
    round: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    handed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    handed_at: Mapped[datetime | None]
    checked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    version: Mapped[Version]


class HandInDuty(Base):
    """For which side someone has acted on a batch, in any round: handed it in, or checked it. Insert-only.

    Nobody acts for both.
    """

    __tablename__ = "hand_in_duty"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in.id"), primary_key=True)
    side: Mapped[SignedBy] = mapped_column(word(SignedBy), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)


class HandInLine(Base):
    """A line of a batch's list. ``sealed`` is what it says (number, title, date, remarks; JSON).

    ``record_id`` is the draft that it was filled from, or the record that came of it; a line that was filled from a
    draft says nothing of its own until it passes. ``carrier`` None: a file that is in the archive already. ``round`` is
    the one in which it was handed in last.
    """

    __tablename__ = "hand_in_line"
    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        Index("ix_hand_in_line_record_id", "record_id"),
        CheckConstraint("copies > 0", name="counted"),
    )

    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in.id"))
    position: Mapped[int]
    state: Mapped[LineState] = mapped_column(word(LineState), default=LineState.LISTED)
    carrier: Mapped[Carrier | None] = mapped_column(word(Carrier))
    pages: Mapped[int | None]
    copies: Mapped[int] = mapped_column(default=1)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    round: Mapped[int] = mapped_column(default=0)


class HandInCheck(Base):
    """What was found of a line. Insert-only: a line's newest check counts.

    ``reason`` None: it passed. ``sealed`` are the words of who checked, under the batch's key.
    """

    __tablename__ = "hand_in_check"
    __table_args__ = (Index("ix_hand_in_check_batch_id_round", "batch_id", "round"),)

    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in.id"))
    line_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in_line.id"))
    round: Mapped[int]
    arrived: Mapped[bool]
    pages_agree: Mapped[bool]
    readable: Mapped[bool]
    labelled: Mapped[bool]
    reason: Mapped[Failing | None] = mapped_column(word(Failing))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    checked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime]


class HandInSignature(Base):
    """A signature under a batch, over the digest of all that its lines said and what was found. Insert-only."""

    __tablename__ = "hand_in_signature"
    __table_args__ = (UniqueConstraint("batch_id", "person_id"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in.id"), primary_key=True)
    side: Mapped[SignedBy] = mapped_column(word(SignedBy), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    signed_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))


class HandInForm(Base):
    """A register form of a signed batch, as it was printed then: a PDF under the batch's key. Insert-only."""

    __tablename__ = "hand_in_form"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("hand_in.id"), primary_key=True)
    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime]


class BagState(StrEnum):
    """Where the taking in of a bag stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class BagIntake(Base):
    """A bag of another archive, kept as a ZIP of a record, whose records come in as drafts.

    ``done`` of ``records`` have come in. ``fault`` says why it failed: a code, and the path that it is about.
    """

    __tablename__ = "bag_intake"
    __table_args__ = (
        Index("ix_bag_intake_begun_by_begun_at", "begun_by", "begun_at"),
        Index("ix_bag_intake_record_id", "record_id"),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    content_id: Mapped[UUID]
    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"))
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"))
    state: Mapped[BagState] = mapped_column(word(BagState), default=BagState.RUNNING)
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    number: Mapped[str] = mapped_column(String(100), default="")
    records: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[Version]


class BagDraft(Base):
    """A record that came in by a bag; their ids tell the order in which they came."""

    __tablename__ = "bag_draft"

    bag_id: Mapped[UUID] = mapped_column(ForeignKey("bag_intake.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
