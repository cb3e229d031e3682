"""What programs are answered of dossiers, relations, corrections, shelves and copies."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from archive.model import (
    ApprovalState,
    Carrier,
    CopyCondition,
    Medium,
    RecordState,
    RelationKind,
    ShelfKind,
)
from web.api.made import Names, Next
from web.api.shapes import Shape


class CorrectionStands(Shape):
    """A correction, and where it stands: ``asked``, ``approved``, ``refused`` or ``withdrawn``."""

    correction: UUID
    record: UUID
    state: ApprovalState
    asked_at: datetime


class CorrectionShown(CorrectionStands):
    """A correction in full: what would change, by name. Personal numbers are masked."""

    before: dict[str, JsonValue]
    after: dict[str, JsonValue]
    reason: str
    answer: str = Field(description="Why it was decided so; empty while it waits.")
    passed: bool = Field(description="The record stands otherwise by now: it can only be refused.")


class CorrectionPage(Shape):
    """One page of corrections, the newest first."""

    corrections: list[CorrectionStands]
    next: Next


class ItemPlaced(Shape):
    """An item of a dossier; place, volume and page numbers are counted over what you see."""

    record: UUID
    place: int
    number: str | None
    document_number: str | None
    title: str
    responsible: str | None
    drawn_up: str | None
    pages: int | None
    first_page: int | None
    last_page: int | None
    volume: int | None
    medium: Medium
    level: int
    state: RecordState
    version: int


class DossierContents(Shape):
    """What you see of a dossier's items, in order; ``version`` is the dossier's."""

    record: UUID
    items: list[ItemPlaced]
    version: int


class DossierSplit(Shape):
    """The dossier that was made of the items behind; ``move``: of many, the move by which they come into it."""

    record: UUID
    move: UUID | None = None


class RelationShown(Shape):
    """How a record belongs to another that you may read; ``outward``: it is the first of "first replaces second"."""

    kind: RelationKind
    outward: bool
    record: UUID
    number: str
    title: str
    level: int


class RelationList(Shape):
    """A record's relations."""

    relations: list[RelationShown]


class RecordsRelated(Shape):
    """Two records and how the first belongs to the second."""

    record: UUID
    kind: RelationKind
    other: UUID


class ShelfShown(Shape):
    """A place for papers. ``strength``: 1 work area, 2 cabinet, 3 locked cabinet, 4 secure room."""

    shelf: UUID
    kind: ShelfKind
    path: str
    names: Names
    strength: int
    taken: int | None = Field(description="Null: it is for higher levels than yours.")
    capacity: int | None


class ShelfList(Shape):
    """Places directly in one, by code."""

    shelves: list[ShelfShown]


class ShelfAdded(Shape):
    """The place for papers that was added."""

    shelf: UUID


class CopyShown(Shape):
    """A copy of a record. ``to_move``: its level forbids the place where it lies."""

    copy_id: UUID
    number: int
    carrier: Carrier
    condition: CopyCondition
    pages: int | None
    original: bool
    original_at: str | None = Field(description="Who holds the original, when this is not it.")
    place: str | None
    holder: str | None = Field(description="The name of whom it is with.")
    to_move: bool
    withdrawn: bool
    version: int


class CopyList(Shape):
    """The copies of a record by number."""

    copies: list[CopyShown]


class CopyAdded(Shape):
    """The copy that was noted."""

    copy_id: UUID
    number: int


class CopyPlaced(Shape):
    """Where a copy lies now, and how full that place is."""

    copy_id: UUID
    place: str
    taken: int
    capacity: int
