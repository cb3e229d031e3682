"""Terms as codes, and the day they run out."""

from datetime import date

import pytest

from archive.terms import BadTerm, check_term, due_on, due_year, parse_term


@pytest.mark.parametrize(
    ("code", "words"),
    [("Y", ("permanent", 0)), ("D30", ("years", 30)), ("d10", ("years", 10)), ("M18", ("months", 18))],
)
def test_a_term_is_worded(code: str, words: tuple[str, int]) -> None:
    assert parse_term(code).words == words


@pytest.mark.parametrize("code", ["", "D0", "D", "30", "D201", "M1201", "永久", "D" + "1" * 1000, "D３"])
def test_what_is_no_term_is_refused(code: str) -> None:
    with pytest.raises(BadTerm) as refused:
        check_term(code)
    assert (refused.value.faults[0].field, refused.value.faults[0].code) == ("term", "bad_term")


def test_years_run_from_the_first_of_january_after() -> None:
    assert due_on("D10", date(2024, 3, 5)) == date(2035, 1, 1)
    assert due_year("D30", date(2024, 12, 31)) == 2055


def test_months_run_from_the_first_of_the_next_month() -> None:
    assert due_on("M1", date(2024, 1, 31)) == date(2024, 3, 1)
    assert due_on("M12", date(2024, 12, 5)) == date(2026, 1, 1)


def test_permanent_never_falls_due_nor_what_has_no_day() -> None:
    assert due_on("Y", date(2024, 3, 5)) is None
    assert due_year("D10", None) is None
