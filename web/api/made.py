"""What programs are answered beside records and hits.

Answers to POST hold ids, numbers, counts and codes alone: they are kept for as long as a key is.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from archive.identity import Role
from archive.model import (
    ContentState,
    JobKind,
    JobState,
    PlaceKind,
    RecordKind,
    RecordState,
)
from archive.model.log import LogClass, LogResult
from archive.ports import PIECE_BYTES
from web.api.shapes import Shape

Next = Annotated[str | None, Field(description="The `cursor` of the next page; null: this was the last.")]
Names = dict[str, str]


class RecordChanged(Shape):
    """The record that was made or changed, and its version now."""

    record: UUID
    version: int


class RecordVital(Shape):
    """The record, and the day on which it is looked at again whether it is vital still (null: it is not marked)."""

    record: UUID
    vital_review: date | None


class RecordFiled(Shape):
    """What became of one record: its numbers, or why it waits (``reason`` is a code, ``missing`` names fields)."""

    record: UUID
    number: str | None
    registration_number: str | None
    reason: str | None
    missing: list[str]


class FiledMany(Shape):
    """What became of each record, in the order asked for."""

    outcomes: list[RecordFiled]


class RecordListed(Shape):
    """A record in a list."""

    record: UUID
    number: str
    title: str
    state: RecordState
    kind: RecordKind
    level: int
    drawn_up: str | None
    place: str | None
    created_at: datetime
    version: int


class RecordPage(Shape):
    """One page of records, newest first."""

    records: list[RecordListed]
    next: Next


class UploadBegun(Shape):
    """A file that is announced: send its pieces, each but the last of ``piece_bytes``."""

    upload: UUID
    piece_bytes: int = PIECE_BYTES


class UploadStands(Shape):
    """What is safely kept of a file: go on at ``offset``."""

    pieces: int
    offset: int
    piece_bytes: int = PIECE_BYTES


class FileTaken(Shape):
    """A file that is in. ``doubles`` counts other records, visible to you, with the same bytes."""

    content: UUID
    size: int
    doubles: int


class DoubleDecided(Shape):
    """Two records that were decided on; ``same`` as it was sent."""

    record: UUID
    other: UUID
    same: bool


class FileDecided(Shape):
    """The file that was decided on."""

    content: UUID


class FilePutAside(Shape):
    """A file that waits for a decision; ``why`` and ``todo`` in words."""

    content: UUID
    record: UUID
    title: str
    level: int
    name: str
    size: int | None
    state: ContentState = ContentState.QUARANTINED
    reason: str | None
    why: str
    todo: str


class PutAside(Shape):
    """Files that were put aside, oldest first."""

    files: list[FilePutAside]
    next: Next


class FondsShown(Shape):
    """An open fonds."""

    fonds: str
    names: Names


class FondsList(Shape):
    """The open fonds by code."""

    fonds: list[FondsShown]


class FieldOffered(Shape):
    """A field of a category."""

    name: str
    kind: str
    label: str
    required: bool
    choices: list[str]


class CategoryOffered(Shape):
    """A category; ``depth`` counts the branches above it. ``id`` is what filters, lists and holds name it by."""

    id: UUID
    category: str
    names: Names
    depth: int
    level: int
    term: str
    importance: int | None = Field(description="Of its records that have none of their own; null: none said.")
    fields: list[FieldOffered]
    required: list[str]


class CategoryList(Shape):
    """The open categories of a fonds, each branch followed by what lies below it."""

    categories: list[CategoryOffered]


class LevelOffered(Shape):
    """A level; a higher rank is more secret."""

    level: int
    names: Names
    mark: str
    symbol: str


class LevelList(Shape):
    """The house's levels, the lowest first."""

    levels: list[LevelOffered]


class PlaceShown(Shape):
    """A node of the property tree."""

    place: UUID
    kind: PlaceKind
    code: str
    path: str
    names: Names
    property_types: list[str]
    version: int


class PlaceList(Shape):
    """The places directly below one, by code."""

    places: list[PlaceShown]


class PlaceAdded(Shape):
    """The place that was added."""

    place: UUID


class SubjectChanged(Shape):
    """The subject that was added or changed, and its version now."""

    subject: UUID
    version: int


class SubjectRecord(Shape):
    """A record that hangs on a subject, if you may read it."""

    record: UUID
    number: str


class SubjectShown(Shape):
    """A subject; telephone and identity numbers are masked."""

    subject: UUID
    kind: str
    code: str | None
    values: dict[str, JsonValue]
    merged_into: UUID | None
    merged: list[UUID]
    records: list[SubjectRecord]
    next: str | None
    version: int


class SubjectsFound(Shape):
    """The subjects with exactly this number."""

    subjects: list[UUID]


class PersonListed(Shape):
    """An account."""

    login: str
    name: str
    roles: list[Role]
    clearance: int
    active: bool
    version: int


class PersonPage(Shape):
    """One page of accounts, by sign-in name."""

    people: list[PersonListed]
    next: Next


class PersonChanged(Shape):
    """The account that was added or changed."""

    person: UUID


class JobsCounted(Shape):
    """Jobs of one kind in one state; ``oldest`` is when the oldest of them was made."""

    kind: JobKind
    state: JobState
    count: int
    oldest: datetime


class JobList(Shape):
    """How the jobs stand."""

    jobs: list[JobsCounted]


class Entry(Shape):
    """An entry of the log. ``seq`` is missing until it is sealed, ``body`` where it is not shown."""

    id: UUID
    seq: int | None
    at: datetime
    log_class: LogClass
    act: str
    result: LogResult
    actor: str
    operator: str | None
    address: str
    registration_number: str | None
    record: UUID | None
    subject: UUID | None
    body: dict[str, JsonValue] | None


class EntryPage(Shape):
    """One page of the log, newest first."""

    entries: list[Entry]
    next: Next


class SealedPage(Shape):
    """Entries in the order of the chain, the oldest first; ask again behind ``after``, now or later."""

    entries: list[Entry]
    after: int
