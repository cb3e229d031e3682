"""The terms of an index, the same for every engine: how facts, codes and texts of an entry are written and asked for.

Facts are terms ``name=value`` in one field, so that a new fact needs no new schema; a path gives one term
for itself and for each place above it, which makes "lies within" a look-up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from indexer import words
from indexer.engine import ALWAYS_THERE, EXACT_TITLE_TIER, FACETS, TIERS, IndexEntry
from indexer.fields import FIELDS, FieldKind

NUMERIC_FACTS = frozenset({"drawn_from", "drawn_to", "year", "level"})
"""Facts that ranges ask about; they need a column of numbers."""

EXACT_TITLE = "title_exact"
ID = "id"
VERSION = "version"
MARK = "mark"
FACTS = "facts"
TOKENS = "tokens"
DATE = "date_key"

CODES = frozenset(field.name for field in FIELDS if field.kind is FieldKind.CODE)
"""Fields that are matched by a whole code or name."""

OWN_FIELDS = dict(sorted({**TIERS, EXACT_TITLE: EXACT_TITLE_TIER}.items(), key=lambda pair: -pair[1]))
"""Every field of words with its tier, the best first."""

_COUNTED = frozenset(FACETS)


def column(fact: str) -> str:
    """Return the name of a numeric fact's column."""
    return f"n_{fact}"


_COLUMNS = {fact: column(fact) for fact in sorted(NUMERIC_FACTS)}


def facet(fact: str) -> str:
    """Return the name of a facet's column."""
    return f"c_{fact}"


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


def in_one_field(terms: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return the field that terms stand in, and the terms: those of one fact share it."""
    pairs = list(terms)
    return (pairs[0][0] if pairs else FACTS), [term for _, term in pairs]


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


def checked(entry: IndexEntry) -> IndexEntry:
    """Return the entry.

    Raises:
        ValueError: a fact is missing that every entry has.
    """
    facts = entry.facts
    if None in [facts.get(fact) for fact in ALWAYS_THERE]:
        raise ValueError(entry.id)
    return entry


def terms_of(entry: IndexEntry) -> dict[str, list[str]]:
    """Return the terms of all facts, codes and tokens of an entry, by their fields."""
    terms: dict[str, list[str]] = defaultdict(list)
    for fact, value in entry.facts.items():
        if value is not None and fact != "record":  # no two have the same, and it has its field
            for field, term in fact_terms(fact, value):
                terms[field].append(term)
    for name, values in entry.codes.items():
        terms[FACTS] += _code_terms(name, tuple(values))
    if entry.tokens:
        terms[TOKENS] += entry.tokens
    return terms


@lru_cache(maxsize=16_384)
def _code_terms(field: str, values: Sequence[str]) -> Sequence[str]:
    """Return the terms of a code and its names, each once: many names are the same in two scripts."""
    return tuple(dict.fromkeys(code_term(field, value) for value in values))


def mark_of(entry: IndexEntry, terms: Mapping[str, Sequence[str]]) -> int:
    """Return a number that two entries have in common if they say the same, in whatever order.

    Args:
        entry: which is told apart.
        terms: its ``terms_of``.
    """
    told: dict[str, Sequence[str]] = {**terms, **entry.texts}
    for name, number in numbers_of(entry).items():
        told[name] = (str(number),)
    said: list[str] = []
    end = ""
    for name in sorted(told):
        values = told[name]
        said.append(end + name)
        said += values if len(values) == 1 else sorted(values)
        end = "\x1e"
    said.append(end)
    line = "\x1f".join(said)
    # a column of numbers is signed, and has eight bytes
    return int.from_bytes(blake2b(line.encode("utf-8", "surrogatepass"), digest_size=7).digest())


def numbers_of(entry: IndexEntry) -> dict[str, int]:
    """Return the columns of numbers of an entry."""
    facts = entry.facts
    return {name: int(facts[fact]) for fact, name in _COLUMNS.items() if facts.get(fact) is not None}


def fields_asked(field: str | None) -> dict[str, int]:
    """Return the fields of words that a leaf looks into (None: all), each with its tier, the best first."""
    wanted = {"title", EXACT_TITLE} if field == "title" else {field} if field else set(OWN_FIELDS)
    return {name: tier for name, tier in OWN_FIELDS.items() if name in wanted}


def words_of(entry: IndexEntry) -> Iterator[tuple[str, list[str]]]:
    """Yield the fields of words of an entry that have any, each with the tokens of its texts (see ``cut_texts``)."""
    for name, texts in entry.texts.items():
        if name == "title":
            yield from _title_words(texts)
        elif values := list(cut_texts(name, texts)):
            yield name, values


def _title_words(texts: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    folded, exact = [], []
    for text in texts:
        tokens, written = words.cut_both(text)
        if tokens:
            folded.append(" ".join(tokens))
        if written:
            exact.append(folded[-1] if written is tokens else " ".join(written))
    if folded:
        yield "title", folded
    if exact:
        yield EXACT_TITLE, exact


def cut_texts(name: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield the tokens of each text of one field that has any, parted by blanks.

    Each is a value of its own, so that no phrase runs from one into the next, and no engine's entry is made of a
    second copy of a long text: its tokens take thirty times what it takes while they are strings of their own.
    """
    cut = _CUTS.get(name, _cut)
    return filter(None, map(cut, texts))


def _cut(text: str) -> str:
    return " ".join(words.cut(text))


@lru_cache(maxsize=8192)
def _cut_known(text: str) -> str:
    return _cut(text)


def _cut_repeated(text: str) -> str:
    """Cut what many records say alike, a name of an office or a keyword, once; a longer text stands alone."""
    return _cut_known(text) if len(text) <= _REPEATED else _cut(text)


_REPEATED = 24
_CUTS: Mapping[str, Callable[[str], str]] = {
    "number": lambda text: " ".join(words.cut_number(text)),
    EXACT_TITLE: lambda text: " ".join(words.cut_exact(text)),
    "responsible": _cut_repeated,
    "keywords": _cut_repeated,
    "fields": _cut_repeated,
}


@lru_cache(maxsize=1024)
def phrase_of(name: str, text: str, *, prefix: bool) -> words.Phrase:
    """Return what a field must be asked for."""
    if name == "number":
        return words.number_terms(text)
    if name == EXACT_TITLE:
        return words.exact_terms(text, prefix=prefix)
    return words.query_terms(text, prefix=prefix)
