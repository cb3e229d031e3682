"""How long records are secret: counted in whole months, never shorter, and reviews only do what their words say."""

import calendar
from datetime import date, timedelta

import hypothesis.strategies as st
from hypothesis import example, given

from archive.model import SecrecyVerdict
from retention.secrecy.rules import AHEAD, Facts, Standing, Target, ends, extended, faults, standing

DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))
MONTHS = st.integers(1, 1200)
LEVELS = st.integers(1, 5)
FACTS = st.builds(Facts, level=LEVELS, secret=st.booleans(), end=st.none() | DAYS, grouped=st.booleans())
TARGETS = st.builds(
    Target,
    level=st.none() | LEVELS,
    secret=st.booleans(),
    months=st.none() | st.integers(-5, 1300),
    until=st.none() | DAYS,
)


@given(DAYS, MONTHS)
@example(date(2024, 2, 29), 12)
@example(date(2023, 12, 31), 2)
@example(date(2024, 1, 31), 1)
def test_a_period_runs_whole_months_and_ends_on_the_same_day_or_the_first_after_a_day_that_is_not_there(
    since: date, months: int
) -> None:
    end = ends(since, months)
    year, month = divmod(since.year * 12 + since.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    if since.day <= last:
        assert end == date(year, month + 1, since.day)
    else:
        assert end == date(year, month + 1, last) + timedelta(days=1)


def test_leap_days() -> None:
    assert ends(date(2024, 2, 29), 120) == date(2034, 3, 1)
    assert ends(date(2024, 2, 29), 48) == date(2028, 2, 29)
    assert ends(date(2000, 2, 29), 1200) == date(2100, 3, 1)  # 2100 is no leap year


@given(DAYS, MONTHS, MONTHS)
def test_longer_periods_and_extensions_never_end_sooner(since: date, shorter: int, more: int) -> None:
    assert ends(since, shorter) < ends(since, shorter + more)
    assert extended(ends(since, shorter), more, since) > ends(since, shorter)
    assert extended(None, more, since) == ends(since, more)


@given(st.none() | DAYS, DAYS)
def test_how_it_stands(end: date | None, today: date) -> None:
    found = standing(end, today)
    assert (found is Standing.CONDITION) == (end is None)
    if end is not None:
        assert (found is Standing.LATE) == (today >= end)
        assert (found is Standing.SOON) == (today < end <= today + AHEAD)


@given(st.sampled_from(SecrecyVerdict), FACTS, TARGETS, DAYS)
def test_what_may_be_decided_does_what_its_word_says(
    verdict: SecrecyVerdict, facts: Facts, target: Target, today: date
) -> None:
    if faults(verdict, facts, target, today):
        return
    if verdict in {SecrecyVerdict.LOWER, SecrecyVerdict.DERIVE, SecrecyVerdict.DECLASSIFY}:
        assert facts.secret
        assert target.level is not None
        assert target.level < facts.level
    if verdict is SecrecyVerdict.DECLASSIFY:
        assert not target.secret
    if verdict is SecrecyVerdict.RAISE:
        assert target.level is not None
        assert target.level > facts.level
    if verdict in {SecrecyVerdict.EXTEND, SecrecyVerdict.DERIVE}:
        assert target.months is not None
        assert extended(facts.end, target.months, today) > today
    if verdict in {SecrecyVerdict.OPEN, SecrecyVerdict.CONTROL}:
        assert not facts.secret
        assert not facts.grouped
    if verdict is SecrecyVerdict.CONTROL:
        assert target.until is not None
        assert target.until > today
