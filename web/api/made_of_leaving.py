"""What programs send and are answered of destructions, the register of the destroyed, transfers, secrecy reviews."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import (
    ApprovalState,
    DestructionItemState,
    DestructionMethod,
    DestructionState,
    SecrecyOutcome,
    SecrecyVerdict,
    Stop,
    TransferItemState,
    TransferState,
)
from web.api.clocks import Day
from web.api.given import Page
from web.api.made import Next
from web.api.shapes import Shape

Line = Annotated[str, Field(max_length=200)]


class DestructionList(Page):
    """Which destructions: those that you may see, have a duty in, or may object to."""

    state: DestructionState | None = None


class HowDestroyed(Shape):
    """How it is to be done."""

    purpose: Annotated[str, Field(max_length=500)]
    method: DestructionMethod
    place: Line = ""
    contractor: Line = ""
    weight: Annotated[str, Field(max_length=40)] = ""


class Weighed(Shape):
    """How paper went: its weight with the unit, and who took it away."""

    weighed: Annotated[str, Field(max_length=40)]
    taken_by: Line = ""


class NewDestruction(HowDestroyed):
    """A list that is proposed: all that closed appraisals gave up and nothing keeps, of one appraisal, due in a year.

    Nothing is destroyed by that: others agree, count and sign first.
    """

    appraisal: UUID | None = Field(None, description="A closed appraisal; left out: every closed one.")
    year: int | None = Field(None, ge=1900, le=2200, description="Due in this year; left out: in any.")


class DestructionMade(Shape):
    """A destruction that was begun or changed."""

    destruction: UUID
    number: str
    state: DestructionState
    version: int


class DestructionOut(DestructionMade):
    """A destruction. ``digest`` is over the list as the witnesses counted it; ``acts`` are what is yours to do now."""

    purpose: str
    method: DestructionMethod
    place: str | None
    contractor: str | None
    weight: str | None = Field(description="As it was estimated when the destruction was asked for.")
    weighed: str | None = Field(description="As it was weighed when the paper went.")
    taken_by: str | None
    begun_at: datetime
    cooling_until: datetime | None
    confirmed_at: datetime | None
    counted_at: datetime | None
    run_at: datetime | None
    gone_at: datetime | None
    closed_at: datetime | None
    digest: str | None


class DestructionShown(DestructionOut):
    """A destruction, and its records by state: none to who is only concerned."""

    counts: dict[DestructionItemState, int]
    acts: list[str]


class DestructionPage(Shape):
    """One page of destructions, the newest first."""

    destructions: list[DestructionOut]
    next: Next


class DoomedList(Page):
    """Which lines of a list."""

    pulled: bool = Field(default=False, description="Those that were taken out, instead.")


class DoomedOut(Shape):
    """A line of a list. Of a record that you do not read, no title and no id."""

    position: int
    record: UUID | None
    number: str | None
    title: str | None
    register_title: str | None = Field(description="The neutral title that the register is to show.")
    due: date | None
    state: DestructionItemState
    stop: Stop | None = Field(description="Why it was taken out, or would be if it were asked now.")


class DoomedPage(Shape):
    """One page of lines, in the order of the list."""

    items: list[DoomedOut]
    next: Next


class DestroyedList(Page):
    """Which lines of the register of what was destroyed."""

    number: Annotated[str, Field(max_length=60)] = Field("", description="A part of the number.")
    since: Day | None = Field(None, description="Gone on this day or later.")
    until: Day | None = Field(None, description="Gone on this day or earlier.")


class DestroyedOut(Shape):
    """A line of the register. ``title`` null: it is not yours to see."""

    destruction: UUID
    destruction_number: str
    position: int
    fonds: str
    category: str
    number: str | None
    title: str | None
    year: int | None
    term: str
    kept_years: int
    pages: int | None
    files: int
    gone_at: datetime | None


class DestroyedPage(Shape):
    """One page of the register, what went last first."""

    records: list[DestroyedOut]
    next: Next


class TransferList(Page):
    """Which transfers: of those of which you read a record."""

    ended: bool = Field(default=False, description="Those that ended, instead.")


class TransferOut(Shape):
    """A transfer to another archive."""

    transfer: UUID
    number: str
    receiver: str
    state: TransferState
    begun_at: datetime
    packed_at: datetime | None
    bag_sha256: str | None
    received_by: str | None
    received_on: date | None
    closed_at: datetime | None
    version: int


class TransferredOut(Shape):
    """A record of a transfer that you read."""

    record: UUID
    number: str | None
    title: str
    state: TransferItemState


class TransferShown(TransferOut):
    """A transfer and those of its records that you read; ``whole``: these are all."""

    items: list[TransferredOut]
    whole: bool


class TransferPage(Shape):
    """One page of transfers, the newest first."""

    transfers: list[TransferOut]
    next: Next


class ReviewList(Page):
    """Which secrecy reviews: of those of which you read a record."""

    decided: bool = Field(default=False, description="Those that are decided, instead.")


class ReviewOut(Shape):
    """A review of the secrecy of records."""

    review: UUID
    verdict: SecrecyVerdict
    state: ApprovalState
    to_level: int | None
    months: int | None
    until: date | None
    asked_at: datetime


class ReviewedOut(Shape):
    """A record under review that you read; ``level`` is its level when the review was asked for.

    ``derived_title`` is that asked for its derived text, ``derived`` that text, once it is made and if you read it.
    """

    record: UUID
    number: str | None
    title: str
    level: int
    outcome: SecrecyOutcome
    derived_title: str | None
    derived: UUID | None


class ReviewShown(ReviewOut):
    """A review and those of its records that you read; ``whole``: these are all."""

    reason: str
    items: list[ReviewedOut]
    whole: bool


class ReviewPage(Shape):
    """One page of reviews, the newest first."""

    reviews: list[ReviewOut]
    next: Next
