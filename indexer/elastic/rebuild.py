"""A partition made anew in an index beside the one that is searched."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import UUID

from archive.errors import Unavailable
from indexer.elastic.bulk import CHUNK, Bulk, Operation, Sent, operation
from indexer.elastic.layout import Layout
from indexer.elastic.schema import document
from indexer.engine import BAD_ENTRY, IndexEntry

SENDERS = 2
"""Requests under way at once: the server has the next at hand when it is done with one."""


class ElasticRebuild:
    """``Rebuild`` on a server: what was given is cut at once, and sent while the next is read and cut.

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
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="rebuild")
        self._sending: deque[Future[Sent]] = deque()

    def write(self, entries: Sequence[IndexEntry]) -> None:
        """Have entries sent, once few of those before are under way; a newer one that came meanwhile stays.

        Raises:
            Unavailable: the server did not take some of those before.
        """
        for start in range(0, len(entries), CHUNK):
            # here and not by the sender, which is to wait for the server alone
            cut = list(self._operations(entries[start : start + CHUNK]))
            self._settle(SENDERS - 1)
            self._sending.append(self._senders.submit(self._bulk.send, cut))

    def _settle(self, left: int) -> None:
        """Hear of what was sent first, until so many requests are under way."""
        while len(self._sending) > left:
            sent = self._sending.popleft().result()
            if sent.gone:  # another rebuild of this partition took this one for broken
                raise Unavailable(part="search", reason="moving")
            self._refused |= sent.refused

    def _operations(self, entries: Sequence[IndexEntry]) -> Iterator[Operation]:
        alias = self._layout.names.written(self._index)
        for entry in entries:
            try:
                made = document(entry)
            except ValueError:
                self._refused[entry.id] = BAD_ENTRY
            else:
                # What a job wrote meanwhile stays: names may have changed under the same version.
                yield operation(alias, entry.id, entry.version, made, unless_same=True)

    def finish(self) -> Mapping[UUID, str]:
        """Put the new index in the place of the old one."""
        self._settle(0)
        self._refresh([self._index])
        self._layout.switch(self._partition, self._index)
        self._open = False
        return self._refused

    def abandon(self) -> None:
        """Remove what was made, unless it is in use."""
        wait(self._sending)
        self._senders.shutdown()
        if self._open:
            self._open = False
            self._layout.remove([self._index])
