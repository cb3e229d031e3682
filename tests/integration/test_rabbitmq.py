"""A real RabbitMQ as the broker: a worker takes the hints in its queues, and its absence is no fault."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from sqlalchemy import select

from archive.model.jobs import Job, JobKind, JobState
from benchmarks._own_servers import rabbitmq, rabbitmq_program
from runtime.celery_app import ANSWER_SECONDS, CeleryWaker, answers, make_celery
from runtime.settings import Settings, load
from tests.factories.archives import Archive

pytestmark = pytest.mark.skipif(rabbitmq_program() is None, reason="RabbitMQ is not installed")


def hints(settings: Settings, queue: str) -> int:
    """Return how many messages lie in a queue."""
    with make_celery(settings, patient=False).connection_for_write() as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)


def hinted(settings: Settings, queue: str, job: UUID) -> bool:
    """Send a hint, and look for it: one is lost where the server does not answer at once."""
    CeleryWaker(settings).wake(queue, job)
    return hints(settings, queue) > 0


def until(true: Callable[[], bool]) -> bool:
    """Whether it comes true: a server that is busy, or has no such queue yet, is asked again."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(AMQPError, OperationalError, OSError):
            if true():
                return True
        time.sleep(0.2)
    return False


def test_hints_are_taken_by_a_worker_and_nobody_waits_for_a_broker_that_is_gone(
    archive: Archive, tmp_path: Path
) -> None:  # one start of the server and of a worker for all that only they show
    parts = archive.parts()
    with rabbitmq(tmp_path / "rabbitmq") as server:
        broker = f"amqp://guest:guest@{server.address}//"
        settings = load({"JUANKU_HOME": str(tmp_path / "home"), "JUANKU_BROKER_URL": broker})
        assert until(lambda: answers(settings))
        with parts.db.writing() as work:
            job = parts.outbox.add(work, JobKind.CHECKPOINT, payload={"period": "a test's"})
            work.commit()
        assert until(lambda: hinted(settings, "light", job))
        assert until(lambda: hinted(settings, "ocr", job))
        left = hints(settings, "ocr")

        log = tmp_path / "worker.log"
        with log.open("wb") as lines:
            worker = subprocess.Popen(
                [sys.executable, "-m", "runtime", "worker", "--queues", "light"],
                env=archive.environment | {"JUANKU_BROKER_URL": broker}, stdout=lines, stderr=lines,
            )  # fmt: skip
        try:
            assert until(lambda: hints(settings, "light") == 0), log.read_text()
            assert until(lambda: hints(settings, "ocr") == left)

            def is_done() -> bool:
                with parts.db.reading() as session:
                    return session.scalar(select(Job.state).where(Job.id == job)) is JobState.DONE

            assert until(is_done), log.read_text()
        finally:
            worker.terminate()
            code = worker.wait(120)
        assert code == 0, log.read_text()

        server.kill()
        assert not answers(settings)
        waker = CeleryWaker(settings)
        begun = time.monotonic()
        for _ in range(50):
            waker.wake("light", uuid4())
        assert time.monotonic() - begun < 50 * ANSWER_SECONDS / 2, "each hint waited for the broker"
