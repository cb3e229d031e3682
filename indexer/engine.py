"""What a search engine is asked and what it answers: the contract of every adapter.

An engine holds one entry per record, in one partition per level (``"3"``) and one beside it for the level's records
under need-to-know (``"3n"``). It is asked about partitions by name and can't look into others. It stores no text.

Order of hits: tier, then the adapter's own relevance, then date, then id; partitions under need-to-know have no
relevance, so nothing hidden in them moves anything. Tier of a record for a query tree: a leaf gives the best field it
is found in (``TIERS``); ``And`` the lowest of its positive parts, ``Or`` the highest of those that match; ``Negate``
gives none. Ranges, facts and ``Everything`` say nothing about words: they never lower a tier, and a tree of only such
parts puts every hit in tier 0, ordered by date.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from archive.policy.condition import ALWAYS, Condition
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words

NUMBER_TIER = 5
EXACT_TITLE_TIER = 4
TITLE_TIER = 3
FIELD_TIER = 2
TEXT_TIER = 1

TIERS: Mapping[str, int] = {
    "number": NUMBER_TIER,
    "title": TITLE_TIER,
    "responsible": FIELD_TIER,
    "keywords": FIELD_TIER,
    "notes": FIELD_TIER,
    "person": FIELD_TIER,
    "fields": FIELD_TIER,
    "text": TEXT_TIER,
}
"""The texts of an entry and the tier of a match in each; a title matched unfolded is ``EXACT_TITLE_TIER``."""

TOKEN_FIELD = "token"  # noqa: S105  (a field's name, not a secret)
"""``Words(value, field=TOKEN_FIELD)`` asks for a keyed token of a personal number, in tier 2."""

FACETS = ("fonds", "category", "level", "department", "year", "medium", "project", "opening", "kind", "state")
"""Facts that can be counted. Each has at most one value per entry."""

ALWAYS_THERE = frozenset({"fonds", "state"})
"""Facts without which no entry is written: an adapter may leave out a question that every entry answers alike."""

DEEPEST = 10_000
"""No search reaches further than this many hits."""

BAD_ENTRY = "bad_entry"
"""Why an engine refuses an entry that lacks a fact of ``ALWAYS_THERE``."""

_ID_BITS = 36


class Order(StrEnum):
    """How hits are ordered."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A record as an engine sees it.

    Args:
        id: the record.
        version: the row's version the entry was made from.
        partition: where it belongs (see ``partition_of``).
        facts: facts by name (those of ``ALWAYS_THERE`` among them), in the shapes of ``archive.policy.condition``
            (value, set or path), and beside those of the policy any that filters and facets use. ``category`` may come
            with ``branch``, the set of it and all above it. ``drawn_from`` and ``drawn_to`` are days as numbers
            (20240305).
        texts: plain texts by name of ``TIERS``; each is cut and folded by the shared functions. Texts of one
            name are apart from each other: no phrase reaches from one into the next.
        tokens: keyed tokens of personal numbers.
        codes: for each field of kind ``CODE`` (see ``indexer.fields``) every code and name that finds the record,
            ancestors' too.
    """

    id: UUID
    version: int
    partition: str
    facts: Mapping[str, Any]
    texts: Mapping[str, Sequence[str]]
    tokens: Sequence[str] = ()
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Indexed(NamedTuple):
    """An entry as an engine holds it: of which record, made from which version of its row, and its mark.

    Two entries that say the same have the same mark (``indexer.terms.mark_of``).
    """

    id: UUID
    version: int
    mark: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record that a partition must no longer hold: content-free, with the version it was seen gone at."""

    id: UUID
    version: int
    partition: str


@dataclass(frozen=True)
class SearchRequest:
    """One search. Every hit is in ``partitions``, holds ``condition`` and all ``filters``, and none of ``fences``.

    ``after`` (date key and id of a hit) begins the page behind that hit, however many come before it; the total and
    the facets count those too. Only in an order by date.
    """

    query: Query
    partitions: Sequence[str]
    condition: Condition = ALWAYS
    fences: Sequence[Condition] = ()
    filters: Sequence[Condition] = ()
    facets: Sequence[str] = ()
    order: Order = Order.RELEVANCE
    offset: int = 0
    limit: int = 20
    after: tuple[int, UUID] | None = None


