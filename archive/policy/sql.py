"""Conditions compiled to SQL over ``Record``: the second of the three forms.

Every leaf is compiled so that it is true or false and never NULL; otherwise NOT would keep back what the Python form
lets through. Sets of ids and of paths may be of any size: above a limit they travel as one JSON parameter, because
databases bound the number of parameters and the depth of an expression.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, assert_never, cast

from sqlalchemy import Boolean, ColumnElement, and_, exists, false, literal, not_, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from archive.model import Record, RecordKind, RecordPerson, RecordState
from archive.policy.condition import All, AnyOf, Between, Condition, Has, Not, Within

MANY: Final = 500
"""Above this many values a set travels as JSON."""

KEPT: Final = 512
"""Expressions that are kept: a page asks some twenty times for one of five, and building takes longer than asking."""

_COLUMNS: Final[dict[str, Any]] = {
    "record": Record.id,
    "fonds": Record.fonds_id,
    "category": Record.category_id,
    "place": Record.place_path,
    "department": Record.department_id,
    "level": Record.level_rank,
    "state": Record.state,
    "kind": Record.kind,
    "created_by": Record.created_by,
}
_IDS: Final = frozenset(("record", "fonds", "category", "department", "created_by", "named"))
_NULLABLE: Final = frozenset(("place", "department", "created_by"))
_WORDS: Final[dict[str, Callable[[str], Any]]] = {"state": RecordState, "kind": RecordKind}


@lru_cache(maxsize=KEPT)
def where(condition: Condition) -> ColumnElement[bool]:
    """Compile a condition to an expression over ``Record``; the same condition gives the same expression.

    Raises:
        ValueError: the condition asks for a fact that has no column, or a path prefix that is not ended by ``/``.
    """
    match condition:
        case Has(fact, values):
            return _has(fact, values)
        case Within(fact, prefixes):
            return _within(fact, prefixes)
        case Between(fact, low, high):
            return _between(fact, low, high)
        case All(parts):
            return and_(true(), *map(where, parts))
        case AnyOf(parts):
            return or_(false(), *map(where, parts))
        case Not(part):
            return not_(where(part))
        case _:
            assert_never(condition)


def _column(fact: str) -> Any:
    if fact not in _COLUMNS:
        msg = f"no column for the fact {fact!r}"
        raise ValueError(msg)
    return _COLUMNS[fact]


def _known(fact: str, column: Any, test: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(column.is_not(None), test) if fact in _NULLABLE else test


def _has(fact: str, values: frozenset[Any]) -> ColumnElement[bool]:
    if not values:
        return false()
    if fact == "need_to_know":
        return or_(false(), *(Record.group_id.is_not(None) if value else Record.group_id.is_(None) for value in values))
    if fact == "named":
        named = and_(RecordPerson.record_id == Record.id, _one_of("named", RecordPerson.person_id, values))
        return exists().where(named).correlate(Record)
    column = _column(fact)
    return _known(fact, column, _one_of(fact, column, values))


def _one_of(fact: str, column: Any, values: frozenset[Any]) -> ColumnElement[bool]:
    if fact in _IDS and len(values) > MANY:
        return cast("ColumnElement[bool]", _IdInJson(column, literal(json.dumps(sorted(v.hex for v in values)))))
    word = _WORDS.get(fact)
    # sorted: equal conditions then give equal statements and parameters, whatever order a set is walked in
    return cast(
        "ColumnElement[bool]", column.in_(sorted(values) if word is None else [word(v) for v in sorted(values)])
    )


def _between(fact: str, low: Any, high: Any) -> ColumnElement[bool]:
    column = _column(fact)
    from_low = true() if low is None else column >= low
    to_high = true() if high is None else column <= high
    return _known(fact, column, and_(from_low, to_high))


def _within(fact: str, prefixes: frozenset[str]) -> ColumnElement[bool]:
    column = _column(fact)
    if not all(prefix.endswith("/") for prefix in prefixes):
        msg = "a path prefix ends with a slash"
        raise ValueError(msg)
    tops = _topmost(prefixes)
    if len(tops) > MANY:
        return _known(fact, column, cast("ColumnElement[bool]", _PathInJson(column, literal(json.dumps(tops)))))
    # "0" is the character after "/": the range holds exactly the texts that begin with the prefix
    ranges = (_PathRange(column, literal(top), literal(top[:-1] + "0")) for top in tops)
    return _known(fact, column, or_(false(), *(cast("ColumnElement[bool]", part) for part in ranges)))


def _topmost(prefixes: frozenset[str]) -> list[str]:
    """Leave out what lies below another prefix."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


class _Test(FunctionElement[bool]):
    """A test that is true or false by itself."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002  (the signature is SQLAlchemy's)
        """Stand as it is: SQLite would otherwise compare it with 1, and an index on the column would go unused."""
        return self


class _IdInJson(_Test):
    """``column`` is one of the ids (32 hex digits each) of a JSON list."""

    inherit_cache = True
    name = "id_in_json"


class _PathRange(_Test):
    """``low <= column < high``, compared by code points."""

    inherit_cache = True
    name = "path_range"


class _PathInJson(_Test):
    """``column`` begins with one of the texts of a JSON list."""

    inherit_cache = True
    name = "path_in_json"


def _parts(element: FunctionElement[bool], compiler: Any, **options: Any) -> list[str]:
    return [compiler.process(part, **options) for part in element.clauses]


@compiles(_IdInJson)
def _id_in_json(element: _IdInJson, compiler: Any, **options: Any) -> str:
    column, ids = _parts(element, compiler, **options)
    return f"(lower(hex({column})) IN (SELECT value FROM json_each({ids})))"  # noqa: S608  (compiled expressions)


@compiles(_IdInJson, "postgresql")
def _id_in_json_postgresql(element: _IdInJson, compiler: Any, **options: Any) -> str:
    column, ids = _parts(element, compiler, **options)
    rows = f"json_array_elements_text(CAST({ids} AS json)) AS listed(value)"
    return f"({column} IN (SELECT CAST(value AS uuid) FROM {rows}))"  # noqa: S608  (compiled expressions)


@compiles(_PathRange)
def _path_range(element: _PathRange, compiler: Any, **options: Any) -> str:
    column, low, high = _parts(element, compiler, **options)
    return f"({column} >= {low} AND {column} < {high})"


@compiles(_PathRange, "postgresql")
def _path_range_postgresql(element: _PathRange, compiler: Any, **options: Any) -> str:
    column, low, high = _parts(element, compiler, **options)
    return f'({column} COLLATE "C" >= {low} AND {column} COLLATE "C" < {high})'


@compiles(_PathInJson)
def _path_in_json(element: _PathInJson, compiler: Any, **options: Any) -> str:
    column, tops = _parts(element, compiler, **options)
    begins = f"substr({column}, 1, length(top.value)) = top.value"
    return f"EXISTS (SELECT 1 FROM json_each({tops}) AS top WHERE {begins})"  # noqa: S608  (compiled expressions)


@compiles(_PathInJson, "postgresql")
def _path_in_json_postgresql(element: _PathInJson, compiler: Any, **options: Any) -> str:
    column, tops = _parts(element, compiler, **options)
    tops = f"json_array_elements_text(CAST({tops} AS json)) AS top(value)"
    return f"EXISTS (SELECT 1 FROM {tops} WHERE starts_with({column}, top.value))"  # noqa: S608  (compiled expressions)
