"""Loans: who borrows which record, until when, and what was found when it came back."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.model.columns import Key, Version, word
from archive.model.shelves import CopyCondition


class LoanForm(StrEnum):
    """How a record is lent."""

    OUT = "out"  # its paper leaves the archive
    ROOM = "room"  # its paper, in the reading room
    SCREEN = "screen"  # its files, on the page


class LoanState(StrEnum):
    """Where a loan stands. Which state may follow which: ``archive.loans.states.NEXT``."""

    ASKED = "asked"
    READY = "ready"  # approved; its paper waits at the counter, or is out with another
    OPEN = "open"  # the paper is with the borrower, or the files can be read
    RETURNED = "returned"
    ENDED = "ended"  # the reading right ended
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # approved and not collected, or its borrower lost the right to it
    LOST = "lost"


class Loan(Base):
    """One record lent to one person, from the request on.

    ``record_id`` None: described by words, not found yet. ``due_on`` is the last day. ``slip`` is shared by what was
    issued at once. ``effect`` is what came of the use, sealed under the record's key. ``copying``: files may be taken.
    ``excerpt_id``: what is read instead of the files, so that there is no reading right.
    """

    __tablename__ = "loan"
    __table_args__ = (
        Index("ix_loan_borrower_id_id", "borrower_id", "id"),
        Index("ix_loan_borrower_id_state", "borrower_id", "state"),
        Index("ix_loan_asked_at", "asked_at"),
        Index("ix_loan_issued_at_id", "issued_at", "id"),
        Index("ix_loan_record_id_state", "record_id", "state"),
        Index("ix_loan_state_number", "state", "number"),
        Index("ix_loan_state_due_on_id", "state", "due_on", "id"),
        Index("ix_loan_slip", "slip"),
        Index("ix_loan_excerpt_id", "excerpt_id"),
        Index(
            "uq_loan_copy_out",
            "copy_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approval.id"), unique=True)
    record_id: Mapped[UUID | None] = mapped_column(ForeignKey("record.id"))
    borrower_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    form: Mapped[LoanForm] = mapped_column(word(LoanForm))
    copying: Mapped[bool] = mapped_column(default=False)
    purpose: Mapped[str] = mapped_column(String(32))
    days: Mapped[int]
    state: Mapped[LoanState] = mapped_column(word(LoanState), default=LoanState.ASKED)
    asked_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    slip: Mapped[UUID | None]
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copy.id"))
    excerpt_id: Mapped[UUID | None]
    right_id: Mapped[UUID | None] = mapped_column(ForeignKey("reading_right.id"))
    issued_on: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    issued_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    due_on: Mapped[date | None]
    pages_out: Mapped[int | None]
    condition_out: Mapped[CopyCondition | None] = mapped_column(word(CopyCondition))
    ended_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    brought_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    pages_in: Mapped[int | None]
    condition_in: Mapped[CopyCondition | None] = mapped_column(word(CopyCondition))
    effect: Mapped[bytes | None] = mapped_column(LargeBinary)
    recalled_at: Mapped[datetime | None]
    version: Mapped[Version]


class Harm(StrEnum):
    """What is wrong with what came back, or did not."""

    DAMAGED = "damaged"
    PAGES = "pages"
    LOST = "lost"


class LoanReport(Base):
    """A difference found on return, or a loss, until it is settled. Texts are sealed under the record's key.

    It is of a loan, of a slip, or of a standing custody; ``holder_id`` had the paper. ``cost`` is in the smallest coin
    (分).
    """

    __tablename__ = "loan_report"
    __table_args__ = (
        Index("ix_loan_report_closed_at_id", "closed_at", "id"),
        Index("ix_loan_report_record_id", "record_id"),
    )

    id: Mapped[Key]
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"))
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("loan.id"))
    circulation_id: Mapped[UUID | None] = mapped_column(ForeignKey("circulation.id"))
    custody_id: Mapped[UUID | None] = mapped_column(ForeignKey("standing_custody.id"))
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    pages_out: Mapped[int | None]
    pages_in: Mapped[int | None]
    harm: Mapped[Harm] = mapped_column(word(Harm))
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    found: Mapped[bytes] = mapped_column(LargeBinary)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    done: Mapped[bytes | None] = mapped_column(LargeBinary)
    cost: Mapped[int | None]


class BasketItem(Base):
    """A record that someone laid aside to ask for together with others."""

    __tablename__ = "basket_item"
    __table_args__ = (Index("ix_basket_item_record_id", "record_id"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    added_at: Mapped[datetime]
