"""Sending documents to Elasticsearch in bulk: waiting when it is busy, and telling apart what it refuses."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from elasticsearch import ApiError, Elasticsearch
from pydantic import TypeAdapter

from archive.errors import Unavailable
from indexer.elastic.client import LONG_SECONDS, reachable
from indexer.elastic.schema import Document

BUSY = (429, 502, 503, 504)
"""Answers that ask to come again later."""

CHUNK = 500
CHUNK_BYTES = 8 * 1024 * 1024
"""A request holds no more documents, and no more bytes, than this."""

PLACED = "10s"
"""How long a write waits for an index that the server cannot place now; it is then sent again, or put off."""

LONGEST_WAIT = 10.0

_MISSING = 404
_CONFLICT = 409
_NOT_OURS = (401, 403)
_SERVER_FAULT = 500
_TOLD = ("errors", "items.*.status", "items.*.error.type")
"""What of an answer is read; the rest of it takes as long to read as the documents to write down."""

_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_fast = TypeAdapter(dict[str, Any]).dump_json


class Operation(NamedTuple):
    """The write of a record's document, as it is sent."""

    key: UUID
    action: bytes
    document: bytes


def operation(alias: str, key: UUID, version: int, document: Document, *, unless_same: bool = False) -> Operation:
    """Return the write of a document unless the index holds a newer version, or the alias is gone.

    Args:
        alias: writes to the index.
        key: the record.
        version: of its row.
        document: what is written.
        unless_same: not over the same version either.
    """
    action = b'%b"_id":"%032x","version":%d}}' % (_action(alias, unless_same), key.int, version)
    return Operation(key, action, _line(document))


def _line(document: Document) -> bytes:
    try:
        return _fast(document)
    except ValueError:  # half a surrogate pair in a text
        return _written(document).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=256)
def _action(alias: str, unless_same: bool) -> bytes:
    """Return how the action begins of every write to an index."""
    kind = "external" if unless_same else "external_gte"
    begun = _written({"index": {"_index": alias, "version_type": kind, "require_alias": True}})
    return f"{begun.removesuffix('}}')},".encode()


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
            for chunk in _chunks(operations):
                self._deliver(chunk, sent)
        return sent

    def _deliver(self, chunk: Sequence[Operation], sent: Sent) -> None:
        for tried in range(self._tries + 1):
            if tried:
                time.sleep(min(self._wait * 2 ** (tried - 1), LONGEST_WAIT))
            busy: list[Operation] = []
            for one, status, kind in self._answers(chunk):
                if status in BUSY and tried < self._tries:
                    busy.append(one)
                else:
                    _note(sent, one.key, status, kind)
            if not busy:
                return
            chunk = busy

    def _answers(self, chunk: Sequence[Operation]) -> Iterator[tuple[Operation, int, str]]:
        """Send a request; yield what was not taken, with the server's status and the kind of fault."""
        body = b"\n".join([line for one in chunk for line in (one.action, one.document)])
        try:
            told = self._client.bulk(operations=cast("Any", [body]), timeout=PLACED, filter_path=_TOLD).body
        except ApiError as error:
            yield from ((one, error.status_code, f"status_{error.status_code}") for one in chunk)
            return
        if told["errors"]:
            for one, item in zip(chunk, told["items"], strict=True):
                answer = item["index"]
                if "error" in answer:
                    yield one, int(answer["status"]), str(answer["error"]["type"])


def _chunks(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    chunk: list[Operation] = []
    size = 0
    for one in operations:
        length = len(one.action) + len(one.document) + 2
        if chunk and (len(chunk) == CHUNK or size + length > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += length
    if chunk:
        yield chunk


def _note(sent: Sent, key: UUID, status: int, kind: str) -> None:
    if status == _CONFLICT:
        return  # a newer version is there
    if status == _MISSING:
        sent.gone.add(key)
    elif status in _NOT_OURS or status in BUSY or status >= _SERVER_FAULT:
        raise Unavailable(part="search", reason=f"{status} {kind}")
    else:
        sent.refused[key] = kind
