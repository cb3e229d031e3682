"""What people enter for a record or for a subject with all its records: who may, and the words sealed under its key."""

import json
from uuid import UUID

from sqlalchemy.orm import Session

from archive.errors import NotFound
from archive.identity import Identity, Role
from archive.model import RetentionEvent, UnsettledMatter
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

Entry = RetentionEvent | UnsettledMatter

KEEPERS = frozenset({Role.ARCHIVIST})
"""Who enters something of subjects."""


def seal_words(vault: Vault, session: Session, owner: UUID, context: str, words: str) -> bytes:
    """Seal what was said, under the key of its record or subject."""
    data = json.dumps({"words": words}, ensure_ascii=False).encode()
    return vault.seal(session, owner, data, context=context)


def keeper(guard: Guard, session: Session, identity: Identity, act: Act) -> None:
    """Let only those enter for subjects who keep the house's records. Raises ``NotAllowed``."""
    reach = guard.reach(session, identity)
    if not (reach.system or KEEPERS & reach.roles):
        raise guard.refused_house(session, identity, act)


def owner_of(
    guard: Guard,
    session: Session,
    identity: Identity,
    act: Act,
    row: Entry | None,
    key: UUID,
) -> UUID:
    """Return whose key seals an entry, to who may enter such a one; ``key``: what was asked for, if there is no row.

    Raises ``NotFound``, ``NotAllowed``.
    """
    owner = (row.record_id or row.subject_id) if row is not None else None
    if row is not None and row.subject_id is not None:
        keeper(guard, session, identity, act)
    else:
        guard.require(session, identity, act, owner or key)
    if owner is None:
        raise NotFound
    return owner
