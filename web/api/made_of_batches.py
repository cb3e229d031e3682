"""What programs are answered of batches that are handed in."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from archive.model import Carrier, Failing, HandInState, LineState, SignedBy
from web.api.made import Next
from web.api.shapes import Shape


class BatchStands(Shape):
    """A batch, and where it stands. ``round`` counts how often it was handed in; ``version`` names it as it is."""

    batch: UUID
    state: HandInState
    round: int
    version: int


class BatchListed(BatchStands):
    """A batch in a list, with its lines by state."""

    name: str
    lines: dict[LineState, int]


class BatchPage(Shape):
    """One page of batches, the newest first."""

    batches: list[BatchListed]
    next: Next


class LineShown(Shape):
    """A line. Of one that speaks of a record that you may not read, its number is told at most."""

    line: UUID
    position: int
    state: LineState
    round: int
    record: UUID | None
    number: str
    title: str | None
    drawn_up: str | None
    pages: int | None
    copies: int | None
    carrier: Carrier | None
    remarks: str | None
    reason: Failing | None = Field(description="Why it did not pass when it was checked last.")
    words: str | None


class SignatureShown(Shape):
    """Who signed for a side, and when; ``digest`` is the SHA-256 of what was signed."""

    side: SignedBy
    person: UUID
    signed_at: datetime
    digest: str


class BatchShown(BatchStands):
    """A batch in full. ``whole``: what was signed is what stands."""

    name: str
    lines: list[LineShown]
    signatures: list[SignatureShown]
    whole: bool


class LineStands(Shape):
    """A line, where it stands, and the record that it is now."""

    line: UUID
    state: LineState
    record: UUID | None
