"""People, the organisation and their rights, built straight as rows."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from archive.identity import Identity, Role
from archive.ids import new_id
from archive.model import (
    AccessGrant,
    Custody,
    Department,
    Distribution,
    Person,
    PersonPost,
    PersonRole,
    Post,
    ReadingRight,
)

NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


def names(text: str) -> dict[str, str]:
    return {"zh_CN": text, "zh_TW": text, "en": text}


def a_department(session: Session, code: str = "", parent: Department | None = None) -> Department:
    key = new_id()
    row = Department(id=key, code=code or key.hex, names=names(code), parent_id=parent.id if parent else None)
    session.add(row)
    session.flush()
    return row


def a_post(session: Session, code: str = "") -> Post:
    key = new_id()
    row = Post(id=key, code=code or key.hex, names=names(code))
    session.add(row)
    session.flush()
    return row


def a_person(
    session: Session,
    login: str = "",
    *,
    roles: Iterable[Role] = (Role.STAFF,),
    clearance: int = 0,
    active: bool = True,
    password_hash: str = "!",  # noqa: S107  (a hash that no password has)
) -> Person:
    key = new_id()
    row = Person(
        id=key,
        login=login or f"p{key.hex}",
        name=login or "某人",
        password_hash=password_hash,
        clearance=clearance,
        active=active,
        created_at=NOW,
    )
    session.add(row)
    session.flush()
    session.add_all(PersonRole(person_id=key, role=role) for role in set(roles))
    session.flush()
    return row


def identity_of(person: Person) -> Identity:
    return Identity(name=person.login, person_id=person.id, address="192.0.2.1")


def holds_post(
    session: Session,
    person: Person,
    post: Post,
    department: Department,
    since: date | None = None,
    until: date | None = None,
) -> PersonPost:
    row = PersonPost(
        id=new_id(), person_id=person.id, post_id=post.id, department_id=department.id, since=since, until=until
    )
    session.add(row)
    session.flush()
    return row


def distributed_to(
    session: Session, level: int, post: Post | None = None, department: Department | None = None
) -> Distribution:
    row = Distribution(
        id=new_id(),
        level_rank=level,
        post_id=post.id if post else None,
        department_id=department.id if department else None,
    )
    session.add(row)
    session.flush()
    return row


def grants(
    session: Session,
    person: Person,
    *,
    fonds: UUID | None = None,
    category: UUID | None = None,
    place: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
) -> AccessGrant:
    row = AccessGrant(
        id=new_id(),
        person_id=person.id,
        fonds_id=fonds,
        category_id=category,
        place_id=place,
        since=since,
        until=until,
    )
    session.add(row)
    session.flush()
    return row


def a_loan(
    session: Session, person: Person, record: UUID, *, since: datetime = NOW, until: datetime = NOW + timedelta(days=7)
) -> ReadingRight:
    row = ReadingRight(id=new_id(), record_id=record, person_id=person.id, since=since, until=until)
    session.add(row)
    session.flush()
    return row


def is_custodian(session: Session, person: Person, level: int) -> Custody:
    row = Custody(person_id=person.id, level_rank=level)
    session.add(row)
    session.flush()
    return row
