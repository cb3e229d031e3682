"""What programs send and are answered of baskets, papers with people without a loan, and figures of loans."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import ApprovalState, CirculationState, LoanForm
from web.api.shapes import Shape


class BasketLine(Shape):
    """A record laid aside; ``why``: by form, the code of why it is not lent so. ``loan``: your own of it that runs."""

    record: UUID
    number: str
    forms: list[LoanForm]
    why: Mapping[LoanForm, str]
    loan: UUID | None


class BasketHolds(Shape):
    """All that lies in your basket, the first laid in first."""

    records: list[BasketLine]


class LaidAside(Shape):
    """Records to be laid into the basket; what you may not borrow is left out."""

    records: Annotated[list[UUID], Field(min_length=1, max_length=50)]


class Receiver(Shape):
    """One receiver of a slip, in turn."""

    person: UUID
    signed_at: datetime | None


class SlipStands(Shape):
    """A circulation slip; texts are null for who does not read its record. ``holder`` null: the archive has it."""

    circulation: UUID
    slip: int
    record: UUID | None
    state: CirculationState
    purpose: str | None
    scope: str | None
    until: date
    overdue: bool
    holder: UUID | None
    turn: UUID | None
    receivers: list[Receiver]


class Slips(Shape):
    """The slips that concern you, the newest first; ``next``: where the next page begins (null: this is the last)."""

    circulations: list[SlipStands]
    next: str | None


class CustodyStands(Shape):
    """A paper that a post keeps; ``vacant``: who has it holds the post no more. ``record`` null: you do not read it.

    ``issued_at`` null: it waits at the counter.
    """

    custody: UUID
    record: UUID | None
    post: UUID
    department: UUID
    person: UUID
    next_person: UUID | None
    issued_at: datetime | None
    check_on: date
    late: bool
    vacant: bool


class Custodies(Shape):
    """The papers in standing custody that concern you, those looked at first come first; ``next`` as elsewhere."""

    custodies: list[CustodyStands]
    next: str | None


class PaperRequestStands(Shape):
    """An application for a paper without a loan. ``record`` null: you do not read it; ``begun``: what it became."""

    request: UUID
    kind: str
    state: ApprovalState
    step: int
    record: UUID | None
    begun: UUID | None


class PaperRequests(Shape):
    """Applications for papers without a loan; ``next``: where the next page begins (null: this is the last)."""

    requests: list[PaperRequestStands]
    next: str | None


class Span(Shape):
    """From which day to which, both included; at most three years."""

    since: date = Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))
    until: date = Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))


class LoanFigures(Shape):
    """Figures of the loans asked for within a span, over what you may see. Keys: codes, months, ids of departments."""

    since: date
    until: date
    total: int
    refused: int
    handed: int
    late: int
    waited_minutes: int | None = Field(description="The median from asking to a yes; null: nothing was approved.")
    departments: Mapping[str, int]
    categories: Mapping[UUID, int]
    purposes: Mapping[str, int]
    forms: Mapping[str, int]
    months: Mapping[str, int]
