"""Conditions over the facts of a record, written once and read three ways.

A condition is a small tree. ``holds`` evaluates it in Python, ``archive.policy.sql`` compiles it to SQL, and
the search engines compile it to their own filters. Every policy rule is a condition, so the three can't drift
apart; a property test holds them equal on random people and records.

Facts are named, and have one of three shapes: a single value (int, bool, UUID or str), a set of values
(``named``), or a path (``place``: segments joined by ``/``, ended by ``/``). A missing fact (None) matches nothing.
"""

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, assert_never


@dataclass(frozen=True)
class Has:
    """The fact is one of ``values`` (or, for a set of values, shares one with them). Empty: never."""

    fact: str
    values: frozenset[Any]


@dataclass(frozen=True)
class Within:
    """The path lies at or below one of ``prefixes`` (each ended by ``/``). Empty: never."""

    fact: str
    prefixes: frozenset[str]


@dataclass(frozen=True)
class Between:
    """``low <= fact <= high``; either end may be None (open)."""

    fact: str
    low: Any | None
    high: Any | None


@dataclass(frozen=True)
class All:
    """Every part holds; with no parts, always."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """One part at least holds; with no parts, never."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Has | Within | Between | All | AnyOf | Not

ALWAYS: Condition = All(())
NEVER: Condition = AnyOf(())


def has(fact: str, *values: Any) -> Condition:
    """Shorthand for ``Has`` with the values given one by one."""
    return Has(fact, frozenset(values))


def all_of(*parts: Condition) -> Condition:
    """Every part holds."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Condition) -> Condition:
    """One part at least holds."""
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """Evaluate a condition on the facts of one record."""
    match condition:
        case Has(fact, values):
            return not values.isdisjoint(_as_set(facts.get(fact)))
        case Within(fact, prefixes):
            path = facts.get(fact)
            return path is not None and any(path.startswith(prefix) for prefix in prefixes)
        case Between(fact, low, high):
            value = facts.get(fact)
            return value is not None and (low is None or value >= low) and (high is None or value <= high)
        case All(parts):
            return all(holds(part, facts) for part in parts)
        case AnyOf(parts):
            return any(holds(part, facts) for part in parts)
        case Not(part):
            return not holds(part, facts)
        case _:
            assert_never(condition)


def test_of(condition: Condition) -> Callable[[Mapping[str, Any]], bool]:
    """Return ``holds`` for one condition and the facts of many records: the tree is walked once."""
    match condition:
        case All(parts):
            tests = [test_of(part) for part in parts]
            return lambda facts: all(test(facts) for test in tests)
        case AnyOf(parts):
            tests = [test_of(part) for part in parts]
            return lambda facts: any(test(facts) for test in tests)
        case Not(part):
            inner = test_of(part)
            return lambda facts: not inner(facts)
        case Has(fact, values):
            return lambda facts: _is_among(facts.get(fact), values)
        case _:
            return lambda facts: holds(condition, facts)


def _is_among(value: Any, values: frozenset[Any]) -> bool:
    if isinstance(value, AbstractSet):
        return not values.isdisjoint(value)
    return value is not None and value in values


def _as_set(value: Any) -> Collection[Any]:
    if value is None:
        return frozenset()
    return value if isinstance(value, AbstractSet) else frozenset((value,))
