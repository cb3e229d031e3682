"""Whole numbers as people type them."""

import pytest

from archive.spelling import whole_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("20", 20), (" ２０　", 20), ("1２", 12), ("007", 7), ("0", 0), ("999999999", 999_999_999),
        ("", None), ("-1", None), ("+1", None), ("1.0", None), ("1_0", None), ("1 0", None), ("1000000000", None),
        ("5²", None), ("①", None), ("㉚", None), ("٣", None), ("三", None),
    ],
)  # fmt: skip
def test_a_whole_number_is_read_in_digits_of_either_width_and_nothing_else_is_one(
    text: str, number: int | None
) -> None:
    assert whole_of(text) == number


def test_more_than_may_be_is_none() -> None:
    assert (whole_of("12", 12), whole_of("13", 12)) == (12, None)
