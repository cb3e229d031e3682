"""What a query means, once parsed: one tree for both engines, for passages and for tests.

``at`` is the offset of the first character in what the person typed, so that a fault can be pointed at.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Text to be found: a run without spaces, or a quoted phrase. Han text is found as a substring, Latin words whole.

    ``field`` limits it to one field (a name of ``indexer.fields``); None looks everywhere.
    """

    text: str
    field: str | None = None
    at: int = 0


@dataclass(frozen=True)
class Prefix:
    """A word that begins like this (``contr*``); for Han text the same as ``Words``."""

    text: str
    field: str | None = None
    at: int = 0


@dataclass(frozen=True)
class Range:
    """``field:low..high``; either end may be open (None). Values are as typed: dates, years or numbers."""

    field: str
    low: str | None
    high: str | None
    at: int = 0


@dataclass(frozen=True)
class And:
    """Every part matches."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Or:
    """One part at least matches."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Negate:
    """The part does not match."""

    part: "Query"


@dataclass(frozen=True)
class Everything:
    """The empty query: every record the person may see."""


Query = Words | Prefix | Range | And | Or | Negate | Everything
