"""The engine of a larger house: Elasticsearch, one index per partition. Any number of processes may write and read.

A write carries the row's version, and the server keeps the newest (``external_gte``): two workers, a late one and a
partition that is being made anew agree in whatever order they come. What left a partition stays as a tombstone.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from archive.clock import Clock, SystemClock
from archive.errors import Fault, InvalidInput, Unavailable
from indexer.elastic.bulk import Bulk, Operation, operation
from indexer.elastic.client import LONG_SECONDS, reachable
from indexer.elastic.layout import LOST, Held, Layout
from indexer.elastic.query import Search
from indexer.elastic.rebuild import ElasticRebuild
from indexer.elastic.schema import GONE_AT, SCHEMA_VERSION, THERE, document, gone, record_id
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
    keeps_relevance,
)
from indexer.fold import FOLD_VERSION
from indexer.scoring import STEP
from indexer.terms import ID, MARK, VERSION

KEPT = timedelta(days=30)
"""How long a tombstone stays."""

_PAGE = 5_000
_ROUNDS = 5
_MERGE_SECONDS = 3600.0
_KEPT_FIELDS: Sequence[Mapping[str, Any]] = tuple({"field": name} for name in (ID, VERSION, MARK))
_THERE = {"term": {THERE: True}}

_Ranked = tuple[int, float, int, str, EngineHit]
_Asked = tuple[Sequence[str], bool]


def _none_begun() -> AbstractSet[str]:
    return frozenset()


class ElasticEngine:
    """``SearchEngine`` over a server.

    Args:
        client: the server.
        prefix: begins the name of every index.
        begun: tells which partitions have been indexed, by the database (see ``Layout``).
        clock: the time of tombstones.
        bulk: how documents are sent.
    """

    def __init__(
        self,
        client: Elasticsearch,
        *,
        prefix: str = "juanku",
        begun: Callable[[], AbstractSet[str]] = _none_begun,
        clock: Clock | None = None,
        bulk: Bulk | None = None,
    ) -> None:
        self._client = client
        self._layout = Layout(client, prefix, begun)
        self._clock = clock or SystemClock()
        self._bulk = bulk or Bulk(client)
        self._lock = threading.Lock()
        self._written: set[str] = set()
        self._searched: frozenset[str] | None = None

    def write(self, entries: Sequence[IndexEntry], tombstones: Sequence[Tombstone] = ()) -> Mapping[UUID, str]:
        """Put entries in their partitions and take others out (see ``SearchEngine.write``)."""
        refused: dict[UUID, str] = {}
        for _ in range(_ROUNDS):
            layout = self._layout.read()
            for name in {entry.partition for entry in entries} - layout.keys():
                if begun := self._layout.begin(name):
                    layout[name] = begun
            sent = self._bulk.send(self._operations(layout, entries, tombstones, refused))
            refused |= sent.refused
            if not sent.gone:
                return refused
            # An index was put in the place of another meanwhile; to send what is there already changes nothing.
            entries = [entry for entry in entries if entry.id in sent.gone]
            tombstones = [one for one in tombstones if one.id in sent.gone]
        raise Unavailable(part="search", reason="moving")

    def _operations(
        self,
        layout: Mapping[str, Held],
        entries: Sequence[IndexEntry],
        tombstones: Sequence[Tombstone],
        refused: dict[UUID, str],
    ) -> Iterator[Operation]:
        for entry in entries:
            if entry.partition not in layout:
                refused[entry.id] = LOST
                continue
            try:
                made = document(entry)
            except ValueError:
                refused[entry.id] = BAD_ENTRY
                continue
            yield from self._to_all(layout[entry.partition], entry.id, entry.version, made)
        now = self._clock.now()
        for one in tombstones:
            if held := layout.get(one.partition):
                yield from self._to_all(held, one.id, one.version, gone(one, now))

    def _to_all(self, held: Held, key: UUID, version: int, made: dict[str, Any]) -> Iterator[Operation]:
        for index in held.indices:
            self._note(index)
            yield operation(self._layout.names.written(index), key, version, made)

    def _note(self, index: str) -> None:
        with self._lock:
            self._written.add(index)

    def commit(self) -> None:
        """Have what was written found. It is durable since the server took it."""
        with self._lock:
            written, self._written = sorted(self._written), set()
        try:
            self._refresh(written)
        except Unavailable:
            with self._lock:
                self._written.update(written)
            raise

    def _refresh(self, indices: Sequence[str]) -> None:
        if not indices:
            return
        with reachable():
            patient = self._client.options(request_timeout=LONG_SECONDS)
            told = patient.indices.refresh(index=indices, ignore_unavailable=True)
        if told["_shards"]["failed"]:
            raise Unavailable(part="search", reason="refresh")

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer a search (see ``SearchEngine.search``).

        Raises:
            Unavailable: also when a partition that was indexed is not there (``part="index_lost"``).
        """
        if request.offset < 0 or request.limit < 0 or request.offset + request.limit > DEEPEST:
            raise InvalidInput(Fault("offset", "too_deep", {"deepest": DEEPEST}))
        partitions = list(dict.fromkeys(request.partitions))
        if not partitions:
            return SearchAnswer(0, facets={name: {} for name in request.facets})
        search = Search(request)
        ranked = search.weighed and request.order is Order.RELEVANCE
        asked = _asked(partitions, ranked=ranked)
        answers = self._ask([(names, search.body(relevance=relevance)) for names, relevance in asked])
        self._all_there(partitions, sum(int(answer["_shards"]["total"]) for answer in answers))
        return self._joined(request, asked, answers, ranked=ranked)

    def _ask(self, searches: Sequence[tuple[Sequence[str], dict[str, Any]]]) -> list[Mapping[str, Any]]:
        """Send searches in one request. A partition that is not there is left out, and missing in ``_shards``."""
        alias = self._layout.names.alias
        how: dict[str, Any] = {"ignore_unavailable": True, "allow_partial_search_results": False}
        with reachable():
            if len(searches) == 1:
                [(names, body)] = searches
                return [
                    self._client.search(
                        index=[alias(name) for name in names], search_type="dfs_query_then_fetch", **how, **body
                    ).body
                ]
            lines: list[Mapping[str, Any]] = []
            for names, body in searches:
                lines += [
                    {"index": [alias(name) for name in names], "search_type": "dfs_query_then_fetch", **how},
                    body,
                ]
            told = self._client.msearch(searches=lines)
            for answer in told["responses"]:
                if "error" in answer:
                    raise ApiError("msearch", meta=_with_status(told.meta, int(answer["status"])), body=answer)
            return list(told["responses"])

    def _all_there(self, partitions: Sequence[str], answered: int) -> None:
        """Check that as many partitions answered as are known to be there; a lost one is no empty one."""
        known = self._searched
        if known is not None and len(known.intersection(partitions)) == answered:
            return
        self._searched = None
        lost = self._layout.lost().intersection(partitions)
        if lost:
            raise Unavailable(part=LOST, partitions=sorted(lost))
        there = frozenset(self.partitions())
        if len(there.intersection(partitions)) == answered:
            self._searched = there
        elif known is not None:
            raise Unavailable(part="search", reason="moving")

    def _joined(
        self, request: SearchRequest, asked: Sequence[_Asked], answers: Sequence[Mapping[str, Any]], *, ranked: bool
    ) -> SearchAnswer:
        total = 0
        found: list[_Ranked] = []
        counts: dict[str, dict[str, int]] = {name: {} for name in request.facets}
        for (_, relevance), answer in zip(asked, answers, strict=True):
            total += int(answer["hits"]["total"]["value"])
            found += [self._hit(hit, request, relevance=relevance, ranked=ranked) for hit in answer["hits"]["hits"]]
            for name, told in answer.get("aggregations", {}).items():
                for bucket in told["buckets"]:
                    value = str(bucket["key"])
                    counts[name][value] = counts[name].get(value, 0) + int(bucket["doc_count"])
        found.sort(key=itemgetter(0, 1, 2, 3))
        page = [one[4] for one in found[request.offset : request.offset + request.limit]]
        return SearchAnswer(total, page, counts)

    def _hit(self, hit: Mapping[str, Any], request: SearchRequest, *, relevance: bool, ranked: bool) -> _Ranked:
        *_, date, key = hit["sort"]
        score = float(hit["_score"] or 0.0)
        tier = int(score // STEP)
        version = int(hit["fields"][VERSION][0])
        made = EngineHit(record_id(key), version, self._layout.names.partition(hit["_index"]), tier, int(date))
        by_date = int(date) if request.order is Order.OLDEST else -int(date)
        if not ranked:
            return 0, 0.0, by_date, key, made
        return -tier, (tier * STEP - score if relevance else 0.0), by_date, key, made

    def partitions(self) -> Sequence[str]:
        """Return the names of the partitions that are there."""
        return sorted(partition for partition, held in self._layout.read().items() if held.live)

    def indexed(self, partition: str) -> Iterator[Indexed]:
        """Yield what is held of every entry that a search could find."""
        alias = self._layout.names.alias(partition)
        with reachable():
            try:
                moment = self._client.open_point_in_time(index=alias, keep_alive="5m")["id"]
            except NotFoundError:
                return
        try:
            after: Any = None
            while True:
                with reachable():
                    told = self._client.search(
                        pit={"id": moment, "keep_alive": "5m"}, query=_THERE, sort=[{"_shard_doc": "asc"}], size=_PAGE,
                        stored_fields="_none_", docvalue_fields=_KEPT_FIELDS, search_after=after,
                        track_total_hits=False,
                    )  # fmt: skip
                hits = told["hits"]["hits"]
                for hit in hits:
                    of = hit["fields"]
                    yield Indexed(record_id(of[ID][0]), int(of[VERSION][0]), int(of.get(MARK, [0])[0]))
                if len(hits) < _PAGE:
                    return
                moment, after = told["pit_id"], hits[-1]["sort"]
        finally:
            with reachable():
                self._client.close_point_in_time(id=moment)

    def count(self, partition: str) -> int:
        """Return how many entries a search could find."""
        with reachable():
            told = self._client.count(index=self._layout.names.alias(partition), query=_THERE, ignore_unavailable=True)
        return int(told["count"])

    @contextmanager
    def rebuilding(self, partition: str) -> Iterator[ElasticRebuild]:
        """Make a partition anew beside the old one (see ``SearchEngine.rebuilding``)."""
        rebuild = ElasticRebuild(self._layout, self._bulk, partition, self._refresh)
        try:
            yield rebuild
        finally:
            rebuild.abandon()

    def drop(self, partition: str) -> None:
        """Remove a partition and its bytes."""
        held = self._layout.read().get(partition)
        self._layout.remove(held.indices if held else ())

    def needs_rebuild(self) -> frozenset[str]:
        """Return the partitions that are lost, cannot be answered from, or have another shape than ours."""
        return self._layout.lost() | self._layout.red() | self._layout.misshapen()

    def about(self) -> Mapping[str, str]:
        """Return what is in use, and what the server says of itself: its version and its cluster's health."""
        with reachable():
            told = self._client.info()
            health = self._client.cluster.health(timeout="2s")
        return {
            "engine": "elasticsearch",
            "version": str(told["version"]["number"]),
            "health": str(health["status"]),
            "schema": str(SCHEMA_VERSION),
            "fold": FOLD_VERSION,
        }

    def expunge(self, partition: str) -> bool:
        """Merge, and tell whether no segment from before holds documents that were replaced or taken out.

        The server keeps what changed for copies to catch up by, and moves that border each half minute: what changed
        since is merged away the next time.
        """
        held = self._layout.read().get(partition)
        return all(self._expunge(index) for index in held.indices) if held else True

    def _expunge(self, index: str) -> bool:
        client = self._client.options(request_timeout=_MERGE_SECONDS)
        old = (self._clock.now() - KEPT).isoformat()
        with reachable():
            client.delete_by_query(
                index=index, query={"range": {GONE_AT: {"lt": old}}}, conflicts="proceed", refresh=True
            )
            client.indices.flush(index=index)
            before = self._holding_deleted(index)
            if not before:
                return True
            client.indices.forcemerge(index=index, only_expunge_deletes=True, flush=True)
            client.indices.refresh(index=index)
            return not before & self._holding_deleted(index)

    def _holding_deleted(self, index: str) -> set[str]:
        told = self._client.indices.segments(index=index)["indices"][index]["shards"]
        return {
            name
            for copies in told.values()
            for copy in copies
            for name, segment in copy["segments"].items()
            if segment["deleted_docs"]
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _asked(partitions: Sequence[str], *, ranked: bool) -> list[_Asked]:
    """Return which partitions are asked together, and whether their hits are ordered by relevance."""
    if not ranked:
        return [(partitions, False)]
    open_ones = [name for name in partitions if keeps_relevance(name)]
    apart = [name for name in partitions if not keeps_relevance(name)]
    return [(names, relevance) for names, relevance in ((open_ones, True), (apart, False)) if names]


def _with_status(meta: Any, status: int) -> Any:
    return type(meta)(
        status=status, http_version=meta.http_version, headers=meta.headers, duration=meta.duration, node=meta.node
    )
