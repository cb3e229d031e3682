"""FT7: Elasticsearch away, slow, busy, red, wiped, misshapen. Search says so and never falls back to anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elasticsearch import Elasticsearch

from archive.errors import Unavailable
from archive.model import JobKind
from benchmarks._faults_house import READER
from benchmarks._rough_proxy import REJECTED
from benchmarks._server_house import CANARY, NARROW, House, elasticsearch
from indexer.elastic.client import connect

SEARCHED = "/search?q=%E5%90%88%E5%90%8C"
SHORT_SECONDS = 0.5


def away(house: House, _trial: int) -> Iterator[str]:
    """Every connection is refused."""
    house.search.away = True
    yield from _while_it_is_so(house)


def slow(house: House, _trial: int) -> Iterator[str]:
    """Requests are taken and never answered (waited for half a second here, else for ten)."""
    with _impatient(house):
        house.search.silent = True
        yield from _while_it_is_so(house)


def busy(house: House, trial: int) -> Iterator[str]:
    """Each request is answered with 429, or with 503."""
    house.search.busy = 1_000_000
    if trial % 2 == 0:
        house.search.refusal = REJECTED
    yield from _while_it_is_so(house)


def red(house: House, _trial: int) -> Iterator[str]:
    """The disk below an index is gone: it is there by name, and its only shard cannot be placed; it is built anew."""
    with _beside(house) as server:
        name = min(server.indices.get_alias(index=f"{house.prefix}-s*"))
        [held] = server.indices.get(index=name).values()
        server.indices.delete(index=name)
        server.indices.create(
            index=name, aliases=held["aliases"], mappings=held["mappings"], wait_for_active_shards="0",
            settings={"index.routing.allocation.require._name": "nobody", "number_of_replicas": 0},
        )  # fmt: skip
    yield from _while_it_is_so(house, index=False)  # a write to such an index is waited for, a minute in all
    yield from _built_anew(house)


def wiped(house: House, _trial: int) -> Iterator[str]:
    """Every index is deleted; it is built anew from the database, and the difference is nothing."""
    with _beside(house) as server:
        for name in _indices(house, server):
            server.indices.delete(index=name)
    yield from _while_it_is_so(house, "index rebuild")
    yield from _built_anew(house)


def misshapen(house: House, trial: int) -> Iterator[str]:
    """A partition is there under its name with a mapping that takes no document of ours."""
    with _beside(house) as server:
        held = server.indices.get_alias(index=f"{house.prefix}-s*")
        name = min(held)
        aliases: dict[str, Any] = {each: {} for each in held[name]["aliases"]}
        server.indices.delete(index=name)
        server.indices.create(
            index=f"{name[: name.rindex('-')]}-broken{trial}", aliases=aliases,
            mappings={"dynamic": "strict", "properties": {"title": {"type": "long"}}},
            settings={"number_of_replicas": 0},
        )  # fmt: skip
    sent = house.take_in()
    if not sent.number:
        yield f"NOT TAKEN IN: {sent.refused}"
    house.hands.runner.drain()
    if not house.hands.engine.needs_rebuild():
        yield "NOT KNOWN to be misshapen"
    yield from _built_anew(house)


def _built_anew(house: House) -> Iterator[str]:
    house.ask_rebuild()
    house.hands.runner.drain([JobKind.REBUILD])  # before writes that wait for what cannot be placed
    house.settle()
    with house.hands.db.reading() as session:
        yield from (f"DIFFERS {one.shown()}" for one in house.hands.rebuilder.differences(session))


def _while_it_is_so(house: House, *words: str, index: bool = True) -> Iterator[str]:
    """Other work goes on, searches say that they cannot, and nothing is told to be found."""
    sent = house.take_in()
    if not sent.number:
        yield f"NOT TAKEN IN: {sent.refused}"
    house.hands.runner.drain(None if index else [JobKind.EXTRACT])
    for who in (NARROW, READER):
        for parts in (house.parts, house.hands):
            try:
                found = parts.search.search(parts.people.identity_of(who), "合同")
                yield f"ANSWERED {who}: {found.total}"
            except Unavailable as error:
                if CANARY in str(error):
                    yield "CANARY in an error"
    yield from house.told(SEARCHED, 503, "does not answer: search", *words)
    if house.page(f"/records/{sent.record}", READER)[0] != 200:
        yield "RECORD does not open"


@contextmanager
def _beside(house: House) -> Iterator[Elasticsearch]:
    """Reach the server itself."""
    server = connect(elasticsearch(), seconds=60)
    yield server
    server.close()
    house.search.heal()


def _indices(house: House, server: Elasticsearch) -> list[str]:
    return list(server.indices.get(index=f"{house.prefix}-*"))


@contextmanager
def _impatient(house: House) -> Iterator[None]:
    """Have both processes wait for the server only shortly."""
    kept = []
    for parts in (house.parts, house.hands):
        for held in (vars(parts.engine), vars(vars(parts.engine)["_layout"]), vars(vars(parts.engine)["_bulk"])):
            for name, client in list(held.items()):
                if isinstance(client, Elasticsearch):
                    kept.append((held, name, client))
                    held[name] = client.options(request_timeout=SHORT_SECONDS, max_retries=0)
    try:
        yield
    finally:
        for held, name, client in kept:
            held[name] = client
