"""A partition made anew in an index beside the one that is searched."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import UUID

from archive.errors import Unavailable
from indexer.elastic_bulk import Bulk, Operation, Sent, operation
from indexer.elastic_layout import Layout
from indexer.elastic_schema import document
from indexer.engine import BAD_ENTRY, IndexEntry


class ElasticRebuild:
    """``Rebuild`` on a server: what was given is sent while the next is read.

    Args:
        layout: makes the index and switches to it.
        bulk: sends.
        partition: what is made anew.
        refresh: has what was sent to indices found.
    """

    def __init__(self, layout: Layout, bulk: Bulk, partition: str, refresh: Callable[[Sequence[str]], None]) -> None:
        self._layout = layout
        self._bulk = bulk
        self._partition = partition
        self._refresh = refresh
        self._refused: dict[UUID, str] = {}
        self._index = layout.make(partition)
        self._open = True
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="rebuild")
        self._sending: Future[Sent] | None = None

    def write(self, entries: Sequence[IndexEntry]) -> None:
        """Have entries sent, once those before are; a newer one that came meanwhile stays.

        Raises:
            Unavailable: the server did not take those before.
        """
        self._settle()
        self._sending = self._sender.submit(self._send, entries)

    def _settle(self) -> None:
        if self._sending is None:
            return
        sent = self._sending.result()
        if sent.gone:  # another rebuild of this partition took this one for broken
            raise Unavailable(part="search", reason="moving")
        self._refused |= sent.refused

    def _send(self, entries: Sequence[IndexEntry]) -> Sent:
        return self._bulk.send(self._operations(entries))

    def _operations(self, entries: Sequence[IndexEntry]) -> Iterator[Operation]:
        alias = self._layout.names.written(self._index)
        for entry in entries:
            try:
                made = document(entry)
            except ValueError:
                self._refused[entry.id] = BAD_ENTRY
            else:
                yield operation(alias, entry.id, entry.version, made)

    def finish(self) -> Mapping[UUID, str]:
        """Put the new index in the place of the old one."""
        self._settle()
        self._refresh([self._index])
        self._layout.switch(self._partition, self._index)
        self._open = False
        return self._refused

    def abandon(self) -> None:
        """Remove what was made, unless it is in use."""
        if self._sending is not None:
            wait([self._sending])
        self._sender.shutdown()
        if self._open:
            self._open = False
            self._layout.remove([self._index])
