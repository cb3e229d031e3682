"""What programs send and get, as typed shapes: answers are made from them, and so is the OpenAPI document."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from archive.files.pairing import Why
from archive.identity import Role
from archive.model import ContentState, FileRole, Medium, RecordKind, RecordState, TextState
from indexer.query.parser import LONGEST_QUERY

DEEPEST = 10_000
MOST_HITS = 100
MOST_FILTERS = 50

Moment = Annotated[AwareDatetime, Field(ge=datetime(1000, 1, 1, tzinfo=UTC), le=datetime(2999, 12, 31, tzinfo=UTC))]
Filter = Annotated[str, Field(max_length=300)]


class Shape(BaseModel):
    """Base of all shapes: nothing changes once made, and nothing unknown is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SearchQuery(Shape):
    """What a search takes."""

    q: str = Field("", max_length=LONGEST_QUERY, description="The query, as in the search box; blank finds everything.")
    filter: list[Filter] = Field(
        default_factory=list,
        max_length=MOST_FILTERS,
        description=(
            "field:value, repeatable; all must hold. Fields: category, fonds, department, dossier (ids; a category "
            "takes in what lies below it), level, year (numbers), medium, kind, state, project (words), place (a "
            "path, with what lies below), date (a range such as 2023..2024-05)."
        ),
    )
    offset: int = Field(0, ge=0, le=DEEPEST, description="How many hits to pass over.")
    limit: int = Field(20, ge=1, le=MOST_HITS, description="How many hits to answer with.")


class PagesWanted(Shape):
    """Which pages of a marked copy; a file that is had as it is comes whole."""

    first: int = Field(1, ge=1, le=1_000_000)
    last: int | None = Field(
        None, ge=1, le=1_000_000, description="At most 50 pages at once; so many from the first where it is left out."
    )


class FieldFault(Shape):
    """What is wrong with one field; ``facts`` fill the words, ``at`` points into a query."""

    field: str
    pointer: str | None = Field(description="Where it stands in the body that was sent (RFC 6901).")
    code: str
    detail: str
    facts: dict[str, JsonValue]


class Problem(Shape):
    """An error (RFC 9457). ``code`` is stable; ``detail`` is in the language asked for."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    fields: list[FieldFault]


class Me(Shape):
    """Whom the token stands for."""

    login: str
    name: str
    roles: list[Role]


class PassageFound(Shape):
    """A piece of a page's text around what was found."""

    page: int
    text: str
    content: UUID | None = Field(description="Whose page it is.")


class HitFound(Shape):
    """A record that was found; ``number`` is missing until it has one. ``record`` is its id."""

    number: str | None
    title: str
    level: int
    mark: str = Field(description="The level's mark, to be shown wherever the record is.")
    record: UUID
    passages: list[PassageFound]


class SearchAnswer(Shape):
    """One page of hits, how many there are in all, and counts by facet and value."""

    total: int
    hits: list[HitFound]
    facets: dict[str, dict[str, int]]
    complete: bool = Field(description="False while the index is made up again: not all is found yet.")


class RemarkMade(Shape):
    """Something to be said of a file that is in: ``type_mismatch`` (facts: claimed, type) …; ``detail`` in words."""

    code: str
    detail: str
    facts: dict[str, str]


class FileShown(Shape):
    """A file of a record; ``content`` is the id that its bytes are fetched by."""

    content: UUID | None
    name: str
    inside: UUID | None = Field(description="The content of the file that it was taken out of.")
    path: str | None = Field(description="What it was called there.")
    members: int | None = Field(description="How many files were taken out of it.")
    members_lost: int | None = Field(description="How many of those in it could not be taken out.")
    role: FileRole
    state: ContentState
    reason: str | None
    type: str | None
    pronom: str | None = Field(description="Its format in the PRONOM registry, such as fmt/412.")
    macros: bool = Field(description="Whether it holds macros; they never run here.")
    size: int | None = Field(description="Bytes.")
    pages: int | None
    text: TextState
    doubles: int = Field(description="How many other records, visible to you, hold the same bytes.")
    scans: int = Field(description="How many of its pages are scans, whose words only OCR can find.")
    scans_waiting: int = Field(description="How many of these were not read yet.")
    scanned_with: str | None = Field(description="Which virus scanner looked last; null: none.")
    remarks: list[RemarkMade] = Field(description="What is odd about it, such as a name that claims another kind.")


