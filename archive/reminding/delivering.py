"""What leaves the house of a message: by which channel, to whom, and only if they may still know of it.

Outside the page a message is a link, a date and what to do. Nothing of a record is ever in it, whatever its level. What
is about a record above the lowest level, or under need-to-know, goes to persons alone: to no room of a chat that others
read, and to no address that two people gave. Rights are asked again just before it is sent.

A delivery is marked as begun before it leaves. One that was begun and not ended is unclear, and is never begun again:
the page still holds the message, and a reminder that comes twice teaches people to ignore reminders.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive import failpoints
from archive.database import Database
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, Outcome, back_off
from archive.model import (
    Channel,
    DeadlineKind,
    Delivery,
    DeliveryState,
    JobKind,
    Level,
    Message,
    Person,
    PersonChannel,
    Record,
)
from archive.policy.condition import holds
from archive.policy.facts import facts_of_many
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.ports import Vault
from archive.reminding.deadlines import DueBoard
from archive.reminding.planning import ROOMS, ask

log = logging.getLogger("juanku.messages")

TOGETHER = 50
"""Messages that go out as one letter."""

TRIES = 8
"""How often a letter is tried; the waits between them grow to an hour."""

BOARD, MESSAGES = "/deadlines", "/messages"
"""The pages to which a room is led: each who reads there finds on it what is theirs."""

STALE = timedelta(minutes=10)
"""A delivery that was begun so long ago, and not ended, is unclear: no letter takes that long."""

_DUE = "due."


End = tuple[DeliveryState, str | None]
"""How a delivery ended, and the code of the reason."""


class NotSent(Exception):
    """A letter surely did not go out. ``reason`` is a code; ``again``: it may work later."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class Unclear(Exception):
    """A letter may have gone out or not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Item:
    """What a letter says of one message. ``link`` is the address at which it is read."""

    topic: str
    stage: str
    late: bool
    due: date | None
    link: str


@dataclass(frozen=True)
class Letter:
    """What is sent: ``key`` is the same for the same letter, ``subject`` one line, ``text`` all of it."""

    key: UUID
    subject: str
    text: str


class Sender(Protocol):
    """One channel out of the house, as the settings have it."""

    @property
    def longest(self) -> int | None:
        """Bytes of the longest text that it takes in UTF-8 (None: any)."""
        ...

    def send(self, address: str, letter: Letter) -> None:
        """Send a letter to an address ("" for a room).

        Raises:
            NotSent: it surely did not go out.
            Unclear: nobody knows.
        """
        ...


class Writer(Protocol):
    """Makes the words of a letter."""

    def __call__(self, items: Sequence[Item], locale: str | None) -> tuple[str, str]:
        """Return subject and text in a language (None: the house's)."""
        ...


@dataclass(frozen=True)
class Ways:
    """The ways out that the house has. ``address`` is that of its pages, as people reach them, without a slash."""

    senders: Mapping[Channel, Sender] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class _Ready:
    """A letter that may go out: the deliveries in it, and where to."""

    ids: Sequence[UUID]
    items: Sequence[Item]
    address: str
    locale: str | None


class Deliver:
    """Sends what waits for one person at one channel, as one letter."""

    kind = JobKind.DELIVER
    batch = 1
    deadline = 120.0
    max_attempts = 5
    keep_done = False

    def __init__(
        self, db: Database, guard: Guard, vault: Vault, outbox: Outbox, board: DueBoard, ways: Ways, write: Writer
    ) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._outbox = outbox
        self._board = board
        self._ways = ways
        self._write = write

    def run(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Outcome]:
        """Send it. A letter that did not go out is asked for again by a job of its own."""
        for job in jobs:
            if job.subject_id is not None:
                self._deliver(job.subject_id, Channel(job.payload["channel"]))
        return {job.id: Outcome.done() for job in jobs}

    def _deliver(self, person: UUID, channel: Channel) -> None:
        with self._db.reading() as session:
            waiting = session.execute(
                select(Delivery, Message)
                .join(Message, Message.id == Delivery.message_id)
                .where(_waits(person, channel))
                .order_by(Delivery.id)
                .limit(TOGETHER)
            ).all()
            if not waiting:
                return
            ready, dropped = self._checked(session, person, channel, [(row[0], row[1]) for row in waiting])
        if dropped:
            self._end(dropped)
        letter = self._fitting(ready, channel) if ready else None
        asked = letter is not None and self._sent_or_later(person, channel, letter)
        rest = len(waiting) == TOGETHER or letter is not ready
        if rest and not asked:  # what is tried again later asks for itself
            with self._db.writing() as work:
                if work.session.scalar(select(Delivery.id).where(_waits(person, channel)).limit(1)) is not None:
                    ask(work, self._outbox, person, channel, self._guard.now())
                    work.commit()

    def _fitting(self, ready: _Ready, channel: Channel) -> _Ready:
        """Return the part of a letter that its way takes at once, one message at least; what is left goes next."""
        longest, count = self._ways.senders[channel].longest, len(ready.ids)
        while longest and count > 1 and len(self._write(ready.items[:count], ready.locale)[1].encode()) > longest:
            count -= 1
        return ready if count == len(ready.ids) else replace(ready, ids=ready.ids[:count], items=ready.items[:count])

    def _sent_or_later(self, person: UUID, channel: Channel, ready: _Ready) -> bool:
        """Send a letter of the deliveries that are ours; return whether it was asked for again, for a later moment."""
        ids = self._begin(ready)
        if not ids:
            return False
        failpoints.reach("message.sending")
        end, again = self._sent(channel, ready, ids)
        failpoints.reach("message.sent")
        if again:
            return self._try_later(person, channel, ids, end[1])
        self._end(dict.fromkeys(ids, end), was=DeliveryState.SENDING)
        return False

    def _sent(self, channel: Channel, ready: _Ready, ids: set[UUID]) -> tuple[End, bool]:
        """Send a letter of those deliveries that are ours; return how it ended, and whether to try again."""
        items = [each for key, each in zip(ready.ids, ready.items, strict=True) if key in ids]
        subject, text = self._write(items, ready.locale)
        try:
            self._ways.senders[channel].send(ready.address, Letter(min(ids), subject, text))
        except NotSent as error:
            log.warning("message not sent: %s", error.reason, extra={"facts": {"channel": channel.value}})
            return (DeliveryState.FAILED, error.reason), error.again
        except Unclear as error:
            log.warning("message perhaps sent: %s", error.reason, extra={"facts": {"channel": channel.value}})
            return (DeliveryState.UNCLEAR, error.reason), False
        return (DeliveryState.SENT, None), False

    def _checked(
        self, session: Session, person: UUID, channel: Channel, waiting: Sequence[tuple[Delivery, Message]]
    ) -> tuple[_Ready | None, dict[UUID, End]]:
        """Part what may go out now from what may not, with the reason of each."""
        drop, who = DeliveryState.DROPPED, Identity(name="", person_id=person)
        reach = self._guard.reach(session, who)
        row = session.get(PersonChannel, (person, channel))
        if reach.person_id is None or row is None or channel not in self._ways.senders:
            reason = "account_closed" if reach.person_id is None else "channel_off"
            return None, {delivery.id: (drop, reason) for delivery, _message in waiting}
        shared = channel in ROOMS or self._is_shared(session, row)
        about = self._board.about(session, [message for _delivery, message in waiting]) if shared else {}
        keys = {message.record_id for _delivery, message in waiting if message.record_id} | {*about.values()}
        records = session.scalars(select(Record).where(Record.id.in_(keys))).all()
        facts, needed = facts_of_many(session, records), condition(Act.READ, reach)
        lowest = session.scalar(select(func.min(Level.rank)))
        alone = {each.id for each in records if each.level_rank != lowest or each.group_id is not None}
        ids, items = [], []
        dropped: dict[UUID, End] = {}
        for delivery, message in waiting:
            reason = ""
            if message.read_at is not None:
                reason = "read_already"
            elif message.record_id and not holds(needed, facts[message.record_id]):
                reason = "not_open"
            elif shared and (message.record_id or about.get(message.id)) in alone:
                reason = "not_for_shared"
            elif not self._still(session, who, message):
                reason = "not_due"
            if reason:
                dropped[delivery.id] = (drop, reason)
                continue
            way = f"/messages/{message.id}"
            if channel in ROOMS:
                way = BOARD if message.topic.startswith(_DUE) else MESSAGES
            ids.append(delivery.id)
            items.append(Item(message.topic, message.stage, message.late, message.due, self._ways.address + way))
        if not ids:
            return None, dropped
        locale = None if channel in ROOMS else session.get_one(Person, person).locale
        return _Ready(ids, items, self._address(session, row), locale), dropped

    def _still(self, session: Session, who: Identity, message: Message) -> bool:
        kind = message.topic.removeprefix(_DUE)
        if not message.topic.startswith(_DUE) or kind not in set(DeadlineKind) or message.subject_id is None:
            return True
        return self._board.still(session, who, DeadlineKind(kind), message.subject_id)

    def _is_shared(self, session: Session, row: PersonChannel) -> bool:
        same = select(func.count(func.distinct(PersonChannel.person_id)))
        return (session.scalar(same.where(PersonChannel.address_token == row.address_token)) or 0) > 1

    def _address(self, session: Session, row: PersonChannel) -> str:
        if row.address is None:
            return ""
        return self._vault.open(session, row.person_id, row.address, context=address_context(row.channel)).decode()

    def _begin(self, ready: _Ready) -> set[UUID]:
        """Mark deliveries as begun; return those that nobody else has begun."""
        with self._db.writing() as work:
            mine = update(Delivery).where(Delivery.id.in_(ready.ids), Delivery.state == DeliveryState.WAITING)
            mine = mine.values(
                state=DeliveryState.SENDING, changed_at=self._guard.now(), attempts=Delivery.attempts + 1
            )
            ids = set(work.session.execute(mine.returning(Delivery.id)).scalars())
            work.commit()
        return ids

    def _end(
        self,
        ends: Mapping[UUID, End],
        was: DeliveryState = DeliveryState.WAITING,
    ) -> None:
        now = self._guard.now()
        with self._db.writing() as work:
            for key, (state, reason) in ends.items():
                row = work.session.get(Delivery, key)
                if row is not None and row.state is was:
                    row.state, row.reason, row.changed_at = state, reason, now
            work.commit()

    def _try_later(self, person: UUID, channel: Channel, ids: set[UUID], reason: str | None) -> bool:
        """Put deliveries back, each until its tries are used up; return whether any is asked for again."""
        now, most = self._guard.now(), 0
        with self._db.writing() as work:
            for key in ids:
                row = work.session.get(Delivery, key)
                if row is None or row.state is not DeliveryState.SENDING:
                    continue
                worn = row.attempts >= TRIES
                row.state = DeliveryState.FAILED if worn else DeliveryState.WAITING
                row.reason, row.changed_at = reason, now
                most = most if worn else max(most, row.attempts)
            if most:
                ask(work, self._outbox, person, channel, now + back_off(most))
            work.commit()
        return most > 0


def mark_stale(db: Database, guard: Guard) -> int:
    """Mark deliveries that were begun and never ended as unclear; return how many."""
    with db.writing() as work:
        old = update(Delivery).where(Delivery.state == DeliveryState.SENDING, Delivery.changed_at < guard.now() - STALE)
        done = work.session.execute(
            old.values(state=DeliveryState.UNCLEAR, reason="broke_off", changed_at=guard.now()).execution_options(
                synchronize_session=False
            )
        )
        work.commit()
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result counts its rows


def address_context(channel: Channel) -> str:
    """Return the sealing context of a person's address at a channel."""
    return f"channel:{channel.value}"


def _waits(person: UUID, channel: Channel) -> Any:
    return (Delivery.person_id == person) & (Delivery.channel == channel) & (Delivery.state == DeliveryState.WAITING)
