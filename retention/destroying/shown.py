"""What is shown of a destruction: its lines, its people, its steps, and the whole of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from archive.model import Destruction, DestructionDuty, DestructionItemState, Duty, Stop
from retention.destroying.means import Part


@dataclass(frozen=True)
class ItemShown:
    """A line of a list. ``number`` None: not theirs to see; ``title`` and ``record_id`` None: they do not read it.

    ``registered``: it is the registration number, as there is no archive number for them.
    ``stops``: what would take it off the list if it were asked now, told to who sees the whole list. ``to_scan``: its
    papers that the count waits for.
    """

    position: int
    state: DestructionItemState
    pulled: Stop | None
    number: str | None
    title: str | None
    neutral: str | None
    record_id: UUID | None
    pages: int | None
    due: date | None
    needs_neutral: bool
    registered: bool
    stops: Stop | None = None
    to_scan: int = 0


@dataclass(frozen=True)
class DutyShown:
    """Who has a duty; ``name`` of an outsider, else the person."""

    row: DestructionDuty
    name: str | None


@dataclass(frozen=True)
class StepShown:
    """A step of the approval: by whom it may be decided (tokens), and who did."""

    number: int
    tokens: Sequence[str]
    done: Sequence[tuple[UUID, bool, datetime, str]]
    present: bool


@dataclass(frozen=True)
class Shown:
    """A destruction as a person sees it. ``acts`` are the names of what they may do now.

    ``uncounted``: records on paper of which no scan can tell.
    ``chairs``: who had the chair of the panels that gave its records up, with the moment of each close.
    """

    row: Destruction
    part: Part
    acts: frozenset[str]
    counts: Mapping[DestructionItemState, int]
    paper: bool
    electronic: bool
    duties: Sequence[DutyShown]
    lacking: Sequence[Duty]
    steps: Sequence[StepShown]
    objections: Sequence[tuple[UUID, datetime, str]]
    files: Sequence[tuple[UUID, str, str]]
    missing: int
    expected: int
    extra: Sequence[tuple[UUID, str]]
    uncounted: int
    chairs: Sequence[tuple[UUID, datetime]]
