"""Signing in: sessions of browsers, tokens of programs, and the machine's operator acting as a person.

A session or token is a random text that only its holder has; the database keeps its hash. Every use reads the person's
present state, so an account that is locked or a right that is taken ends with the next request.
"""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from archive.accounts import folded, login_identity
from archive.clock import Clock
from archive.database import Database
from archive.errors import (
    ActingForbidden,
    Fault,
    InvalidInput,
    LockedOut,
    NotAllowed,
    NotFound,
    SignInFailed,
    StandsAlready,
    Unavailable,
)
from archive.identity import Identity
from archive.ids import new_id
from archive.log.entry import ACTOR_LENGTH
from archive.log.writer import Log
from archive.model import ApiToken, House, Person, TokenScope, WebSession
from archive.model.log import LogResult
from archive.people import forgetting, lockout
from archive.people.passwords import Passwords

IDLE: Final = timedelta(hours=2)
"""A session ends after this long without a request: a lunch at the desk, not a night."""

LONGEST: Final = timedelta(hours=12)
"""A session ends this long after sign-in, used or not: one office day."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly a session's last use is kept; each keeping is a write."""

TOKEN_MARK: Final = "juanku_"  # noqa: S105  (what tokens begin with, so that scanners find leaked ones)
TOKEN_DAYS: Final = 366

TOKEN_OPERATOR: Final = "token:"  # noqa: S105  (a word of the log)
"""Before a token's name: what the log names as the operator of what a program did. No login holds a colon."""

LONGEST_NAME: Final = ACTOR_LENGTH - len(TOKEN_OPERATOR)
"""Characters of a token's name."""


_RESUMED = (
    select(WebSession, Person)
    .join(Person, Person.id == WebSession.person_id)
    .where(WebSession.token_hash == bindparam("token"))
)


