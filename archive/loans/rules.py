"""What a house says of loans, as a document: purposes, periods, limits, and what never leaves. Periods are pure."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from archive.errors import Fault, InvalidInput
from archive.scheme.document import read_yaml

SHIPPED = """\
format: 1
purposes:
  - {code: work, names: {zh_CN: 工作查考, zh_TW: 工作查考, en: Reference at work}}
  - {code: service, names: {zh_CN: 为业主或师生办事, zh_TW: 為業主或師生辦事, en: Serving owners or students}}
  - {code: repair, names: {zh_CN: 维修改造, zh_TW: 維修改造, en: Repair and renewal}}
  - {code: audit, names: {zh_CN: 审计检查, zh_TW: 審計檢查, en: Audit and inspection}}
  - {code: dispute, names: {zh_CN: 纠纷诉讼, zh_TW: 糾紛訴訟, en: Disputes and lawsuits}}
  - {code: history, names: {zh_CN: 编研宣传, zh_TW: 編研宣傳, en: Compilation and publicity}}
  - {code: other, names: {zh_CN: 其他, zh_TW: 其他, en: Other}}
limits:
  at_once: 10     # records that one person has at once
  collect: 7      # days that an approved loan waits to be collected
  times: 12       # how often one person borrows the same record within a year; left out: as often as they ask
  readers: 1095   # days after the last visit of a reader from outside until the register forgets them
  # of an electronic loan, each may be left out: then there is no limit
  pages: 500      # different pages that are looked at
  pages_a_day: 200
  copies: 20      # copies that are taken away, where that was approved
# The first period that fits is taken; the last one takes everything that is left.
# days: calendar days of a loan; months: the most with every extension, counted from the issue
# extension: at_once (granted when nobody waits), approval (someone decides), never
# leaves: false - the paper stays in the reading room
periods:
  - {levels: [1, 2], days: 7, months: 1, extension: at_once}
  - {levels: [3], days: 7, months: 1, extension: approval}
  - {days: 1, months: 1, extension: never, leaves: false}
"""

MOST_DAYS = 366
_MUST = {"at_once": 1000, "collect": 90}
_MAY = {"times": 1000, "readers": 36_500, "pages": 1_000_000, "pages_a_day": 1_000_000, "copies": 100_000}
_PERIOD = frozenset({"levels", "categories", "days", "months", "extension", "leaves"})


class Extension(StrEnum):
    """How a loan is extended."""

    AT_ONCE = "at_once"
    APPROVAL = "approval"
    NEVER = "never"


@dataclass(frozen=True)
class Period:
    """How long a loan lasts. What is empty fits all."""

    levels: frozenset[int]
    categories: frozenset[str]
    days: int
    months: int
    extension: Extension
    leaves: bool


@dataclass(frozen=True)
class Purpose:
    """What a loan may be for."""

    code: str
    names: Mapping[str, str]


@dataclass(frozen=True)
class LoanRules:
    """The rules of a house."""

    purposes: Sequence[Purpose]
    at_once: int
    collect: int
    times: int | None
    periods: Sequence[Period]
    pages: int | None = None
    pages_a_day: int | None = None
    copies: int | None = None
    readers: int | None = None

    def period(self, level: int, categories: frozenset[str]) -> Period:
        """Return the first period that fits a record: ``categories`` are its own and all above it, by code."""
        return next(
            each
            for each in self.periods
            if level in (each.levels or {level}) and (not each.categories or each.categories & categories)
        )


def longest(issued_on: date, period: Period) -> date:
    """Return the last day that any extension can reach."""
    return months_later(issued_on, period.months)


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of that month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def due(issued_on: date, days: int, period: Period) -> date:
    """Return the last day of a loan of ``days`` calendar days, never more than the rule's."""
    return min(issued_on + timedelta(days=min(max(days, 0), period.days)), longest(issued_on, period))


def extended(issued_on: date, due_on: date, period: Period) -> date | None:
    """Return the last day after one extension; None when there is nothing left to extend."""
    if period.extension is Extension.NEVER:
        return None
    later = min(due_on + timedelta(days=period.days), longest(issued_on, period))
    return later if later > due_on else None


