"""The embedded engine: one tantivy index per partition, under one base folder.

One process writes (it holds tantivy's lock while a writer is open); any number read, and see a commit at
once. An index made with another schema or another fold lies under another name and is never read.
"""

import importlib.metadata
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from tantivy import Document, Searcher
from tantivy import Order as Sorting
from tantivy import Query as Compiled

from archive.errors import Fault, InvalidInput, Unavailable
from indexer.engine import (
    BAD_ENTRY,
    DEEPEST,
    EngineHit,
    Indexed,
    IndexEntry,
    Order,
    SearchAnswer,
    SearchRequest,
    Tombstone,
    facts_of_partition,
    keeps_relevance,
)
from indexer.fold import FOLD_VERSION
from indexer.scoring import STEP
from indexer.tantivy.partition import HEAP_BYTES, Broken, Partition, View, guarded
from indexer.tantivy.query import Search, Terms
from indexer.tantivy.schema import SCHEMA_VERSION, SLOT, build_schema, document, halves, indexed, kept, total, whole
from indexer.terms import DATE, ID, facet

IDLE_SECONDS = 30.0
"""A writer that had nothing to write for so long is closed at the next commit."""

MOST_VALUES = 65_000
"""More values than a facet of a house can have; counts are exact only up to this."""

_SIDE_BY_SIDE = 300_000
"""From so many entries on a search is worth more threads: below, handing over costs more than it saves."""

_TIES = 64
"""Hits fetched beyond a page, so that equal relevance at its end is still ordered by date."""

_Ranked = tuple[int, float, int, UUID, EngineHit]
_Found = tuple[int, list[_Ranked], Mapping[str, Mapping[str, int]]]


