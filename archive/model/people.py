"""People, the organisation they stand in, and their rights."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.database import Base
from archive.identity import Role
from archive.model.columns import Code, Key, Names, Version, word


class Department(Base):
    """A node of the organisation: head office, region, management office, department."""

    __tablename__ = "department"

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    since: Mapped[date | None]
    until: Mapped[date | None]
    version: Mapped[Version]


class Post(Base):
    """A post that people hold, for example general manager."""

    __tablename__ = "post"

    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    names: Mapped[Names] = mapped_column(JSON)


class Person(Base):
    """Someone with an account. ``clearance`` is the highest level rank they may read (0: none).

    ``locale`` is the language they chose for their pages; None while they chose none.
    """

    __tablename__ = "person"

    id: Mapped[Key]
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str | None] = mapped_column(String(8))
    clearance: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    version: Mapped[Version]


class PersonRole(Base):
    """A role a person has."""

    __tablename__ = "person_role"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(word(Role), primary_key=True)


class PersonPost(Base):
    """A post a person holds in a department, from a day to a day (both included)."""

    __tablename__ = "person_post"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"))
    since: Mapped[date | None]
    until: Mapped[date | None]


class AccessGrant(Base):
    """A grant on one fonds, or one branch of its scheme, or one place and what lies below it.

    Exactly one of ``fonds_id``, ``category_id``, ``place_id`` is set.
    """

    __tablename__ = "access_grant"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    fonds_id: Mapped[UUID | None] = mapped_column(ForeignKey("fonds.id"))
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("category.id"))
    place_id: Mapped[UUID | None] = mapped_column(ForeignKey("place.id"))
    since: Mapped[date | None]
    until: Mapped[date | None]


class Custody(Base):
    """A custodian sees number, place and acts of one level's records, never their content (C15)."""

    __tablename__ = "custody"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    level_rank: Mapped[int] = mapped_column(ForeignKey("level.rank"), primary_key=True)


class WebSession(Base):
    """A signed-in browser. The cookie holds a random token; only its hash is kept."""

    __tablename__ = "web_session"

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(200))


class InvitationKind(StrEnum):
    """What a link to choose a password is for."""

    INVITE = "invite"
    RESET = "reset"


class Invitation(Base):
    """A link by which a person chooses their password, once. Only the hash of its token is kept."""

    __tablename__ = "invitation"

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[InvitationKind] = mapped_column(word(InvitationKind))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignInFailures(Base):
    """Failed sign-ins of one account name or one address, for lock-out."""

    __tablename__ = "sign_in_failures"

    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class TokenScope(StrEnum):
    """What a token opens of what its person may do."""

    READ = "read"
    WRITE = "write"


class ApiToken(Base):
    """A token for programs. Only its hash is kept; it ends on a day and can be ended before."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("person_id", "name"),)

    id: Mapped[Key]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    scope: Mapped[TokenScope] = mapped_column(word(TokenScope), default=TokenScope.READ)


class ApiAnswer(Base):
    """What a program was answered to a request that it may repeat under the same key.

    The row comes in the transaction of the act. ``made`` is what the act was done on; ``request`` a keyed hash of what
    was asked; ``answer`` holds ids, numbers and counts alone (one with words is not kept), and comes after the act:
    without it the act was done, but its answer is not known any more.
    """

    __tablename__ = "api_answer"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    made: Mapped[UUID | None]
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