def parse(source: str) -> Mapping[str, Any]:
    """Read rules from YAML and return the document.

    Raises:
        InvalidInput: every fault, each naming its path in the document.
    """
    data = read_yaml(source, "loans")
    faults = list(_faults(data))
    if faults:
        raise InvalidInput(*faults)
    rules = from_document(data)
    last = rules.periods[-1]
    if last.levels or last.categories:
        raise InvalidInput(Fault(f"periods[{len(rules.periods) - 1}]", "last_takes_all"))
    return data


@cache
def shipped() -> LoanRules:
    """Return the rules as they are shipped."""
    return from_document(parse(SHIPPED))


def from_document(data: Mapping[str, Any]) -> LoanRules:
    """Return the rules of a document that was checked when it was kept."""
    return LoanRules(
        purposes=[Purpose(each["code"], each["names"]) for each in data["purposes"]],
        at_once=data["limits"]["at_once"],
        collect=data["limits"]["collect"],
        **{name: data["limits"].get(name) for name in _MAY},
        periods=[
            Period(
                frozenset(each.get("levels", [])),
                frozenset(each.get("categories", [])),
                each["days"],
                each.get("months", 1),
                Extension(each.get("extension", Extension.AT_ONCE.value)),
                each.get("leaves", True),
            )
            for each in data["periods"]
        ],
    )


def _faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    yield from (Fault(str(name), "unknown_field") for name in set(data) - {"format", "purposes", "limits", "periods"})
    purposes = data.get("purposes")
    if not isinstance(purposes, list) or not purposes:
        yield Fault("purposes", "required")
    else:
        yield from _purpose_faults(purposes)
    yield from _limit_faults(data.get("limits"))
    periods = data.get("periods")
    if not isinstance(periods, list) or not periods:
        yield Fault("periods", "required")
        return
    for n, each in enumerate(periods):
        yield from _period_faults(each, f"periods[{n}]")


def _limit_faults(data: Any) -> Iterator[Fault]:
    limits = data if isinstance(data, dict) else {}
    yield from (Fault(f"limits.{name}", "unknown_field") for name in map(str, set(limits) - {*_MUST, *_MAY}))
    for name, most in (_MUST | _MAY).items():
        if (name in limits or name in _MUST) and not _whole(limits.get(name), 1, most):
            yield Fault(f"limits.{name}", "out_of_range", {"low": 1, "high": most})


def _purpose_faults(purposes: Sequence[Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, each in enumerate(purposes):
        at = f"purposes[{n}]"
        if not isinstance(each, dict) or set(each) != {"code", "names"}:
            yield Fault(at, "not_a_mapping")
            continue
        code, names = each["code"], each["names"]
        if not isinstance(code, str) or not code.isidentifier() or len(code) > 32 or code in seen:
            yield Fault(f"{at}.code", "unknown")
        seen.add(str(code))
        if not isinstance(names, dict) or not all(isinstance(names.get(key), str) for key in ("zh_CN", "zh_TW", "en")):
            yield Fault(f"{at}.names", "required")


def _period_faults(data: Any, at: str) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield Fault(at, "not_a_mapping")
        return
    yield from (Fault(f"{at}.{name}", "unknown_field") for name in map(str, set(data) - _PERIOD))
    fewest = 0 if data.get("leaves", True) is False else 1
    if not _whole(data.get("days"), fewest, MOST_DAYS):
        yield Fault(f"{at}.days", "out_of_range", {"low": fewest, "high": MOST_DAYS})
    if not _whole(data.get("months", 1), 1, 12):
        yield Fault(f"{at}.months", "out_of_range", {"low": 1, "high": 12})
    if data.get("extension", "at_once") not in [each.value for each in Extension]:
        yield Fault(f"{at}.extension", "unknown")
    if not isinstance(data.get("leaves", True), bool):
        yield Fault(f"{at}.leaves", "unknown")
    for name, kind in (("levels", int), ("categories", str)):
        values = data.get(name, [])
        if not isinstance(values, list) or not all(isinstance(each, kind) for each in values):
            yield Fault(f"{at}.{name}", "unknown")


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
