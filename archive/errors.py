"""One tree of errors, each carrying facts instead of a glued sentence.

The words a person reads are made in one table at the edge (``web.words.faults``), in their language, from
``code`` and ``facts``.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class ArchiveError(Exception):
    """Base of every error the archive raises on purpose.

    ``code`` is stable (others script against it); ``facts`` are plain values that a message may show.
    """

    code: ClassVar[str] = "error"

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts: dict[str, Any] = facts

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}({shown})"


@dataclass(frozen=True)
class Fault:
    """One fault of one field: ``field`` names it, ``code`` says what, ``facts`` fill the message."""

    field: str
    code: str
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


class InvalidInput(ArchiveError):
    """What was given cannot be taken; nothing was written. Names every field that is at fault."""

    code = "invalid"

    def __init__(self, *faults: Fault) -> None:
        super().__init__(fields=[fault.field for fault in faults])
        self.faults: Sequence[Fault] = faults

    def __str__(self) -> str:
        return "; ".join(f"{f.field}: {f.code} {f.facts or ''}".strip() for f in self.faults)


class NotFound(ArchiveError):
    """There is no such thing for this person: absent and hidden are the same answer."""

    code = "not_found"


class Ambiguous(ArchiveError):
    """What was named may be several things that this person sees. Facts: ``names``, each of which means one."""

    code = "ambiguous"


class NotAllowed(ArchiveError):
    """The person may see the thing, but not do this act on it. Facts: ``act``."""

    code = "not_allowed"


class ActingForbidden(NotAllowed):
    """The house does not let the machine's operator act as a person. Facts: ``act``."""

    code = "acting_forbidden"


class OwnRequest(NotAllowed):
    """Who asked for something does not decide on it. Facts: ``act``."""

    code = "own_request"


class SignInFailed(ArchiveError):
    """Wrong name or password, or a deactivated account: one answer for all three."""

    code = "sign_in_failed"


class LockedOut(ArchiveError):
    """Too many failed attempts. Facts: ``seconds`` until the next one is taken."""

    code = "locked_out"


class Conflict(ArchiveError):
    """The row changed since it was read. Facts: ``what``."""

    code = "conflict"


class StandsAlready(Conflict):
    """There is such a thing already; nobody changed it. Facts: ``what`` it is, ``field`` by which it is the same."""

    code = "stands_already"


class InUse(Conflict):
    """Others hang on the thing, so it cannot be changed so. Facts: ``what``."""

    code = "in_use"


class PlaceForbidden(ArchiveError):
    """A record's level forbids the place.

    Facts: ``level`` (its names), ``needed`` and ``found`` (how places are secured), ``where``.
    """

    code = "place_forbidden"


class PlaceFull(ArchiveError):
    """There is no room left. Facts: ``where``, ``capacity``."""

    code = "place_full"


class Blocked(ArchiveError):
    """A blocking fact keeps the record or copy where it is. Facts: ``kinds`` (words of ``BlockKind``)."""

    code = "blocked"


class LimitReached(ArchiveError):
    """A loan's limit is used up. Facts: ``what`` (``pages``, ``pages_a_day``, ``copies``), ``limit``, ``loan``."""

    code = "limit_reached"


class WrongState(ArchiveError):
    """The record is not in a state that allows the act. Facts: ``state``, ``act``."""

    code = "wrong_state"


class Held(WrongState):
    """A hold keeps the record from being altered or destroyed. Facts: ``act``, ``count`` of the holds on it."""

    code = "held"


class Ended(WrongState):
    """A request was decided or taken back already. Facts: ``state``, ``act``."""

    code = "request_ended"


class Quarantined(ArchiveError):
    """A file was put aside. Facts: ``reason`` (a code), ``name``."""

    code = "quarantined"


class TooLarge(ArchiveError):
    """More bytes than allowed. Facts: ``limit``, ``size`` (bytes)."""

    code = "too_large"


class Unavailable(ArchiveError):
    """A part of the system does not answer; nothing was changed. Facts: ``part``."""

    code = "unavailable"


class Unreadable(Unavailable):
    """The store answers, but does not give back the bytes of this one object. Facts: ``part``."""

    code = "unreadable"


class ReadOnly(ArchiveError):
    """The house is being moved, or has moved; nothing was changed. Facts: ``state``, ``seconds`` if it will pass."""

    code = "read_only"


class Interrupted(ArchiveError):
    """Long work was told to stop. What it did so far is kept, and the next run goes on."""

    code = "interrupted"


class StorageFull(Unavailable):
    """The disk or bucket takes no more bytes; the act was refused before it was accepted."""

    code = "storage_full"


class NoAccess(ArchiveError):
    """The system lets this process not read or write a file or folder. Facts: ``path``."""

    code = "no_access"


class Damaged(ArchiveError):
    """Stored bytes are not what was stored (cut, swapped, flipped, wrong key). Facts: ``what``."""

    code = "damaged"


class KeyUnavailable(ArchiveError):
    """The key that opens this is not in the ring: destroyed, or the ring is broken. Facts: ``key``."""

    code = "key_unavailable"


class BrokenSetting(ArchiveError):
    """A setting cannot be used. Facts: ``variable``, ``reason``."""

    code = "broken_setting"
