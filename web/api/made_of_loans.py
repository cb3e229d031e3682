"""What programs send and are answered of loans and of the requests for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import ApprovalState, LoanForm, LoanState
from web.api.given import Reason
from web.api.made import Next
from web.api.shapes import Shape


class NewLoan(Shape):
    """What is asked for: how, what for (a code of the house's list), and why."""

    form: LoanForm = LoanForm.OUT
    purpose: Annotated[str, Field(max_length=32)] = Field(description="A code of `/loan-purposes`.")
    reason: Reason = Field(description="Why it is needed.")
    days: int | None = Field(None, ge=0, le=366, description="As long as the rules let, when left out.")
    copies: Reason | None = Field(None, description="Why copies are wanted, if they are.")
    borrower: Annotated[str, Field(max_length=64)] | None = Field(None, description="For whom, by sign-in name.")


class DescribedLoan(NewLoan):
    """What is asked for by a description; it is taken alike whether it exists or not."""

    sought: Annotated[str, Field(max_length=500)]


class PurposeOffered(Shape):
    """What a loan can be for, of the house's list."""

    purpose: str
    names: Mapping[str, str]


class Purposes(Shape):
    """The house's purposes of loans."""

    purposes: list[PurposeOffered]


class RecordLent(Shape):
    """How a record is lent now: by which ``forms``; ``why`` is why not by the others (codes).

    ``loan``: your own that runs.
    """

    record: UUID
    forms: list[LoanForm]
    why: Mapping[LoanForm, str]
    loan: UUID | None


class LoanStands(Shape):
    """A loan, and where it stands; ``record`` is null until what was described is found, or may be seen."""

    loan: UUID
    number: int
    request: UUID
    record: UUID | None
    form: LoanForm
    state: LoanState
    asked_at: datetime
    due_on: date | None
    overdue: int = Field(description="Days since the last day; 0: none.")


class LoanPage(Shape):
    """One page of loans, the newest first."""

    loans: list[LoanStands]
    next: Next


class LoanExtended(Shape):
    """A loan after an extension was asked for: ``extended`` at once, or someone decides."""

    loan: UUID
    extended: bool
    due_on: date | None


class RequestStands(Shape):
    """A request at its present step."""

    request: UUID
    kind: str
    state: ApprovalState
    step: int
    loan: UUID


class RequestPage(Shape):
    """One page of requests that wait for you, the oldest first."""

    requests: list[RequestStands]
    next: Next
