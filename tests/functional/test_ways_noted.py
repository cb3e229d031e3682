"""The worker that sends tells the house which ways it has: pages of a machine without these settings offer them."""

from datetime import UTC, datetime

from archive.ids import new_id
from archive.model import Channel, Delivery, DeliveryState, Message
from runtime.doctor.messages import messages
from runtime.processes.working import NAMES, SENDS, Worker
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build
from tests.factories.archives import Archive

MAIL = {"JUANKU_MAIL_URL": "smtps://mail.example.cn", "JUANKU_MAIL_FROM": "archive@example.cn"}


def begins(archive: Archive, queues: tuple[str, ...], more: dict[str, str]) -> None:
    """Have a worker with these settings begin."""
    parts = build(load(archive.environment | more), NoWaker())
    Worker(parts, queues).tick()
    parts.close()


def test_a_worker_that_sends_notes_its_ways_and_no_other_worker_does(archive: Archive) -> None:
    pages = archive.parts()
    me = pages.people.identity_of("archivist")
    others = tuple(name for name in NAMES if name != SENDS)
    begins(archive, others, MAIL)
    assert pages.telling.channels.mine(me) == []
    begins(archive, (SENDS,), MAIL)
    begins(archive, others, {})
    assert [each.channel for each in pages.telling.channels.mine(me)] == [Channel.EMAIL]
    assert [(message, facts) for _state, message, facts in messages(pages)] == [("ways_elsewhere", {"ways": "email"})]
    begins(archive, NAMES, {})
    assert pages.telling.channels.mine(me) == []
    assert [message for _state, message, _facts in messages(pages)] == ["no_ways"]


def test_the_doctor_of_a_machine_that_sends_nothing_tells_what_did_not_go_out(archive: Archive) -> None:
    pages = archive.parts()
    person, now = pages.people.identity_of("archivist").person_id, datetime.now(UTC)
    assert person
    with pages.db.writing() as work:
        message = Message(id=new_id(), person_id=person, topic="due.loan_return", once="one", made_at=now)
        work.session.add(message)
        work.session.flush()
        work.session.add(
            Delivery(
                id=new_id(), message_id=message.id, person_id=person, channel=Channel.EMAIL,
                state=DeliveryState.FAILED, reason="mail_away", made_at=now,
            )
        )  # fmt: skip
        work.commit()
    assert ("warning", "not_sent", {"count": 1}) in list(messages(pages))
