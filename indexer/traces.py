"""What the index tells of records that are to be gone: rare words before, and whether they are found after."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from archive.policy.condition import Has
from archive.ports import Vault
from indexer.engine import SearchEngine, SearchRequest
from indexer.entries import Entries
from indexer.query.tree import Everything, Or, Words
from indexer.words import HAN, WORD

WORDS_EACH = 3
"""Words that are noted of a record."""

_HAN_CHARACTERS = 8
_LEAST_LETTERS = 5
_LOOKED_AT = 20_000
_TOGETHER = 20
_PAGE = 500
_T = TypeVar("_T")
_RUN = re.compile(rf"[{HAN}]{{4,}}|{WORD}{{{_LEAST_LETTERS},40}}")


class SearchTraces:
    """``ports.IndexTraces`` over a search engine."""

    def __init__(self, engine: SearchEngine, vault: Vault) -> None:
        self._engine = engine
        self._entries = Entries(vault)

    def rare_words(self, session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
        """Return of each record the words that fewest of these records have, the longest first.

        A run of Han characters gives its first eight, which few texts share.
        """
        words: dict[UUID, list[str]] = {}
        for kept in self._entries.read(session, ids):
            if kept.entry is not None:
                text = "\n".join(islice(_texts(kept.entry.texts), 200))[:_LOOKED_AT]
                words[kept.record_id] = list(dict.fromkeys(run[:_HAN_CHARACTERS] if _han(run) else run
                                                           for run in _RUN.findall(text)))  # fmt: skip
        among = Counter(word for each in words.values() for word in each)
        return {
            key: sorted(each, key=lambda word: (among[word], -len(word)))[:WORDS_EACH] for key, each in words.items()
        }

    def holding(self, ids: Collection[UUID]) -> Mapping[str, int]:
        """Return how many of these records each partition holds."""
        found = {}
        for partition in self._engine.partitions():
            found[partition] = sum(
                self._engine.search(
                    SearchRequest(Everything(), [partition], filters=[Has("record", frozenset(some))], limit=0)
                ).total
                for some in _some(ids, _PAGE)
            )
        return found

    def found_by(self, words: Sequence[str], ids: Collection[UUID]) -> int:
        """Return how many of these records any of the words finds."""
        partitions, found = list(self._engine.partitions()), set[UUID]()
        for some in _some(words, _TOGETHER):
            any_of = Or(tuple(Words(each) for each in some))
            for few in _some(ids, _PAGE):  # asked of these alone: a word of theirs may find any number of others
                asked = SearchRequest(any_of, partitions, filters=[Has("record", frozenset(few))], limit=_PAGE)
                found.update(hit.id for hit in self._engine.search(asked).hits)
        return len(found)


def _texts(texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name in ("text", "title", "notes", "fields", "keywords", "responsible", "person"):
        yield from texts.get(name, ())


def _han(run: str) -> bool:
    return re.match(f"[{HAN}]", run) is not None


def _some(items: Collection[_T], most: int) -> Iterator[list[_T]]:
    every = iter(items)
    while batch := list(islice(every, most)):
        yield batch
