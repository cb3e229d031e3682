"""What people enter for a record or for a subject with all its records: who may, and the words sealed under its key."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity, Role
from archive.model import Record, RetentionEvent, Subject, UnsettledMatter
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault

Entry = RetentionEvent | UnsettledMatter
E = TypeVar("E", RetentionEvent, UnsettledMatter)

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


def standing_subject(session: Session, subject_id: UUID) -> UUID:
    """Return the id of a subject of which something may be entered.

    Raises:
        NotFound: there is no such subject.
        InvalidInput: field ``subject``: it was merged into another.
    """
    subject = session.get(Subject, subject_id)
    if subject is None:
        raise NotFound
    if subject.merged_into is not None:
        raise InvalidInput(Fault("subject", "merged", {"into": str(subject.merged_into)}))
    return subject.id


def seen_by(guard: Guard, session: Session, identity: Identity, entries: type[E]) -> Select[E]:
    """Select the entries of records that this person reads, and of subjects to who enters them."""
    seen: ColumnElement[bool] = guard.opens(session, identity, entries.record_id)
    if KEEPERS & guard.reach(session, identity).roles:
        seen = or_(seen, entries.subject_id.is_not(None))
    return select(entries).where(seen)


def opened(
    vault: Vault, session: Session, rows: Sequence[E], kind: str, ended: str
) -> Iterator[tuple[E, str, str, str | None]]:
    """Yield each entry with its words, the words with which it was ended, and (of a record) the record's title.

    The contexts under which both are sealed are ``kind:id`` and ``kind-ended:id``; the latter in ``ended_why``.
    """
    ids = [row.record_id for row in rows if row.record_id]
    named = session.execute(select(Record.id, Record.title).where(Record.id.in_(ids))) if ids else ()
    titles = {row.id: row.title for row in named}
    sealed = [each for row in rows for each in _sealed(row, kind, ended)]
    said: dict[str, str] = {}
    for (_, _, context), text in zip(sealed, vault.open_many(session, sealed), strict=True):
        said[context] = json.loads(text)["words"] if text else ""
    for row in rows:
        first, last = f"{kind}:{row.id.hex}", f"{kind}-{ended}:{row.id.hex}"
        title = titles.get(row.record_id) if row.record_id else None
        yield row, said.get(first, ""), said.get(last, ""), title


def _sealed(row: Entry, kind: str, ended: str) -> Iterator[tuple[UUID, bytes, str]]:
    owner: UUID | None = row.record_id or row.subject_id
    both: tuple[tuple[str, Any], ...] = ((kind, row.sealed), (f"{kind}-{ended}", getattr(row, f"{ended}_why")))
    for word, sealed in both:
        if owner is not None and sealed is not None:
            yield owner, sealed, f"{word}:{row.id.hex}"
