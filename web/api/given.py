"""What programs send, as shapes: nothing unknown is taken, and nothing of another type."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from archive.checking import LONGEST_REMARK
from archive.identity import Role
from archive.log.browse import LARGEST_PAGE
from archive.model import (
    Carrier,
    CopyCondition,
    FileRole,
    Medium,
    PlaceKind,
    RecordKind,
    RecordState,
    RelationKind,
    Security,
    ShelfKind,
)
from archive.model.log import LogResult
from web.api.shapes import Moment, Shape

Text = Annotated[str, Field(max_length=20_000)]
Short = Annotated[str, Field(max_length=2_000)]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Word = Annotated[str, Field(max_length=100)]
Reason = Annotated[str, Field(max_length=500)]
Values = dict[str, JsonValue]
Names = dict[Literal["zh_CN", "zh_TW", "en"], Annotated[str, Field(max_length=200)]]

MOST_AT_ONCE = 200


class Described(Shape):
    """The parts of a description that ``records`` and ``PATCH`` have in common; a part left out stays as it is."""

    title: Short = Field("", description="What the record is called.")
    drawn_up: Short | None = Field(None, description="A civil date as far as it is known: 2024, 2024-03, 2024-03-05.")
    responsible: Short | None = None
    department: Code | None = Field(None, description="The department's code.")
    place: Annotated[str, Field(max_length=200)] | None = Field(None, description="The place's path: A001/02/001.")
    term: Annotated[str, Field(max_length=16)] | None = Field(None, description="Y for permanent, D30 for 30 years.")
    medium: Medium = Medium.ELECTRONIC
    material: Annotated[str, Field(max_length=32)] = "document"
    pages: int | None = Field(None, ge=0, le=1_000_000)
    keywords: list[Word] = Field(default_factory=list, max_length=50)
    importance: int | None = Field(None, ge=1, le=3, description="1 ordinary, 2 important, 3 essential.")
    notes: Text | None = None
    fields: Values = Field(
        default_factory=dict,
        description="The category's own fields by name; PATCH: those that change, null takes away.",
    )


class NewCorrection(Described):
    """A correction that is asked for: the parts that would change, and why."""

    reason: Reason = Field(description="What is wrong, and how it is known.")


class Decision(Shape):
    """What is decided on a request."""

    approve: bool
    reason: Reason


class NewRecord(Described):
    """A record to be catalogued."""

    fonds: Code = Field(description="The fonds' code.")
    category: Code = Field(description="The category's code.")
    title: Short = Field(description="What the record is called.")
    kind: RecordKind = RecordKind.ITEM
    level: int | None = Field(None, ge=0, le=99, description="The level's rank; the category's when left out.")
    group: Annotated[str, Field(max_length=40)] | None = Field(None, description="The need-to-know group's mark.")
    named: list[Word] = Field(default_factory=list, max_length=100, description="Sign-in names of those named on it.")


class Level(Shape):
    """A change of level."""

    level: int = Field(ge=0, le=99)
    reason: Reason


class Vital(Shape):
    """The mark of a vital record; null takes it off."""

    review: date | None


class Group(Shape):
    """A change of the need-to-know group; null takes the record out of any."""

    group: Annotated[str, Field(max_length=40)] | None
    reason: Reason


class DoubleDecision(Shape):
    """What is decided on two records: that they are not the same, or (``same``) that they may be after all."""

    same: bool


class PutIn(Shape):
    """Items that are put into a dossier; ``source`` is the dossier that they lie in now (null: none)."""

    records: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)
    source: UUID | None = None
    place: int | None = Field(None, ge=1, le=1_000_000, description="From 1; null: behind the last.")


class Order(Shape):
    """All items of a dossier that you see, in the order that they shall have."""

    records: list[UUID] = Field(max_length=10_000)


class Volume(Shape):
    """Whether a volume begins at an item."""

    begins: bool = True


class Split(Shape):
    """Where a dossier is split: the item and all behind it go into a new one of this title."""

    item: UUID
    title: Short


class Merge(Shape):
    """The dossier whose items come behind those of this one."""

    other: UUID


class RelationMade(Shape):
    """That a record replaces, replies to … ``other``."""

    kind: RelationKind
    other: UUID


class Because(Shape):
    """Why something is decided so."""

    reason: Reason


class Many(Shape):
    """Records to be filed, each once."""

    records: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Page(Shape):
    """Where a list goes on, and how much of it is wanted."""

    cursor: Annotated[str, Field(max_length=200)] | None = Field(None, description="The `next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class SlipList(Page):
    """Which circulation slips."""

    ended: bool = Field(default=False, description="Those whose paper came back; otherwise those that go round.")


class PaperRequestList(Page):
    """Which applications for papers without a loan."""

    own: bool = Field(default=False, description="Those that you put; otherwise those that wait for your decision.")


class CorrectionList(Page):
    """Which corrections."""

    own: bool = Field(default=False, description="Those that you asked for; otherwise those that you may decide.")


class RecordList(Page):
    """Which records are listed; a place takes in what lies below it."""

    fonds: Code | None = None
    category: Code | None = None
    state: RecordState | None = None
    level: int | None = Field(None, ge=0, le=99)
    place: Annotated[str, Field(max_length=200)] | None = None


class NewUpload(Shape):
    """A file that will come in pieces."""

    name: Annotated[str, Field(min_length=1, max_length=1_000)]
    size: int = Field(ge=1, le=2**53 - 1, description="Bytes.")
    role: FileRole = FileRole.ORIGINAL


class NewFile(Shape):
    """A file that comes in one request."""

    name: Annotated[str, Field(min_length=1, max_length=1_000)]
    role: FileRole = FileRole.ORIGINAL


class Offset(Shape):
    """Where in its file a piece begins: a multiple of the piece's full length."""

    offset: int = Field(ge=0, le=2**53 - 1)


