"""Elasticsearch: building against raw bulk, searching against the raw client, and how soon a change is found.

Run: ``juanku bench elastic --url http://127.0.0.1:9200 [--records N]``. The archive is a demonstration of 2,000 records
and copies of them with numbers of their own. Building reads the database and cuts; raw bulk sends the same documents,
cut and written down before, by one client. The raw search sends the very query of the service, by the same client.
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import uuid4

from elasticsearch import Elasticsearch
from sqlalchemy import func, insert, select

from archive.database import Base
from archive.ids import new_id
from archive.model import JobKind, Record
from archive.policy.rules import Act, condition
from benchmarks._common import archive, opened, spread, table
from benchmarks.search import took
from indexer.elastic.client import connect
from indexer.elastic.query import Search
from indexer.elastic.schema import Names, document, mapping
from indexer.engine import IndexEntry, SearchRequest
from indexer.entries import GONE, Entries
from indexer.query.tree import Words
from indexer.search import FACETS, partitions_of
from runtime.wiring.parts import Parts

BASE = 2_000
CHUNK = 500
LAGS = 30


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--url", default=os.environ.get("JUANKU_TEST_ELASTICSEARCH", "http://127.0.0.1:9200"))
    parser.add_argument("--login", default="archivist")
    asked = parser.parse_args()
    prefix = f"bench-{uuid4().hex[:8]}"
    os.environ |= {"JUANKU_SEARCH_URL": asked.url, "JUANKU_SEARCH_PREFIX": prefix}
    client = connect(asked.url, seconds=600)
    try:
        with archive(min(BASE, asked.records)), opened() as parts:
            multiply(parts, asked.records)
            measure(parts, client, asked.login)
    finally:
        for name in client.indices.get(index=f"{prefix}-*"):
            client.indices.delete(index=name)


def multiply(parts: Parts, wanted: int) -> None:
    """Add copies of the records that are there, until there are ``wanted``."""
    rows = Base.metadata.tables["record"]
    with parts.db.reading() as session:
        there = [dict(row) for row in session.execute(select(rows).where(Record.state.not_in(GONE))).mappings()]
    for start in range(0, wanted - len(there), len(there)):
        copies = [copied(row, start) for row in there[: wanted - len(there) - start]]
        with parts.db.writing() as work:
            work.session.execute(insert(rows), copies)
            work.commit()


def copied(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a copy of a record's row, with numbers of its own and without what its key seals."""
    numbers = {name: f"{row[name]}-{number}" for name in ("archive_number", "registration_number") if row[name]}
    return row | numbers | {"id": new_id(), "sealed_fields": None, "indexed_in": [], "version": 1}


def entries(parts: Parts, count: int) -> Iterator[list[IndexEntry]]:
    """Yield batches of entries of the largest partition."""
    reader = Entries(parts.vault)
    with parts.db.reading() as session:
        level = select(Record.level_rank).where(Record.group_id.is_(None), Record.state.not_in(GONE))
        rank = session.scalar(level.group_by(Record.level_rank).order_by(func.count().desc()).limit(1))
        asked = select(Record.id).where(Record.level_rank == rank, Record.group_id.is_(None), Record.state.not_in(GONE))
        ids = list(session.scalars(asked.limit(count)))
        for start in range(0, len(ids), CHUNK):
            yield [one.entry for one in reader.read(session, ids[start : start + CHUNK]) if one.entry]


def raw_bulk(parts: Parts, client: Elasticsearch, count: int) -> float:
    """Return documents a second of one client that sends what was cut and written down before."""
    index = f"{parts.settings.search_prefix}-raw"
    dumps = client.transport.serializers.get_serializer("application/json").dumps
    bodies: list[bytes] = []
    sent = 0
    for batch in entries(parts, count):
        lines = [part for one in batch for part in (dumps({"index": {"_id": one.id.hex}}), dumps(document(one)))]
        bodies.append(b"\n".join(lines) + b"\n")
        sent += len(batch)
    client.indices.create(
        index=index, mappings=mapping(Names(parts.settings.search_prefix), "1"),
        settings={"number_of_replicas": 0, "refresh_interval": "-1"},
    )  # fmt: skip
    begun = time.perf_counter()
    for body in bodies:
        client.bulk(index=index, operations=cast("Any", [body.rstrip(b"\n")]))
    client.indices.refresh(index=index)
    rate = sent / (time.perf_counter() - begun)
    client.indices.delete(index=index)
    return rate


