"""Tantivy alone, on the indices of the product: the raw side of searches."""

from collections.abc import Sequence
from typing import cast

from tantivy import Query, Schema, Searcher

from indexer.engine import SearchEngine
from indexer.tantivy.engine import TantivyEngine
from indexer.tantivy.schema import build_schema


def schema() -> Schema:
    """Return the schema of every partition."""
    return build_schema()


def searchers(engine: SearchEngine, partitions: Sequence[str]) -> list[Searcher]:
    """Return a searcher of each of these partitions that has been written."""
    own = cast("TantivyEngine", engine)
    found = (own._partition(name).searcher() for name in partitions)  # noqa: SLF001  (the same indices, no other way)
    return [each for each in found if each]


def words_of(schema: Schema, name: str, terms: Sequence[str]) -> Query:
    """Return the query for cut words beside each other in a field."""
    return Query.term_query(schema, name, terms[0]) if len(terms) == 1 else Query.phrase_query(schema, name, [*terms])
