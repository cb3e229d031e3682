"""A house's rules of loans at their edges: which period fits, how long it lasts, and what a document lacks by name."""

from datetime import date
from typing import Any

import pytest
import yaml

from archive.errors import Fault, InvalidInput
from archive.loans.rules import (
    MOST_DAYS,
    SHIPPED,
    Extension,
    LoanRules,
    Period,
    due,
    extended,
    from_document,
    longest,
    months_later,
    parse,
    shipped,
)

WEEK = Period(frozenset(), frozenset(), 7, 1, Extension.AT_ONCE, leaves=True)


def changed(**parts: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(SHIPPED)
    for path, value in parts.items():
        at: Any = document
        *above, last = path.split("__")
        for name in above:
            at = at[int(name) if name.isdecimal() else name]
        if value is None:
            del at[last]
        else:
            at[int(last) if last.isdecimal() else last] = value
    return document


def faults(**parts: Any) -> list[tuple[str, str, Any]]:
    try:
        parse(yaml.safe_dump(changed(**parts), allow_unicode=True))
    except InvalidInput as refused:
        found: list[Fault] = list(refused.faults)
        return [(each.field, each.code, each.facts) for each in found]
    return []


def test_the_shipped_rules_are_read_as_they_are_written() -> None:
    rules = from_document(changed(periods__1__months=5))
    assert shipped() == from_document(changed())
    assert [each.code for each in rules.purposes] == [
        "work", "service", "repair", "audit", "dispute", "history", "other",
    ]  # fmt: skip
    assert rules.purposes[0].names["en"] == "Reference at work"
    limits = (rules.at_once, rules.collect, rules.times, rules.pages, rules.pages_a_day, rules.copies)
    assert limits == (10, 7, 12, 500, 200, 20)
    assert rules.periods == [
        Period(frozenset({1, 2}), frozenset(), 7, 1, Extension.AT_ONCE, leaves=True),
        Period(frozenset({3}), frozenset(), 7, 5, Extension.APPROVAL, leaves=True),
        Period(frozenset(), frozenset(), 1, 1, Extension.NEVER, leaves=False),
    ]


def test_what_may_be_left_out_has_its_usual_value() -> None:
    bare = from_document({"purposes": [], "limits": {"at_once": 1, "collect": 2}, "periods": [{"days": 3}]})
    assert bare == LoanRules([], 1, 2, None, [Period(frozenset(), frozenset(), 3, 1, Extension.AT_ONCE, leaves=True)])


def test_the_first_period_that_fits_level_and_category_is_taken() -> None:
    both = Period(frozenset({2}), frozenset({"A"}), 1, 1, Extension.AT_ONCE, leaves=True)
    category = Period(frozenset(), frozenset({"B"}), 2, 1, Extension.AT_ONCE, leaves=True)
    rules = LoanRules([], 1, 1, None, [both, category, WEEK])
    assert rules.period(2, frozenset({"A", "X"})) is both
    assert rules.period(2, frozenset({"B"})) is category
    assert rules.period(1, frozenset({"A"})) is WEEK
    assert rules.period(2, frozenset()) is WEEK


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 1, 1), 12, date(2027, 1, 1)),
        (date(2026, 3, 31), 0, date(2026, 3, 31)),
    ],
)
def test_some_months_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_a_loan_lasts_no_longer_than_its_period_and_is_extended_no_further_than_its_months() -> None:
    day = date(2026, 3, 2)
    assert [due(day, days, WEEK).day for days in (-1, 0, 1, 7, 8)] == [2, 2, 3, 9, 9]
    long = Period(frozenset(), frozenset(), 60, 1, Extension.AT_ONCE, leaves=True)
    assert due(day, 60, long) == longest(day, long) == date(2026, 4, 2)
    assert extended(day, date(2026, 3, 9), WEEK) == date(2026, 3, 16)
    assert extended(day, date(2026, 3, 30), WEEK) == date(2026, 4, 2)
    assert extended(day, date(2026, 4, 2), WEEK) is None
    never = Period(frozenset(), frozenset(), 7, 1, Extension.NEVER, leaves=True)
    assert extended(day, date(2026, 3, 9), never) is None


