"""Which files are read with one fork: small ones that may be plain text, of one circle."""

from collections.abc import Iterator, Sequence

from indexer import kinds
from indexer.settling import Source

MOST_BYTES = 131_072
"""A larger file is read by itself."""

MOST = 16
"""So many files are read with one fork at the most."""


def together(asked: Sequence[Source | None], parallel: int) -> Iterator[Sequence[int]]:
    """Yield the places of files to be read with one fork: all of them, in as many shares of a circle as forks work.

    A file that ends in the name of another kind, is large, or of which nobody knows whose it is, is read by itself.
    """
    circles: dict[object, list[int]] = {}
    for place, source in enumerate(asked):
        shared = source is not None and source.circle is not None and _may_be_plain(source)
        circles.setdefault(source.circle if shared and source else (place,), []).append(place)
    for places in circles.values():
        share = min(-(-len(places) // parallel), MOST)
        yield from (places[start : start + share] for start in range(0, len(places), share))


def _may_be_plain(source: Source) -> bool:
    named = kinds.BY_EXTENSION.get(kinds.extension(source.name)) == (kinds.PLAIN,)
    size = MOST_BYTES + 1 if source.cipher_size is None else source.cipher_size
    return named and size <= MOST_BYTES and source.media_type in {None, kinds.PLAIN}
