"""A real Elasticsearch server for tests, named by ``JUANKU_TEST_ELASTICSEARCH``; without it they skip and say so."""

import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from indexer.elastic.engine import ElasticEngine

VARIABLE = "JUANKU_TEST_ELASTICSEARCH"


def server() -> str:
    """The server's address."""
    address = os.environ.get(VARIABLE, "")
    if not address:
        pytest.skip(f"no Elasticsearch server: {VARIABLE} names none")
    pytest.importorskip("elasticsearch", reason="the extra house is not installed")
    return address


def new_prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


def passing_engine(
    prefix: str | None = None,
    *,
    url: str | None = None,
    begun: Callable[[], AbstractSet[str]] = frozenset,
    tries: int = 2,
) -> "ElasticEngine":
    """An engine under a prefix of its own, which takes its indices with it when it is closed (but not over ``url``)."""
    address = server()
    from indexer.elastic.bulk import Bulk
    from indexer.elastic.client import connect
    from indexer.elastic.engine import ElasticEngine

    class Passing(ElasticEngine):
        def close(self) -> None:
            if url is None:
                sweep(own)
            super().close()

    own = prefix or new_prefix()
    client = connect(url or address, seconds=120)
    return Passing(client, prefix=own, begun=begun, bulk=Bulk(client, tries=tries, wait=0.01))


def sweep(prefix: str) -> None:
    """Remove every index under a prefix."""
    from indexer.elastic.client import connect

    client = connect(server(), seconds=120)
    for name in client.indices.get(index=f"{prefix}-*", allow_no_indices=True):
        client.indices.delete(index=name, ignore_unavailable=True)
    client.close()
