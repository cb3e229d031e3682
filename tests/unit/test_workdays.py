"""Counting in working days: the house's own weekends, holidays and days that are made up for."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidInput, NotAllowed
from archive.reminding.workdays import (
    Calendar,
    NamedDay,
    add_working_days,
    is_working,
    next_working_day,
    working_days_between,
)
from tests.factories.web_house import a_web_house

SPRING = Calendar(days={date(2026, 2, 17) + timedelta(n): False for n in range(7)} | {date(2026, 2, 28): True})
"""The Spring Festival of 2026 as it might be: seven days off, and a Saturday that is worked."""


def test_ten_working_days_over_the_spring_festival() -> None:
    assert add_working_days(SPRING, date(2026, 2, 13), 10) == date(2026, 3, 5)
    assert next_working_day(SPRING, date(2026, 2, 17)) == date(2026, 2, 24)
    assert next_working_day(SPRING, date(2026, 2, 28)) == date(2026, 2, 28)


def test_a_calendar_in_which_nobody_ever_works_is_found_out() -> None:
    with pytest.raises(ValueError, match="20"):
        add_working_days(Calendar(worked=frozenset()), date(2026, 1, 1), 1)


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
calendars = st.builds(
    Calendar, st.sets(st.integers(0, 6), min_size=1).map(frozenset), st.dictionaries(days, st.booleans(), max_size=30)
)


@given(calendars, days, st.integers(-200, 200))
def test_counting_back_what_was_counted_on_gives_the_same_number(calendar: Calendar, day: date, count: int) -> None:
    end = add_working_days(calendar, day, count)
    assert count == 0 or is_working(calendar, end)
    if count > 0:
        assert working_days_between(calendar, day, end) == count
    assert (end > day) - (end < day) == (count > 0) - (count < 0)


def test_who_manages_schemes_keeps_the_calendar_and_nobody_else(tmp_path: Path) -> None:
    with a_web_house(tmp_path) as house:
        own = house.services
        kept = own.telling.workdays
        archivist, staff = own.people.identity_of("archivist"), own.people.identity_of("staff")
        kept.set_days(
            archivist,
            [NamedDay(date(2026, 10, 1), works=False, name="国庆节"), NamedDay(date(2026, 10, 10), works=True)],
        )
        kept.set_week(archivist, range(6))
        assert [is_working(kept.calendar(), date(2026, 10, day)) for day in (1, 2, 3, 4, 10)] == [
            False,
            True,
            True,
            False,
            True,
        ]
        assert [each.name for each in kept.year(2026)] == ["国庆节", ""]
        assert kept.year(2025) == []
        kept.forget_day(archivist, date(2026, 10, 1))
        assert is_working(kept.calendar(), date(2026, 10, 1))
        with pytest.raises(NotAllowed):
            kept.set_days(staff, [NamedDay(date(2026, 10, 1), works=False)])
        for week in ([], [7]):
            with pytest.raises(InvalidInput):
                kept.set_week(archivist, week)
