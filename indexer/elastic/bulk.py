"""Sending documents to Elasticsearch in bulk: waiting when it is busy, and telling apart what it refuses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from archive.errors import Unavailable
from indexer.elastic.client import LONG_SECONDS, reachable
from indexer.elastic.schema import Document, record_id

BUSY = (429, 502, 503, 504)
"""Answers that ask to come again later."""

CHUNK = 500
CHUNK_BYTES = 8 * 1024 * 1024
"""A request holds no more documents, and no more bytes, than this."""

PLACED = "10s"
"""How long a write waits for an index that the server cannot place now; it is then sent again, or put off."""

_MISSING = 404
_CONFLICT = 409
_NOT_OURS = (401, 403)
_SERVER_FAULT = 500

Operation = tuple[Mapping[str, Any], Document]


def operation(alias: str, key: UUID, version: int, document: Document) -> Operation:
    """Return the write of a document unless the index holds a newer version, or the alias is gone."""
    action = {
        "_index": alias,
        "_id": key.hex,
        "version": version,
        "version_type": "external_gte",
        "require_alias": True,
    }
    return {"index": action}, document


@dataclass
class Sent:
    """The documents that were not taken: those refused, with the kind of fault, and those whose index went."""

    refused: dict[UUID, str] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)


class Bulk:
    """Sends documents.

    Args:
        client: the server.
        tries: how often a request is sent again that the server is too busy for.
        wait: seconds before it is sent again, doubled each time.
    """

    def __init__(self, client: Elasticsearch, *, tries: int = 6, wait: float = 0.25) -> None:
        self._client = client.options(request_timeout=LONG_SECONDS)
        self._tries = tries
        self._wait = wait

    def send(self, operations: Iterable[Operation]) -> Sent:
        """Send documents. One that the server refuses does not keep the others from it.

        Raises:
            Unavailable: it does not answer, or stays too busy (``part="search"``).
        """
        sent = Sent()
        with reachable():
            for taken, told in streaming_bulk(
                self._client,
                cast("Any", operations),  # pairs, which the callback takes as they are
                chunk_size=CHUNK,
                max_chunk_bytes=CHUNK_BYTES,
                expand_action_callback=lambda one: cast("Any", one),
                raise_on_error=False,
                raise_on_exception=False,
                yield_ok=False,
                max_retries=self._tries,
                initial_backoff=self._wait,
                max_backoff=10,
                retry_on_status=BUSY,
                timeout=PLACED,
            ):
                if not taken:
                    self._note(sent, told["index"])
        return sent

    @staticmethod
    def _note(sent: Sent, told: Mapping[str, Any]) -> None:
        key, status = record_id(told["_id"]), int(told["status"])
        error = told.get("error") or {}
        kind = str(error.get("type")) if isinstance(error, Mapping) else f"status_{status}"
        if status == _CONFLICT:
            return  # a newer version is there
        if status == _MISSING:
            sent.gone.add(key)
        elif status in _NOT_OURS or status in BUSY or status >= _SERVER_FAULT:
            raise Unavailable(part="search", reason=f"{status} {kind}")
        else:
            sent.refused[key] = kind
