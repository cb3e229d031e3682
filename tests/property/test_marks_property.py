"""The number out of sight comes back, whatever it is, and though some of its bits were read wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import marks

NUMBERS = st.integers(0, (1 << marks.NUMBER_BITS) - 1)


def read(number: int, sure: float = 5.0) -> list[float]:
    word = marks.encode(number)
    return [sure if word >> marks.BITS - 1 - place & 1 else -sure for place in range(marks.BITS)]


@given(NUMBERS)
def test_any_number_comes_back(number: int) -> None:
    assert marks.decode(read(number)) == number


@given(NUMBERS, st.sets(st.integers(0, marks.BITS - 1), max_size=4))
def test_up_to_four_doubtful_bits_are_mended(number: int, wrong: set[int]) -> None:
    sums = read(number)
    for place in wrong:
        sums[place] *= -0.1
    assert marks.decode(sums) == number


@given(NUMBERS, st.sets(st.integers(0, marks.BITS - 1), min_size=14, max_size=40))
def test_what_is_beyond_mending_is_not_made_up(number: int, wrong: set[int]) -> None:
    sums = read(number)
    for place in wrong:
        sums[place] *= -1
    assert marks.decode(sums) is None


@pytest.mark.parametrize("number", [-1, 1 << marks.NUMBER_BITS])
def test_no_other_number_is_taken(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        marks.encode(number)
