"""Messages that were read, or went out, are forgotten after the days that the house keeps them.

That they were made stays in the log. What nobody has read and what never went out stays, however old.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from archive.database import Database
from archive.identity import system
from archive.log.writer import Log
from archive.model import Delivery, DeliveryState, Message, Person
from archive.policy.guard import Guard

BATCH = 500
OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


class ForgetMessages:
    """Removes old messages with their deliveries, in short batches.

    Args:
        days: how long a message is kept after it was read or went out; of a closed account, after it was made.
    """

    def __init__(self, db: Database, guard: Guard, log: Log, *, days: int) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._kept = timedelta(days=days)

    def forget(self) -> int:
        """Forget some of what is older than is kept; return how many messages."""
        with self._db.writing() as work:
            session = work.session
            ids = _old(session, self._guard.now() - self._kept)
            if ids:
                session.execute(delete(Delivery).where(Delivery.message_id.in_(ids)))
                session.execute(delete(Message).where(Message.id.in_(ids)))
                self._log.note(session, system("messages"), "message.forget", body={"count": len(ids)})
                work.commit()
        return len(ids)


def _old(session: Session, before: datetime) -> Sequence[UUID]:
    """Return the ids of some messages that may go: by turns, so that each kind is found along its index."""
    under_way = aliased(Delivery)
    settled = ~exists().where(under_way.message_id == Message.id, under_way.state.in_(OPEN))
    query = select(Message.id).where(settled).limit(BATCH)
    went_out = (Delivery.state == DeliveryState.SENT, Delivery.changed_at < before)
    for which in (
        query.where(Message.read_at < before),
        query.join(Delivery, Delivery.message_id == Message.id).where(*went_out).distinct(),
        query.join(Person, Person.id == Message.person_id).where(Person.active.is_(False), Message.made_at < before),
    ):
        if ids := session.scalars(which).all():
            return ids
    return ()