class SignIn:
    """Sign-in by password, by session, by token, and by the machine's operator."""

    def __init__(self, db: Database, log: Log, clock: Clock, passwords: Passwords | None = None) -> None:
        self._db = db
        self._log = log
        self._clock = clock
        self._passwords = passwords or Passwords()

    def sign_in(self, login: str, password: str, address: str = "", agent: str = "") -> tuple[Identity, str]:
        """Check a password and begin a session. Returns who it is, and the new session's token.

        The token is new at every sign-in; the caller drops whatever token the browser had before.

        Raises:
            SignInFailed: unknown account, wrong password, or not active: one answer, in about equal time.
            LockedOut: too many failures by this account or address. Facts: ``seconds``.
        """
        login, now = folded(login)[:200], self._clock.now()
        with self._db.writing() as work:
            wait = lockout.begin_attempt(work.session, login, address, now)
            person = work.session.scalars(select(Person).where(Person.login == login)).one_or_none()
            work.commit()
        if wait:
            self._refuse(login, address, None, "locked")
            raise LockedOut(seconds=wait)
        # outside any transaction: a hash takes longer than anyone may hold the lock
        right = self._passwords.verify(person.password_hash if person else None, password)
        if not right or person is None:
            self._refuse(login, address, person, "password")
            raise SignInFailed
        newer = self._passwords.hash(password) if self._passwords.is_old(person.password_hash) else None
        return self._begin(person, newer, address, agent)

    def prove(self, identity: Identity, password: str) -> None:
        """Check that whoever is signed in knows their password: asked again before a grave act, such as a signature.

        Raises:
            SignInFailed: it is wrong.
            LockedOut: too many failures by this account or address. Facts: ``seconds``.
            NotAllowed: no person is signed in at a browser.
        """
        if identity.person_id is None or identity.session_id is None:
            raise NotAllowed(act="session.prove")
        with self._db.writing() as work:
            person = work.session.get_one(Person, identity.person_id)
            wait = lockout.begin_attempt(work.session, person.login, identity.address, self._clock.now())
            work.commit()
        if wait:
            self._refuse(person.login, identity.address, person, "locked")
            raise LockedOut(seconds=wait)
        if not self._passwords.verify(person.password_hash, password):
            self._refuse(person.login, identity.address, person, "password")
            raise SignInFailed
        with self._db.writing() as work:
            lockout.succeeded(work.session, person.login, identity.address)
            work.commit()

    def _begin(self, seen: Person, newer: str | None, address: str, agent: str) -> tuple[Identity, str]:
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._db.writing() as work:
            person = work.session.get_one(Person, seen.id)
            still = person.active and person.password_hash == seen.password_hash
            if still:
                person.password_hash = newer or person.password_hash
                lockout.succeeded(work.session, person.login, address)
                row = WebSession(
                    id=new_id(),
                    token_hash=_hash(token),
                    person_id=person.id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + LONGEST,
                    address=address[:64],
                    agent=agent[:200],
                )
                work.session.add(row)
                identity = login_identity(work.session, person, address=address, session_id=row.id)
                self._log.note(work.session, identity, "session.begin", body={"agent": row.agent})
                work.commit()
        if not still:
            self._refuse(seen.login, address, seen, "inactive")
            raise SignInFailed
        return identity, token

    def _refuse(self, login: str, address: str, person: Person | None, reason: str) -> None:
        # an unknown name may be a password typed into the wrong box: it goes into the sealed body, cut short
        name = person.login if person else "unknown"
        identity = Identity(name=name, person_id=person.id if person else None, address=address)
        body = {"reason": reason, "login": login[:64]}
        self._log.note_apart(self._db, identity, "session.refused", result=LogResult.REFUSED, body=body)

    def resume(self, token: str, address: str = "") -> Identity | None:
        """Return who holds a session's token, or None when the session or the account has ended."""
        now = self._clock.now()
        with self._db.reading() as session:
            found = session.execute(_RESUMED, {"token": _hash(token)}).one_or_none()
            if found is None:
                return None
            row, person = found
            if not (is_open(row, now) and person.active):
                return None
            identity = login_identity(session, person, address=address, session_id=row.id)
        if now - row.seen_at >= SEEN_EVERY:
            with suppress(Unavailable), self._db.writing() as work:
                work.session.execute(update(WebSession).where(WebSession.id == row.id).values(seen_at=now))
                work.commit()
        return identity

    def sign_out(self, identity: Identity) -> None:
        """End the session that ``identity`` came by."""
        if identity.session_id is not None:
            self.end_session(identity, identity.session_id)

    def sessions(self, identity: Identity) -> Sequence[WebSession]:
        """Return the person's own open sessions, the latest first."""
        mine = select(WebSession).where(*open_of(identity.person_id, self._clock.now()))
        with self._db.reading() as session:
            return session.scalars(mine.order_by(WebSession.seen_at.desc())).all()

    def end_session(self, identity: Identity, session_id: UUID) -> None:
        """End one of the person's own sessions. Ending it twice is no error.

        Raises:
            NotFound: it is not one of theirs.
        """
        with self._db.writing() as work:
            row = work.session.get(WebSession, session_id)
            if row is None or row.person_id != identity.person_id or identity.person_id is None:
                raise NotFound
            if row.ended_at is None:
                row.ended_at = self._clock.now()
                self._log.note(work.session, identity, "session.end", body={"session": str(session_id)})
            work.commit()

    def end_other_sessions(self, identity: Identity) -> int:
        """End all of the person's sessions but the one that ``identity`` came by; return how many."""
        now = self._clock.now()
        with self._db.writing() as work:
            rows = work.session.scalars(select(WebSession).where(*open_of(identity.person_id, now)))
            others = [row for row in rows if row.id != identity.session_id]
            for row in others:
                row.ended_at = now
                self._log.note(work.session, identity, "session.end", body={"session": str(row.id)})
            work.commit()
        return len(others)

    def forget(self) -> int:
        """Forget some of the sessions and failures that are older than is kept; return how many."""
        with self._db.writing() as work:
            gone = forgetting.forget(work.session, self._clock.now())
            work.commit()
        return gone

    def tokens(self, identity: Identity) -> Sequence[ApiToken]:
        """Return the person's own tokens that have not ended, by name."""
        now = self._clock.now()
        mine = (ApiToken.person_id == identity.person_id, ApiToken.ended_at.is_(None), ApiToken.ends_at > now)
        with self._db.reading() as session:
            return session.scalars(select(ApiToken).where(*mine).order_by(ApiToken.name)).all()

    def issue_token(
        self, identity: Identity, login: str, name: str, days: int, scope: TokenScope = TokenScope.READ
    ) -> str:
        """Make a token by which a program acts as a person, and return it: it is shown this once.

        Only the person makes it, or the machine's operator, whom the log then names beside the person; no administrator
        takes someone's place this way.

        Raises:
            InvalidInput: no name, not between 1 and 366 days, or no such active account.
            StandsAlready: the person has a token of this name.
            NotAllowed: it is someone else's account.
        """
        if not name.strip() or len(name) > LONGEST_NAME:
            raise InvalidInput(Fault("name", "required" if not name.strip() else "too_long", {"limit": LONGEST_NAME}))
        if not 1 <= days <= TOKEN_DAYS:
            raise InvalidInput(Fault("days", "out_of_range", {"low": 1, "high": TOKEN_DAYS}))
        token, now = TOKEN_MARK + secrets.token_urlsafe(32), self._clock.now()
        with self._db.reading() as session:
            person = active_person(session, login)
        if identity.person_id != person.id and not identity.name.startswith("system:"):
            self._log.note_apart(self._db, identity, "token.issue", result=LogResult.REFUSED)
            raise NotAllowed(act="token.issue")
        with self._db.writing() as work:
            same = select(ApiToken).where(ApiToken.person_id == person.id, ApiToken.name == name)
            if (before := work.session.scalars(same).one_or_none()) is not None:
                if before.ended_at is None and before.ends_at > now:
                    raise StandsAlready(what="token", field="name", name=name)
                work.session.delete(before)  # it opens nothing any more; the log keeps that there was one
                work.session.flush()
            ends = now + timedelta(days=days)
            row = ApiToken(
                id=new_id(), person_id=person.id, name=name, token_hash=_hash(token), created_at=now, ends_at=ends,
                scope=scope,
            )  # fmt: skip
            work.session.add(row)
            body = {"person": str(person.id), "name": name, "ends": ends.isoformat(), "scope": scope.value}
            noted = identity
            if identity.person_id is None:  # the operator's act: the head of the entry names both
                noted = login_identity(work.session, person, operator=identity.operator or identity.name)
            self._log.note(work.session, noted, "token.issue", body=body)
            work.commit()
        return token

    def resume_token(self, token: str, address: str = "") -> Identity | None:
        """Return whom a program's token stands for, or None when the token or the account has ended."""
        now = self._clock.now()
        with self._db.reading() as session:
            row = session.scalars(select(ApiToken).where(ApiToken.token_hash == _hash(token))).one_or_none()
            if row is None or row.ended_at is not None or row.ends_at <= now:
                return None
            person = session.get_one(Person, row.person_id)
            if not person.active:
                return None
            identity = login_identity(session, person, address=address, operator=f"{TOKEN_OPERATOR}{row.name}")
        return replace(identity, token_id=row.id, reads_only=row.scope is TokenScope.READ)

    def end_token(self, identity: Identity, name: str) -> None:
        """End one of the person's own tokens. ``NotFound`` when they have none of this name."""
        with self._db.writing() as work:
            query = select(ApiToken).where(ApiToken.person_id == identity.person_id, ApiToken.name == name)
            row = work.session.scalars(query).one_or_none()
            if row is None:
                raise NotFound
            if row.ended_at is None:
                row.ended_at = self._clock.now()
                self._log.note(work.session, identity, "token.end", body={"name": name})
            work.commit()

    def impersonate(self, operator: str, login: str) -> Identity:
        """Let the machine's operator act as a person: the rights are the person's, and the log names both.

        Raises:
            ActingForbidden: the house has switched it off. Facts: ``act``.
            InvalidInput: no such active account.
        """
        operator = operator.replace(":", "_")  # as the environment has it: it must not pass for a token
        with self._db.writing() as work:
            allowed = work.session.scalars(select(House.operator_may_impersonate)).one_or_none()
            if allowed:
                identity = login_identity(work.session, active_person(work.session, login), operator=operator)
                self._log.note(work.session, identity, "system.impersonate", body={"operator": operator})
                work.commit()
        if not allowed:
            refused = Identity(name="system:operator", operator=operator)
            self._log.note_apart(
                self._db, refused, "system.impersonate", result=LogResult.REFUSED, body={"login": folded(login)[:64]}
            )
            raise ActingForbidden(act="system.impersonate")
        return identity


