"""The shape of a tantivy index, and how an entry becomes a document of it.

Facts are terms ``name=value`` in one field, so that a new fact needs no new schema; a path gives one term
for itself and for each place above it, which makes "lies within" a look-up. Nothing is stored: id and version stand in
columns, which are read in a fraction of the time.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import lru_cache
from struct import Struct
from typing import Any, cast
from uuid import UUID

from tantivy import DocAddress, Document, Schema, SchemaBuilder, Searcher, SearchResult

from indexer import words
from indexer.engine import ALWAYS_THERE, FACETS, TIERS, IndexEntry, date_key

SCHEMA_VERSION = 1

NUMERIC_FACTS = frozenset({"drawn_from", "drawn_to", "year", "level"})
"""Facts that ranges ask about; they need a column of numbers."""

_COUNTED = frozenset(FACETS)
_HALVES = Struct(">qq")  # columns of numbers are signed
_UNSIGNED = (1 << 64) - 1

EXACT_TITLE = "title_exact"
ID = "id"
ID_HIGH, ID_LOW = "id_high", "id_low"
VERSION = "version"
FACTS = "facts"
TOKENS = "tokens"
DATE = "date_key"
SLOT = "slot"


def build_schema() -> Schema:
    """Return the schema of every partition."""
    builder = SchemaBuilder()
    builder.add_text_field(ID, tokenizer_name="raw", index_option="basic")
    # Signed: a Python int given to an unsigned field kills tantivy's writer thread.
    for name in (ID_HIGH, ID_LOW, VERSION, DATE):
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


def column(fact: str) -> str:
    """Return the name of a numeric fact's column."""
    return f"n_{fact}"


def facet(fact: str) -> str:
    """Return the name of a facet's column."""
    return f"c_{fact}"


def slot(record_id: UUID) -> str:
    """Return one of 256 parts into which entries are divided, so that all can be walked in little memory."""
    return f"{record_id.int & 0xFF:02x}"


def plain(value: Any) -> str:
    """Return a fact's value as it stands in a term."""
    match value:
        case UUID():
            return value.hex
        case StrEnum():
            return value.value
        case bool():
            return "1" if value else "0"
        case _:
            return str(value)


def has_term(fact: str, value: Any) -> tuple[str, str]:
    """Return the field and the term that an entry has when a fact is (or holds) a value.

    The record's own id and the facts that are counted stand in fields of their own already.
    """
    if fact == "record":
        return ID, plain(value)
    if fact in _COUNTED:
        return facet(fact), plain(value)
    return FACTS, f"{fact}={plain(value)}"


def within_term(fact: str, prefix: str) -> str:
    """Return the term that an entry has when a path lies at or below a prefix."""
    return f"{fact}^{prefix}"


@lru_cache(maxsize=16_384)
def code_term(field: str, value: str) -> str:
    """Return the term that an entry has when one of its codes or names for a field is ``value``."""
    return f"{field}~{words.cut_code(value)}"


@lru_cache(maxsize=16_384)
def fact_terms(fact: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return the fields and terms of one fact; none for None, and none for the record's id, which has its field."""
    if value is None or fact == "record":
        return ()
    if isinstance(value, AbstractSet):
        return tuple(has_term(fact, one) for one in value)
    terms = [has_term(fact, value)]
    if isinstance(value, str) and value.endswith("/"):
        steps = value.split("/")[:-1]
        terms += [(FACTS, within_term(fact, "/".join(steps[:end]) + "/")) for end in range(1, len(steps) + 1)]
    return tuple(terms)


def document(entry: IndexEntry) -> Document:
    """Return an entry as a document.

    Raises:
        ValueError: a fact is missing that every entry has.
    """
    if any(entry.facts.get(fact) is None for fact in ALWAYS_THERE):
        raise ValueError(entry.id)
    made = Document()
    made.add_text(ID, entry.id.hex)
    high, low = _HALVES.unpack(entry.id.bytes)
    made.add_integer(ID_HIGH, high)
    made.add_integer(ID_LOW, low)
    made.add_integer(VERSION, entry.version)
    made.add_integer(DATE, date_key(entry.facts, entry.id))
    made.add_text(SLOT, slot(entry.id))
    _add_facts(made, entry)
    for name, texts in entry.texts.items():
        tokens = cut_texts(name, texts)
        if tokens:
            made.add_text(name, " ".join(tokens))
        if name == "title":
            made.add_text(EXACT_TITLE, " ".join(cut_texts(EXACT_TITLE, texts)))
    return made


def _add_facts(made: Document, entry: IndexEntry) -> None:
    for fact, value in entry.facts.items():
        for name, term in fact_terms(fact, value):
            made.add_text(name, term)
        if fact in NUMERIC_FACTS and value is not None:
            made.add_integer(column(fact), int(value))
    for name, values in entry.codes.items():
        for value in values:
            made.add_text(FACTS, code_term(name, value))
    for token in entry.tokens:
        made.add_text(TOKENS, token)


def cut_texts(name: str, texts: Sequence[str]) -> list[str]:
    """Return the tokens of the texts of one field."""
    if name == "number":
        return words.cut_numbers(texts)
    if name == EXACT_TITLE:
        return words.cut_all_exact(texts)
    return words.cut_all(texts)


@lru_cache(maxsize=1024)
def phrase_of(name: str, text: str, *, prefix: bool) -> words.Phrase:
    """Return what a field must be asked for."""
    if name == "number":
        return words.number_terms(text)
    if name == EXACT_TITLE:
        return words.exact_terms(text, prefix=prefix)
    return words.query_terms(text, prefix=prefix)


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
