"""What a marked copy carries out of sight: a number, its check, and where each bit of both lies on a page.

A page is cut into chips, 112 across; every chip is a little darker or not, as one of 64 bits and a fixed sign say. So
each bit lies in hundreds of places all over the page, and is read by counting. The pattern is no secret: what it tells
is a number that means something only to the house that keeps the row behind it.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b, shake_256
from itertools import combinations

ACROSS = 112
"""Chips across a page. At half of the narrowest page that is served a chip is four pixels, which JPEG leaves alone."""

NUMBER_BITS, CHECK_BITS = 40, 24
BITS = NUMBER_BITS + CHECK_BITS
MOST_ROWS = 600
_DOUBTED = 10  # of the least sure bits so many are tried both ways
_WRONG = 4  # and so many of them at once


def rows_of(width: int, height: int) -> int:
    """Return how many rows of chips a page of this shape has; in steps, so that a scaled page mostly has the same."""
    return min(max(4, round(ACROSS * height / max(width, 1) / 4) * 4), MOST_ROWS)


@lru_cache(maxsize=8)
def pattern(rows: int) -> Sequence[tuple[int, int]]:
    """Return for each chip, row by row, which bit it carries and with which sign (1 or -1)."""
    stream = shake_256(b"juanku mark 1").digest(ACROSS * rows * 2)
    return [(a % BITS, 1 if b & 1 else -1) for a, b in zip(stream[::2], stream[1::2], strict=True)]


def encode(number: int) -> int:
    """Return the 64 bits of a number: itself and its check."""
    if not 0 <= number < 1 << NUMBER_BITS:
        raise ValueError(number)
    return number << CHECK_BITS | _check(number)


def decode(sums: Sequence[float]) -> int | None:
    """Return the number whose bits were read, None where there is none.

    Args:
        sums: for each bit, the highest first, how surely it is set (above zero) or not (below). Bits that were read
            wrongly are mended by trying the least sure ones both ways, until the check fits.
    """
    if len(sums) != BITS:
        raise ValueError(len(sums))
    word = sum(1 << BITS - 1 - place for place, value in enumerate(sums) if value > 0)
    doubted = sorted(range(BITS), key=lambda place: abs(sums[place]))[:_DOUBTED]
    for flips in _flips(doubted):
        tried = word ^ flips
        number = tried >> CHECK_BITS
        if _check(number) == tried & ((1 << CHECK_BITS) - 1):
            return number
    return None


def _flips(places: Sequence[int]) -> Iterator[int]:
    for count in range(_WRONG + 1):
        for some in combinations(places, count):
            yield sum(1 << BITS - 1 - place for place in some)


def _check(number: int) -> int:
    digest = blake2b(number.to_bytes(5, "big"), digest_size=3, person=b"juanku mark").digest()
    return int.from_bytes(digest, "big")