def active_person(session: Session, login: str) -> Person:
    """Return the active account of this login.

    Only its holder and the machine's operator come here, so the answer may name what is not there.

    Raises:
        InvalidInput: there is none. Fact ``value``: the login asked for.
    """
    query = select(Person).where(Person.login == folded(login), Person.active.is_(True))
    person = session.scalars(query).one_or_none()
    if person is None:
        raise InvalidInput(Fault("login", "unknown", {"value": login[:64]}))
    return person


def is_open(row: WebSession, now: datetime) -> bool:
    """Return whether a session still stands."""
    return row.ended_at is None and now < row.expires_at and now - row.seen_at < IDLE


def open_of(person_id: UUID | None, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a person's sessions that still stand."""
    standing = WebSession.ended_at.is_(None), WebSession.expires_at > now, WebSession.seen_at > now - IDLE
    return WebSession.person_id == person_id, *standing


def end_tokens(
    session: Session, log: Log, identity: Identity, person_id: UUID, now: datetime, token_id: UUID | None = None
) -> int:
    """End an account's open tokens, or the one of an id; each is noted by its name. Return how many there were."""
    open_ones = select(ApiToken).where(
        ApiToken.person_id == person_id, ApiToken.ended_at.is_(None), ApiToken.ends_at > now
    )
    if token_id is not None:
        open_ones = open_ones.where(ApiToken.id == token_id)
    rows = session.scalars(open_ones.order_by(ApiToken.name)).all()
    for row in rows:
        row.ended_at = now
        log.note(session, identity, "token.end", body={"person": str(person_id), "name": row.name})
    return len(rows)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
