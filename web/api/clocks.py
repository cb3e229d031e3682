"""What programs send and are answered of what is due, of events and of holds."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from archive.model import DueState, HoldKind
from retention.secrecy.rules import Standing
from web.api.given import Page, Reason
from web.api.made import Next
from web.api.shapes import Shape

Day = Annotated[date, Field(ge=date(1000, 1, 1), le=date(2200, 12, 31))]
Line = Annotated[str, Field(min_length=1, max_length=200)]
EventCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]


class TermList(Page):
    """Which records: those that are due by today, unless ``ahead``, ``year`` or another ``state`` is asked for."""

    state: DueState = Field(DueState.DATED, description="dated: has a day; the others say why a record has none.")
    ahead: bool = Field(default=False, description="What falls due later, too.")
    year: int | None = Field(None, ge=1000, le=2600, description="Of the day.")
    category: UUID | None = Field(
        None, description="An `id` of `/fonds/{code}/categories`, with all below it; only of records that you read."
    )
    place: UUID | None = Field(None, description="With all below it.")


class TermShown(Shape):
    """A record and its day. Of a record that you do not read, its registration number and days alone."""

    record: UUID
    registration_number: str | None
    number: str | None
    title: str | None
    state: DueState
    due: date | None
    found_due_on: date | None = Field(description="The day on which it was found to have fallen due.")


class TermPage(Shape):
    """One page of what is due, the earliest day first."""

    records: list[TermShown]
    next: Next


class SecrecyList(Page):
    """Which records: by how their secrecy periods stand."""

    standing: Standing = Field(
        Standing.LATE, description="late: ended and not decided; soon: within 90 days; runs: later; condition: no day."
    )
    category: UUID | None = Field(None, description="An `id` of `/fonds/{code}/categories`, with all below.")


class SecretShown(Shape):
    """A record that you read, and how long it is secret."""

    record: UUID
    number: str | None
    title: str
    level: int
    marked: date
    until: date | None = Field(description="The first day on which the period has run out; null: until a condition.")
    standing: Standing


class SecrecyPage(Shape):
    """One page of secrecy periods, the earliest end first."""

    records: list[SecretShown]
    next: Next


class TermOfRecord(Shape):
    """A filed record's clock: which schedule, what started it, from when it counts, and when the term has run out."""

    record: UUID
    state: DueState
    due: date | None
    schedule: str | None = Field(description="The schedule's code; null: none stands.")
    trigger: date | None = Field(description="The day of what started its own clock.")
    counted_from: date | None
    term: str | None
    of_dossier: bool = Field(description="Another record of its dossier is kept longer, and its day counts.")
    why: str = Field(description="In one sentence.")


class EventList(Page):
    """Which events: all that you may see, the newest first."""


class NewEvent(Shape):
    """Something that starts clocks."""

    event: EventCode = Field(description="contract_end, leaving, scrapping, handover, case_closed, or the house's own.")
    day: Day
    note: Reason = ""


class EventShown(Shape):
    """An event; of a record or of a subject."""

    event: UUID
    kind: str
    day: date
    record: UUID | None
    subject: UUID | None
    note: str
    entered_at: datetime
    undone_at: datetime | None


class EventPage(Shape):
    """One page of events."""

    events: list[EventShown]
    next: Next


class Why(Shape):
    """Why something is undone or released."""

    reason: Reason


class HoldList(Page):
    """Which holds."""

    released: bool = Field(default=False, description="Those that were released, instead of those that stand.")


class Query(Shape):
    """Conditions on descriptions; all that are given must fit."""

    words: list[Line] = Field(default_factory=list, max_length=20, description="Each stands in the title.")
    responsible: Annotated[str, Field(max_length=200)] = ""
    category: UUID | None = Field(None, description="An `id` of `/fonds/{code}/categories`.")
    path: Annotated[str, Field(max_length=200)] = Field("", description="A place's path: A001/01/.")
    since: Day | None = None
    until: Day | None = None


class NewHold(Shape):
    """A hold: on one record or dossier, a category, a place or shelf (with all below them), or a query."""

    kind: HoldKind
    name: Line
    reason: Reason
    authority: Line
    review_on: Day
    id: UUID | None = Field(
        None, description="Of the record, dossier, category (`/fonds/{code}/categories`), shelf (`/shelves`)."
    )
    path: Annotated[str, Field(max_length=200)] = Field("", description="Of a place: A001/01/.")
    query: Query | None = None

    @model_validator(mode="after")
    def _named(self) -> "NewHold":
        needed = {HoldKind.PLACE: "path", HoldKind.QUERY: "query"}.get(self.kind, "id")
        if not getattr(self, needed):
            msg = f"{needed} is needed"
            raise ValueError(msg)
        return self


class HoldShown(Shape):
    """A hold. ``ready``: its list of records is up to date; the hold itself counts from the start."""

    hold: UUID
    kind: HoldKind
    name: str
    reason: str
    authority: str
    review_on: date
    placed_at: datetime
    released_at: datetime | None
    ready: bool


class HoldPage(Shape):
    """One page of holds, the newest first."""

    holds: list[HoldShown]
    next: Next
