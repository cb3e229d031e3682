"""What programs send and are answered at the counter, and of the register of loans."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from archive.loans.reports import LONGEST
from archive.model import CopyCondition, Harm, LoanState
from web.api.given import Page
from web.api.made import Next
from web.api.made_of_loans import LoanStands
from web.api.shapes import Shape

Login = Annotated[str, Field(min_length=1, max_length=64, description="A sign-in name.")]
Words = Annotated[str, Field(max_length=LONGEST)]


class PaperCounted(Shape):
    """A paper as it lies on the counter; what is left out is as it was."""

    record: UUID
    copy_number: int | None = Field(None, ge=1, le=1_000_000, description="Which of its copies, where it has several.")
    pages: int | None = Field(None, ge=0, le=999_999, description="As counted.")
    condition: CopyCondition | None = None


class HandOut(PaperCounted):
    """A paper that is handed to whom it was approved for."""

    person: Login
    slip: UUID | None = Field(None, description="Of your making: what is handed out under one stands on one slip.")


class BringBack(PaperCounted):
    """A paper that comes back."""

    person: Login | None = Field(None, description="Who brings it, by sign-in name, if not who borrowed it.")
    words: Words = Field("", description="What is wrong with it, if something is.")
    effect: Words = Field("", description="What came of its use.")


class PaperMoved(Shape):
    """A paper that went out or came back: on a ``loan``, into standing ``custody``, or on a ``circulation``.

    ``place``: where it lay; ``waiting``: another loan of it waits; ``differs``: fewer pages or worse than it went out.
    """

    what: Literal["loan", "custody", "circulation"]
    id: UUID
    record: UUID
    copy_number: int | None
    due: date | None
    slip: UUID | None
    report: UUID | None
    place: str | None
    waiting: bool
    differs: bool


class AtCounterList(Shape):
    """Whose papers wait."""

    person: Login


class WaitsAtCounter(Shape):
    """What waits at the counter for someone."""

    what: Literal["loan", "custody", "circulation"]
    id: UUID
    record: UUID
    number: str | None
    due: date | None


class WaitAtCounter(Shape):
    """What waits at the counter for someone, of records that you lend."""

    papers: list[WaitsAtCounter]


class RegisterList(Page):
    """Which loans."""

    state: LoanState | None = None
    overdue: bool = Field(default=False, description="Only papers whose last day is over.")
    record: UUID | None = None
    person: Login | None = None


class RegisteredLoan(LoanStands):
    """A loan of a record that you lend."""

    record_number: str | None
    title: str | None
    borrower: str
    copy_number: int | None
    recalled: bool


class RegisterPage(Shape):
    """One page of loans, the newest first, or of what is overdue the longest overdue first."""

    loans: list[RegisteredLoan]
    next: Next


class Loss(Shape):
    """What is known of a loss."""

    words: Words


class Effect(Shape):
    """What came of the use of a loan."""

    effect: Words


class LossReported(Shape):
    """The report of damage or loss that was opened."""

    report: UUID


class ReportOpened(LossReported):
    """The report that was opened of a loan."""

    loan: UUID


class ReportStands(Shape):
    """A report of damage or loss of a loan, a circulation or a custody.

    ``done`` "": it is open. ``cost`` is in the smallest coin.
    """

    report: UUID
    loan: UUID | None
    circulation: UUID | None
    custody: UUID | None
    record: UUID
    harm: Harm
    opened_at: datetime
    found: str
    closed_at: datetime | None
    done: str
    cost: int | None


class ReportPage(Shape):
    """One page of reports of records that you lend: open ones first, then the newest."""

    reports: list[ReportStands]
    next: Next


class Settlement(Shape):
    """What was done about damage or loss."""

    words: Words
    cost: int | None = Field(None, ge=0, le=10**10, description="In the smallest coin.")
