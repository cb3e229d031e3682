"""Conditions and query trees, as queries of Elasticsearch.

As in ``indexer.tantivy.query`` tiers are constant scores a thousand apart, and what is added to them for relevance is
scaled to stay below that. What bounds a search (condition, filters, fences) is a filter: it scores nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any, assert_never

from archive.policy.condition import All, AnyOf, Between, Condition, Has, Not, Within
from indexer.elastic.schema import THERE
from indexer.engine import FACETS, FIELD_TIER, NUMBER_TIER, TOKEN_FIELD, Order, SearchRequest, weighs_words
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.ranges import bounds, years
from indexer.scoring import STEP, damping, weighed
from indexer.terms import (
    CODES,
    DATE,
    FACTS,
    ID,
    NUMERIC_FACTS,
    TOKENS,
    VERSION,
    code_term,
    column,
    facet,
    fields_asked,
    has_term,
    in_one_field,
    phrase_of,
    plain,
    within_term,
)
from indexer.words import Phrase

MOST_VALUES = 60_000
"""More values than all facets of a house can have; counts are exact only up to this."""

_MOST_TERMS = 65_536
_CONTINUATIONS = 1_000_000

Clause = dict[str, Any]

NOTHING: Clause = {"match_none": {}}
ANYTHING: Clause = {"match_all": {}}


def matching(condition: Condition) -> Clause:
    """Compile a condition to a clause over facts; its score means nothing.

    Raises:
        ValueError: a range over a fact that has no column of numbers.
    """
    match condition:
        case Has(fact, values):
            return _has(fact, values)
        case Within(fact, prefixes):
            return _any_term(FACTS, [within_term(fact, prefix) for prefix in prefixes])
        case Between(fact, low, high):
            return _between(fact, low, high)
        case All(parts):
            return every([matching(part) for part in parts])
        case AnyOf(parts):
            return some([matching(part) for part in parts])
        case Not(part):
            return without([], [matching(part)])
        case _:
            assert_never(condition)


def every(clauses: Sequence[Clause]) -> Clause:
    """All of the clauses match (none given: always)."""
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"filter": list(clauses)}} if clauses else ANYTHING


def some(clauses: Sequence[Clause]) -> Clause:
    """One of the clauses matches (none given: never)."""
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}} if clauses else NOTHING


def without(wanted: Sequence[Clause], excluded: Sequence[Clause]) -> Clause:
    """All of ``wanted`` match and none of ``excluded`` does."""
    if not excluded:
        return every(wanted)
    return {"bool": {"filter": list(wanted) or [ANYTHING], "must_not": list(excluded)}}


def _has(fact: str, values: Collection[Any]) -> Clause:
    if fact == "record":
        return {"ids": {"values": [plain(value) for value in values]}}
    return _any_term(*in_one_field(has_term(fact, value) for value in values))


def _any_term(name: str, terms: list[str]) -> Clause:
    parts = [terms[start : start + _MOST_TERMS] for start in range(0, len(terms), _MOST_TERMS)]
    return some([{"terms": {name: part}} for part in parts])


def _between(fact: str, low: int | None, high: int | None) -> Clause:
    if fact not in NUMERIC_FACTS:
        raise ValueError(fact)
    if low is None and high is None:
        return {"exists": {"field": column(fact)}}
    ends = {"gte": low, "lte": high}
    return {"range": {column(fact): {name: end for name, end in ends.items() if end is not None}}}


def _phrase(name: str, phrase: Phrase) -> Clause:
    *first, last = phrase.terms
    if not first:
        return {"prefix": {name: {"value": last}}} if phrase.open else {"term": {name: {"value": last}}}
    kind = "match_phrase_prefix" if phrase.open else "match_phrase"
    asked: dict[str, Any] = {"query": " ".join(phrase.terms)}
    if phrase.open:  # all continuations: by itself it looks at the first fifty only
        asked["max_expansions"] = _CONTINUATIONS
    return {kind: {name: asked}}


def _constant(clause: Clause, score: float) -> Clause:
    return {"constant_score": {"filter": clause, "boost": score}}


def _best(clauses: Sequence[Clause]) -> Clause:
    return {"dis_max": {"queries": list(clauses)}} if clauses else NOTHING


class _Leaf:
    """One run of words, looked for in each field it may stand in."""

    def __init__(self, leaf: Words | Prefix) -> None:
        self.fields: list[tuple[int, Clause]] = []
        self.terms = 0
        if leaf.field == TOKEN_FIELD:
            self.fields.append((FIELD_TIER, {"term": {TOKENS: {"value": leaf.text}}}))
            self.terms = 1
            return
        for name, tier in fields_asked(leaf.field).items():
            phrase = phrase_of(name, leaf.text, prefix=isinstance(leaf, Prefix))
            self.terms += len(phrase.terms)
            if phrase.terms:
                self.fields.append((tier, _phrase(name, phrase)))

    def at_least(self, tier: int) -> Clause:
        """Match where the words stand in a field of this tier or a better one."""
        return some([clause for own, clause in self.fields if own >= tier])

    def relevance(self, scale: float) -> Clause:
        """Match anywhere; the score is the best field's relevance, scaled."""
        return _best([{"bool": {"must": [clause], "boost": scale}} for _, clause in self.fields])

    def scored(self, scale: float) -> Clause:
        """Match anywhere; the score is the best field's relevance on top of its tier."""
        return _best(
            [
                {"bool": {"must": [{"bool": {"must": [clause], "boost": scale}}, _constant(ANYTHING, tier * STEP)]}}
                for tier, clause in self.fields
            ]
        )

    def tiered(self) -> Clause:
        """Match anywhere; the score is the best field's tier alone."""
        return _best([_constant(clause, tier * STEP) for tier, clause in self.fields])


