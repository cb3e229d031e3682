"""Renewals by their rules alone: whatever is wished of whatever clock, nothing becomes shorter."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.model import DueState
from archive.terms import FOREVER
from retention.renewal_rules import Extent, Facts, refused, until, wrong

TODAY = date(2026, 3, 2)
DAYS = st.dates(date(1950, 1, 1), date(2200, 12, 31))
EXTENTS = (
    st.just(Extent())
    | st.integers(1, 100).map(lambda years: Extent(years=years))
    | st.integers(1900, 2200).map(lambda year: Extent(through=year))
)


@given(EXTENTS, st.none() | DAYS, DAYS)
def test_a_renewal_that_is_not_refused_is_longer(extent: Extent, due: date | None, today: date) -> None:
    day = until(extent, due, today)
    if refused(Facts(DueState.DATED if due else DueState.WAITING, due), day) is None and due:
        assert day > due
    if extent.years:
        assert day > max(due or today, today)
        assert day.year - max(due or today, today).year <= extent.years + 1


@pytest.mark.parametrize(
    ("extent", "due", "day"),
    [
        (Extent(through=2030), None, date(2031, 1, 1)),
        (Extent(years=5), date(2001, 1, 1), date(2031, 3, 2)),
        (Extent(years=5), date(2028, 2, 29), date(2033, 3, 1)),
        (Extent(years=4), date(2028, 2, 29), date(2032, 2, 29)),
        (Extent(years=5), None, date(2031, 3, 2)),
        (Extent(), date(2001, 1, 1), FOREVER),
    ],
)
def test_the_day_of_a_renewal(extent: Extent, due: date | None, day: date) -> None:
    assert until(extent, due, TODAY) == day


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (Facts(DueState.DATED, date(2020, 1, 1)), None),
        (Facts(DueState.WAITING, None), None),
        (Facts(DueState.DATED, date(2031, 1, 1)), "not_longer"),
        (Facts(DueState.DATED, date(2030, 12, 31)), None),
        (Facts(DueState.NEVER, None), "kept_for_good"),
        (Facts(DueState.DATED, date(2020, 1, 1), leaving=True), "on_destruction_list"),
        (Facts(DueState.DATED, date(2020, 1, 1), asked=True), "under_renewal"),
    ],
)
def test_what_may_not_be_renewed(facts: Facts, code: str | None) -> None:
    assert refused(facts, date(2031, 1, 1)) == code


@pytest.mark.parametrize(
    ("extent", "fields"),
    [
        (Extent(), []), (Extent(years=1), []), (Extent(years=100), []), (Extent(through=2026), []),
        (Extent(through=2126), []), (Extent(years=0), ["years"]), (Extent(years=101), ["years"]),
        (Extent(through=2025), ["through"]), (Extent(through=2127), ["through"]), (Extent(2030, 5), ["years"]),
    ],
)  # fmt: skip
def test_what_may_not_be_wished(extent: Extent, fields: list[str]) -> None:
    assert [fault.field for fault in wrong(extent, TODAY)] == fields
