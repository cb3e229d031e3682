"""A real Redis as the broker: a hint wakes; a broker that is away or was emptied costs seconds and loses nothing."""

import base64
import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from archive.model.jobs import Job, JobKind, JobState
from benchmarks._rough_proxy import RoughProxy
from runtime.celery_app import CeleryWaker, answers
from runtime.processes.working import LocalWaker
from runtime.settings import Settings, load
from tests.factories.archives import Archive, wait_for

USUAL = "127.0.0.1:6379"
DATABASE = 9
"""A number of its own in the server, which this module empties."""
LOCK = Path(tempfile.gettempdir()) / "juanku-test-redis.lock"
"""Held by whoever uses it: another worker, or another run on this machine, would empty it meanwhile."""


@pytest.fixture(scope="module")
def server() -> str:
    where = os.environ.get("JUANKU_TEST_REDIS", USUAL)
    host, _, port = where.partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, int(port))):
            pytest.skip("no Redis answers (JUANKU_TEST_REDIS, or 127.0.0.1:6379)")
    return where


@pytest.fixture
def redis(server: str) -> Iterator[Any]:
    import redis

    host, _, port = server.partition(":")
    with LOCK.open("a") as lock, redis.Redis(host, int(port), DATABASE) as made:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.flushdb()
        yield made
        made.flushdb()


def settings(where: str, folder: Path) -> Settings:
    return load({"JUANKU_HOME": str(folder / "home"), "JUANKU_BROKER_URL": f"redis://{where}/{DATABASE}"})


def test_a_hint_lies_in_its_queue(server: str, redis: Any, tmp_path: Path) -> None:
    chosen = settings(server, tmp_path)
    wait_for(lambda: answers(chosen))
    job = uuid4()
    CeleryWaker(chosen).wake("ocr", job)
    assert redis.llen("ocr") == 1
    body = json.loads(redis.lindex("ocr", 0))["body"]
    assert str(job).encode() in base64.b64decode(body)


def test_nobody_waits_for_a_broker_that_is_away(server: str, redis: Any, tmp_path: Path) -> None:
    with RoughProxy(server) as proxy:
        chosen = settings(proxy.address, tmp_path)
        waker = CeleryWaker(chosen)
        waker.wake("light", uuid4())
        proxy.away = True
        assert not answers(chosen)
        before = proxy.refused
        for _ in range(50):
            waker.wake("light", uuid4())
        assert 0 < proxy.refused - before < 25, "a broker that does not answer is not asked again for a while"
        assert redis.llen("light") == 1


class Process:
    """A ``juanku worker`` on an archive."""

    def __init__(self, archive: Archive, broker: str) -> None:
        self.log = archive.folder / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runtime", "worker", "--queues", "light"],
                env=archive.environment | {"JUANKU_BROKER_URL": broker},
                stdout=log,
                stderr=log,
            )

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(120)


def ask(archive: Archive) -> Any:
    """Write a job as a change does, and tell nobody."""
    parts = archive.parts()
    assert isinstance(parts.waker, LocalWaker)  # rings in this process alone
    with parts.db.writing() as work:
        job = parts.outbox.add(work, JobKind.CHECKPOINT, payload={"period": "a test's"})
        work.commit()
    return job


def done(archive: Archive, job: Any, within: float = 90) -> bool:
    parts = archive.parts()
    until = time.monotonic() + within
    while time.monotonic() < until:
        with parts.db.reading() as session:
            if session.scalar(select(Job.state).where(Job.id == job)) is JobState.DONE:
                return True
        time.sleep(0.2)
    return False


def test_a_worker_does_what_no_hint_told_it_of_and_ends_in_order(
    archive: Archive, server: str, redis: Any
) -> None:  # one process start, some 5 s, for what only a process shows
    lost = ask(archive)
    redis.flushdb()
    with RoughProxy(server) as proxy:
        worker = Process(archive, f"redis://{proxy.address}/{DATABASE}")
        try:
            assert done(archive, lost), worker.log.read_text()
            proxy.away = True
            meanwhile = ask(archive)
            assert done(archive, meanwhile), worker.log.read_text()
        finally:
            code = worker.end()
        assert code == 0, worker.log.read_text()