class Asking:
    """The same phrases, out of titles, for the raw client, the engine and the service."""

    def __init__(self, parts: Parts, login: str, count: int = 200) -> None:
        pick = random.Random(1)
        self._parts = parts
        self._person = parts.people.identity_of(login)
        with parts.db.reading() as session:
            titles = list(session.scalars(select(Record.title).limit(5_000)))
            reach = parts.guard.reach(session, self._person)
        self.phrases = [
            title[at : at + pick.randint(2, 4)]
            for title in pick.choices(titles, k=count) for at in [pick.randrange(5, 12)]
        ]  # fmt: skip
        request = SearchRequest(Words("x"), partitions_of(reach), condition(Act.READ, reach), facets=FACETS)
        self._requests = [replace(request, query=Words(one)) for one in self.phrases]
        there, names = set(parts.engine.partitions()), Names(parts.settings.search_prefix)
        self._index = [names.alias(name) for name in request.partitions if name in there and not name.endswith("n")]
        self._client = connect(parts.settings.search_url or "", seconds=60)

    def _raw(self) -> Sequence[Callable[[], object]]:
        bodies = [Search(one).body(relevance=True) for one in self._requests]
        search = partial(self._client.search, index=self._index, search_type="dfs_query_then_fetch")
        return [partial(search, **body) for body in bodies]

    def _service(self) -> Sequence[Callable[[], object]]:
        return [partial(self._parts.search.search, self._person, f'"{one}"') for one in self.phrases]

    def raw(self) -> list[float]:
        """Return the seconds of each phrase, sent by the raw client."""
        return took(self._raw())

    def engine(self) -> list[float]:
        """Return them for the engine."""
        return took([partial(self._parts.engine.search, one) for one in self._requests])

    def service(self) -> list[float]:
        """Return them for the service."""
        return took(self._service())

    def in_turns(self) -> tuple[list[float], list[float]]:
        """Return them for the raw client and the service, asked by turns so that both meet the same machine."""
        both = took([act for pair in zip(self._raw(), self._service(), strict=True) for act in pair])
        return both[::2], both[1::2]


def measure(parts: Parts, client: Elasticsearch, login: str) -> None:
    """Print the table."""
    begun = time.perf_counter()
    written = parts.rebuilder.rebuild()
    built = written / (time.perf_counter() - begun)
    bulk = raw_bulk(parts, client, 20_000)
    asking = Asking(parts, login)
    table(
        f"Elasticsearch {parts.engine.about()['version']}, {written:,} records",
        [
            ("raw bulk of ready-cut documents, one client", f"{bulk:,.0f} a second"),
            ("rebuild: read, cut, send", f"{built:,.0f} a second, {built / bulk:.0%} of raw"),
            ("raw client, the same query", spread(asking.raw())),
            ("engine: that, the twins under need-to-know, merged", spread(asking.engine())),
            ("service: policy, fences, facets, check, log", spread(asking.service())),
            ("a change, from its commit to being found", spread(list(lags(parts)))),
        ],
    )


def lags(parts: Parts) -> Iterator[float]:
    """Yield the seconds from the commit of a change to its being found, the job run at once."""
    with parts.db.reading() as session:
        keys: Sequence[Any] = list(session.scalars(select(Record.id).where(Record.group_id.is_(None)).limit(LAGS)))
    for number, key in enumerate(keys):
        word = f"改动{uuid4().hex[:6]}"
        with parts.db.writing() as work:
            record = work.session.get_one(Record, key)
            record.title, record.version = f"{word} {number}", record.version + 1
            parts.outbox.add(work, JobKind.INDEX, key)
            work.commit()
        begun = time.perf_counter()
        parts.runner.run(JobKind.INDEX)
        found = parts.engine.search(SearchRequest(Words(word), list(parts.engine.partitions())))
        assert found.total == 1, word  # noqa: S101  (a figure of what was not found would mean nothing)
        yield time.perf_counter() - begun


if __name__ == "__main__":
    main()
