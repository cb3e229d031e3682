"""Conditions and query trees, as tantivy queries.

Tiers are constant scores a thousand apart; what is added to them for relevance is scaled to stay below that.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, assert_never
from uuid import UUID

from tantivy import FieldType, Occur, Schema, Searcher
from tantivy import Query as Compiled

from archive.errors import Fault, InvalidInput
from archive.policy.condition import ALWAYS, NEVER, All, AnyOf, Between, Condition, Has, Not, Within, all_of, any_of
from indexer.engine import (
    ALWAYS_THERE,
    FIELD_TIER,
    NUMBER_TIER,
    TOKEN_FIELD,
    SearchRequest,
    weighs_words,
)
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.ranges import bounds, years
from indexer.scoring import STEP, damping, weighed
from indexer.tantivy.partition import View
from indexer.tantivy.schema import kept
from indexer.terms import (
    CODES,
    DATE,
    FACTS,
    ID,
    NUMERIC_FACTS,
    TOKENS,
    code_term,
    column,
    facet,
    fields_asked,
    has_term,
    in_one_field,
    phrase_of,
    within_term,
)
from indexer.words import Phrase

_FEW = 16
_LOOKED_UP = 64
_SETTLED = 512
_MOST_WAYS = 16_384
"""A phrase with an open end is followed by tantivy no more ways."""

_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}&~#<>@\"-]")


def matching(schema: Schema, condition: Condition) -> Compiled:
    """Compile a condition to a query over facts; its score means nothing.

    Raises:
        ValueError: a range over a fact that has no column of numbers.
    """
    match condition:
        case Has(fact, values):
            return _any_term(schema, *in_one_field(has_term(fact, value) for value in values))
        case Within(fact, prefixes):
            return _any_term(schema, FACTS, [within_term(fact, prefix) for prefix in prefixes])
        case Between(fact, low, high):
            return _between(schema, fact, low, high)
        case All(parts):
            return every(matching(schema, part) for part in parts)
        case AnyOf(parts):
            return some(matching(schema, part) for part in parts)
        case Not(part):
            return without(Compiled.all_query(), [matching(schema, part)])
        case _:
            assert_never(condition)


def every(queries: Iterable[Compiled]) -> Compiled:
    """All of the queries match (none given: always)."""
    return _joined(Occur.Must, list(queries), Compiled.all_query)


def some(queries: Iterable[Compiled]) -> Compiled:
    """One of the queries matches (none given: never)."""
    return _joined(Occur.Should, list(queries), Compiled.empty_query)


def without(query: Compiled, excluded: Sequence[Compiled]) -> Compiled:
    """The query matches and none of ``excluded`` does."""
    if not excluded:
        return query
    return Compiled.boolean_query([(Occur.Must, query), *((Occur.MustNot, one) for one in excluded)])


def _joined(occur: Occur, queries: list[Compiled], none: Callable[[], Compiled]) -> Compiled:
    if not queries:
        return none()
    return queries[0] if len(queries) == 1 else Compiled.boolean_query([(occur, query) for query in queries])


def _any_term(schema: Schema, name: str, terms: list[str]) -> Compiled:
    if not terms:
        return Compiled.empty_query()
    if len(terms) <= _FEW:  # walked along with the words; a set is first looked up whole, whatever the words are
        return some(Compiled.term_query(schema, name, term, "basic") for term in terms)
    return Compiled.term_set_query(schema, name, terms)


def _between(schema: Schema, fact: str, low: int | None, high: int | None) -> Compiled:
    if fact not in NUMERIC_FACTS:
        raise ValueError(fact)
    if low is None and high is None:
        return Compiled.exists_query(column(fact))
    return Compiled.range_query(schema, column(fact), FieldType.Integer, low, high)


class Terms:
    """What the dictionaries of one partition tell before anything is searched: most of a policy falls away by it.

    Args:
        view: the partition.
        known: facts that all its entries have.
    """

    def __init__(self, view: View, known: Mapping[str, Any]) -> None:
        self._searcher = view.searcher
        self._settled = view.settled
        self._known = known

    def settled(self, condition: Condition) -> Condition:
        """Return what ``narrowed`` does; a person's next search asks the same again."""
        found: Condition | None = self._settled.get(condition)
        if found is None:
            if len(self._settled) > _SETTLED:
                self._settled.clear()
            found = self._settled[condition] = self.narrowed(condition)
        return found

    def narrowed(self, condition: Condition) -> Condition:
        """Return what is left to ask of this partition's entries."""
        match condition:
            case Has(fact, values) if fact in self._known:
                return ALWAYS if self._known[fact] in values else NEVER
            case Has(fact, values) if len(values) <= _LOOKED_UP:
                return self._left(fact, values)
            case All(parts):
                left = [part for part in map(self.narrowed, parts) if part != ALWAYS]
                return NEVER if NEVER in left else all_of(*left)
            case AnyOf(parts):
                left = [part for part in map(self.narrowed, parts) if part != NEVER]
                return ALWAYS if ALWAYS in left else any_of(*left)
            case Not(part):
                inside = self.narrowed(part)
                return NEVER if inside == ALWAYS else ALWAYS if inside == NEVER else Not(inside)
            case _:
                return condition

    def _left(self, fact: str, values: Collection[Any]) -> Condition:
        terms = {value: has_term(fact, value) for value in values}
        there = frozenset(value for value, term in terms.items() if self._searcher.doc_freq(*term))
        if not there:
            return NEVER
        if fact in ALWAYS_THERE and len(self._searcher.terms_with_prefix(facet(fact), "")) == len(there):
            return ALWAYS
        return Has(fact, there)

    def may_hold(self, name: str, phrase: Phrase) -> bool:
        """Whether a field holds every word of a phrase somewhere."""
        *first, last = phrase.terms
        if not all(self._searcher.doc_freq(name, term) for term in first):
            return False
        if phrase.open:
            return bool(self._searcher.terms_with_prefix(name, last, limit=1))
        return bool(self._searcher.doc_freq(name, last))

    def too_many(self, name: str, phrase: Phrase) -> bool:
        """Whether an open phrase goes on in more ways than tantivy follows."""
        *first, last = phrase.terms
        if not phrase.open or not first:
            return False
        return len(self._searcher.terms_with_prefix(name, last, limit=_MOST_WAYS)) + len(first) >= _MOST_WAYS


