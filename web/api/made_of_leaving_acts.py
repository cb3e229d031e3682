"""What programs send and are answered of acts on transfers and on reviews of secrecy."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import Afterwards, ApprovalState, SecrecyVerdict, TransferState
from web.api.clocks import Day, Line
from web.api.given import MOST_AT_ONCE, Reason
from web.api.shapes import Shape


class NewTransfer(Shape):
    """What is handed over, to whom and why; ``proposed``: what is due to go, too."""

    receiver: Line
    reason: Reason
    records: list[UUID] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    proposed: bool = False
    afterwards: Afterwards = Afterwards.KEEP


class Receipt(Shape):
    """What the other archive signed; ``disputed``: records that it does not accept, with its words."""

    signed_by: Line
    signed_on: Day
    scan_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = Field("", description="Of the signed sheet.")
    disputed: dict[UUID, Reason] = Field(default_factory=dict)


class TransferDone(Shape):
    """A transfer after an act."""

    transfer: UUID
    state: TransferState
    version: int


class TransferDecided(Shape):
    """A transfer after a decision: where its request stands, and where it ``stands`` itself."""

    transfer: UUID
    state: ApprovalState
    stands: TransferState


class NewReview(Shape):
    """A review of secrecy; what it needs beside its verdict the service says."""

    verdict: SecrecyVerdict
    records: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)
    reason: Reason
    level: int | None = Field(None, ge=0, le=99)
    months: int | None = Field(None, ge=1, le=1_200)
    until: Day | None = None
    title: Annotated[str, Field(max_length=500)] = Field("", description="Of a derived text, without secrets.")
    titles: dict[UUID, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict, description="Of derived texts of several records, by their ids."
    )


class ReviewDone(Shape):
    """A review after an act."""

    review: UUID
    state: ApprovalState


class SecrecyPeriod(Shape):
    """From when and for how many months (null: until a condition) a record is secret."""

    since: Day
    months: int | None = Field(None, ge=1, le=1_200)
    reason: Reason
