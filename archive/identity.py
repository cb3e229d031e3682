"""Who acts: the first argument of every service method."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person may do in the house (requirement C9, C13)."""

    CLERK = "clerk"  # 信息员: hands in for their own departments
    ARCHIVIST = "archivist"
    STAFF = "staff"
    APPROVER = "approver"
    SECRECY_OFFICER = "secrecy_officer"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


OFFICERS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""The three officers 三员: they exclude each other and read no records."""


@dataclass(frozen=True)
class Identity:
    """A person, or a named part of the system, at work.

    ``person_id`` is None for the system itself; ``name`` then names the part (``system:sweep``).
    ``on_behalf_of`` is set when the machine's operator acts as a person from the command line: rights
    are the person's, and the log names both. ``token_id`` and ``reads_only`` are those of a program's token.
    """

    name: str
    person_id: UUID | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    address: str = ""
    operator: str | None = None
    session_id: UUID | None = None
    token_id: UUID | None = None
    reads_only: bool = False

    @property
    def is_system(self) -> bool:
        """Whether this is a part of the system and not a person."""
        return self.person_id is None


def system(part: str) -> Identity:
    """Return the identity under which a part of the system acts, for example ``index``."""
    return Identity(name=f"system:{part}")
