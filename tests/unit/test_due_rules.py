"""When who is reminded: examples, and what holds of every rule, day and pause of the clock that asks."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.reminding.rules import Judged, Rule, judge

DUE = date(2026, 6, 30)
RULE = Rule(before=(30, 7), after=(14,), head=(30,))


def at(days: int, rule: Rule = RULE, since: date | None = None, told: tuple[str, ...] = ()) -> Judged:
    return judge(rule, DUE, since, told, DUE + timedelta(days))


def code(judged: Judged) -> str | None:
    return judged.stage.code if judged.stage else None


def test_each_stage_comes_on_its_day_and_the_next_look_is_on_the_next_ones() -> None:
    expected = [(-30, "before_30", -7), (-7, "before_7", 0), (0, "on", 14), (14, "after_14", 30), (30, "head_30", None)]
    told: tuple[str, ...] = ()
    for days, name, following in expected:
        judged = at(days, told=told)
        assert (code(judged), judged.late) == (name, False)
        assert judged.look_on == (None if following is None else DUE + timedelta(following))
        told = (*told, name)
    assert code(at(400, told=told)) is None


def test_of_several_stages_missed_the_newest_alone_is_told_and_marked_late() -> None:
    judged = at(3)
    assert (code(judged), judged.late) == ("on", True)
    assert code(at(3, told=("on",))) is None


def test_what_lies_before_the_day_it_was_noted_is_not_told() -> None:
    noted = DUE - timedelta(5)
    judged = at(-5, since=noted)
    assert (code(judged), judged.look_on) == (None, DUE)


def test_what_comes_on_the_very_day_it_was_noted_is_told() -> None:
    assert code(at(-7, since=DUE - timedelta(7))) == "before_7"


def test_what_is_over_has_no_stage_to_come() -> None:
    assert at(5, Rule(after=(14,), passes=True)) == Judged(None, late=False, look_on=None, over=True)


def test_what_was_due_already_when_it_was_noted_is_told_at_once() -> None:
    judged = at(20, since=DUE + timedelta(20))
    assert (code(judged), judged.late) == ("after_14", True)


def test_what_passes_by_itself_is_over_the_day_after_and_then_told_no_more() -> None:
    rule = Rule(before=(3,), passes=True)
    assert at(0, rule) == Judged(rule.stages[-1], late=False, look_on=DUE + timedelta(1), over=False)
    assert at(1, rule) == Judged(None, late=False, look_on=None, over=True)


def test_two_reminders_on_one_day_or_on_the_wrong_side_are_no_rule() -> None:
    for wrong in ({"after": (14,), "head": (14,)}, {"before": (0,)}, {"before": (3, 3)}):
        with pytest.raises(ValueError, match="Rule"):
            Rule(**wrong)  # type: ignore[arg-type]


days_apart = st.sets(st.integers(1, 60), max_size=3)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    after, head = draw(days_apart), draw(days_apart)
    return Rule(tuple(draw(days_apart)), draw(st.booleans()), tuple(after), tuple(head - after), draw(st.booleans()))


@given(rules(), st.integers(-90, 90), st.lists(st.booleans(), min_size=260, max_size=260))
def test_whenever_it_is_asked_each_stage_is_told_at_most_once_in_order_and_never_too_early(
    rule: Rule, noted: int, asked: list[bool]
) -> None:
    told: list[str] = []
    offsets: list[int] = []
    since = DUE + timedelta(noted)
    for number, asks in enumerate(asked):
        day = since + timedelta(number)
        if not asks:
            continue
        judged = judge(rule, DUE, since, told, day)
        if judged.stage is None:
            continue
        assert DUE + timedelta(judged.stage.offset) <= day
        assert judged.late == (DUE + timedelta(judged.stage.offset) < day)
        told.append(judged.stage.code)
        offsets.append(judged.stage.offset)
    assert len(told) == len(set(told))
    assert offsets == sorted(offsets)


@given(rules(), st.integers(-90, 0))
def test_looking_on_the_named_days_alone_tells_what_looking_every_day_tells(rule: Rule, noted: int) -> None:
    since, daily, told, look = DUE + timedelta(noted), [], [], DUE + timedelta(noted)
    for number in range(260):
        day = since + timedelta(number)
        if (judged := judge(rule, DUE, since, daily, day)).stage:
            daily.append(judged.stage.code)
        if look is not None and day >= look:
            judged = judge(rule, DUE, since, told, day)
            told += [judged.stage.code] if judged.stage else []
            look = judged.look_on
    assert told == daily