class _Leaf:
    """One run of words, looked for in each field it may stand in."""

    def __init__(self, schema: Schema, leaf: Words | Prefix, terms: Terms) -> None:
        self.fields: list[tuple[int, Compiled]] = []
        self.terms = 0
        if leaf.field == TOKEN_FIELD:
            self.fields.append((FIELD_TIER, Compiled.term_query(schema, TOKENS, leaf.text, "basic")))
            self.terms = 1
            return
        for name, tier in fields_asked(leaf.field).items():
            phrase = phrase_of(name, leaf.text, prefix=isinstance(leaf, Prefix))
            self.terms += len(phrase.terms)
            if phrase.terms and terms.may_hold(name, phrase):
                if terms.too_many(name, phrase):
                    raise InvalidInput(Fault("q", "prefix_too_short", {"at": leaf.at, "length": len(leaf.text)}))
                self.fields.append((tier, _phrase(schema, name, phrase)))

    def at_least(self, tier: int) -> Compiled:
        """Match where the words stand in a field of this tier or a better one."""
        return some(query for own, query in self.fields if own >= tier)

    def scored(self, scale: float, step: float) -> Compiled:
        """Match anywhere; the score is the best field's relevance, on top of its tier times ``step``."""
        if not self.fields:
            return Compiled.empty_query()
        return Compiled.disjunction_max_query([_on(query, scale, tier * step) for tier, query in self.fields])


def _on(query: Compiled, scale: float, base: float) -> Compiled:
    query = query if scale == 1.0 else Compiled.boost_query(query, scale)
    if not base:
        return query
    return Compiled.boolean_query(
        [(Occur.Must, query), (Occur.Must, Compiled.const_score_query(Compiled.all_query(), base))]
    )


def _phrase(schema: Schema, name: str, phrase: Phrase) -> Compiled:
    *first, last = phrase.terms
    if not phrase.open:
        # A phrase of one word is an error to tantivy.
        return (
            Compiled.phrase_query(schema, name, list(phrase.terms))
            if first
            else Compiled.term_query(schema, name, last)
        )
    # Not ``phrase_prefix_query``: it looks at the first fifty continuations only.
    ending = f"{_literal(last)}.*"
    if not first:
        return Compiled.regex_query(schema, name, ending)
    return Compiled.regex_phrase_query(schema, name, [*map(_literal, first), ending])


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


