"""What programs send and are answered of schedules and the drafts that change them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.model import ApprovalState, DueState
from retention.previewing import Move, Moved
from retention.rules import Action, Start, Trigger
from web.api.clocks import Line
from web.api.given import Code, Names, Reason
from web.api.made import Next
from web.api.shapes import Shape


class ScheduleRule(Shape):
    """When a term begins and ends, and what then.

    ``term`` null: the term that each record has; ``exact``: whatever that is, else the longer of both counts.
    """

    term: Annotated[str, Field(max_length=5)] | None = Field(description="Y is permanent, D10 ten years, M18 months.")
    trigger: Trigger
    event: Annotated[str, Field(max_length=40)] = ""
    start: Start
    action: Action
    exact: bool = False
    fiscal_end: Annotated[str, Field(max_length=5)] = Field("12-31", description="Month and day.")
    source: Annotated[str, Field(max_length=300)] = Field(description="The law or decision that says so.")


class CategoryNamed(Shape):
    """A category by its fonds' code and its own."""

    fonds: Code
    category: Code


class ScheduleShown(Shape):
    """A schedule; ``records``: how many have it instead of their category's."""

    schedule: UUID
    code: str
    names: dict[str, str]
    rule: ScheduleRule
    categories: list[CategoryNamed]
    records: int
    version: int


class ScheduleWas(Shape):
    """A schedule as it was from a moment on."""

    version: int
    since: datetime
    names: dict[str, str]
    rule: ScheduleRule


class ScheduleSeen(ScheduleShown):
    """A schedule with its versions, the newest first."""

    versions: list[ScheduleWas]


class Schedules(Shape):
    """The schedules, by code."""

    schedules: list[ScheduleShown]


class NewDraft(Shape):
    """A change of a schedule, or (``schedule`` null) a new one, as a whole."""

    schedule: UUID | None = None
    code: Code | None = Field(None, description="Of a new one; that of a schedule never changes.")
    names: Names
    rule: ScheduleRule
    categories: list[CategoryNamed] = Field(max_length=500)
    reason: Reason


class DraftMade(Shape):
    """A draft, and where it stands."""

    draft: UUID
    state: ApprovalState


class DraftShown(DraftMade):
    """A draft of a schedule; ``schedule`` null: of a new one."""

    schedule: UUID | None
    code: str
    names: dict[str, str]
    rule: ScheduleRule
    reason: str
    asked_at: datetime
    decided_at: datetime | None
    answer: str


class DraftSeen(DraftShown):
    """A draft, and while it waits how many records that you see it would move, and how (null: it is decided)."""

    moves: dict[Moved, int] | None
    same: int | None


class Drafts(Shape):
    """One page of drafts: those that wait, then the newest."""

    drafts: list[DraftShown]
    next: Next


class RecordMoves(Shape):
    """A record that a change would move. Of one that you do not read, its registration number alone."""

    record: UUID
    number: str
    title: str | None
    how: Moved
    state_before: DueState | None
    before: date | None
    state_after: DueState
    after: date | None


def record_moves(each: Move) -> RecordMoves:
    """Return one record that would move as programs read it."""
    return RecordMoves(
        record=each.record_id, number=each.number, title=each.title, how=each.how, state_before=each.before[0],
        before=each.before[1], state_after=each.after[0], after=each.after[1],
    )  # fmt: skip


class MovesPage(Shape):
    """One page of what would move."""

    records: list[RecordMoves]
    next: Next


class OwnSchedule(Shape):
    """The schedule that a record has instead of its category's (null: its category's), who says so and why."""

    schedule: UUID | None
    authority: Line
    reason: Reason


class NumberRuleShown(Shape):
    """A rule by which numbers are given."""

    rule: str
    names: dict[str, str]
    template: str


class NumberRules(Shape):
    """The rules by code."""

    rules: list[NumberRuleShown]
