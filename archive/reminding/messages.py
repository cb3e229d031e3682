"""Messages to people: told once, read in the page, and handed to the channels that each has chosen.

A message holds ids and codes and no words. What of it may leave the house is settled by
``archive.reminding.delivering``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from archive.database import Base, Database, Work, rows_by_id
from archive.errors import NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.model import Message, Record
from archive.policy.condition import holds
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition

_TABLE = Base.metadata.tables["message"]
_FRESH = {
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing(),
}
_KEPT = select(_TABLE.c.id).where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True)
class Told:
    """What one person is to be told.

    ``topic`` has its words in ``web.due_words``; ``once``: the same is told to the same person once (at most 120
    characters). ``record``: only while they may read it.
    """

    person: UUID
    topic: str
    once: str
    stage: str = ""
    late: bool = False
    due: date | None = None
    record: UUID | None = None
    subject: UUID | None = None


@dataclass(frozen=True)
class Shown:
    """A message in the page. ``record`` is None when it is about none; ``closed``: about one no longer open to them."""

    message: Message
    record: Record | None
    closed: bool


class Outgoing:
    """Where messages go besides the page. This one sends nothing."""

    def plan(self, work: Work, made: Sequence[tuple[UUID, Told]]) -> None:
        """Write what is to go out for these messages (ids, and what they tell), in the transaction that makes them."""


class Messages:
    """Makes messages, and shows each person their own."""

    def __init__(self, db: Database, guard: Guard, outgoing: Outgoing | None = None) -> None:
        self._db = db
        self._guard = guard
        self._outgoing = outgoing or Outgoing()

    def tell(self, work: Work, notes: Iterable[Told]) -> int:
        """Make a message of each note that was not told yet, in the caller's transaction; return how many."""
        made, wanted = self._guard.now(), list(notes)
        rows = [_row(each, made) for each in wanted]
        if not rows:
            return 0
        connection = work.session.connection()
        fresh = _FRESH[connection.dialect.name].execution_options(preserve_rowcount=True)
        written = connection.execute(fresh, rows).rowcount
        pairs = [(row["id"], note) for row, note in zip(rows, wanted, strict=True)]
        if written != len(pairs):
            kept = set(connection.execute(_KEPT, {"ids": [key for key, _ in pairs]}).scalars())
            pairs = [(key, note) for key, note in pairs if key in kept]
        if pairs:
            self._outgoing.plan(work, pairs)
        return len(pairs)

    def list(
        self, identity: Identity, *, unread: bool = False, after: UUID | None = None, limit: int
    ) -> Sequence[Shown]:
        """Return a person's own messages, the newest first, behind the one with the id ``after``."""
        with self._db.reading() as session:
            query = select(Message).where(Message.person_id == identity.person_id)
            if unread:
                query = query.where(Message.read_at.is_(None))
            if after is not None:
                query = query.where(Message.id < after)
            found = session.scalars(query.order_by(Message.id.desc()).limit(limit)).all()
            open_to = self._open(session, identity, {each.record_id for each in found if each.record_id})
            return [Shown(each, open_to.get(each.record_id), _closed(each, open_to)) for each in found]

    def unread(self, session: Session, identity: Identity) -> int:
        """Count a person's messages that they have not read."""
        query = select(func.count()).where(Message.person_id == identity.person_id, Message.read_at.is_(None))
        return session.scalar(query) or 0

    def show(self, identity: Identity, message_id: UUID) -> Shown:
        """Show one of a person's own messages.

        Raises:
            NotFound: they have no such message.
        """
        with self._db.reading() as session:
            row = session.get(Message, message_id)
            if row is None or row.person_id != identity.person_id:
                raise NotFound
            open_to = self._open(session, identity, {row.record_id} if row.record_id else set())
            return Shown(row, open_to.get(row.record_id), _closed(row, open_to))

    def read(self, identity: Identity, message_ids: Sequence[UUID] | None = None) -> int:
        """Mark a person's own messages as read (None: all); return how many were unread."""
        with self._db.writing() as work:
            mine = update(Message).where(Message.person_id == identity.person_id, Message.read_at.is_(None))
            if message_ids is not None:
                mine = mine.where(Message.id.in_(message_ids))
            mine = mine.values(read_at=self._guard.now()).execution_options(synchronize_session=False)
            done = work.session.execute(mine)
            work.commit()
        return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result counts its rows

    def _open(self, session: Session, identity: Identity, keys: set[UUID]) -> Mapping[UUID | None, Record]:
        """Return by id those of these records that the person may read."""
        if not keys:
            return {}
        rows = rows_by_id(session, Record, keys)
        needed = condition(Act.READ, self._guard.reach(session, identity))
        facts = facts_of_many(session, rows.values())
        return {key: row for key, row in rows.items() if holds(needed, facts[key])}


def _row(told: Told, made: Any) -> dict[str, Any]:
    return {
        "id": new_id(), "person_id": told.person, "topic": told.topic, "stage": told.stage, "late": told.late,
        "due": told.due, "record_id": told.record, "subject_id": told.subject, "once": told.once, "made_at": made,
        "read_at": None,
    }  # fmt: skip


def _closed(row: Message, open_to: Mapping[UUID | None, Record]) -> bool:
    return row.record_id is not None and row.record_id not in open_to
