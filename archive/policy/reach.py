"""What a person can reach right now: the small set of facts that every rule is asked against.

A reach is computed once per request from the present rows, never kept: taking a right away holds from the moment
the change is committed, and what is kept for later (export, link, job) is checked again with a reach made then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from archive.clock import Clock, today
from archive.identity import OFFICERS, Identity, Role
from archive.model import (
    AccessGrant,
    Category,
    Custody,
    Department,
    Distribution,
    Level,
    Person,
    PersonPost,
    PersonRole,
    Place,
    ReadingRight,
)

NOBODY: frozenset[Any] = frozenset()
_NEVER_YET = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Reach:
    """What one person, at one moment, can reach. Everything empty reaches nothing.

    ``levels`` are the ranks they are cleared for, ``distributed`` the ranks whose distribution they stand on
    (cleared or not), ``categories`` and ``departments`` hold every id at or below the ones granted or held,
    ``places`` are path prefixes ended by ``/``, ``loans`` record ids (``copied``: those whose files may be taken away),
    ``custody`` ranks.

    ``system`` marks a named part of the system. It has no levels and no grants, so it reads nothing through the
    rules; parts of the system that must read (index, extraction, sweep) read rows by id themselves. It may do only
    what ``archive.policy.rules`` opens to it by name.
    """

    person_id: UUID | None = None
    roles: frozenset[Role] = NOBODY
    levels: frozenset[int] = NOBODY
    distributed: frozenset[int] = NOBODY
    fonds: frozenset[UUID] = NOBODY
    categories: frozenset[UUID] = NOBODY
    places: frozenset[str] = NOBODY
    departments: frozenset[UUID] = NOBODY
    loans: frozenset[UUID] = NOBODY
    copied: frozenset[UUID] = NOBODY
    custody: frozenset[int] = NOBODY
    system: bool = False
    now: datetime = field(default=_NEVER_YET)


def load_reach(session: Session, identity: Identity, clock: Clock, zone: str) -> Reach:
    """Compute the present reach of ``identity`` from the database.

    A person who is unknown or inactive reaches nothing, whatever rows are left of them. One of the three officers
    keeps roles and custody only. ``zone`` is the house's (posts and grants begin and end by its days).
    """
    now = clock.now()
    if identity.person_id is None:
        return Reach(system=identity.name.startswith("system:"), now=now)
    session.flush()
    when = {"person": identity.person_id, "day": today(clock, zone), "now": now}
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in session.connection().execute(_RIGHTS, when):
        rows[row.what].append(row)
    if not rows["person"]:
        return Reach(now=now)
    roles = frozenset(Role(row.word) for row in rows["role"])
    custody = frozenset(row.number for row in rows["custody"])
    if roles & OFFICERS:
        return Reach(person_id=identity.person_id, roles=roles, custody=custody, now=now)
    held = {(row.one, row.other) for row in rows["post"]}
    above, below = _departments({row.one: row.other for row in rows["department"]}, {place for _, place in held})
    pairs = {(post, place) for post, department in held for place in above[department]}
    ranks = frozenset(row.number for row in rows["level"])
    highest = _highest(rows["distribution"], pairs)
    return Reach(
        person_id=identity.person_id,
        roles=roles,
        levels=frozenset(rank for rank in ranks if rank <= rows["person"][0].number),
        distributed=frozenset(rank for rank in ranks if rank <= highest),
        fonds=frozenset(row.one for row in rows["fonds"]),
        categories=frozenset(row.one for row in rows["branch"]),
        places=frozenset(row.word for row in rows["place"]),
        departments=below,
        loans=frozenset(row.one for row in rows["loan"]),
        copied=frozenset(row.one for row in rows["loan"] if row.number),
        custody=custody,
        now=now,
    )


def _highest(distribution: Iterable[Any], pairs: set[tuple[UUID, UUID]]) -> int:
    """Return the highest rank whose distribution opens it to one of ``pairs``: each contains those below it."""
    posts, departments = {post for post, _ in pairs}, {department for _, department in pairs}

    def stands_on(post: UUID | None, department: UUID | None) -> bool:
        if post is None:
            return department is None or department in departments
        if department is None:
            return post in posts
        return (post, department) in pairs

    return max((row.number for row in distribution if stands_on(row.one, row.other)), default=0)


def _departments(parents: Mapping[UUID, UUID | None], held: set[UUID]) -> tuple[dict[UUID, set[UUID]], frozenset[UUID]]:
    """Return each held department with all above it, and the set of the held ones with all below them."""
    children: dict[UUID | None, list[UUID]] = defaultdict(list)
    for department, parent in parents.items():
        children[parent].append(department)

    def upwards(department: UUID) -> set[UUID]:
        seen: set[UUID] = set()
        step: UUID | None = department
        while step is not None and step not in seen:
            seen.add(step)
            step = parents.get(step)
        return seen

    below: set[UUID] = set()
    waiting = list(held)
    while waiting:
        department = waiting.pop()
        if department not in below:
            below.add(department)
            waiting += children[department]
    return {department: upwards(department) for department in held}, frozenset(below)


def _valid(row: type[PersonPost | AccessGrant]) -> ColumnElement[bool]:
    day = bindparam("day", type_=PersonPost.since.type)
    return and_(or_(row.since.is_(None), row.since <= day), or_(row.until.is_(None), row.until >= day))


_PERSON = bindparam("person", type_=Person.id.type)
_NOW = bindparam("now", type_=ReadingRight.since.type)
_NO_ID = cast(null(), Person.id.type)


def _branches() -> Select[Any]:
    granted = select(AccessGrant.category_id.label("id")).where(
        AccessGrant.person_id == _PERSON, AccessGrant.category_id.is_not(None), _valid(AccessGrant)
    )
    branch = granted.cte("branch", recursive=True)
    branch = branch.union(select(Category.id).join(branch, Category.parent_id == branch.c.id))
    return _rows("branch", branch.c.id)


def _rows(what: str, one: Any = _NO_ID, other: Any = _NO_ID, *, number: Any = None, word: Any = None) -> Select[Any]:
    """Return a part of ``_RIGHTS``: all parts have the same columns."""
    return select(
        literal(what).label("what"),
        one.label("one"),
        other.label("other"),
        (cast(null(), Integer) if number is None else number).label("number"),
        (cast(null(), String) if word is None else cast(word, String)).label("word"),
    )


_RIGHTS = union_all(
    _rows("person", number=Person.clearance).where(Person.id == _PERSON, Person.active.is_(True)),
    _rows("role", word=PersonRole.role).where(PersonRole.person_id == _PERSON),
    _rows("custody", number=Custody.level_rank).where(Custody.person_id == _PERSON),
    _rows("post", PersonPost.post_id, PersonPost.department_id).where(
        PersonPost.person_id == _PERSON, _valid(PersonPost)
    ),
    _rows("department", Department.id, Department.parent_id),
    _rows("level", number=Level.rank),
    _rows("distribution", Distribution.post_id, Distribution.department_id, number=Distribution.level_rank),
    _rows("fonds", AccessGrant.fonds_id).where(
        AccessGrant.person_id == _PERSON, AccessGrant.fonds_id.is_not(None), _valid(AccessGrant)
    ),
    _branches(),
    _rows("place", word=Place.path)
    .join(AccessGrant, AccessGrant.place_id == Place.id)
    .where(AccessGrant.person_id == _PERSON, _valid(AccessGrant)),
    _rows("loan", ReadingRight.record_id, number=cast(ReadingRight.copying, Integer)).where(
        ReadingRight.person_id == _PERSON, ReadingRight.since <= _NOW, ReadingRight.until > _NOW
    ),
)
"""All that a person's rights are made of, by one question: every request asks it."""
