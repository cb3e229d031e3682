"""What programs send and are answered of appraisals and unsettled matters."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from archive.model import AppraisalState, MatterKind, Stop, Verdict
from retention.appraising.consulting import AT_ONCE
from retention.appraising.judging import BATCH
from web.api.clocks import Day
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


class MatterKept(Shape):
    """Which matter was entered or settled; its words are read with the list."""

    matter: UUID


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
    version: int


class AppraisalPage(Shape):
    """One page of appraisals, the newest first."""

    appraisals: list[AppraisalOut]
    next: Next


class ItemList(Page):
    """Which items of an appraisal."""

    verdict: Verdict | None = Field(None, description="Those with this verdict.")


class OpinionOut(Shape):
    """What one member of the panel says; ``reason`` is "" for who may not be told it."""

    person: str
    verdict: Verdict
    until: date | None
    reason: str


class AdviceOut(Shape):
    """What one outside the panel was asked; ``answered_at`` null: they have not answered."""

    person: str
    question: str
    answered_at: datetime | None
    answer: str


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
    opinions: list[OpinionOut]
    advice: list[AdviceOut] = Field(description="Of people outside the panel; it counts in no verdict.")


class ItemPage(Shape):
    """One page of items, in the order of the list."""

    items: list[ItemOut]
    next: Next


class NewAppraisal(Shape):
    """An appraisal of what is due today, is on no other list, and fits all that is given here."""

    purpose: Annotated[str, Field(min_length=1, max_length=500)]
    panel: list[Annotated[str, Field(max_length=64)]] = Field(max_length=100, description="Sign-in names of three.")
    chair: Annotated[str, Field(max_length=64)] = Field(description="The sign-in name of one of them.")
    year: int | None = Field(None, ge=1001, le=2999, description="In which it fell due.")
    category: UUID | None = Field(None, description="An `id` of `/fonds/{code}/categories`, with all below.")
    place: UUID | None = Field(None, description="With all below it.")
    schedule: UUID | None = None
    unread_years: int = Field(0, ge=0, le=100, description="Only what nobody has opened or borrowed for so long.")
    importance: int | None = Field(None, ge=1, le=3, description="Only what is said to be so important at most.")
    without_vital: bool = False
    handed_over: bool = Field(default=False, description="Only copies of what went to another archive.")


class SomeItems(Shape):
    """Records of an appraisal's list."""

    records: list[UUID] = Field(min_length=1, max_length=BATCH)


class NewOpinion(Shape):
    """What a member says of some records, or (``records`` null) of all items that ``which`` means.

    A later opinion takes the place of an earlier one.
    """

    records: list[UUID] | None = Field(None, min_length=1, max_length=BATCH)
    which: Literal["todo", "unsaid", "all"] = Field("todo", description="Not judged by you; without a verdict; all.")
    verdict: Verdict
    until: Day | None = Field(None, description="With keep alone: the day until which it is kept on.")
    reason: Reason


class NewQuestion(Shape):
    """A question of the chair to one outside the panel, who reads all of these records by rights of their own."""

    records: list[UUID] = Field(min_length=1, max_length=AT_ONCE)
    person: Annotated[str, Field(max_length=64)] = Field(description="A sign-in name.")
    question: Reason


class QuestionList(Page):
    """Which questions: those that wait for your answer."""


class QuestionOut(Shape):
    """A question that waits for you."""

    appraisal: UUID
    appraisal_number: str
    record: UUID
    number: str
    title: str
    asked_by: str
    asked_at: datetime
    question: str


class QuestionPage(Shape):
    """One page of questions, the oldest first."""

    questions: list[QuestionOut]
    next: Next


class Counted(Shape):
    """How many items it was done of; ``later``: a job goes on with it."""

    items: int
    later: bool = False
