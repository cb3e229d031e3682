"""What programs are answered of required papers, and what they send."""

from datetime import date
from uuid import UUID

from pydantic import Field

from archive.required.standing import Stands
from web.api.given import Code
from web.api.made import Names, Next
from web.api.shapes import Shape


class PaperItem(Shape):
    """An item that is a paper, and what was noted of it."""

    record: UUID
    title: str
    by_hand: bool = Field(description="It was named by someone; else its keyword or category marks it.")
    copy_sealed: bool
    original_seen_on: date | None
    original_returned_on: date | None


class PaperShown(Shape):
    """A paper that the template asks for, and how it stands."""

    code: str
    names: Names
    needed: int
    there: int
    stands: Stands
    items: list[PaperItem]


class ClockShown(Shape):
    """A clock that runs."""

    code: str
    names: Names
    since: date
    due: date
    met_on: date | None
    late: bool


class PapersShown(Shape):
    """A dossier's required papers, as far as you see its items: one that is hidden from you meets no paper."""

    dossier: UUID
    template: str
    facts: dict[str, bool | date] = Field(description="What is known, by code; what is not known is left out.")
    papers: list[PaperShown]
    clocks: list[ClockShown]
    people_missing: list[str]
    facts_missing: list[str]
    whole_first: UUID | None = Field(description="The other dossier that must be whole, if you may read it.")
    is_whole_first: bool | None = Field(description="Whether it is; null when none is asked for.")
    complete: bool
    version: int


class PapersLine(Shape):
    """A dossier on the board."""

    dossier: UUID
    title: str
    template: str
    missing: int
    complete: bool
    due: date | None
    late: bool


class PapersBoard(Shape):
    """One page of the dossiers that are incomplete or late, the earliest day first; it may hold fewer than asked."""

    dossiers: list[PapersLine]
    next: Next


class FollowTemplate(Shape):
    """The template that a dossier is to follow; null: none."""

    template: Code | None


class PaperFacts(Shape):
    """What is known of a dossier: yes, no or a day by code; null takes one away, what is left out stays."""

    facts: dict[str, bool | date | None] = Field(max_length=40)


class NamedPaper(Shape):
    """An item of the dossier that is one of its papers."""

    paper: Code
    record: UUID


class PaperSeen(NamedPaper):
    """What is noted of a paper's copy and original; each call says all of it anew."""

    copy_sealed: bool = False
    original_seen_on: date | None = Field(None, description="By you.")
    original_returned_on: date | None = None


class BoardQuery(Shape):
    """What the board takes."""

    template: Code | None = None
    department: UUID | None = None
    late: bool = False
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(50, ge=1, le=200)
