"""How a hit is ranked, the same for every engine: its tier first, and inside a tier how well the words fit.

A tier is a constant score, a thousand from the next; what is added for relevance is scaled to stay below that.
"""

from collections.abc import Iterator

from indexer.engine import weighs_words
from indexer.query.tree import And, Negate, Or, Prefix, Query, Words

STEP = 1000.0
"""The distance between two tiers in score."""

_TERM_WEIGHT = 48.0  # what BM25 can give to one term: (1 + ln 10^9) * 2.2


def damping(terms: int) -> float:
    """Return what relevance is multiplied by, so that that of ``terms`` terms stays below a tier."""
    return min(1.0, (STEP - 100) / (_TERM_WEIGHT * max(terms, 1)))


def weighed(query: Query, *, wanted: bool = False) -> Iterator[Words | Prefix]:
    """Yield the words of a query that are looked for by weight; only those that a hit should hold when ``wanted``."""
    match query:
        case Words() | Prefix() if weighs_words(query):
            yield query
        case And(parts) | Or(parts):
            for part in parts:
                yield from weighed(part, wanted=wanted)
        case Negate(part) if not wanted:
            yield from weighed(part)
        case _:
            pass