class ProposalMade(Shape):
    """A value that a file of the record proposes for a field; it waits for a person to take it."""

    field: str = Field(description="title, drawn_up, document_number or responsible.")
    value: str
    rule: str = Field(description="The rule that found it; detail says it in words.")
    detail: str
    source: Literal["text", "property", "name"] = Field(description="On a page, in the file's properties, in its name.")
    content: UUID | None = Field(description="The file's content.")
    page: int | None = Field(description="The page it stands on, from 1.")
    start: int | None = Field(description="Where it begins in the page's text, in characters.")
    end: int | None
    fills: bool = Field(description="Whether it would fill what is empty, or confirm what stands there unconfirmed.")


class ReasonMade(Shape):
    """Why two records may be the same; ``detail`` in words."""

    why: Why
    percent: int | None = Field(description="How much of a near text both have in common; null with other reasons.")
    detail: str


class AlikeRecord(Shape):
    """Another record, visible to you, that may be the same: the strongest reason first."""

    record: UUID
    number: str
    title: str
    level: int
    reasons: list[ReasonMade]


class CustodyRecord(Shape):
    """What whoever keeps custody sees of a record: number, carrier and dates.

    ``due``: when its term runs out; ``back_by``: until when a paper of it that is lent comes back.
    """

    view: Literal["custody"] = "custody"
    record: UUID
    number: str
    registration_number: str | None
    kind: RecordKind
    state: RecordState
    level: int
    mark: str
    medium: Medium
    pages: int | None
    created_at: datetime
    filed_at: datetime | None
    due: date | None
    back_by: date | None


class FullRecord(Shape):
    """What a reader sees of a record. Personal numbers among ``fields`` are masked."""

    view: Literal["full"] = "full"
    record: UUID
    number: str
    registration_number: str | None
    title: str
    fonds: str = Field(description="The fonds' code.")
    joined_to: str | None = Field(description="The code of the fonds that this one was joined to.")
    category: str = Field(description="The category's code.")
    kind: RecordKind
    state: RecordState
    level: int
    mark: str
    group: str | None = Field(description="The mark of its need-to-know group: only named people read it.")
    drawn_up: str | None = Field(description="A civil date as far as it is known: 2024, 2024-03 or 2024-03-05.")
    drawn_up_proposed: bool
    responsible: str | None
    department: str | None = Field(description="The department's code.")
    place: str | None = Field(description="The place's path.")
    term: str = Field(description="The retention term's code.")
    vital_review: date | None = Field(description="Set on vital records: the day on which that is looked at again.")
    medium: Medium
    material: str
    pages: int | None
    keywords: list[str]
    importance: int | None = Field(description="1 ordinary, 2 important, 3 essential; null: as its category says.")
    uses: int = Field(description="How often it was lent, opened to a borrower, or given to a reader from outside.")
    notes: str | None
    fields: dict[str, JsonValue]
    subjects: list[str]
    named: list[str] = Field(description="The people named on the record.")
    missing: list[str] = Field(description="What it still needs before it can be filed.")
    files: list[FileShown]
    proposals: list[ProposalMade] = Field(description="What its files propose; empty unless you may describe it.")
    alike: list[AlikeRecord] = Field(description="Other records, visible to you, that may be the same; at most 20.")
    created_at: datetime
    filed_at: datetime | None
    version: int


RecordAnswer = Annotated[FullRecord | CustodyRecord, Field(discriminator="view")]
"""One record, as much of it as the person may see."""
