"""FT1 to FT3, FT5, FT6: processes killed, the broker killed and emptied, jobs run twice and ended late."""

import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis import Redis

from archive.failpoints import INTAKE
from archive.model import JobKind
from benchmarks._common import ROOT
from benchmarks._faults_after import recover
from benchmarks._faults_house import papers, take_in, work
from benchmarks._faults_processes import Say, forked
from benchmarks._server_house import Ahead, House, at_once
from runtime.wiring.parts import NoWaker, build

WEB = tuple(point for point in INTAKE if point.startswith(("record", "intake", "filing")))
WORKER = tuple(point for point in INTAKE if point not in WEB)
PENDING = 20
PATIENCE = 400.0


def worker_killed(house: House, trial: int) -> Iterator[str]:
    """A worker is killed at one of its steps; another does the rest when the leases have run out."""
    yield from _killed(house, WORKER[trial % len(WORKER)])


def web_killed(house: House, trial: int) -> Iterator[str]:
    """A web process is killed at a step of an upload or of filing; the client goes on with another."""
    yield from _killed(house, WEB[trial % len(WEB)])


def _killed(house: House, point: str) -> Iterator[str]:
    """Run a taker and a worker until one dies at ``point``; then let a client go on, and look."""
    place = house.folder / f"trial-{secrets.token_hex(4)}"
    place.mkdir()
    done, log = place / "done", place / "log"
    sent = papers(random.Random())
    names = {paper.name: paper for paper in sent}
    plain = replace(house.settings, home=_machine(place))
    armed = replace(plain, failpoint=f"{point}:kill")
    web = point in WEB
    worker = forked(log, lambda say: work(plain if web else armed, done, say))
    taker = forked(log, lambda say: take_in(armed if web else plain, sent, done, say))
    taker.wait()
    done.touch()
    worker.wait()
    acknowledged = taker.told()
    os.close(worker.pipe)
    died = taker if web else worker
    if died.status != -9:
        yield f"DID NOT DIE at {point}: {died.status} {log.read_text()[-800:]}"
    later = Ahead(house.ahead.by)

    def go_on(say: Say) -> None:
        recover(plain, names, acknowledged, say, later, house.expected)

    checker = forked(log, go_on)
    checker.wait()
    found: list[dict[str, Any]] = checker.told()
    if not found:
        yield f"RECOVERY {checker.status}: {log.read_text()[-2000:]}"
    else:
        yield from (f"{point}: {one}" for one in found[-1]["wrong"])


def _machine(place: Path) -> Path:
    """Return the data folder of another machine: what lies in it matters only while its processes run."""
    home = place / "home"
    (home / "run").mkdir(parents=True)
    return home


def broker_killed(house: House, trial: int) -> Iterator[str]:
    """The broker is away, killed, or emptied while twenty jobs wait in it: all are done, and nobody is refused."""
    with _worker(house):
        for turn in range(PENDING):
            if turn == PENDING // 2:
                _harm(house, trial)
            sent = house.take_in()
            if not sent.number:
                yield f"NOT TAKEN IN: {sent.refused} {sent.broken}"
        if trial % 3 == 2:
            _emptied(house)
        house.heal()
        until = time.monotonic() + PATIENCE
        while house.pending():
            if time.monotonic() > until:
                yield f"{house.pending()} jobs left after {PATIENCE} s"
                return
            time.sleep(0.2)


def _harm(house: House, trial: int) -> None:
    if trial % 3 == 0:
        house.redis.kill()
        house.redis.start()
    elif trial % 3 == 1:
        house.broker.away = True


def _emptied(house: House) -> None:
    there = Redis(port=house.redis.port)
    there.flushall()
    there.close()


class _Running:
    """A ``juanku worker`` beside the house."""

    def __init__(self, house: House) -> None:
        given = {name: value for name, value in os.environ.items() if not name.startswith("JUANKU_")}
        self._log = (house.folder / "worker.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime", "worker"],
            cwd=ROOT, env=given | house.environment | {"PYTHONPATH": str(ROOT)}, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def __enter__(self) -> None:
        """It is there from the start."""

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()


def _worker(house: House) -> _Running:
    return _Running(house)


def redelivered(house: House, _trial: int) -> Iterator[str]:
    """Every job is asked for four times at the same moment, by four processes' runners."""
    for _ in range(3):
        house.take_in()
    others = [build(house.settings, NoWaker(), house.ahead) for _ in range(3)]
    raised: list[str] = []

    def run(number: int) -> None:
        runner = [house.hands, *others][number].runner
        try:
            for _ in range(3):
                runner.drain([JobKind.EXTRACT, JobKind.INDEX])
        except Exception as error:  # noqa: BLE001  (anything is what the trial looks for)
            raised.append(f"RAW {type(error).__name__} {error}"[:300])

    at_once(4, run)
    for parts in others:
        parts.close()
    yield from raised


def ended_late(house: House, _trial: int) -> Iterator[str]:
    """A worker stands still while it writes to the index; its lease runs out, another does its job, then it goes on."""
    sent = house.take_in()
    house.hands.runner.drain([JobKind.EXTRACT])
    late = build(house.settings, NoWaker(), Ahead(house.ahead.by))
    raised: list[str] = []

    def run() -> None:
        try:
            late.runner.drain([JobKind.INDEX])
        except Exception as error:  # noqa: BLE001  (anything is what the trial looks for)
            raised.append(f"RAW {type(error).__name__} {error}"[:300])

    house.search.late = 1.0
    slow = threading.Thread(target=run)
    before = house.search.requests
    slow.start()
    until = time.monotonic() + PATIENCE
    while house.search.requests == before and slow.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    house.search.late = 0.0
    house.ahead.by += timedelta(hours=1)  # past its lease
    house.hands.runner.sweep()
    house.hands.runner.drain([JobKind.INDEX])
    slow.join(PATIENCE)
    late.close()
    yield from raised
    if slow.is_alive():
        yield f"STANDS STILL {sent.word}"
