"""Accounts as those who manage people see them: the list, and all that one account holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import NotFound
from archive.identity import Identity, Role
from archive.model import (
    AccessGrant,
    ApiToken,
    Category,
    Custody,
    Department,
    Fonds,
    Invitation,
    Person,
    PersonPost,
    PersonRole,
    Place,
    Post,
    WebSession,
)
from archive.people.invitations import waiting, waits
from archive.people.lockout import failures_of
from archive.people.sign_in import open_of
from archive.policy.guard import Guard
from archive.policy.rules import Act


@dataclass(frozen=True)
class Held:
    """A post that someone holds; ``over`` when its last day has passed."""

    id: UUID
    post: Post
    department: Department
    since: date | None
    until: date | None
    over: bool


@dataclass(frozen=True)
class Account:
    """A line of the list."""

    person: Person
    roles: Sequence[Role]
    posts: Sequence[Mapping[str, str]]
    seen_at: datetime | None
    invited: bool


@dataclass(frozen=True)
class Granted:
    """A grant and what it is on: a fonds, one of its categories, or one of its places."""

    grant: AccessGrant
    fonds: Fonds
    category: Category | None
    place: Place | None
    over: bool


@dataclass(frozen=True)
class Sheet:
    """All that one account holds. ``link`` is its open link; ``invited`` when nobody has chosen its password yet."""

    person: Person
    roles: frozenset[Role]
    posts: Sequence[Held]
    grants: Sequence[Granted]
    custody: Sequence[int]
    sessions: Sequence[WebSession]
    tokens: Sequence[ApiToken]
    failures: int
    locked_until: datetime | None
    link: Invitation | None
    invited: bool


class Roster:
    """Reads accounts for those who manage people."""

    def __init__(self, db: Database, guard: Guard, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._clock = clock

    def list(
        self,
        identity: Identity,
        *,
        text: str = "",
        role: Role | None = None,
        active: bool | None = None,
        after: str = "",
        limit: int = 100,
    ) -> tuple[int, Sequence[Account]]:
        """Return how many accounts fit, and a page of them by sign-in name.

        ``text`` is part of a name or a sign-in name; the page begins behind the sign-in name ``after``.

        Raises:
            NotAllowed: not one of those who manage people.
        """
        query = select(Person)
        if text.strip():
            part = text.strip()
            query = query.where(
                or_(Person.login.icontains(part, autoescape=True), Person.name.icontains(part, autoescape=True))
            )
        if role is not None:
            query = query.where(Person.id.in_(select(PersonRole.person_id).where(PersonRole.role == role)))
        if active is not None:
            query = query.where(Person.active.is_(active))
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            people = session.scalars(query.where(Person.login > after).order_by(Person.login).limit(limit)).all()
            return total, self._accounts(session, people)

    def _accounts(self, session: Session, people: Sequence[Person]) -> Sequence[Account]:
        ids = [person.id for person in people]
        roles: dict[UUID, list[Role]] = {}
        for key, role in session.execute(
            select(PersonRole.person_id, PersonRole.role).where(PersonRole.person_id.in_(ids))
        ):
            roles.setdefault(key, []).append(role)
        posts: dict[UUID, list[Mapping[str, str]]] = {}
        held = select(PersonPost.person_id, PersonPost.until, Post.names).join(Post, Post.id == PersonPost.post_id)
        day = self._guard.day()
        for key, until, names in session.execute(held.where(PersonPost.person_id.in_(ids))):
            if until is None or until >= day:
                posts.setdefault(key, []).append(names)
        seen = select(WebSession.person_id, func.max(WebSession.seen_at)).where(WebSession.person_id.in_(ids))
        last = {key: at for key, at in session.execute(seen.group_by(WebSession.person_id)) if at is not None}
        invited = waiting(session, [person.id for person in people if not person.active])
        return [
            Account(
                person,
                sorted(roles.get(person.id, ())),
                posts.get(person.id, ()),
                last.get(person.id),
                person.id in invited,
            )
            for person in people
        ]

    def show(self, identity: Identity, person_id: UUID) -> Sheet:
        """Return all that an account holds.

        Raises:
            NotAllowed: not one of those who manage people.
            NotFound: there is no such account.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            person = session.get(Person, person_id)
            if person is None:
                raise NotFound
            now = self._clock.now()
            roles = frozenset(session.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id)))
            custody = select(Custody.level_rank).where(Custody.person_id == person_id).order_by(Custody.level_rank)
            sessions = select(WebSession).where(*open_of(person_id, now)).order_by(WebSession.seen_at.desc())
            tokens = select(ApiToken).where(
                ApiToken.person_id == person_id, ApiToken.ended_at.is_(None), ApiToken.ends_at > now
            )
            unused = select(Invitation).where(
                Invitation.person_id == person_id, Invitation.used_at.is_(None), Invitation.ended_at.is_(None)
            )
            failures, locked_until = failures_of(session, person.login, now)
            return Sheet(
                person=person,
                roles=roles,
                posts=self._posts(session, person_id),
                grants=self._grants(session, person_id),
                custody=session.scalars(custody).all(),
                sessions=session.scalars(sessions).all(),
                tokens=session.scalars(tokens.order_by(ApiToken.name)).all(),
                failures=failures,
                locked_until=locked_until,
                link=session.scalars(unused.where(Invitation.ends_at > now)).first(),
                invited=not person.active and waits(session, person_id),
            )

    def _posts(self, session: Session, person_id: UUID) -> Sequence[Held]:
        query = (
            select(PersonPost, Post, Department)
            .join(Post, Post.id == PersonPost.post_id)
            .join(Department, Department.id == PersonPost.department_id)
            .where(PersonPost.person_id == person_id)
            .order_by(PersonPost.since, Post.code)
        )
        day = self._guard.day()
        return [
            Held(row.id, post, department, row.since, row.until, row.until is not None and row.until < day)
            for row, post, department in session.execute(query)
        ]

    def _grants(self, session: Session, person_id: UUID) -> Sequence[Granted]:
        day, found = self._guard.day(), []
        for grant in session.scalars(select(AccessGrant).where(AccessGrant.person_id == person_id)):
            category = session.get(Category, grant.category_id) if grant.category_id else None
            place = session.get(Place, grant.place_id) if grant.place_id else None
            whole = grant.fonds_id or (category.fonds_id if category else None) or (place.fonds_id if place else None)
            fonds = session.get_one(Fonds, whole)
            over = grant.until is not None and grant.until < day
            found.append(Granted(grant, fonds, category, place, over))
        return sorted(found, key=lambda each: (each.fonds.code, each.grant.id))
