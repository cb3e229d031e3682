"""The names pages show: levels, categories, fonds, places, departments, people. Names only; rights are the guard's."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.closing import ZONE, open_on
from archive.database import Database
from archive.database.bounded import count_up_to
from archive.errors import InvalidInput
from archive.house.need_to_know import group_of
from archive.model import Category, Closure, Department, Fonds, House, Level, Person, Place

CODED: tuple[tuple[Any, ...], ...] = (
    (Category.id, Category.code, Category.names, Category.importance),
    (Fonds.id, Fonds.code, Fonds.names),
    (Department.id, Department.code, Department.names),
)
"""Id, code and names of what facets count."""


class Coded(NamedTuple):
    """What lists show of a category, fonds or department."""

    code: str
    names: Mapping[str, str]
    importance: int | None = None


_PERSON = select(Person.id, Person.login, Person.name, Person.locale, select(Closure.id).exists()).where(
    Person.id == bindparam("person")
)
_LEVELS = select(Level.rank, Level.names, Level.symbol).order_by(Level.rank)

MOST_COUNTED = 10_000
"""Counts are exact up to this many; a page writes a larger one as 10,000+."""


@dataclass(frozen=True)
class PersonShown:
    """A signed-in person as the frame of a page names them.

    ``closed`` says that the house is closed to writers in some way: it is read with the person, at no statement more.
    """

    id: UUID
    login: str
    name: str
    locale: str | None
    closed: bool


@dataclass(frozen=True)
class LevelShown:
    """A level as its badge shows it."""

    rank: int
    names: Mapping[str, str]
    symbol: str


@dataclass(frozen=True)
class CategoryShown:
    """A category in lists; ``depth`` counts the branches above it."""

    id: UUID
    fonds_id: UUID
    code: str
    names: Mapping[str, str]
    depth: int
    level_rank: int
    term: str
    importance: int | None
    fields: Sequence[dict[str, Any]]
    required: Sequence[str]


class Directory:
    """Reads names from the database."""

    def __init__(self, db: Database, today: Callable[[], date]) -> None:
        self._db = db
        self._today = today
        self._zone: str | None = None

    def zone(self) -> str:
        """Return the house's zone (an IANA name)."""
        if self._zone is None:
            with self._db.reading() as session:
                self._zone = session.scalar(select(House.zone))
        return self._zone or ZONE

    def person(self, person_id: UUID) -> PersonShown | None:
        """Return a person, or None."""
        with self._db.reading() as session:
            row = session.connection().execute(_PERSON, {"person": person_id}).one_or_none()
            return None if row is None else PersonShown(*row)

    def set_locale(self, person_id: UUID, locale: str) -> None:
        """Keep the language a person chose for themselves."""
        with self._db.writing() as work:
            work.session.get_one(Person, person_id).locale = locale
            work.commit()

    def people(self, ids: Iterable[UUID | None]) -> dict[UUID, str]:
        """Return the names of people."""
        wanted = {each for each in ids if each is not None}
        with self._db.reading() as session:
            rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
            return {row.id: row.name for row in rows}

    def logins(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Return the sign-in names of people."""
        with self._db.reading() as session:
            rows = session.execute(select(Person.id, Person.login).where(Person.id.in_(set(ids))))
            return {row.id: row.login for row in rows}

    def people_called(self, logins: Iterable[str]) -> dict[str, UUID]:
        """Return the ids of people by their sign-in names; there may be fewer."""
        wanted = {folded(login) for login in logins}
        with self._db.reading() as session:
            rows = session.execute(select(Person.login, Person.id).where(Person.login.in_(wanted)))
            return {row.login: row.id for row in rows}

    def levels(self) -> dict[int, LevelShown]:
        """Return all levels by rank, the lowest first."""
        with self._db.reading() as session:
            return {row.rank: LevelShown(*row) for row in session.connection().execute(_LEVELS)}

    def fonds(self) -> dict[UUID, Fonds]:
        """Return the open fonds by id, in the order of their codes."""
        with self._db.reading() as session:
            rows = session.scalars(select(Fonds).where(open_on(Fonds.closed_on, self._today())).order_by(Fonds.code))
            return {row.id: row for row in rows}

    def category(self, category_id: UUID) -> CategoryShown | None:
        """Return one category, or None."""
        with self._db.reading() as session:
            row = session.get(Category, category_id)
            return None if row is None else _category(row, 0)

    def categories(self) -> list[CategoryShown]:
        """Return the open categories of every fonds, each branch followed by what lies below it."""
        with self._db.reading() as session:
            query = select(Category).where(open_on(Category.closed_on, self._today()))
            rows = session.scalars(query.order_by(Category.position, Category.code)).all()
        below: dict[UUID | None, list[Category]] = {}
        open_ids = {row.id for row in rows}
        for row in rows:
            below.setdefault(row.parent_id if row.parent_id in open_ids else None, []).append(row)
        shown: list[CategoryShown] = []

        def walk(parent: UUID | None, depth: int) -> None:
            for row in below.get(parent, ()):
                shown.append(_category(row, depth))
                walk(row.id, depth + 1)

        walk(None, 0)
        return shown

    def branch(self, category_id: UUID) -> list[tuple[UUID, Mapping[str, str]]]:
        """Return id and names of an open category and of those above it, the uppermost first; none: it is not there."""
        found: list[tuple[UUID, Mapping[str, str]]] = []
        wanted: UUID | None = category_id
        query = select(Category.id, Category.names, Category.parent_id).where(
            open_on(Category.closed_on, self._today())
        )
        with self._db.reading() as session:
            while wanted is not None:
                row = session.execute(query.where(Category.id == wanted)).one_or_none()
                if row is None:
                    break
                found.insert(0, (row.id, row.names))
                wanted = row.parent_id
        return found

    def places(self, fonds_id: UUID, limit: int = 2000) -> list[Place]:
        """Return the places of a fonds by path."""
        with self._db.reading() as session:
            query = select(Place).where(Place.fonds_id == fonds_id).order_by(Place.path).limit(limit)
            return list(session.scalars(query))

    def places_below(self, fonds_id: UUID, parent_id: UUID | None = None) -> list[Place]:
        """Return the places directly below one, or the projects, by code."""
        with self._db.reading() as session:
            query = select(Place).where(Place.fonds_id == fonds_id, Place.parent_id == parent_id)
            return list(session.scalars(query.order_by(Place.code)))

    def place_at(self, fonds_id: UUID, path: str) -> Place | None:
        """Return the place under a path (``A001/02/001/0405``), or None."""
        wanted = path.strip().strip("/") + "/"
        with self._db.reading() as session:
            return session.scalar(select(Place).where(Place.fonds_id == fonds_id, Place.path == wanted))

    def group_at(self, fonds_id: UUID, number_mark: str) -> UUID | None:
        """Return the need-to-know group of a fonds that has this mark, or None."""
        with self._db.reading() as session:
            try:
                return group_of(session, fonds_id, number_mark).id
            except InvalidInput:
                return None

    def place_names(self, path: str | None, fonds_id: UUID) -> list[Mapping[str, str]]:
        """Return the names from the project down to the place at ``path``."""
        if not path:
            return []
        steps = path.strip("/").split("/")
        paths = ["/".join(steps[: i + 1]) + "/" for i in range(len(steps))]
        with self._db.reading() as session:
            query = select(Place.path, Place.names).where(Place.fonds_id == fonds_id, Place.path.in_(paths))
            found = {row.path: row.names for row in session.execute(query)}
        return [found[each] for each in paths if each in found]

    def departments(self) -> list[Department]:
        """Return the departments that stand, by code."""
        with self._db.reading() as session:
            query = select(Department).where(open_on(Department.until, self._today()))
            return list(session.scalars(query.order_by(Department.code)))

    def coded_names(self, *ids: Collection[UUID]) -> dict[UUID, Coded]:
        """Return code and names by id of categories, fonds and departments, given in this order."""
        found: dict[UUID, Coded] = {}
        with self._db.reading() as session:
            for columns, wanted in zip(CODED, ids, strict=True):
                if wanted:
                    rows = session.execute(select(*columns).where(columns[0].in_(wanted)))
                    found |= {row[0]: Coded(*row[1:]) for row in rows}
        return found

    def project_names(self, codes: Collection[str]) -> dict[str, Mapping[str, str]]:
        """Return the names of projects by code; a code that two fonds use has none of its own."""
        if not codes:
            return {}
        with self._db.reading() as session:
            query = select(Place.code, Place.names).where(Place.code.in_(codes), Place.parent_id.is_(None))
            rows = session.execute(query).all()
        used = Counter(row.code for row in rows)
        return {row.code: row.names for row in rows if used[row.code] == 1}

    def count(self, session: Session, query: Any, most: int = MOST_COUNTED) -> int:
        """Count the rows of a query, up to one more than ``most``: beyond that nobody reads the digits."""
        return count_up_to(session, query, most)


def _category(row: Category, depth: int) -> CategoryShown:
    return CategoryShown(
        row.id,
        row.fonds_id,
        row.code,
        row.names,
        depth,
        row.level_rank,
        row.term,
        row.importance,
        row.fields,
        row.required,
    )
