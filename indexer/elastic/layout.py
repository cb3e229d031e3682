"""Which indices a house has in Elasticsearch: begun, made anew beside, switched and removed.

Whatever is being made anew takes the writes of its partition from the moment it is there, and who writes looks for it
after reading the rows: so a rebuild, which reads rows later still, misses nothing, whoever else writes.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from archive.errors import Unavailable
from indexer.elastic.client import LONG_SECONDS, reachable
from indexer.elastic.schema import SETTINGS, Names, mapping

LOST = "index_lost"
"""A partition that was indexed once and is not there (``Unavailable(part=LOST)``)."""

_EXISTS = 400


@dataclass(frozen=True)
class Held:
    """The indices of a partition: the one that is searched (None: none), and all that take its writes."""

    live: str | None
    indices: Sequence[str]


class Layout:
    """The indices and aliases under one prefix.

    Args:
        client: the server.
        prefix: begins the name of every index.
        begun: tells which partitions have been indexed, by the database: one of these that is not there is lost,
            and is not begun as an empty one.
    """

    def __init__(self, client: Elasticsearch, prefix: str, begun: Callable[[], AbstractSet[str]]) -> None:
        self._client = client
        self._patient = client.options(request_timeout=LONG_SECONDS)
        self.names = Names(prefix)
        self._begun = begun

    def read(self) -> dict[str, Held]:
        """Return what is there now, by partition."""
        with reachable():
            answer = self._client.indices.get_alias(index=f"{self.names.stem}*")
        found: dict[str, list[tuple[str, bool]]] = {}
        for index, told in answer.items():
            partition = self.names.partition(index)
            found.setdefault(partition, []).append((index, self.names.alias(partition) in told["aliases"]))
        return {partition: self._held(partition, indices) for partition, indices in found.items()}

    def _held(self, partition: str, indices: list[tuple[str, bool]]) -> Held:
        live = sorted(index for index, searched in indices if searched)
        if len(live) > 1 and self.names.first(partition) in live:
            # One worker began the partition while another put a new index in its place, which holds all of it.
            self.remove([self.names.first(partition)])
            live.remove(self.names.first(partition))
        return Held(live[0] if live else None, sorted({*live, *(index for index, searched in indices if not searched)}))

    def lost(self) -> frozenset[str]:
        """Return the partitions that were indexed and are not there to be searched."""
        there = {partition for partition, held in self.read().items() if held.live}
        return frozenset(self._begun() - there)

    def begin(self, partition: str) -> Held | None:
        """Begin a partition that is not there; None for a lost one, which is to be made anew instead."""
        if partition in self._begun():
            return None
        index = self.names.first(partition)
        self._create(index, partition, searched=True)
        return self.read().get(partition)

    def make(self, partition: str) -> str:
        """Make an index beside the one that is searched, and return its name. What a broken rebuild left goes."""
        held = self.read().get(partition)
        self.remove([index for index in held.indices if index != held.live] if held else ())
        index = self.names.another(partition)
        self._create(index, partition, searched=False)
        return index

    def _create(self, index: str, partition: str, *, searched: bool) -> None:
        aliases: dict[str, Any] = {self.names.written(index): {}}
        if searched:
            aliases[self.names.alias(partition)] = {}
        with reachable():
            answer = self._patient.options(ignore_status=_EXISTS).indices.create(
                index=index, aliases=aliases, mappings=mapping(self.names, partition), settings=SETTINGS
            )
        error = answer.get("error")
        if error and error.get("type") != "resource_already_exists_exception":
            raise Unavailable(part="search", reason=str(error.get("type")))

    def switch(self, partition: str, index: str) -> None:
        """Put an index in the place of the one that is searched, in one step; the others are removed."""
        alias = self.names.alias(partition)
        held = self.read().get(partition)
        old = [name for name in held.indices if name != index] if held else []
        actions: list[Mapping[str, Any]] = [{"add": {"index": index, "alias": alias}}]
        actions += [{"remove_index": {"index": name}} for name in [*old, *self._of_other_versions(partition)]]
        with reachable():
            self._patient.indices.update_aliases(actions=actions)

    def _of_other_versions(self, partition: str) -> list[str]:
        return [
            name
            for name, meta in self.meta().items()
            if meta.get("partition") == partition and not name.startswith(self.names.stem)
        ]

    def meta(self) -> dict[str, Mapping[str, Any]]:
        """Return what each index of this prefix, of whatever version, says of itself."""
        return {
            name: told["mappings"]["_meta"]
            for name, told in self._mappings(self.names.of_any_version).items()
            if told["mappings"].get("_meta", {}).get("prefix") == self.names.prefix
        }

    def misshapen(self) -> frozenset[str]:
        """Return the partitions that are searched in an index of another shape than ours."""
        told = self._mappings(f"{self.names.stem}*")
        return frozenset(
            partition
            for partition, held in self.read().items()
            if held.live and (held.live not in told or told[held.live]["mappings"] != mapping(self.names, partition))
        )

    def _mappings(self, pattern: str) -> Mapping[str, Any]:
        with reachable():
            return dict(self._client.indices.get_mapping(index=pattern))

    def red(self) -> frozenset[str]:
        """Return the partitions that the server cannot answer from."""
        with reachable():
            health = self._client.cluster.health(index=f"{self.names.stem}*", level="indices", timeout="2s")
        return frozenset(
            self.names.partition(index) for index, told in health["indices"].items() if told["status"] == "red"
        )

    def remove(self, indices: Sequence[str]) -> None:
        """Remove indices. Removing what is not there is no error."""
        with reachable():
            for index in indices:
                try:
                    self._patient.indices.delete(index=index)
                except NotFoundError:
                    continue