NAMES = {"zh_CN": "用", "zh_TW": "用", "en": "Use"}


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ({"extra": 1}, [("extra", "unknown_field", {})]),
        ({"purposes": None}, [("purposes", "required", {})]),
        ({"purposes": []}, [("purposes", "required", {})]),
        ({"purposes": {"code": "a"}}, [("purposes", "required", {})]),
        ({"purposes__1": "work"}, [("purposes[1]", "not_a_mapping", {})]),
        ({"purposes__1": {"code": "b"}}, [("purposes[1]", "not_a_mapping", {})]),
        ({"purposes__1": {"code": 3, "names": NAMES}}, [("purposes[1].code", "unknown", {})]),
        ({"purposes__1": {"code": "a b", "names": NAMES}}, [("purposes[1].code", "unknown", {})]),
        ({"purposes__1": {"code": "a" * 33, "names": NAMES}}, [("purposes[1].code", "unknown", {})]),
        ({"purposes__1": {"code": "a" * 32, "names": NAMES}}, []),
        ({"purposes__1": {"code": "work", "names": NAMES}}, [("purposes[1].code", "unknown", {})]),
        ({"purposes__1__names": {"zh_CN": "用", "zh_TW": "用"}}, [("purposes[1].names", "required", {})]),
        ({"purposes__1__names": {"zh_TW": "用", "en": "Use"}}, [("purposes[1].names", "required", {})]),
        ({"purposes__1__names": {"zh_CN": "用", "en": "Use"}}, [("purposes[1].names", "required", {})]),
        ({"purposes__1__names": "用"}, [("purposes[1].names", "required", {})]),
        ({"purposes__0": 1, "purposes__1__names": "用"},
         [("purposes[0]", "not_a_mapping", {}), ("purposes[1].names", "required", {})]),
        ({"limits__extra": 1}, [("limits.extra", "unknown_field", {})]),
        ({"limits__at_once": None}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__at_once": 0}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__at_once": 1}, []),
        ({"limits__at_once": 1000}, []),
        ({"limits__at_once": 1001}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__at_once": True}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__at_once": "1"}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__collect": 91}, [("limits.collect", "out_of_range", {"low": 1, "high": 90})]),
        ({"limits__times": None, "limits__copies": None}, []),
        ({"limits__times": 1001}, [("limits.times", "out_of_range", {"low": 1, "high": 1000})]),
        ({"limits__pages": 1_000_001}, [("limits.pages", "out_of_range", {"low": 1, "high": 1_000_000})]),
        ({"limits__pages_a_day": 1_000_001}, [("limits.pages_a_day", "out_of_range", {"low": 1, "high": 1_000_000})]),
        ({"limits__copies": 100_001}, [("limits.copies", "out_of_range", {"low": 1, "high": 100_000})]),
        ({"limits": 3}, [("limits.at_once", "out_of_range", {"low": 1, "high": 1000}),
                         ("limits.collect", "out_of_range", {"low": 1, "high": 90})]),
        ({"periods": None}, [("periods", "required", {})]),
        ({"periods": []}, [("periods", "required", {})]),
        ({"periods": {"days": 1}}, [("periods", "required", {})]),
        ({"periods__0": "x"}, [("periods[0]", "not_a_mapping", {})]),
        ({"periods__0__extra": 1}, [("periods[0].extra", "unknown_field", {})]),
        ({"periods__0__days": 0}, [("periods[0].days", "out_of_range", {"low": 1, "high": MOST_DAYS})]),
        ({"periods__2__days": -1}, [("periods[2].days", "out_of_range", {"low": 0, "high": MOST_DAYS})]),
        ({"periods__2__days": 0}, []),
        ({"periods__0__days": MOST_DAYS}, []),
        ({"periods__0__days": MOST_DAYS + 1}, [("periods[0].days", "out_of_range", {"low": 1, "high": MOST_DAYS})]),
        ({"periods__0__months": 0}, [("periods[0].months", "out_of_range", {"low": 1, "high": 12})]),
        ({"periods__0__months": 12}, []),
        ({"periods__0__months": 13}, [("periods[0].months", "out_of_range", {"low": 1, "high": 12})]),
        ({"periods__0__months": None, "periods__0__extension": None}, []),
        ({"periods__0__extension": "often"}, [("periods[0].extension", "unknown", {})]),
        ({"periods__0__leaves": 1}, [("periods[0].leaves", "unknown", {})]),
        ({"periods__0__levels": 1}, [("periods[0].levels", "unknown", {})]),
        ({"periods__0__levels": ["A"]}, [("periods[0].levels", "unknown", {})]),
        ({"periods__0__categories": [1]}, [("periods[0].categories", "unknown", {})]),
        ({"periods__0__categories": ["A"]}, []),
        ({"periods__2__levels": [1]}, [("periods[2]", "last_takes_all", {})]),
        ({"periods__2__categories": ["A"]}, [("periods[2]", "last_takes_all", {})]),
    ],
)  # fmt: skip
def test_a_document_names_each_thing_that_is_wrong_with_it(
    parts: dict[str, Any], wrong: list[tuple[str, str, Any]]
) -> None:
    assert faults(**parts) == wrong


@pytest.mark.parametrize(("source", "code"), [("[", "not_yaml"), ("- 1", "not_a_mapping")])
def test_what_is_no_document_of_loans_is_called_so(source: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(source)
    assert [(each.field, each.code) for each in refused.value.faults] == [("loans", code)]
