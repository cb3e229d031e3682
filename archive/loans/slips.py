"""What a circulation slip says, and how it is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from archive.accounts import folded
from archive.errors import Fault, InvalidInput
from archive.model import Circulation, CirculationStop

LONGEST = 500
"""Characters of a purpose, and of a scope."""

MOST = 12
"""Receivers of one slip."""


@dataclass(frozen=True)
class Slip:
    """What a slip says. ``receivers`` are sign-in names, in turn; ``scope``: which part, and what for."""

    purpose: str
    scope: str
    until: date
    receivers: Sequence[str]


@dataclass(frozen=True)
class SlipShown:
    """A slip as someone may see it; ``title`` and the texts are None for who does not read its record.

    ``holder`` is who has the paper (None: the archive has it again), ``turn`` who is to sign next. ``names`` are
    people's by id. ``differs``: it came back with fewer pages, or worse.
    """

    row: Circulation
    number: str | None
    title: str | None
    level: int
    purpose: str | None
    scope: str | None
    stops: Sequence[CirculationStop]
    names: Mapping[UUID, str]
    holder: UUID | None
    turn: UUID | None
    overdue: bool
    may_issue: bool
    may_end: bool
    differs: bool


def check(slip: Slip) -> None:
    """Raise ``InvalidInput``: ``purpose``, ``scope``, ``receivers``."""
    faults = []
    for field, text in (("purpose", slip.purpose), ("scope", slip.scope)):
        if not text.strip():
            faults.append(Fault(field, "required"))
        elif len(text) > LONGEST:
            faults.append(Fault(field, "too_long", {"limit": LONGEST, "length": len(text)}))
    logins = [folded(each) for each in slip.receivers]
    if not logins:
        faults.append(Fault("receivers", "required"))
    elif len(logins) > MOST:
        faults.append(Fault("receivers", "too_many", {"limit": MOST}))
    elif len(set(logins)) < len(logins):
        faults.append(Fault("receivers", "twice"))
    if faults:
        raise InvalidInput(*faults)
