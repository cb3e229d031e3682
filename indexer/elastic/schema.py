"""The shape of an Elasticsearch index, how an entry becomes a document of it, and the names of indices and aliases.

No source is kept and no text is cut by Elasticsearch: words come ready-made, divided by spaces. A document that is not
``there`` is a tombstone: a record's id, its version and a moment, so that no older write brings the record back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.ids import new_id
from indexer.engine import FACETS, TIERS, IndexEntry, Tombstone, date_key
from indexer.fold import FOLD_VERSION
from indexer.terms import (
    DATE,
    EXACT_TITLE,
    FACTS,
    ID,
    MARK,
    NUMERIC_FACTS,
    TOKENS,
    VERSION,
    checked,
    column,
    facet,
    mark_of,
    numbers_of,
    terms_of,
    words_of,
)

SCHEMA_VERSION = 3

THERE = "there"
"""Whether the document is an entry; every search asks for it."""

GONE_AT = "gone_at"
"""When a tombstone was written."""

SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "refresh_interval": "-1",  # what was written is found after a commit, not before
    "merge.policy.expunge_deletes_allowed": 0,  # an expunge leaves no segment out
}

Document = dict[str, Any]


def mapping(names: "Names", partition: str) -> dict[str, Any]:
    """Return the mapping of a partition, as Elasticsearch tells it back."""
    words = {"type": "text", "analyzer": "whitespace"}
    term = {"type": "keyword", "doc_values": False}
    fields: dict[str, dict[str, Any]] = {
        ID: {"type": "keyword", "index": False},
        VERSION: {"type": "long", "index": False},
        MARK: {"type": "long", "index": False},
        DATE: {"type": "long", "index": False},
        THERE: {"type": "boolean"},
        GONE_AT: {"type": "date"},
        FACTS: term,
        TOKENS: term,
    }
    fields |= dict.fromkeys((*TIERS, EXACT_TITLE), words)
    fields |= {column(name): {"type": "integer"} for name in NUMERIC_FACTS}
    fields |= {facet(name): {"type": "keyword"} for name in FACETS}
    return {
        "dynamic": "strict",
        "_source": {"enabled": False},
        "_meta": {
            "prefix": names.prefix,
            "partition": partition,
            "schema": SCHEMA_VERSION,
            "fold": FOLD_VERSION,
        },
        "properties": fields,
    }


@dataclass(frozen=True)
class Names:
    """The names of a house's indices and aliases.

    A partition's index has an own name each time it is made anew. Searches ask the alias of the partition; writes go
    to an alias of the one index, since a write to the name of an index that is gone would make it again.
    """

    prefix: str

    @property
    def stem(self) -> str:
        """What every name of this schema and fold begins with."""
        return f"{self.prefix}-s{SCHEMA_VERSION}-f{FOLD_VERSION}-"

    @property
    def of_any_version(self) -> str:
        """A pattern of all indices under this prefix, those of other schemas and folds too."""
        return f"{self.prefix}-s*"

    def alias(self, partition: str) -> str:
        """Return what searches ask."""
        return f"{self.stem}{partition}"

    def first(self, partition: str) -> str:
        """Return the name of a partition's first index, the same for whoever begins it."""
        return f"{self.alias(partition)}-first"

    def another(self, partition: str) -> str:
        """Return a new name for an index of a partition."""
        return f"{self.alias(partition)}-{new_id().hex}"

    def partition(self, index: str) -> str:
        """Return the partition that an index is of."""
        return index.removeprefix(self.stem).split("-", 1)[0]

    @staticmethod
    def written(index: str) -> str:
        """Return the alias that writes to an index go to."""
        return f"{index}-w"


def document(entry: IndexEntry) -> Document:
    """Return an entry as a document.

    Raises:
        ValueError: a fact is missing that every entry has.
    """
    checked(entry)
    terms = terms_of(entry)
    made: Document = {
        ID: entry.id.hex,
        VERSION: entry.version,
        MARK: mark_of(entry, terms),
        THERE: True,
        DATE: date_key(entry.facts, entry.id),
        **numbers_of(entry),
        **terms,
    }
    made.update(words_of(entry))
    return made


def gone(tombstone: Tombstone, now: datetime) -> Document:
    """Return a tombstone as a document."""
    return {ID: tombstone.id.hex, VERSION: tombstone.version, THERE: False, GONE_AT: now.isoformat()}


def record_id(key: str) -> UUID:
    """Return the record of a document's id."""
    return UUID(hex=key)
