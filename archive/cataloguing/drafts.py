"""What people typed into forms and did not send: kept sealed, offered again to the same person, forgotten after a week.

It may hold the title of a secret paper, so the browser keeps nothing of it; each draft has a key of its own, which is
destroyed with it. A draft is no record: it is neither found, nor shown to anyone else, nor logged.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed
from archive.identity import Identity
from archive.ids import new_id
from archive.model import FormDraft, OwnerKey
from archive.ports import Vault

MOST = 20
"""Drafts of one person; one more takes the place of the oldest."""

LONGEST = 256 * 1024
"""Bytes of one draft."""

Typed = Sequence[tuple[str, str]]
"""Names and values of a form, in its order."""


@dataclass(frozen=True)
class Draft:
    """What was typed into a form, and when it was kept."""

    typed: Typed
    changed_at: datetime


class Drafts:
    """Keeps a person's own drafts, one for each form."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def keep(self, identity: Identity, form: str, typed: Typed) -> datetime:
        """Keep what stands in a form now, in the place of what was kept before. Returns when.

        Raises:
            NotAllowed: whoever asks is no person.
            InvalidInput: it is longer than ``LONGEST``.
        """
        if identity.person_id is None:
            raise NotAllowed(act="form.draft")
        data = json.dumps(list(typed), ensure_ascii=False).encode()
        if len(data) > LONGEST:
            raise InvalidInput(Fault("notes", "too_long", {"limit": LONGEST}))
        now = self._clock.now()
        with self._db.writing() as work:
            session = work.session
            row = _own(session, identity, form)
            if row is None:
                _drop(session, _beyond(session, identity.person_id))
                row = FormDraft(id=new_id(), person_id=identity.person_id, form=form, sealed=b"", changed_at=now)
                self._vault.add_owner(session, row.id, due_year=now.year)
                session.add(row)
            row.sealed = self._vault.seal(session, row.id, data, context=_context(row.id))
            row.changed_at = now
            work.commit()
        return now

    def find(self, identity: Identity, form: str) -> Draft | None:
        """Return what the person typed into a form and did not send, or None."""
        with self._db.reading() as session:
            row = _own(session, identity, form)
            if row is None:
                return None
            plain = self._vault.open(session, row.id, row.sealed, context=_context(row.id))
            return Draft([(name, value) for name, value in json.loads(plain)], row.changed_at)

    def mine(self, identity: Identity) -> list[tuple[str, datetime]]:
        """Return the forms of a person's drafts and when each was kept, the newest first; nothing is opened."""
        own = select(FormDraft.form, FormDraft.changed_at).where(FormDraft.person_id == identity.person_id)
        with self._db.reading() as session:
            return [(form, at) for form, at in session.execute(own.order_by(FormDraft.changed_at.desc()))]

    def forget(self, identity: Identity, form: str) -> None:
        """Forget a form's draft and its key; nothing happens where there is none."""
        with self._db.reading() as session:
            if _own(session, identity, form) is None:
                return
        with self._db.writing() as work:
            row = _own(work.session, identity, form)
            _drop(work.session, [row.id] if row else [])
            work.commit()

    def sweep(self, before: datetime) -> None:
        """Forget every draft that was not changed since a moment."""
        with self._db.reading() as session:
            old = session.scalars(select(FormDraft.id).where(FormDraft.changed_at < before)).all()
        for key in old:
            with self._db.writing() as work:
                _drop(work.session, [key])
                work.commit()


def _own(session: Session, identity: Identity, form: str) -> FormDraft | None:
    return session.scalar(select(FormDraft).where(FormDraft.person_id == identity.person_id, FormDraft.form == form))


def _beyond(session: Session, person_id: UUID) -> Sequence[UUID]:
    """Return the oldest drafts that give way to one more."""
    mine = select(FormDraft.id).where(FormDraft.person_id == person_id).order_by(FormDraft.changed_at.desc())
    return session.scalars(mine.offset(MOST - 1)).all()


def _drop(session: Session, ids: Sequence[UUID]) -> None:
    session.execute(delete(FormDraft).where(FormDraft.id.in_(ids)))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id.in_(ids)))


def _context(draft_id: UUID) -> str:
    return f"draft:{draft_id.hex}"
