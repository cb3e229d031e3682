"""People: their accounts, roles, clearance and posts.

Users and rights are the security administrator's; the machine's operator (a part of the system) makes the first
account. No one changes their own roles, clearance or posts. Every act writes the log with before and after.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from archive.accounts import folded, login_identity
from archive.clock import Clock
from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound, SignInFailed, StandsAlready
from archive.identity import OFFICERS, Identity, Role
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    DeadlineKind,
    Invitation,
    Level,
    Person,
    PersonPost,
    PersonRole,
    WebSession,
)
from archive.people.holdings import PostGiven, insert_post
from archive.people.lockout import unlock
from archive.people.passwords import Passwords, check_password
from archive.people.sign_in import SignIn, active_person, end_tokens, open_of
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines

LOCALES: Final = ("zh_CN", "zh_TW", "en")


def check_roles(roles: frozenset[Role], clearance: int = 0) -> None:
    """Check that roles go together: one of the three officers 三员 is that alone, and cleared for nothing.

    Raises:
        InvalidInput: names ``roles`` or ``clearance``.
    """
    officers = roles & OFFICERS
    if officers and len(roles) > 1:
        raise InvalidInput(Fault("roles", "officers_exclude", {"roles": sorted(role.value for role in roles)}))
    if officers and clearance:
        raise InvalidInput(Fault("clearance", "officers_read_nothing"))


class People(SignIn):
    """The acts on accounts; signing in is ``SignIn``'s."""

    def __init__(self, db: Database, log: Log, clock: Clock, guard: Guard, passwords: Passwords | None = None) -> None:
        super().__init__(db, log, clock, passwords)
        self._guard = guard
        self._deadlines = Deadlines(guard)

    def identity_of(self, login: str, address: str = "") -> Identity:
        """Return the identity of an active account. Raises ``NotFound``."""
        with self._db.reading() as session:
            return login_identity(session, active_person(session, login), address=address)

    def every(
        self, identity: Identity, *, after: str = "", limit: int = 100
    ) -> Sequence[tuple[Person, frozenset[Role]]]:
        """Return accounts with their roles, by login, beginning behind ``after``: for those who manage people."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            query = select(Person).where(Person.login > after).order_by(Person.login).limit(limit)
            people = session.scalars(query).all()
            held: dict[UUID, set[Role]] = {person.id: set() for person in people}
            for row in session.scalars(select(PersonRole).where(PersonRole.person_id.in_(held))):
                held[row.person_id].add(row.role)
        return [(person, frozenset(held[person.id])) for person in people]

    def account(self, identity: Identity, login: str) -> Person:
        """Return one account, open or closed: for those who manage people. ``NotFound`` when there is none."""
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            person = session.scalars(select(Person).where(Person.login == folded(login))).one_or_none()
        if person is None:
            raise NotFound
        return person

    def add_person(
        self,
        identity: Identity,
        *,
        login: str,
        name: str,
        password: str,
        roles: Iterable[Role] = (Role.STAFF,),
        clearance: int = 0,
        locale: str | None = None,
    ) -> UUID:
        """Add an account and return its id.

        Raises:
            InvalidInput: names each field at fault.
            StandsAlready: the login is taken.
            NotAllowed: not one of those who manage people.
        """
        login, wanted = folded(login), frozenset(roles)
        check_account(login, name, locale)
        check_password(password, login=login, name=name)
        check_roles(wanted, clearance)
        kept = self._passwords.hash(password)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            person, after = insert_person(
                session, login=login, name=name, roles=wanted, clearance=clearance, locale=locale, password_hash=kept,
                now=self._clock.now(),
            )  # fmt: skip
            self._note(session, identity, "person.add", person, None, after)
            work.commit()
        return person.id

    def set_roles(self, identity: Identity, person_id: UUID, roles: Iterable[Role]) -> None:
        """Give a person these roles and no others, from the next request on.

        Raises:
            InvalidInput: the roles exclude each other.
            NotAllowed: not one of those who manage people, or their own account.
        """
        wanted = frozenset(roles)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = self._other(session, identity, person_id, Act.MANAGE_PEOPLE)
            check_roles(wanted, person.clearance)
            before = frozenset(session.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id)))
            session.execute(delete(PersonRole).where(PersonRole.person_id == person_id))
            session.add_all(PersonRole(person_id=person_id, role=role) for role in wanted)
            person.version += 1
            self._note(session, identity, "person.role", person, _words(before), _words(wanted))
            work.commit()

    def set_clearance(self, identity: Identity, person_id: UUID, clearance: int) -> None:
        """Clear a person for the levels up to ``clearance`` (0: none), from the next request on.

        Raises:
            InvalidInput: no such level, or an officer's account.
            NotAllowed: not one of those who manage rights, or their own account.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = self._other(session, identity, person_id, Act.MANAGE_RIGHTS)
            _check_clearance(session, clearance)
            check_roles(frozenset(session.scalars(select(PersonRole.role).filter_by(person_id=person_id))), clearance)
            before, person.clearance = person.clearance, clearance
            person.version += 1
            self._note(session, identity, "person.clearance", person, before, clearance)
            work.commit()

    def set_password(self, identity: Identity, person_id: UUID, password: str, *, present: str | None = None) -> None:
        """Set a password; the account's other sessions and its tokens end at once.

        A person sets their own with the ``present`` one; who manages people sets anyone else's without.

        Raises:
            InvalidInput: the new one is too weak.
            SignInFailed: the present one is wrong.
            NotAllowed: someone else's account.
        """
        own = identity.person_id == person_id and identity.person_id is not None
        with self._db.reading() as session:
            kept = session.scalar(select(Person.password_hash).where(Person.id == person_id))
        if own and not self._passwords.verify(kept, present or ""):
            raise SignInFailed
        hashed = self._passwords.hash(password)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            if own:
                person = _person(session, person_id)
                if person.password_hash != kept:
                    raise Conflict(what="person")
            else:
                person = self._other(session, identity, person_id, Act.MANAGE_PEOPLE)
            check_password(password, login=person.login, name=person.name)
            person.password_hash = hashed
            person.version += 1
            end_sessions(session, person_id, self._clock.now(), spare=identity.session_id)
            end_tokens(session, self._log, identity, person_id, self._clock.now())
            end_links(session, person_id, self._clock.now())
            unlock(session, person.login)
            self._note(session, identity, "person.password", person, None, None)
            work.commit()

    def deactivate(self, identity: Identity, person_id: UUID) -> None:
        """Close an account: its sessions and tokens end at once, and it reaches nothing. Its rows stay for the log."""
        self._set_active(identity, person_id, active=False)

    def reactivate(self, identity: Identity, person_id: UUID) -> None:
        """Open a closed account again. Its rights are as they were; its sessions and tokens stay ended."""
        self._set_active(identity, person_id, active=True)

    def _set_active(self, identity: Identity, person_id: UUID, *, active: bool) -> None:
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = self._other(session, identity, person_id, Act.MANAGE_PEOPLE)
            before, person.active = person.active, active
            person.version += 1
            end_links(session, person_id, self._clock.now())
            if not active:
                end_sessions(session, person_id, self._clock.now())
                end_tokens(session, self._log, identity, person_id, self._clock.now())
            self._note(session, identity, "person.active", person, before, active)
            work.commit()

    def unlock(self, identity: Identity, person_id: UUID) -> None:
        """Forget an account's failed sign-ins."""
        with self._guard.refusals(identity), self._db.writing() as work:
            person = self._other(work.session, identity, person_id, Act.MANAGE_PEOPLE)
            unlock(work.session, person.login)
            self._note(work.session, identity, "person.unlock", person, None, None)
            work.commit()

    def end_sessions(self, identity: Identity, person_id: UUID) -> int:
        """End every open session and token of someone else, and return how many sessions there were."""
        with self._guard.refusals(identity), self._db.writing() as work:
            person = self._other(work.session, identity, person_id, Act.MANAGE_PEOPLE)
            ended = end_sessions(work.session, person_id, self._clock.now())
            end_tokens(work.session, self._log, identity, person_id, self._clock.now())
            self._note(work.session, identity, "session.end_all", person, ended, 0)
            work.commit()
        return ended

    def end_token_of(self, identity: Identity, person_id: UUID, token_id: UUID) -> None:
        """End a token of someone else. Ending what has ended is no error."""
        with self._guard.refusals(identity), self._db.writing() as work:
            self._other(work.session, identity, person_id, Act.MANAGE_PEOPLE)
            end_tokens(work.session, self._log, identity, person_id, self._clock.now(), token_id)
            work.commit()

    def assign_post(
        self,
        identity: Identity,
        person_id: UUID,
        post_id: UUID,
        department_id: UUID,
        since: date | None = None,
        until: date | None = None,
    ) -> UUID:
        """Let a person hold a post in a department, from a day to a day (both included); returns the holding's id.

        Raises:
            InvalidInput: no such post or department, or the days are the wrong way round.
        """
        given = PostGiven(post_id, department_id, since, until)
        given.check()
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = self._other(session, identity, person_id, Act.MANAGE_RIGHTS)
            row = insert_post(session, self._deadlines, person_id, given)
            self._note(session, identity, "post.assign", person, None, given.told())
            work.commit()
        return row.id

    def end_post(self, identity: Identity, holding_id: UUID, last_day: date) -> None:
        """End a holding with ``last_day``; rights that follow from the post end with that day.

        Raises:
            NotFound: no such holding.
            InvalidInput: ``until`` (before the day on which it begins).
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_RIGHTS)
            row = session.get(PersonPost, holding_id)
            if row is None:
                raise NotFound
            if row.since and last_day < row.since:
                raise InvalidInput(Fault("until", "before_since"))
            person = self._other(session, identity, row.person_id, Act.MANAGE_RIGHTS)
            before, row.until = _day(row.until), last_day
            self._deadlines.set(session, DeadlineKind.POST_END, row.id, last_day)
            self._note(session, identity, "post.end", person, before, _day(last_day))
            work.commit()

    def _other(self, session: Session, identity: Identity, person_id: UUID, act: Act) -> Person:
        return someone_else(self._guard, session, identity, person_id, act)

    def _note(self, session: Session, identity: Identity, act: str, person: Person, before: Any, after: Any) -> None:
        body = {"person": str(person.id), "before": before, "after": after}
        self._log.note(session, identity, act, body=body)


class End(StrEnum):
    """Why a link ended unused."""

    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


def someone_else(guard: Guard, session: Session, identity: Identity, person_id: UUID, act: Act) -> Person:
    """Check an act on an account, and that it is someone else's; return whose."""
    guard.require_house(session, identity, act)
    if identity.person_id == person_id:
        raise guard.refused_house(session, identity, act, reason="own")
    return _person(session, person_id)


