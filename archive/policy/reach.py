"""What a person can reach right now: the small set of facts that every rule is asked against.

A reach is computed once per request from the present rows, never kept: taking a right away holds from the moment
the change is committed, and what is kept for later (export, link, job) is checked again with a reach made then.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, or_, select
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
    ``places`` are path prefixes ended by ``/``, ``loans`` record ids, ``custody`` ranks.

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
    rows = session.connection()  # plain rows: half the time of asking through the session
    when = {"person": identity.person_id, "day": today(clock, zone), "now": now}
    about = rows.execute(_ABOUT_PERSON, when).all()
    if not about:
        return Reach(now=now)
    roles = frozenset(row.role for row in about if row.role is not None)
    custody = frozenset(row.custody for row in about if row.custody is not None)
    if roles & OFFICERS:
        return Reach(person_id=identity.person_id, roles=roles, custody=custody, now=now)
    posts = rows.execute(_POSTS, when).all()
    above, below = _departments(rows, {row.department_id for row in posts})
    pairs = {(row.post_id, department) for row in posts for department in above[row.department_id]}
    grants = rows.execute(_GRANTS, when).all()
    ranks = rows.execute(_LEVELS).all()
    branched = any(row.category_id for row in grants)
    return Reach(
        person_id=identity.person_id,
        roles=roles,
        levels=frozenset(row.rank for row in ranks if row.rank <= about[0].clearance),
        distributed=_distributed(ranks, pairs),
        fonds=frozenset(row.fonds_id for row in grants if row.fonds_id),
        categories=frozenset(rows.execute(_BRANCHES, when).scalars()) if branched else NOBODY,
        places=frozenset(row.path for row in grants if row.path),
        departments=below,
        loans=frozenset(rows.execute(_LOANS, when).scalars()),
        custody=custody,
        now=now,
    )


def _distributed(ranks: Iterable[Any], pairs: set[tuple[UUID, UUID]]) -> frozenset[int]:
    """Return every rank that a distribution row of it, or of one above it, opens to one of ``pairs``."""
    posts, departments = {post for post, _ in pairs}, {department for _, department in pairs}

    def stands_on(row: Any) -> bool:
        if row.post_id is None:
            return row.department_id is None or row.department_id in departments
        if row.department_id is None:
            return row.post_id in posts
        return (row.post_id, row.department_id) in pairs

    rows = list(ranks)
    highest = max((row.rank for row in rows if row.distribution is not None and stands_on(row)), default=0)
    return frozenset(row.rank for row in rows if row.rank <= highest)


def _departments(rows: Connection, held: set[UUID]) -> tuple[dict[UUID, set[UUID]], frozenset[UUID]]:
    """Return each held department with all above it, and the set of the held ones with all below them."""
    if not held:
        return {}, NOBODY
    parents: dict[UUID, UUID | None] = {row.id: row.parent_id for row in rows.execute(_DEPARTMENTS)}
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


def _branch_query() -> Select[Any]:
    granted = select(AccessGrant.category_id.label("id")).where(
        AccessGrant.person_id == _PERSON, AccessGrant.category_id.is_not(None), _valid(AccessGrant)
    )
    branch = granted.cte("branch", recursive=True)
    branch = branch.union(select(Category.id).join(branch, Category.parent_id == branch.c.id))
    return select(branch.c.id)


_PERSON = bindparam("person", type_=Person.id.type)
_NOW = bindparam("now", type_=ReadingRight.since.type)
_ABOUT_PERSON = (
    select(Person.clearance, PersonRole.role, Custody.level_rank.label("custody"))
    .join(PersonRole, PersonRole.person_id == Person.id, isouter=True)
    .join(Custody, Custody.person_id == Person.id, isouter=True)
    .where(Person.id == _PERSON, Person.active.is_(True))
)
_POSTS = select(PersonPost.post_id, PersonPost.department_id).where(PersonPost.person_id == _PERSON, _valid(PersonPost))
_DEPARTMENTS = select(Department.id, Department.parent_id)
_GRANTS = (
    select(AccessGrant.fonds_id, AccessGrant.category_id, Place.path)
    .join(Place, Place.id == AccessGrant.place_id, isouter=True)
    .where(AccessGrant.person_id == _PERSON, _valid(AccessGrant))
)
_LEVELS = select(
    Level.rank, Distribution.id.label("distribution"), Distribution.post_id, Distribution.department_id
).join(Distribution, Distribution.level_rank == Level.rank, isouter=True)
_LOANS = select(ReadingRight.record_id).where(
    ReadingRight.person_id == _PERSON, ReadingRight.since <= _NOW, ReadingRight.until > _NOW
)
_BRANCHES = _branch_query()