class Search:
    """A search compiled: ``body`` is what is sent."""

    def __init__(self, request: SearchRequest) -> None:
        self._request = request
        self._leaves = {leaf: _Leaf(leaf) for leaf in weighed(request.query)}
        self.weighed = weighs_words(request.query)

    def body(self, *, relevance: bool) -> dict[str, Any]:
        """Return the search. Without ``relevance`` hits of one tier are ordered by date alone."""
        request = self._request
        ranked = self.weighed and request.order is Order.RELEVANCE
        newest = [{DATE: "asc" if request.order is Order.OLDEST else "desc"}, {ID: "asc"}]
        body: dict[str, Any] = {
            "query": self._query(relevance=relevance and ranked),
            "sort": [{"_score": "desc"}, *newest] if ranked else newest,
            "size": request.offset + request.limit,
            "track_total_hits": True,
            "stored_fields": "_none_",
            "docvalue_fields": [ID, VERSION],
        }
        if self.weighed and not ranked:
            body["track_scores"] = True
        if request.after and not ranked:
            body["search_after"] = [request.after[0], plain(request.after[1])]
        if request.facets:
            body["aggs"] = {
                name: {"terms": {"field": facet(name), "size": MOST_VALUES}}
                for name in request.facets
                if name in FACETS
            }
        return body

    def _query(self, *, relevance: bool) -> Clause:
        request = self._request
        bounds_of = [{"term": {THERE: True}}, *map(matching, (request.condition, *request.filters))]
        held = [clause for clause in bounds_of if clause != ANYTHING]
        made: dict[str, Any] = {"filter": held}
        if request.fences:
            made["must_not"] = [matching(fence) for fence in request.fences]
        if not self.weighed:
            made["filter"] = [*held, self._tree(request.query, 1)]
        else:
            made["must"] = [self._scored() if relevance else self._tiered()]
        return {"bool": made}

    def _tiers(self) -> list[int]:
        tiers = {tier for leaf in self._leaves.values() for tier, _ in leaf.fields}
        # What says nothing about words may be the part of an ``Or`` that matches, and is then in the best tier.
        return sorted(tiers | {NUMBER_TIER}, reverse=True)

    def _tiered(self) -> Clause:
        query = self._request.query
        if isinstance(query, Words | Prefix):
            return self._leaves[query].tiered()
        return _best([_constant(self._tree(query, tier), tier * STEP) for tier in self._tiers()])

    def _scored(self) -> Clause:
        query = self._request.query
        if isinstance(query, Words | Prefix):
            leaf = self._leaves[query]
            return leaf.scored(damping(leaf.terms))
        leaves = [self._leaves[leaf] for leaf in weighed(query, wanted=True)]
        scale = damping(sum(leaf.terms for leaf in leaves))
        return {"bool": {"must": [self._tiered()], "should": [leaf.relevance(scale) for leaf in leaves]}}

    def _tree(self, query: Query, tier: int) -> Clause:
        match query:
            case Words() | Prefix():
                return self._words(query, tier)
            case And(parts):
                return self._all_of(parts, tier)
            case Or(parts):
                return some([self._tree(part, tier) for part in parts])
            case Negate():
                return self._all_of((query,), tier)
            case Range():
                return _range(query)
            case Everything():
                return ANYTHING
        assert_never(query)

    def _words(self, leaf: Words | Prefix, tier: int) -> Clause:
        if leaf.field not in CODES:
            return self._leaves[leaf].at_least(tier)
        kind = "prefix" if isinstance(leaf, Prefix) else "term"
        return {kind: {FACTS: {"value": code_term(leaf.field, leaf.text)}}}

    def _all_of(self, parts: Sequence[Query], tier: int) -> Clause:
        wanted = [self._tree(part, tier) for part in parts if not isinstance(part, Negate)]
        return without(wanted, [self._tree(part.part, 1) for part in parts if isinstance(part, Negate)])


def _range(query: Range) -> Clause:
    if query.field == "year":
        return _between("year", *years(query))
    low, high = bounds(query)
    # A record of an uncertain day is found when one of its possible days lies in the range.
    return every([_between("drawn_from", None, high), _between("drawn_to", low, None)])