def end_sessions(session: Session, person_id: UUID, now: datetime, *, spare: UUID | None = None) -> int:
    """End an account's open sessions but one, and return how many."""
    ending = update(WebSession).where(*open_of(person_id, now))
    if spare is not None:
        ending = ending.where(WebSession.id != spare)
    done = session.execute(ending.values(ended_at=now).returning(WebSession.id))
    return len(done.all())


def end_links(session: Session, person_id: UUID, now: datetime) -> Sequence[str]:
    """End an account's links that were not used, and return the kind of each."""
    unused = (Invitation.person_id == person_id, Invitation.used_at.is_(None), Invitation.ended_at.is_(None))
    done = session.execute(update(Invitation).where(*unused).values(ended_at=now).returning(Invitation.kind))
    return [kind.value for kind in done.scalars()]


def insert_person(
    session: Session,
    *,
    login: str,
    name: str,
    roles: frozenset[Role],
    clearance: int,
    locale: str | None,
    password_hash: str,
    now: datetime,
    active: bool = True,
) -> tuple[Person, dict[str, Any]]:
    """Add an account in the caller's transaction; return it, and what the log says of it.

    Raises:
        InvalidInput: names each field at fault.
        StandsAlready: the login is taken.
    """
    login = folded(login)
    check_account(login, name, locale)
    check_roles(roles, clearance)
    _check_clearance(session, clearance)
    if session.scalar(select(Person.id).where(Person.login == login)) is not None:
        raise StandsAlready(what="login", field="login", login=login)
    person = Person(
        id=new_id(), login=login, name=name.strip(), password_hash=password_hash, locale=locale, clearance=clearance,
        active=active, created_at=now,
    )  # fmt: skip
    session.add(person)
    session.flush()
    session.add_all(PersonRole(person_id=person.id, role=role) for role in roles)
    return person, {"login": login, "roles": _words(roles), "clearance": clearance}


def _person(session: Session, person_id: UUID) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound
    return person


def check_account(login: str, name: str, locale: str | None) -> None:
    """Check what an account is called. Raises ``InvalidInput``, which names each field at fault."""
    faults = []
    if not login or len(login) > 64 or not login.isprintable() or any(c.isspace() or c == ":" for c in login):
        faults.append(Fault("login", "bad_login" if login else "required"))
    if not name.strip() or len(name) > 100:
        faults.append(Fault("name", "too_long" if name.strip() else "required"))
    if locale is not None and locale not in LOCALES:
        faults.append(Fault("locale", "unknown", {"choices": list(LOCALES)}))
    if faults:
        raise InvalidInput(*faults)


def _check_clearance(session: Session, clearance: int) -> None:
    highest = session.scalar(select(func.max(Level.rank))) or 0
    if not 0 <= clearance <= highest:
        raise InvalidInput(Fault("clearance", "out_of_range", {"low": 0, "high": highest}))


def _words(roles: Iterable[Role]) -> list[str]:
    return sorted(role.value for role in roles)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
