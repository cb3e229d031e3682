"""Messages that were read or went out are forgotten after their days; what nobody saw stays, and the log stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive.identity import Role, system
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import Channel, Delivery, DeliveryState, LogEntry, Message, Person
from archive.reminding import forgetting
from archive.reminding.forgetting import ForgetMessages
from archive.reminding.messages import Told
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house

pytestmark = pytest.mark.postgres

DAYS = 40


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        made.services.people.add_person(
            system("set-up"), login="gone", name="离职的人", password=PASSWORD, roles=[Role.STAFF]
        )
        yield made


def forget(house: WebHouse) -> int:
    own = house.services
    sweep, gone = ForgetMessages(own.db, own.guard, Log(own.vault, house.clock), days=DAYS), 0
    while some := sweep.forget():
        gone += some
    return gone


def tell(house: WebHouse, login: str, once: str, *states: DeliveryState) -> None:
    """Tell a person something; it stands so at one channel after another."""
    with house.services.db.writing() as work:
        person, now = work.session.scalars(select(Person.id).where(Person.login == login)).one(), house.clock.now()
        house.services.telling.messages.tell(work, [Told(person, "right.answer", once)])
        message = work.session.scalars(select(Message.id).where(Message.once == once)).one()
        for channel, state in zip((Channel.EMAIL, Channel.SMS), states, strict=False):
            row = Delivery(id=new_id(), message_id=message, person_id=person, channel=channel, state=state, attempts=1)
            row.made_at = row.changed_at = now
            work.session.add(row)
        work.commit()


def left(house: WebHouse) -> set[str]:
    with house.services.db.reading() as session:
        return set(session.scalars(select(Message.once)))


def test_what_was_read_or_went_out_goes_after_its_days_and_nothing_else(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 1)
    tell(house, "staff", "read")
    house.services.telling.messages.read(house.services.people.identity_of("staff"))
    tell(house, "staff", "unread")
    tell(house, "staff", "sent", DeliveryState.SENT)
    tell(house, "staff", "failed", DeliveryState.FAILED)
    tell(house, "staff", "under way", DeliveryState.SENT, DeliveryState.WAITING)
    tell(house, "gone", "of nobody")
    own = house.services.people
    own.deactivate(own.identity_of("security"), own.account(own.identity_of("security"), "gone").id)
    house.clock.move(minutes=60 * 24 * (DAYS - 1))
    tell(house, "staff", "fresh", DeliveryState.SENT)
    everything = {"read", "unread", "sent", "failed", "under way", "of nobody", "fresh"}
    assert (forget(house), left(house)) == (0, everything)
    house.clock.move(minutes=60 * 24 * 1 + 1)
    assert (forget(house), left(house)) == (3, {"unread", "failed", "under way", "fresh"})
    with house.services.db.reading() as session:
        entries = session.scalars(select(LogEntry.id).where(LogEntry.act == "message.forget")).all()
        assert session.scalar(select(func.count()).select_from(Delivery)) == 4
    assert len(entries) == 3
