"""The shape of a tantivy index, and how an entry becomes a document of it.

Nothing is stored: id and version stand in columns, which are read in a fraction of the time.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any, cast
from uuid import UUID

from tantivy import DocAddress, Document, Schema, SchemaBuilder, Searcher, SearchResult

from indexer.engine import FACETS, TIERS, Indexed, IndexEntry, date_key
from indexer.terms import (
    DATE,
    EXACT_TITLE,
    FACTS,
    ID,
    MARK,
    NUMERIC_FACTS,
    TOKENS,
    VERSION,
    checked,
    column,
    facet,
    mark_of,
    numbers_of,
    terms_of,
    words_of,
)

SCHEMA_VERSION = 3

_HALVES = Struct(">qq")  # columns of numbers are signed
_UNSIGNED = (1 << 64) - 1

ID_HIGH, ID_LOW = "id_high", "id_low"
SLOT = "slot"


def build_schema() -> Schema:
    """Return the schema of every partition."""
    builder = SchemaBuilder()
    builder.add_text_field(ID, tokenizer_name="raw", index_option="basic")
    # Signed: a Python int given to an unsigned field kills tantivy's writer thread.
    for name in (ID_HIGH, ID_LOW, VERSION, MARK, DATE):
        builder.add_integer_field(name, fast=True)
    for name in (FACTS, TOKENS, SLOT):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in (*TIERS, EXACT_TITLE):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in sorted(NUMERIC_FACTS):
        builder.add_integer_field(column(name), fast=True, indexed=True)
    for name in FACETS:
        builder.add_text_field(facet(name), tokenizer_name="raw", index_option="basic", fast=True)
    return builder.build()


def slot(record_id: UUID) -> str:
    """Return one of 256 parts into which entries are divided, so that all can be walked in little memory."""
    return f"{record_id.int & 0xFF:02x}"


def document(entry: IndexEntry) -> Document:
    """Return an entry as a document.

    Raises:
        ValueError: a fact is missing that every entry has.
    """
    checked(entry)
    made = Document()
    made.add_text(ID, entry.id.hex)
    high, low = _HALVES.unpack(entry.id.bytes)
    made.add_integer(ID_HIGH, high)
    made.add_integer(ID_LOW, low)
    made.add_integer(VERSION, entry.version)
    made.add_integer(DATE, date_key(entry.facts, entry.id))
    made.add_text(SLOT, slot(entry.id))
    terms = terms_of(entry)
    made.add_integer(MARK, mark_of(entry, terms))
    for name, own in terms.items():
        for term in own:
            made.add_text(name, term)
    for name, number in numbers_of(entry).items():
        made.add_integer(name, number)
    for field, values in words_of(entry):
        for tokens in values:
            made.add_text(field, tokens)
    return made


def total(result: SearchResult) -> int:
    """Return how many documents matched (the library's own type stub leaves the attribute out)."""
    return int(cast("Any", result).count)


def halves(searcher: Searcher, addresses: Sequence[DocAddress]) -> list[tuple[tuple[int, int], int]]:
    """Return the two halves of the id, which sort as ids do, and the version of each document."""
    found = list(addresses)
    if not found:
        return []
    highs, lows, versions = (
        cast("list[int]", searcher.fast_field_values(n, found)) for n in (ID_HIGH, ID_LOW, VERSION)
    )
    return [
        ((high & _UNSIGNED, low & _UNSIGNED), version) for high, low, version in zip(highs, lows, versions, strict=True)
    ]


def whole(key: tuple[int, int]) -> UUID:
    """Return the id of two halves."""
    return UUID(int=(key[0] << 64) | key[1])


def kept(searcher: Searcher, addresses: Sequence[DocAddress]) -> list[tuple[UUID, int]]:
    """Return the id and the version of each document."""
    return [(whole(key), version) for key, version in halves(searcher, addresses)]


def indexed(searcher: Searcher, addresses: Sequence[DocAddress]) -> list[Indexed]:
    """Return what is held of each document."""
    marks = cast("list[int]", searcher.fast_field_values(MARK, list(addresses))) if addresses else []
    return [Indexed(key, version, mark) for (key, version), mark in zip(kept(searcher, addresses), marks, strict=True)]