@dataclass(frozen=True, slots=True)
class EngineHit:
    """A record that matches, where it lies, its tier and its ``date_key``. Scores never leave the adapter."""

    id: UUID
    version: int
    partition: str
    tier: int
    date_key: int = 0


@dataclass(frozen=True)
class SearchAnswer:
    """The exact number of matches, one page of them, and exact counts per value of each facet asked for.

    ``whole`` False: a partition that was asked is broken or not made anew to its end, so there may be more.
    """

    total: int
    hits: Sequence[EngineHit] = ()
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    whole: bool = True


class Rebuild(Protocol):
    """A partition made anew beside the old one, which goes on answering until ``finish``.

    Entries written to the engine meanwhile go to both, and win over what the rebuild brings.
    """

    def write(self, entries: Sequence[IndexEntry]) -> None:
        """Add entries of this partition."""
        ...

    def finish(self) -> Mapping[UUID, str]:
        """Put the new partition in the place of the old one, whose bytes are then removed.

        Returns:
            the records that were refused, each with a code that says why.
        """
        ...


class SearchEngine(Protocol):
    """Finds records. Derived data: all of it can be made again from the database.

    Every method raises ``Unavailable(part="search")`` when the engine does not answer. It never answers from
    anything that is less filtered than what was asked.
    """

    def write(self, entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        """Put entries in their partitions, in place of what each held of the record, and take others out.

        Seen by searches after ``commit``. The same write twice is the same as once. An older version than the one
        that is there may be left out.

        Returns:
            the records that were refused, each with a code that says why; all others were written.
        """
        ...

    def commit(self) -> None:
        """Make what was written durable and found."""
        ...

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer a search. A partition that is not there is an empty one.

        Raises:
            InvalidInput: deeper than ``DEEPEST``.
        """
        ...

    def partitions(self) -> Sequence[str]:
        """Return the names of the partitions that are there."""
        ...

    def indexed(self, partition: str) -> Iterator[Indexed]:
        """Yield what is held of every entry that a search could find, in no order."""
        ...

    def count(self, partition: str) -> int:
        """Return how many entries a search could find."""
        ...

    def rebuilding(self, partition: str) -> AbstractContextManager[Rebuild]:
        """Make a partition anew. Left without ``finish``, the old one stays."""
        ...

    def drop(self, partition: str) -> None:
        """Remove a partition and its bytes. Dropping what is not there is no error."""
        ...

    def needs_rebuild(self) -> frozenset[str]:
        """Return the partitions that were found broken or lost, or were begun anew in place of a broken one."""
        ...

    def about(self) -> Mapping[str, str]:
        """Return what is in use: ``engine``, its ``version``, the ``schema`` and the ``fold`` of its entries.

        A server adds its ``health`` (green, yellow, red).
        """
        ...

    def expunge(self, partition: str) -> bool:
        """Forget entries that were replaced or taken out, as far as the adapter can do it without a rebuild.

        Returns:
            whether that is done; if not, it can be tried again in a minute.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections. What was not committed is lost."""
        ...


def partition_of(level_rank: int, need_to_know: bool) -> str:
    """Return the partition of a record's level."""
    return f"{level_rank}n" if need_to_know else str(level_rank)


def facts_of_partition(partition: str) -> dict[str, Any]:
    """Return the facts that every entry of a partition has."""
    rank = partition.removesuffix("n")
    return {"level": int(rank), "need_to_know": rank != partition} if rank.isdecimal() else {}


def keeps_relevance(partition: str) -> bool:
    """Tell whether hits of a partition may be ordered by relevance (not under need-to-know)."""
    return not partition.endswith("n")


def date_key(facts: Mapping[str, Any], record_id: UUID) -> int:
    """Return the number that orders entries by date and then by a fixed part of the id (fits 63 bits)."""
    return ((facts.get("drawn_from") or 0) << _ID_BITS) | (record_id.int & ((1 << _ID_BITS) - 1))


def weighs_words(query: Query) -> bool:
    """Tell whether a tree has a positive part that looks for words, so that tiers mean something."""
    match query:
        case Words(_, name) | Prefix(_, name):
            return name is None or name in TIERS or name == TOKEN_FIELD
        case And(parts) | Or(parts):
            return any(weighs_words(part) for part in parts)
        case Range() | Negate() | Everything():
            return False
