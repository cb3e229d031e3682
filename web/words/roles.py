"""What roles are called and what each may do, and what the steps of the property tree are called."""

from collections.abc import Mapping

from archive.identity import Role
from web.words import mark, translator

ROLES: Mapping[Role, tuple[str, str]] = {
    Role.STAFF: (mark("Staff"), mark("Reads what is filed and granted.")),
    Role.CLERK: (mark("Information clerk"), mark("Hands in for the own department.")),
    Role.ARCHIVIST: (mark("Archivist"), mark("Catalogues, files, keeps the scheme and the places.")),
    Role.APPROVER: (mark("Approver"), mark("Decides on requests of a department.")),
    Role.SECRECY_OFFICER: (mark("Secrecy officer"), mark("Decides on levels and to whom they go.")),
    Role.SYSTEM_ADMIN: (mark("System administrator"), mark("Runs the system; reads no records; has no other role.")),
    Role.SECURITY_ADMIN: (
        mark("Security administrator"),
        mark("Accounts and rights; reads no records; has no other role."),
    ),
    Role.AUDIT_ADMIN: (
        mark("Audit administrator"),
        mark("The log and its proofs; reads no records; has no other role."),
    ),
}


PLACES: Mapping[str, str] = {
    "project": mark("Project"),
    "building": mark("Building"),
    "unit": mark("Unit"),
    "room": mark("Room"),
}


def place_kind(kind: str, locale: str) -> str:
    """Return what a step of the property tree is called."""
    return translator(locale)(PLACES[kind])


def role_word(role: str, locale: str) -> str:
    """Return what a role is called."""
    return translator(locale)(ROLES[Role(role)][0])


def role_help(role: str, locale: str) -> str:
    """Return what a role may do, in a sentence."""
    return translator(locale)(ROLES[Role(role)][1])
