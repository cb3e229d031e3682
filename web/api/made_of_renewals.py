"""What programs send and are answered of renewals of terms."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import ApprovalState
from retention.renewals import LONGEST_AUTHORITY, MOST
from web.api.given import Page, Reason
from web.api.made import Next
from web.api.shapes import Shape


class RenewalList(Page):
    """Which renewals: those of which you read a record."""

    decided: bool = Field(default=False, description="Those that are decided, instead.")


class NewRenewal(Shape):
    """Records that are to be kept on, by one request. Neither ``years`` nor ``through``: for good."""

    records: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]
    years: int | None = Field(
        None,
        ge=1,
        le=100,
        description="So many years more, from the day the term runs out; from today if that is past.",
    )
    through: int | None = Field(None, ge=1900, le=2200, description="To the end of this year.")
    authority: Annotated[str, Field(max_length=LONGEST_AUTHORITY)]
    reason: Reason


class RenewalStands(Shape):
    """A renewal and where it stands."""

    renewal: UUID
    state: ApprovalState
    asked_at: datetime
    decided_at: datetime | None


class RenewalOut(RenewalStands):
    """A renewal, and how many of its records you read."""

    records: int


class RenewalPage(Shape):
    """One page of renewals, the newest first."""

    renewals: list[RenewalOut]
    next: Next


class RenewedOut(Shape):
    """A record of a renewal that you read; ``until`` null: it would be kept for good."""

    record: UUID
    number: str | None
    title: str
    until: date | None


class RenewalShown(RenewalStands):
    """A renewal and those of its records that you read; ``whole``: these are all."""

    years: int | None
    through: int | None
    authority: str
    reason: str
    answer: str
    items: list[RenewedOut]
    whole: bool
    may_decide: bool
    may_withdraw: bool