class TantivyEngine:
    """``SearchEngine`` over folders below ``base``.

    Args:
        base: the folder of all indices; made when first written to.
        prefix: begins the name of every index folder.
        seconds: a clock that only goes forward.
    """

    def __init__(self, base: Path, *, prefix: str = "juanku", seconds: Callable[[], float] = time.monotonic) -> None:
        self._base, self._prefix = base, prefix
        self._stem = f"{prefix}-s{SCHEMA_VERSION}-f{FOLD_VERSION}-"
        self._seconds = seconds
        self._schema = build_schema()
        self._partitions: dict[str, Partition] = {}
        self._rebuilds: dict[str, _Rebuild] = {}
        self._lock = threading.RLock()
        self._broken: set[str] = set()
        self._asking = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="search")

    def write(self, entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        """Put entries in their partitions, in place of what each held of the record, and take others out."""
        refused: dict[UUID, str] = {}
        with self._lock, _reachable():
            for entry in entries:
                try:
                    made = document(entry)
                except ValueError:
                    refused[entry.id] = BAD_ENTRY
                else:
                    self._put(entry, made)
            for tombstone in tombstones:
                self._take_out(tombstone)
        return refused

    def _put(self, entry: IndexEntry, made: Document) -> None:
        writer = self._partition(entry.partition).writer()
        writer.delete_documents_by_term(ID, entry.id.hex)
        writer.add_document(made)
        if rebuild := self._rebuilds.get(entry.partition):
            rebuild.also(entry.id, made)

    def _take_out(self, tombstone: Tombstone) -> None:
        partition = self._partition(tombstone.partition)
        if partition.exists:
            partition.writer().delete_documents_by_term(ID, tombstone.id.hex)
        if rebuild := self._rebuilds.get(tombstone.partition):
            rebuild.also(tombstone.id, None)

    def commit(self) -> None:
        """Make what was written durable and found; close writers that have long had nothing to do."""
        with self._lock, _reachable():
            for partition in self._partitions.values():
                partition.commit()
                if self._seconds() - partition.written_at > IDLE_SECONDS:
                    partition.rest()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer a search (see ``SearchEngine.search``)."""
        if request.offset < 0 or request.limit < 0 or request.offset + request.limit > DEEPEST:
            raise InvalidInput(Fault("offset", "too_deep", {"deepest": DEEPEST}))
        matched = 0
        ranked: list[_Ranked] = []
        counts: dict[str, dict[str, int]] = {name: {} for name in request.facets}
        lost = set[str]()
        for found, hits, facets in self._ask_all(request, lost):
            matched += found
            ranked += hits
            for fact, values in facets.items():
                for value, count in values.items():
                    counts[fact][value] = counts[fact].get(value, 0) + count
        ranked.sort(key=itemgetter(0, 1, 2, 3))
        page = [one[4] for one in ranked[request.offset : request.offset + request.limit]]
        return SearchAnswer(matched, page, counts, whole=not lost)

    def _ask_all(self, request: SearchRequest, lost: set[str]) -> list[_Found]:
        """Ask one after the other, or side by side where they are large; ``lost`` gets those that are not whole."""
        views = {name: self._view(name, lost) for name in dict.fromkeys(request.partitions)}
        asked = [(name, view) for name, view in views.items() if view is not None]
        if sum(view.searcher.num_docs for _, view in asked) < _SIDE_BY_SIDE:
            return [self._in(name, view, request, lost) for name, view in asked]
        return list(self._asking.map(lambda each: self._in(each[0], each[1], request, lost), asked))

    def _view(self, name: str, lost: set[str]) -> View | None:
        """Return a view of a partition that holds entries; None for a broken one, which is then known."""
        try:
            view = self._partition(name).view()
        except Broken:
            self._broken.add(name)
            lost.add(name)
            return None
        if view and not view.whole:
            lost.add(name)
        return view if view and view.searcher.num_docs else None

    def _in(self, name: str, found: View | None, request: SearchRequest, lost: set[str]) -> _Found:
        """Ask one partition. One that fails twice makes the engine unavailable."""
        for last in (False, True):
            if found is None:
                break
            try:
                terms = Terms(found, facts_of_partition(name))
                return _ask(found.searcher, name, Search(self._schema, request, terms), request)
            except (ValueError, OSError) as error:
                if last:
                    raise Unavailable(part="search") from error
                self._partition(name).forget()
                found = self._view(name, lost)
        return 0, [], {}

    def partitions(self) -> Sequence[str]:
        """Return the names of the partitions that are there."""
        if not self._base.is_dir():
            return ()
        folders = self._base.glob(f"{self._stem}*/CURRENT")
        return sorted(folder.parent.name.removeprefix(self._stem) for folder in folders)

    def indexed(self, partition: str) -> Iterator[Indexed]:
        """Yield what is held of every entry that a search could find."""
        with _reachable():
            searcher = self._partition(partition).searcher()
        if searcher is None or not searcher.num_docs:
            return
        for part in range(256):
            query = Compiled.term_query(self._schema, SLOT, f"{part:02x}", "basic")
            count = total(searcher.search(query, 1))
            hits = searcher.search(query, max(count, 1), count=False).hits
            yield from indexed(searcher, [address for _, address in hits])

    def count(self, partition: str) -> int:
        """Return how many entries a search could find."""
        with _reachable():
            searcher = self._partition(partition).searcher()
        return int(searcher.num_docs) if searcher else 0

    @contextmanager
    def rebuilding(self, partition: str) -> Iterator["_Rebuild"]:
        """Make a partition anew beside the old one (see ``SearchEngine.rebuilding``)."""
        with self._lock, _reachable():
            rebuild = self._rebuilds[partition] = _Rebuild(self._partition(partition), self._lock, self._broken)
        try:
            yield rebuild
            if not rebuild.open:
                self._forget_other_forms(partition)
        finally:
            with self._lock:
                self._rebuilds.pop(partition, None)
                rebuild.abandon()

    def drop(self, partition: str) -> None:
        """Remove a partition and its bytes."""
        with self._lock:
            self._partition(partition).remove()
            self._broken.discard(partition)

    def needs_rebuild(self) -> frozenset[str]:
        """Return the partitions that were found broken, or were begun anew in place of a broken one."""
        for name in self.partitions():
            try:
                self._partition(name).searcher()
            except Broken:
                self._broken.add(name)
            if self._partition(name).incomplete:
                self._broken.add(name)
        return frozenset(self._broken)

    def about(self) -> Mapping[str, str]:
        """Return what is in use."""
        return {
            "engine": "embedded",
            "version": importlib.metadata.version("tantivy"),
            "schema": str(SCHEMA_VERSION),
            "fold": FOLD_VERSION,
        }

    def expunge(self, partition: str) -> bool:  # noqa: ARG002 (the contract's)
        """Do nothing: what went is dropped by tantivy's own merges, and all of it by a rebuild."""
        return True

    def close(self) -> None:
        """Let go of all files. What was not committed is lost."""
        with self._lock:
            for partition in self._partitions.values():
                partition.close()
        self._asking.shutdown()

    def _forget_other_forms(self, name: str) -> None:
        """Remove what earlier versions of this program left of a partition: it holds what is destroyed since."""
        for folder in self._base.glob(f"{self._prefix}-s*-f*-{name}"):
            if folder.name != f"{self._stem}{name}":
                shutil.rmtree(folder, ignore_errors=True)

    def _partition(self, name: str) -> Partition:
        with self._lock:
            if name not in self._partitions:
                self._partitions[name] = Partition(
                    self._base / f"{self._stem}{name}", name, self._schema, self._seconds
                )
            return self._partitions[name]


class _Rebuild:
    """A partition made anew in a folder beside the one in use."""

    def __init__(self, partition: Partition, lock: threading.RLock, broken: set[str]) -> None:
        self._partition = partition
        self._lock = lock
        self._broken = broken
        self._folder = partition.new_folder()
        index = partition.open_folder(self._folder)
        self._writer = guarded(lambda: index.writer(HEAP_BYTES, 1))
        self._newer: set[UUID] = set()
        self._refused: dict[UUID, str] = {}
        self.open = True

    def write(self, entries: Sequence[IndexEntry]) -> None:
        """Add entries, but for those written to the engine since this rebuild began."""
        with self._lock, _reachable():
            for entry in entries:
                if entry.id in self._newer:
                    continue
                try:
                    made = document(entry)
                except ValueError:
                    self._refused[entry.id] = BAD_ENTRY
                    continue
                self._writer.delete_documents_by_term(ID, entry.id.hex)
                self._writer.add_document(made)

    def also(self, record_id: UUID, made: Document | None) -> None:
        """Take what is written to the partition meanwhile (None: taken out)."""
        self._newer.add(record_id)
        self._writer.delete_documents_by_term(ID, record_id.hex)
        if made is not None:
            self._writer.add_document(made)

    def finish(self) -> Mapping[UUID, str]:
        """Put the new folder in the place of the old one."""
        with self._lock, _reachable():
            guarded(self._writer.commit)
            guarded(self._writer.wait_merging_threads)
            self._partition.use(self._folder)
            self._broken.discard(self._partition.name)
            self.open = False
        return self._refused

    def abandon(self) -> None:
        """Remove what was made, unless it is in use."""
        if self.open:
            self.open = False
            guarded(self._writer.wait_merging_threads)
            shutil.rmtree(self._folder, ignore_errors=True)


def _ask(searcher: Searcher, name: str, compiled: Search, request: SearchRequest) -> _Found:
    wanted = request.offset + request.limit
    if compiled.weighed and request.order is Order.RELEVANCE:
        if keeps_relevance(name):
            found, hits = _by_score(searcher, name, compiled, wanted)
        else:
            found, hits = _by_tier(searcher, name, compiled, wanted)
    else:
        found, hits = _by_date(searcher, name, compiled, request)
    return found, hits, _facets(searcher, compiled, request.facets) if found else {}


def _by_score(searcher: Searcher, name: str, compiled: Search, wanted: int) -> tuple[int, list[_Ranked]]:
    result = searcher.search(compiled.scored(), wanted + _TIES)
    addresses = [address for _, address in result.hits]
    dates = searcher.fast_field_values(DATE, addresses) if addresses else []
    ordered = []
    for (score, _), date, (key, version) in zip(result.hits, dates, halves(searcher, addresses), strict=True):
        tier = int(score // STEP)
        ordered.append((-tier, tier * STEP - score, -int(date or 0), key, version))
    ordered.sort()
    ranked: list[_Ranked] = []
    for tier, below, date, key, version in ordered[:wanted]:  # ids and hits are made of those alone that may be shown
        record_id = whole(key)
        ranked.append((tier, below, date, record_id, EngineHit(record_id, version, name, -tier, -date)))
    return total(result), ranked


def _by_tier(searcher: Searcher, name: str, compiled: Search, wanted: int) -> tuple[int, list[_Ranked]]:
    """Tier by tier, by date alone: what may not be seen moves nothing."""
    found = 0
    ranked: list[_Ranked] = []
    for tier in compiled.tiers():
        result = searcher.search(compiled.of_tier(tier), max(wanted - len(ranked), 1), order_by_field=DATE)
        found += total(result)
        ranked += _dated(searcher, name, result.hits, tier)
    return found, ranked[:wanted]


def _by_date(searcher: Searcher, name: str, compiled: Search, request: SearchRequest) -> tuple[int, list[_Ranked]]:
    oldest = request.order is Order.OLDEST
    sorting = Sorting.Asc if oldest else Sorting.Desc
    wanted, after = request.offset + request.limit, request.after
    counted = result = searcher.search(
        compiled.matches(), max(wanted, 1) if after is None else 1, order_by_field=DATE, order=sorting
    )
    if after is not None:
        rest = compiled.matches_from(after[0], oldest=oldest)
        result = searcher.search(rest, wanted + _TIES, count=False, order_by_field=DATE, order=sorting)
    # Ordered by date alone: tier and relevance are left out of the key.
    ranked: list[_Ranked] = [
        (0, 0.0, -date if oldest else date, key, hit) for _, _, date, key, hit in _dated(searcher, name, result.hits, 0)
    ]
    if after is not None:
        last = (after[0] if oldest else -after[0], after[1])
        ranked = [one for one in ranked if (one[2], one[3]) > last]
    tiers = compiled.tiers_of(searcher, [one[3] for one in ranked[:wanted]])
    return total(counted), [(*one[:4], replace(one[4], tier=tiers.get(one[3], 0))) for one in ranked[:wanted]]


def _dated(searcher: Searcher, name: str, found: Any, tier: int) -> list[_Ranked]:
    keys = kept(searcher, [address for _, address in found])
    return [
        (-tier, 0.0, -int(date), key, EngineHit(key, version, name, tier, int(date)))
        for (date, _), (key, version) in zip(found, keys, strict=True)
    ]


def _facets(searcher: Searcher, compiled: Search, names: Sequence[str]) -> dict[str, dict[str, int]]:
    if not names:
        return {}
    asked = {name: {"terms": {"field": facet(name), "size": MOST_VALUES}} for name in names}
    answer = searcher.aggregate(compiled.matches(), asked)
    return {
        name: {str(bucket["key"]): int(bucket["doc_count"]) for bucket in answer[name]["buckets"]} for name in names
    }


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn what tantivy and the disk say into our word for it."""
    try:
        yield
    except (Broken, ValueError, OSError) as error:
        raise Unavailable(part="search") from error
