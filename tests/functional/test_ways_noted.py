"""The worker that sends tells the house which ways it has: pages of a machine without these settings offer them."""

from archive.model import Channel
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
