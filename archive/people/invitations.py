"""Links to hand over: whoever opens one chooses the password of one account, once.

An invited account is closed until its link is used; a reset leaves the account as it is until then. A newer link ends
the older ones. What is wrong, used, replaced or past its end is answered alike.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import login_identity
from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity, Role
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Invitation, InvitationKind, Person
from archive.people.grants import GrantOn, grant_told, insert_grant
from archive.people.holdings import PostGiven, insert_post
from archive.people.lockout import unlock
from archive.people.managing import End, end_links, end_sessions, insert_person, someone_else
from archive.people.passwords import Passwords, check_password
from archive.people.sign_in import end_tokens
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.reminding.deadlines import Deadlines

DAYS: Final = {InvitationKind.INVITE: 7, InvitationKind.RESET: 1}
"""How long a link is valid."""


@dataclass(frozen=True)
class Link:
    """A link as it is made: the token, which is shown this once, whose it is, and when it ends."""

    token: str
    person_id: UUID
    kind: InvitationKind
    ends_at: datetime


@dataclass(frozen=True)
class Asked:
    """What whoever opens a valid link is shown."""

    kind: InvitationKind
    login: str
    name: str
    ends_at: datetime


class Invitations:
    """The acts on links."""

    def __init__(self, db: Database, log: Log, clock: Clock, guard: Guard, passwords: Passwords | None = None) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._guard = guard
        self._passwords = passwords or Passwords()
        self._deadlines = Deadlines(guard)

    def invite(
        self,
        identity: Identity,
        *,
        login: str,
        name: str,
        roles: Iterable[Role] = (Role.STAFF,),
        clearance: int = 0,
        locale: str | None = None,
        post: PostGiven | None = None,
        grants: Sequence[GrantOn] = (),
    ) -> Link:
        """Add an account that stays closed until its link is used, with its post and grants, and return the link.

        Raises:
            InvalidInput: names each field at fault.
            StandsAlready: the login is taken.
            NotAllowed: not one of those who manage people (and rights, where some are given).
        """
        if post is not None:
            post.check()
        for each in grants:
            each.check()
        # a password that nobody knows: signing in takes as long as for any other account
        kept, token = self._passwords.hash(secrets.token_urlsafe(32)), secrets.token_urlsafe(32)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            person, after = insert_person(
                session, login=login, name=name, roles=frozenset(roles), clearance=clearance, locale=locale,
                password_hash=kept, now=self._clock.now(), active=False,
            )  # fmt: skip
            body = {"person": str(person.id), "before": None, "after": after}
            self._log.note(session, identity, "person.add", body=body)
            if post is not None or grants:
                self._guard.require_house(session, identity, Act.MANAGE_RIGHTS)
            if post is not None:
                insert_post(session, self._deadlines, person.id, post)
                self._note(session, identity, "post.assign", person, {"before": None, "after": post.told()})
            for each in grants:
                row = insert_grant(session, self._deadlines, person.id, each)
                self._note(session, identity, "grant.add", person, {"before": None, "after": grant_told(row)})
            link = self._make(session, identity, person, InvitationKind.INVITE, token)
            work.commit()
        return link

    def renew(self, identity: Identity, person_id: UUID) -> Link:
        """Make a link for an account: to reset its password, or to open it when its invitation was never used.

        Raises:
            InvalidInput: the account was closed (``account_closed`` of ``person``).
            NotFound: there is no such account.
            NotAllowed: not one of those who manage people, or their own account.
        """
        token = secrets.token_urlsafe(32)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = someone_else(self._guard, session, identity, person_id, Act.MANAGE_PEOPLE)
            if not person.active and not waits(session, person_id):
                raise InvalidInput(Fault("person", "account_closed"))
            kind = InvitationKind.RESET if person.active else InvitationKind.INVITE
            link = self._make(session, identity, person, kind, token)
            work.commit()
        return link

    def withdraw(self, identity: Identity, person_id: UUID) -> None:
        """End an account's open link. Ending what has ended is no error. Raises as ``renew`` does."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            person = someone_else(self._guard, session, identity, person_id, Act.MANAGE_PEOPLE)
            for kind in end_links(session, person_id, self._clock.now()):
                self._note(session, identity, "invitation.end", person, {"why": End.WITHDRAWN.value, "link": kind})
            work.commit()

    def open(self, token: str) -> Asked:
        """Return what a valid link is for.

        Raises:
            NotFound: it is not valid, whatever the reason.
        """
        with self._db.reading() as session:
            row, person = self._valid(session, token)
            return Asked(row.kind, person.login, person.name, row.ends_at)

    def use(self, token: str, password: str, address: str = "") -> str:
        """Set the password that the holder of a link chose, open the account if it was invited; returns its login.

        Every session, token and other link of the account ends.

        Raises:
            InvalidInput: the password is too weak; the link stays valid.
            NotFound: it is not valid, whatever the reason.
        """
        with self._db.reading() as session:
            _row, person = self._valid(session, token)
        check_password(password, login=person.login, name=person.name)
        hashed, now = self._passwords.hash(password), self._clock.now()
        with self._db.writing() as work:
            session = work.session
            row, person = self._valid(session, token)
            row.used_at = now
            session.flush()
            end_links(session, person.id, now)
            person.password_hash, person.active = hashed, True
            person.version += 1
            end_sessions(session, person.id, now)
            unlock(session, person.login)
            noted = login_identity(session, person, address=address)
            end_tokens(session, self._log, noted, person.id, now)
            self._note(session, noted, "invitation.use", person, {"link": row.kind.value})
            login = person.login
            work.commit()
        return login

    def _valid(self, session: Session, token: str) -> tuple[Invitation, Person]:
        row = session.scalars(select(Invitation).where(Invitation.token_hash == _hash(token))).one_or_none()
        if row is None or row.used_at or row.ended_at or row.ends_at <= self._clock.now():
            raise NotFound
        person = session.get_one(Person, row.person_id)
        if person.active != (row.kind is InvitationKind.RESET):
            raise NotFound
        return row, person

    def _make(
        self, session: Session, identity: Identity, person: Person, kind: InvitationKind, token: str
    ) -> Link:  # fmt: skip
        now = self._clock.now()
        for older in end_links(session, person.id, now):
            self._note(session, identity, "invitation.end", person, {"why": End.REPLACED.value, "link": older})
        row = Invitation(
            id=new_id(), person_id=person.id, kind=kind, token_hash=_hash(token), made_by=identity.person_id,
            made_at=now, ends_at=now + timedelta(days=DAYS[kind]),
        )  # fmt: skip
        session.add(row)
        session.flush()
        self._note(session, identity, "invitation.make", person, {"link": kind.value, "ends": row.ends_at.isoformat()})
        return Link(token, person.id, kind, row.ends_at)

    def _note(self, session: Session, identity: Identity, act: str, person: Person, more: dict[str, Any]) -> None:
        self._log.note(session, identity, act, body={"person": str(person.id), **more})


def waits(session: Session, person_id: UUID) -> bool:
    """Return whether an account was invited and nobody has chosen its password yet."""
    return person_id in waiting(session, [person_id])


def waiting(session: Session, people: Collection[UUID]) -> set[UUID]:
    """Return those accounts that were invited and for which nobody has chosen a password yet."""
    invited = select(Invitation.person_id, Invitation.used_at).where(
        Invitation.person_id.in_(people), Invitation.kind == InvitationKind.INVITE
    )
    rows = session.execute(invited).all() if people else ()
    return {key for key, _ in rows} - {key for key, used_at in rows if used_at is not None}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
