"""What records point to, as their entries say it: codes and names of fonds, categories, places and what lies above.

Read once for a batch of records, however many portions of it follow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from archive.cataloguing.describing import definitions
from archive.model import Category, Department, Fonds, Level, Place
from archive.personal import PersonalKind
from archive.scheme.fields import FieldKind

NUMBERS = {FieldKind.PHONE: PersonalKind.PHONE, FieldKind.IDENTITY: PersonalKind.IDENTITY}
"""Kinds of fields that are found by a token alone."""

_CATEGORIES = select(Category.id, Category.parent_id, Category.code, Category.names)
_DEPARTMENTS = select(Department.id, Department.parent_id, Department.code, Department.names)
_FONDS = select(Fonds.id, Fonds.code, Fonds.names)
_LEVELS = select(Level.rank, Level.code, Level.names)
_FIELDS = select(Category).where(Category.id.in_(bindparam("ids", expanding=True)))
_PLACES = select(Place.fonds_id, Place.path, Place.code, Place.names).where(
    Place.path.in_(bindparam("paths", expanding=True))
)
"""Built once: for a batch, building them costs as much as asking."""

_MANY_PATHS = 500

_Words = tuple[str, ...]
_NONE: _Words = ()


class Pointing(Protocol):
    """The columns of a record that point to something."""

    @property
    def fonds_id(self) -> UUID:
        """Its fonds."""

    @property
    def category_id(self) -> UUID:
        """Its category."""

    @property
    def place_path(self) -> str | None:
        """Where it belongs."""

    @property
    def sealed_fields(self) -> bytes | None:
        """What its category protects."""


@dataclass
class Surroundings:
    """Codes and names by what they are of, those of what lies above it too. Places and fields come as they are met."""

    fonds: Mapping[UUID, _Words]
    levels: Mapping[int, _Words]
    departments: Mapping[UUID, _Words]
    categories: Mapping[UUID, _Words]
    branches: Mapping[UUID, frozenset[UUID]]
    _numbers: dict[UUID, Mapping[str, str]] = field(default_factory=dict)
    _places: dict[tuple[UUID, str], _Words] = field(default_factory=dict)
    _steps: dict[str, Mapping[UUID, _Words]] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session) -> "Surroundings":
        """Return what stands now."""
        connection = session.connection()
        categories = {row.id: row for row in connection.execute(_CATEGORIES)}
        departments = {row.id: row for row in connection.execute(_DEPARTMENTS)}
        lines = {key: _line(key, categories) for key in categories}
        return cls(
            {row.id: _called(row) for row in connection.execute(_FONDS)},
            {row.rank: (str(row.rank), *_called(row)) for row in connection.execute(_LEVELS)},
            _named(departments, {key: _line(key, departments) for key in departments}),
            _named(categories, lines),
            {key: _branch(line) for key, line in lines.items()},
        )

    def meet(self, session: Session, records: Sequence[Pointing]) -> None:
        """Read what these records point to, as far as it was not met before."""
        self._meet_places(session, {record.place_path for record in records if record.place_path})
        wanted = {record.category_id for record in records if record.sealed_fields is not None} - self._numbers.keys()
        for row in session.scalars(_FIELDS, {"ids": list(wanted)}) if wanted else ():
            self._numbers[row.id] = {each.name: NUMBERS[each.kind].value for each in definitions(row)
                                     if each.kind in NUMBERS}  # fmt: skip

    def _meet_places(self, session: Session, paths: set[str]) -> None:
        new = sorted({step for path in paths for step in _steps(path)} - self._steps.keys())
        for start in range(0, len(new), _MANY_PATHS):
            some = new[start : start + _MANY_PATHS]
            met: dict[str, dict[UUID, _Words]] = {path: {} for path in some}
            for row in session.connection().execute(_PLACES, {"paths": some}):
                met[row.path][row.fonds_id] = (row.path.rstrip("/"), *_called(row))
            self._steps.update(met)

    def branch(self, category: UUID) -> frozenset[UUID]:
        """Return a category and all above it."""
        return self.branches.get(category) or frozenset({category})

    def numbers(self, category: UUID) -> Mapping[str, str]:
        """Return which fields of a category that was met hold personal numbers, and the kind of their tokens."""
        return self._numbers.get(category, {})

    def place(self, fonds: UUID, path: str) -> _Words:
        """Return what a place that was met, and all that it lies in, are called."""
        known = self._places.get((fonds, path))
        if known is None:
            steps = (self._steps.get(step, {}).get(fonds, _NONE) for step in _steps(path))
            known = self._places[fonds, path] = tuple(word for step in steps for word in step)
        return known


def _named(rows: Mapping[UUID, Any], lines: Mapping[UUID, Sequence[UUID]]) -> dict[UUID, _Words]:
    words = {key: _called(row) for key, row in rows.items()}
    return {key: tuple(word for each in line for word in words[each]) for key, line in lines.items()}


def _called(row: Any) -> _Words:
    return row.code, *dict.fromkeys(name for name in row.names.values() if name)


def _line(key: UUID, rows: Mapping[UUID, Any]) -> tuple[UUID, ...]:
    """Return a row and those above it, as far as they are there."""
    line: list[UUID] = []
    at: UUID | None = key
    while at is not None and at in rows and at not in line:
        line.append(at)
        at = rows[at].parent_id
    return tuple(line)


@lru_cache(maxsize=4096)
def _branch(line: tuple[UUID, ...]) -> frozenset[UUID]:
    """Return a line as the same set each time: two sets of ids are long in being told the same."""
    return frozenset(line)


def _steps(path: str) -> Iterator[str]:
    end = path.find("/")
    while end >= 0:
        yield path[: end + 1]
        end = path.find("/", end + 1)
