"""The obvious engine: keeps entries in a dict and asks each one. It judges the contract suite itself."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from archive.errors import Fault, InvalidInput
from archive.policy.condition import holds
from indexer.engine import (
    ALWAYS_THERE,
    BAD_ENTRY,
    DEEPEST,
    EXACT_TITLE_TIER,
    FIELD_TIER,
    TIERS,
    TOKEN_FIELD,
    EngineHit,
    Indexed,
    IndexEntry,
    Order,
    SearchAnswer,
    SearchRequest,
    Tombstone,
    date_key,
    weighs_words,
)
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Words
from indexer.terms import mark_of, terms_of
from tests.fakes.substring_truth import matches

_BEST = max(TIERS.values())


def tier_of(query: Query, entry: IndexEntry) -> int | None:
    """The tier of an entry that ``query`` finds; None when it does not find it."""
    if not weighs_words(query):
        return 0 if _tier(query, entry) is not None else None
    return _tier(query, entry)


def _tier(query: Query, entry: IndexEntry) -> int | None:
    match query:
        case Words() | Prefix() if weighs_words(query):
            return max(_leaf_tiers(query, entry), default=None)
        case And(parts):
            tiers = [_tier(part, entry) for part in parts]
            return None if None in tiers else min(tiers)
        case Or(parts):
            return max((tier for part in parts if (tier := _tier(part, entry)) is not None), default=None)
        case Negate(part):
            return _BEST if _tier(part, entry) is None else None
        case Everything():
            return _BEST
        case _:
            return _BEST if matches(query, _fields(entry)) else None


def _leaf_tiers(leaf: Words | Prefix, entry: IndexEntry) -> Iterator[int]:
    if leaf.field == TOKEN_FIELD:
        if leaf.text in entry.tokens:
            yield FIELD_TIER
        return
    for name in (leaf.field,) if leaf.field else TIERS:
        truth_name = "notes" if name == "fields" else name
        if matches(type(leaf)(leaf.text, truth_name), {truth_name: entry.texts.get(name, ())}):
            yield TIERS[name]
            if name == "title" and any(leaf.text in title for title in entry.texts["title"]):
                yield EXACT_TITLE_TIER


def _fields(entry: IndexEntry) -> dict[str, Sequence[str]]:
    fields: dict[str, Sequence[str]] = {**entry.texts, **entry.codes}
    if "drawn" in entry.facts:
        fields["date"] = [entry.facts["drawn"]]
    if entry.facts.get("year") is not None:
        fields["year"] = [str(entry.facts["year"])]
    return fields


class ReferenceEngine:
    def __init__(self) -> None:
        self._written: dict[str, dict[UUID, IndexEntry]] = {}
        self._seen: dict[str, dict[UUID, IndexEntry]] = {}

    def write(self, entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        refused = _bad(entries)
        for entry in entries:
            if entry.id not in refused:
                self._written.setdefault(entry.partition, {})[entry.id] = entry
        for stone in tombstones:
            self._written.get(stone.partition, {}).pop(stone.id, None)
        return refused

    def commit(self) -> None:
        self._seen = {name: dict(entries) for name, entries in self._written.items()}

    def search(self, request: SearchRequest) -> SearchAnswer:
        if request.offset < 0 or request.limit < 0 or request.offset + request.limit > DEEPEST:
            raise InvalidInput(Fault("offset", "too_deep", {"deepest": DEEPEST}))
        found = [
            (entry, tier)
            for name in dict.fromkeys(request.partitions)
            for entry in self._seen.get(name, {}).values()
            if all(holds(condition, entry.facts) for condition in (request.condition, *request.filters))
            and not any(holds(fence, entry.facts) for fence in request.fences)
            and (tier := tier_of(request.query, entry)) is not None
        ]
        found.sort(key=lambda pair: self._key(request, *pair))
        last = request.after and (request.after[0] * (1 if request.order is Order.OLDEST else -1), request.after[1].hex)
        rest = [pair for pair in found if last is None or self._key(request, *pair)[1:] > last]
        page = rest[request.offset : request.offset + request.limit]
        return SearchAnswer(
            len(found),
            [
                EngineHit(entry.id, entry.version, entry.partition, tier, date_key(entry.facts, entry.id))
                for entry, tier in page
            ],
            {name: self._count(name, [entry for entry, _ in found]) for name in request.facets},
        )

    @staticmethod
    def _key(request: SearchRequest, entry: IndexEntry, tier: int) -> tuple[int, int, str]:
        date = date_key(entry.facts, entry.id)
        return (
            -tier if request.order is Order.RELEVANCE else 0,
            date if request.order is Order.OLDEST else -date,
            entry.id.hex,
        )

    @staticmethod
    def _count(name: str, entries: Sequence[IndexEntry]) -> dict[str, int]:
        values = (entry.facts.get(name) for entry in entries)
        return dict(
            Counter(value.hex if isinstance(value, UUID) else str(value) for value in values if value is not None)
        )

    def partitions(self) -> Sequence[str]:
        return sorted(self._written)

    def indexed(self, partition: str) -> Iterator[Indexed]:
        for entry in self._seen.get(partition, {}).values():
            yield Indexed(entry.id, entry.version, mark_of(entry, terms_of(entry)))

    def count(self, partition: str) -> int:
        return len(self._seen.get(partition, {}))

    @contextmanager
    def rebuilding(self, partition: str) -> Iterator["_Rebuild"]:
        yield _Rebuild(self, partition)

    def drop(self, partition: str) -> None:
        self._written.pop(partition, None)
        self._seen.pop(partition, None)

    def needs_rebuild(self) -> frozenset[str]:
        return frozenset()

    def about(self) -> Mapping[str, str]:
        return {"engine": "reference", "version": "1", "schema": "1", "fold": "1"}

    def expunge(self, partition: str) -> bool:  # noqa: ARG002
        return True

    def close(self) -> None:
        pass


def _bad(entries: Sequence[IndexEntry]) -> dict[UUID, str]:
    return {entry.id: BAD_ENTRY for entry in entries if any(entry.facts.get(fact) is None for fact in ALWAYS_THERE)}


class _Rebuild:
    def __init__(self, engine: ReferenceEngine, name: str) -> None:
        self._engine, self._name = engine, name
        self._before = dict(engine._written.get(name, {}))
        self._new: dict[UUID, IndexEntry] = {}
        self._refused: dict[UUID, str] = {}

    def write(self, entries: Sequence[IndexEntry]) -> None:
        self._refused |= _bad(entries)
        self._new.update({entry.id: entry for entry in entries if entry.id not in self._refused})

    def finish(self) -> Mapping[UUID, str]:
        now = self._engine._written.get(self._name, {})
        for key in self._before.keys() | now.keys():
            if self._before.get(key) is not now.get(key):
                self._new.pop(key, None)
                if key in now:
                    self._new[key] = now[key]
        self._engine._written[self._name] = self._new
        self._engine._seen[self._name] = dict(self._new)
        return self._refused
