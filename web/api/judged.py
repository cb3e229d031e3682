"""What programs send and are answered of appraisals and unsettled matters."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from archive.model import AppraisalState, MatterKind, Stop, Verdict
from web.api.given import Page, Reason
from web.api.made import Next
from web.api.shapes import Shape


class MatterList(Page):
    """Which matters: those that are open, of what you may see."""

    settled: bool = Field(default=False, description="Those that are settled, instead.")


class NewMatter(Shape):
    """Something that is not settled; while it is open, nothing that it hangs on is destroyed."""

    kind: MatterKind
    reason: Reason


class MatterOut(Shape):
    """A matter; of a record or of a subject."""

    matter: UUID
    kind: MatterKind
    record: UUID | None
    subject: UUID | None
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    settled_why: str


class MatterPage(Shape):
    """One page of matters, the newest first."""

    matters: list[MatterOut]
    next: Next


class AppraisalList(Page):
    """Which appraisals: those that you may see, or sit on the panel of."""


class AppraisalOut(Shape):
    """An appraisal. ``digest`` is over numbers and verdicts once it is closed; a ``busy`` one is being worked on."""

    appraisal: UUID
    number: str
    purpose: str
    state: AppraisalState
    busy: bool
    begun_at: datetime
    closed_at: datetime | None
    digest: str | None


class AppraisalPage(Shape):
    """One page of appraisals, the newest first."""

    appraisals: list[AppraisalOut]
    next: Next


class ItemList(Page):
    """Which items of an appraisal."""

    verdict: Verdict | None = Field(None, description="Those with this verdict.")


class ItemOut(Shape):
    """An item. Of a record that you do not read, its registration number, its day and what was said of it alone."""

    position: int
    record: UUID
    number: str
    title: str | None
    fell_due: date
    verdict: Verdict | None
    until: date | None = Field(description="To keep it on until.")
    stop: Stop | None = Field(description="What keeps it from being destroyed; of a closed one, kept it at the close.")


class ItemPage(Shape):
    """One page of items, in the order of the list."""

    items: list[ItemOut]
    next: Next
