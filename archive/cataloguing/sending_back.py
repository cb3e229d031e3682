"""Drafts sent back to whoever prepares them, with a reason, and handed in again once they are mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import WrongState
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Record, RecordState, SentBack
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reasons import checked


@dataclass(frozen=True)
class Back:
    """A draft that was sent back, and why."""

    row: SentBack
    reason: str


class SendingBack:
    """Sends drafts back. Until it is handed in again, such a draft is not filed."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, clock: Clock) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._clock = clock

    def send(self, identity: Identity, record_id: UUID, reason: str) -> None:
        """Send a draft back.

        Raises:
            InvalidInput: no reason, or too long a one.
            WrongState: it is no draft, or lies with the clerk already.
            NotAllowed, NotFound: it is not theirs to file.
        """
        words = checked(reason)
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.FILE, record_id)
            if record.state is not RecordState.PROVISIONAL or open_of(session, record.id) is not None:
                raise WrongState(state=record.state.value, act="record.send_back")
            key = new_id()
            sealed = self._vault.seal(session, record.id, words.encode(), context=f"sent-back:{key.hex}")
            session.add(
                SentBack(
                    id=key, record_id=record.id, sealed=sealed, sent_by=identity.person_id, sent_at=self._clock.now()
                )
            )  # fmt: skip
            self._log.note(session, identity, "record.send_back", record=record.id, body={"reason": words})
            work.commit()

    def hand_in(self, identity: Identity, record_id: UUID) -> None:
        """Hand a mended draft in again. Raises as ``send``; ``WrongState`` when it was not sent back."""
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.DESCRIBE, record_id)
            row = open_of(session, record.id)
            if row is None:
                raise WrongState(state=record.state.value, act="record.hand_in")
            row.ended_by, row.ended_at = identity.person_id, self._clock.now()
            session.flush()
            self._log.note(session, identity, "record.hand_in", record=record.id)
            work.commit()

    def of(self, identity: Identity, record_id: UUID) -> Back | None:
        """Return how a draft that the person reads was sent back, if it lies with the clerk now."""
        with self._db.reading() as session:
            record = self._guard.require(session, identity, Act.READ, record_id)
            row = open_of(session, record.id)
            return self._opened(session, row) if row else None

    def waiting(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = 100
    ) -> Sequence[tuple[Record, Back]]:
        """Return the drafts that were sent back and that the person may describe, the oldest first.

        Those behind the one that was sent back at a moment, with its row's id.
        """
        with self._db.reading() as session:
            mine = self._guard.visible(session, identity, Act.DESCRIBE).add_columns(SentBack)
            query = mine.join(SentBack, SentBack.record_id == Record.id).where(SentBack.ended_at.is_(None))
            if after is not None:
                same = and_(SentBack.sent_at == after[0], SentBack.id > after[1])
                query = query.where(or_(SentBack.sent_at > after[0], same))
            rows = session.execute(query.order_by(SentBack.sent_at, SentBack.id).limit(limit)).all()
            return [(record, self._opened(session, row)) for record, row in rows]

    def count(self, session: Session, identity: Identity) -> int:
        """Count the drafts that were sent back and that the person may describe."""
        mine = self._guard.visible(session, identity, Act.DESCRIBE).where(Record.state == RecordState.PROVISIONAL)
        waits = SentBack.ended_at.is_(None)
        own = mine.with_only_columns(Record.id).where(Record.id == SentBack.record_id).correlate(SentBack).exists()
        return session.scalar(select(func.count(SentBack.id)).where(waits, own)) or 0

    def _opened(self, session: Session, row: SentBack) -> Back:
        plain = self._vault.open(session, row.record_id, row.sealed, context=f"sent-back:{row.id.hex}")
        return Back(row, plain.decode())


def open_of(session: Session, record_id: UUID) -> SentBack | None:
    """Return how a record was sent back, if it lies with the clerk now."""
    query = select(SentBack).where(SentBack.record_id == record_id, SentBack.ended_at.is_(None))
    return session.scalars(query.limit(1)).one_or_none()
