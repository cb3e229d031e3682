"""The channels that each person chose, and the deliveries that came to nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Fault, InvalidInput, NotAllowed, NotFound, WrongState
from archive.identity import Identity
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.model import Channel, Delivery, DeliveryState, OwnerKey, Person, PersonChannel
from archive.model.messages import OpenWay
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reminding.delivering import Ways, address_context
from archive.reminding.planning import ROOMS, ask

BAD = (DeliveryState.FAILED, DeliveryState.UNCLEAR)

_MAIL = re.compile(r"[^@\s<>()\[\]\\,;:\"]{1,64}@[^@\s<>()\[\]\\,;:\"]{1,180}\.[^@\s<>()\[\]\\,;:\"]{2,63}")
_PHONE = re.compile(r"\+?[0-9]{5,20}")


@dataclass(frozen=True)
class Chosen:
    """A channel that the house has. ``on``: the person chose it; ``address`` is what they gave ("" for a room)."""

    channel: Channel
    on: bool
    digest: bool
    address: str


@dataclass(frozen=True)
class Ended:
    """A delivery that came to nothing."""

    delivery: Delivery
    person: str


class Channels:
    """The acts of people on their own channels, and of who runs the system on what did not go out."""

    def __init__(self, db: Database, guard: Guard, vault: Vault, log: Log, outbox: Outbox, ways: Ways) -> None:
        self._db = db
        self._guard = guard
        self._vault = vault
        self._log = log
        self._outbox = outbox
        self._ways = ways

    def mine(self, identity: Identity) -> Sequence[Chosen]:
        """Return the channels that the house has, as this person chose them."""
        with self._db.reading() as session:
            query = select(PersonChannel).where(PersonChannel.person_id == identity.person_id)
            rows = {row.channel: row for row in session.scalars(query)}
            open_ways = self._open(session)
            return [self._shown(session, each, rows.get(each)) for each in Channel if each in open_ways]

    def choose(self, identity: Identity, channel: Channel, address: str, *, digest: bool) -> None:
        """Have messages sent by a channel, from the next one on.

        Args:
            identity: whose own.
            channel: one that the house has.
            address: a mail address or a telephone number; of no matter for a room.
            digest: gathered once a day; else at once.

        Raises:
            NotAllowed: this is no person.
            InvalidInput: fields ``channel`` (the house has none such) and ``address``.
        """
        person = self._person(identity)
        with self._db.writing() as work:
            session = work.session
            if channel not in self._open(session):
                raise InvalidInput(Fault("channel", "unknown"))
            given = "" if channel in ROOMS else _read(channel, address)
            row = session.get(PersonChannel, (person, channel))
            if row is None:
                row = PersonChannel(person_id=person, channel=channel)
                session.add(row)
            if given:
                if session.get(OwnerKey, person) is None:
                    self._vault.add_owner(session, person, due_year=None)
                row.address = self._vault.seal(session, person, given.encode(), context=address_context(channel))
                row.address_token = self._vault.token("address", given.casefold())
            row.digest = digest
            self._log.note(session, identity, "channel.choose", body={"channel": channel.value, "digest": digest})
            work.commit()

    def drop(self, identity: Identity, channel: Channel) -> None:
        """Send nothing more by a channel, and forget the address. Doing it twice is no error."""
        person = self._person(identity)
        with self._db.writing() as work:
            row = work.session.get(PersonChannel, (person, channel))
            if row is not None:
                work.session.delete(row)
                self._log.note(work.session, identity, "channel.drop", body={"channel": channel.value})
                work.commit()

    def bad(self, identity: Identity, *, after: UUID | None = None, limit: int) -> Sequence[Ended]:
        """Return the deliveries that came to nothing, or of which nobody knows, the newest first.

        Raises:
            NotAllowed: not one of those who run the system.
        """
        with self._guard.refusals(identity), self._db.reading() as session:
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            query = select(Delivery, Person.name).join(Person, Person.id == Delivery.person_id)
            query = query.where(Delivery.state.in_(BAD))
            if after is not None:
                query = query.where(Delivery.id < after)
            return [Ended(row, name) for row, name in session.execute(query.order_by(Delivery.id.desc()).limit(limit))]

    def retry(self, identity: Identity, delivery_id: UUID) -> None:
        """Send what did not go out once more. What is unclear may then come twice: a person decided so.

        Raises:
            NotAllowed: not one of those who run the system.
            NotFound: there is no such delivery.
            WrongState: it went out, or is still on its way.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.RUN_SYSTEM)
            row = work.session.get(Delivery, delivery_id)
            if row is None:
                raise NotFound
            if row.state not in BAD:
                raise WrongState(state=row.state.value, act="message.retry")
            row.state, row.reason, row.attempts = DeliveryState.WAITING, None, 0
            ask(work, self._outbox, row.person_id, row.channel, self._guard.now())
            self._log.note(work.session, identity, "message.retry", body={"delivery": str(row.id)})
            work.commit()

    def _open(self, session: Session) -> set[Channel]:
        return {*self._ways.senders, *noted_ways(session)}

    def _shown(self, session: Session, channel: Channel, row: PersonChannel | None) -> Chosen:
        address = ""
        if row is not None and row.address is not None:
            context = address_context(channel)
            address = self._vault.open(session, row.person_id, row.address, context=context).decode()
        return Chosen(channel, row is not None, row is not None and row.digest, address)

    def _person(self, identity: Identity) -> UUID:
        if identity.person_id is None:
            raise NotAllowed(act="channel.choose")
        return identity.person_id


def noted_ways(session: Session) -> set[Channel]:
    """Return the ways out that whoever sends has, as they noted when they began."""
    return set(session.scalars(select(OpenWay.channel)))


def note_ways(db: Database, ways: Ways) -> None:
    """Note which ways out there are: for those processes of the house whose settings name none."""
    with db.reading() as session:
        if noted_ways(session) == set(ways.senders):
            return
    with db.writing() as work:
        work.session.execute(delete(OpenWay))
        work.session.add_all(OpenWay(channel=each) for each in ways.senders)
        work.commit()


def _read(channel: Channel, text: str) -> str:
    """Read an address as a channel needs it."""
    given = text.strip()
    if channel is Channel.SMS:
        given = re.sub(r"[ ()-]", "", given)
    fits = _PHONE if channel is Channel.SMS else _MAIL
    if not given:
        raise InvalidInput(Fault("address", "required"))
    if not fits.fullmatch(given):
        raise InvalidInput(Fault("address", "not_an_address_here"))
    if not given.isascii():
        raise InvalidInput(Fault("address", "address_not_ascii"))
    return given