class Search:
    """A search compiled for one partition: what must hold, tier by tier."""

    def __init__(self, schema: Schema, request: SearchRequest, terms: Terms) -> None:
        self._schema = schema
        self._request = request
        self._terms = terms
        self._leaves = {leaf: _Leaf(self._schema, leaf, self._terms) for leaf in weighed(request.query)}
        self.weighed = weighs_words(request.query)

    @cached_property
    def _required(self) -> list[Compiled]:
        """What must hold whatever the words are; nothing where everything here may be read."""
        request = self._request
        asked = [self._terms.settled(one) for one in (request.condition, *request.filters)]
        fences = [fence for fence in map(self._terms.settled, request.fences) if fence != NEVER]
        allowed = [matching(self._schema, one) for one in asked if one != ALWAYS]
        if not allowed and not fences:
            return []
        held = without(every(allowed), [matching(self._schema, fence) for fence in fences])
        return [Compiled.const_score_query(held, 0.0)]

    def _bounded(self, query: Compiled) -> Compiled:
        if not self._required:
            return query
        return Compiled.boolean_query([(Occur.Must, one) for one in (*self._required, query)])

    def tiers(self) -> list[int]:
        """Return the tiers a hit can have, best first."""
        if not self.weighed:
            return [0]
        tiers = {tier for leaf in self._leaves.values() for tier, _ in leaf.fields}
        # What says nothing about words may be the part of an ``Or`` that matches, and is then in the best tier.
        return sorted(tiers | {NUMBER_TIER}, reverse=True)

    def matches(self) -> Compiled:
        """Everything that is found."""
        return self._bounded(self._tree(self._request.query, 1))

    def matches_from(self, date: int, *, oldest: bool) -> Compiled:
        """Everything that is found from a date key on, which is the first or, with ``oldest``, the last in time."""
        low, high = (date, None) if oldest else (None, date)
        rest = Compiled.range_query(self._schema, DATE, FieldType.Integer, low, high)
        return every((self.matches(), rest))

    def of_tier(self, tier: int) -> Compiled:
        """What is found in this tier and in no better one."""
        if tier == 0:
            return self.matches()
        better = [self._tree(self._request.query, tier + 1)] if tier < NUMBER_TIER else []
        return without(self._bounded(self._tree(self._request.query, tier)), better)

    def scored(self) -> Compiled:
        """Everything that is found, scored ``STEP`` times the tier and the relevance above that."""
        query = self._request.query
        if isinstance(query, Words | Prefix):
            leaf = self._leaves[query]
            return self._bounded(leaf.scored(damping(leaf.terms), STEP))
        tiers = Compiled.disjunction_max_query(
            [Compiled.const_score_query(self._tree(query, tier), tier * STEP) for tier in self.tiers()]
            or [Compiled.empty_query()]
        )
        leaves = [self._leaves[leaf] for leaf in weighed(query, wanted=True)]
        scale = damping(sum(leaf.terms for leaf in leaves))
        relevance = [(Occur.Should, leaf.scored(scale, 0.0)) for leaf in leaves]
        return Compiled.boolean_query([(Occur.Must, self._bounded(tiers)), *relevance])

    def tiers_of(self, searcher: Searcher, ids: Sequence[UUID]) -> dict[UUID, int]:
        """Return the tier of each of a few hits."""
        if not self.weighed or not ids:
            return {}
        chosen = Compiled.const_score_query(Compiled.term_set_query(self._schema, ID, [key.hex for key in ids]), 0.0)
        query = Compiled.boolean_query([(Occur.Must, chosen), (Occur.Must, self.scored())])
        hits = searcher.search(query, len(ids), count=False).hits
        keys = kept(searcher, [address for _, address in hits])
        return {key: int(score // STEP) for (score, _), (key, _) in zip(hits, keys, strict=True)}

    def _tree(self, query: Query, tier: int) -> Compiled:
        match query:
            case Words() | Prefix():
                return self._words(query, tier)
            case And(parts):
                return self._all_of(parts, tier)
            case Or(parts):
                return some(self._tree(part, tier) for part in parts)
            case Negate():
                return self._all_of((query,), tier)
            case Range():
                return self._range(query)
            case Everything():
                return Compiled.all_query()
        assert_never(query)

    def _words(self, leaf: Words | Prefix, tier: int) -> Compiled:
        if leaf.field not in CODES:
            return self._leaves[leaf].at_least(tier)
        term = code_term(leaf.field, leaf.text)
        if isinstance(leaf, Prefix):
            return Compiled.regex_query(self._schema, FACTS, f"{_literal(term)}.*")
        return Compiled.term_query(self._schema, FACTS, term, "basic")

    def _all_of(self, parts: Sequence[Query], tier: int) -> Compiled:
        wanted = every(self._tree(part, tier) for part in parts if not isinstance(part, Negate))
        return without(wanted, [self._tree(part.part, 1) for part in parts if isinstance(part, Negate)])

    def _range(self, query: Range) -> Compiled:
        if query.field == "year":
            return _between(self._schema, "year", *years(query))
        low, high = bounds(query)
        # A record of an uncertain day is found when one of its possible days lies in the range.
        return every((_between(self._schema, "drawn_from", None, high), _between(self._schema, "drawn_to", low, None)))
