"""What is true of any account: how a login is written, and who stands behind it."""

import unicodedata
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from archive.identity import Identity
from archive.model import Person, PersonRole

_ROLES = select(PersonRole.role).where(PersonRole.person_id == bindparam("person"))


def folded(login: str) -> str:
    """Return a login as it is kept and compared: case and width make no other account."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def login_identity(
    session: Session, person: Person, *, address: str = "", operator: str | None = None, session_id: UUID | None = None
) -> Identity:
    """Return the identity of a person, with their present roles."""
    roles = session.scalars(_ROLES, {"person": person.id})
    return Identity(
        name=person.login,
        person_id=person.id,
        roles=frozenset(roles),
        address=address,
        operator=operator,
        session_id=session_id,
    )