class Below(Shape):
    """Below which place."""

    below: Annotated[str, Field(max_length=200)] | None = Field(None, description="A path; the projects without it.")


class NewPlace(Shape):
    """A place to be added."""

    kind: PlaceKind
    code: Code
    names: Names
    parent: Annotated[str, Field(max_length=200)] | None = Field(None, description="The path of the place above.")
    property_types: list[Code] = Field(default_factory=list, max_length=50)
    facts: Values = Field(default_factory=dict)


class BelowShelf(Shape):
    """In which place for papers."""

    below: Annotated[str, Field(max_length=100)] | None = Field(None, description="Its code; the rooms without it.")


class NewShelf(Shape):
    """A place for papers to be added; shelves and boxes have a capacity, rooms and cabinets a security."""

    kind: ShelfKind
    code: Annotated[str, Field(max_length=8)] = Field(description="Capitals and digits.")
    names: Names = Field(default_factory=dict)
    parent: Annotated[str, Field(max_length=100)] | None = Field(None, description="The code of what it stands in.")
    security: Security | None = None
    capacity: int | None = Field(None, ge=1, le=10_000)


class NewCopy(Shape):
    """A copy to be noted."""

    carrier: Carrier = Carrier.PAPER
    condition: CopyCondition = CopyCondition.GOOD
    pages: int | None = Field(None, ge=0, le=1_000_000)
    original: bool = True
    original_at: Annotated[str, Field(max_length=200)] | None = Field(None, description="Who holds the original.")


class CopyChanges(Shape):
    """What of a copy changes; what is left out stays."""

    carrier: Carrier = Carrier.PAPER
    condition: CopyCondition = CopyCondition.GOOD
    pages: int | None = Field(None, ge=0, le=1_000_000, description="Null takes the count away.")
    original: bool = True
    original_at: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Who holds the original; null takes it away."
    )


class CopyReason(Shape):
    """Why a copy is withdrawn."""

    reason: Reason


class CopyHolder(Shape):
    """Whom a copy is with from now on."""

    holder: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="Their sign-in name.")


class CopyPlace(Shape):
    """Where a copy is to lie."""

    place: Annotated[str, Field(min_length=1, max_length=100)] = Field(description="The code of a shelf or a box.")


class NewSubject(Shape):
    """A subject to be added."""

    kind: Code
    code: Code | None = None
    values: Values


class SubjectChanges(Shape):
    """Fields of a subject that change; null takes one away."""

    values: Values


class Number(Shape):
    """A whole telephone or identity number."""

    number: Annotated[str, Field(min_length=1, max_length=100)]


class NewPerson(Shape):
    """An account to be added."""

    login: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=100)]
    password: Annotated[str, Field(max_length=1_000)]
    roles: list[Role] = Field(default_factory=lambda: [Role.STAFF], max_length=len(Role))
    clearance: int = Field(0, ge=0, le=99)
    locale: Literal["zh_CN", "zh_TW", "en"] | None = None


class Roles(Shape):
    """The roles that a person shall have, and no others."""

    roles: list[Role] = Field(max_length=len(Role))


class Clearance(Shape):
    """The highest level's rank that a person may read; 0: none."""

    clearance: int = Field(ge=0, le=99)


class LogPage(Page):
    """Where the log goes on."""

    limit: int = Field(50, ge=1, le=LARGEST_PAGE)


class LogList(LogPage):
    """Which entries; ``since`` is included, ``until`` is not. ``act`` may end in a dot (``record.``).

    Several acts are parted by commas.
    """

    act: Annotated[str, Field(max_length=400)] | None = None
    person: UUID | None = None
    record: UUID | None = None
    result: LogResult | None = None
    since: Moment | None = None
    until: Moment | None = None


class SealedLog(Shape):
    """Behind which place of the chain; entries are sealed within about a second."""

    after: int = Field(0, ge=0, le=2**53 - 1, description="The `after` of the answer before; 0: from the beginning.")
    limit: int = Field(50, ge=1, le=LARGEST_PAGE)


class NewStocktaking(Shape):
    """What is to be counted."""

    place: Annotated[str, Field(max_length=100)] = Field(description="The code of a room, cabinet, shelf or box.")


class GivenScan(Shape):
    """A label that was scanned at a place."""

    id: UUID = Field(description="Of your making; a scan that is sent again under it counts once.")
    place: Annotated[str, Field(max_length=100)] = Field(description="The code of the shelf or box it lies in.")
    label: Annotated[str, Field(min_length=1, max_length=300)] = Field(description="As it was read.")


class Scans(Shape):
    """Scans in their order."""

    scans: Annotated[list[GivenScan], Field(min_length=1, max_length=20)]


class NewCheck(Shape):
    """What of a record agrees with its paper; where something does not, ``remark`` says what."""

    label_ok: bool
    number_ok: bool
    state_ok: bool
    description_ok: bool
    remark: str = Field("", max_length=LONGEST_REMARK)
    hold: Literal["missing", "in_restoration"] | None = Field(None, description="Hold the record back for this.")


class ChecksDue(Page):
    """Up to which day."""

    until: date | None = Field(None, description="Today without it.")
