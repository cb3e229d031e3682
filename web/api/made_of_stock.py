"""What programs are answered of stock-takings: numbers and places, never a title."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from archive.model import FollowUp, ScanVerdict, StockState, Tally
from web.api.made import Next
from web.api.shapes import Shape


class StocktakingStands(Shape):
    """A stock-taking and its figures, of what you may see of it; tallies are 0 until it is closed."""

    stocktaking: UUID
    place: str
    state: StockState
    begun_at: datetime
    closed_at: datetime | None
    expected: int
    scanned: int
    found: int
    missing: int
    misplaced: int
    out: int
    unknown: int


class StocktakingPage(Shape):
    """One page of stock-takings, the newest first."""

    stocktakings: list[StocktakingStands]
    next: Next


class StockItemShown(Shape):
    """A copy in a closed stock-taking."""

    copy_id: UUID
    record: UUID
    number: str
    copy_number: int
    tally: Tally
    belongs: str | None
    found_at: str | None
    holder: str | None
    follow_up: FollowUp | None


class UnknownLabel(Shape):
    """A label that nobody could place, and where it was scanned last."""

    label: str
    place: str
    at: datetime


class StocktakingReport(StocktakingStands):
    """A stock-taking with its copies, once it is closed, and its unknown labels."""

    items: list[StockItemShown]
    labels: list[UnknownLabel]


class ScanTold(Shape):
    """What one scan was. ``label`` is the copy's number, or what was scanned."""

    id: UUID
    verdict: ScanVerdict
    label: str
    place: str
    belongs: str | None = Field(description="Where a misplaced copy lies by the books.")


class ScansTold(Shape):
    """What scans were, in their order."""

    scans: list[ScanTold]


class CheckDue(Shape):
    """A record that is due to be held against its paper."""

    record: UUID
    number: str | None
    due: date


class CheckNoted(Shape):
    """A check that is noted."""

    check: UUID


class ChecksPage(Shape):
    """One page of checks, the earliest first."""

    checks: list[CheckDue]
    next: Next
