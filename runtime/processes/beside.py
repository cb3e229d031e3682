"""A second process of a command, on the other core: queues, and the sealer.

It is forked while the command has loaded its modules and opened nothing yet, so that it need not load them again. The
command then writes lines to it: the first has it begin, each other one tells a moment, and jobs asked for up to the
last one may be done, but for those of the subjects it names. So a record that the command still works on is not taken
up at each of its steps. The end of the input ends the process, once what may be done is done.
"""

import json
import logging
import multiprocessing
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing import connection
from uuid import UUID

from archive.errors import Unavailable
from archive.jobs.outbox import kinds_of
from runtime.processes.saying import speak
from runtime.processes.sealing import keep_sealing
from runtime.processes.serve import end_with
from runtime.settings import load
from runtime.wiring import handlers  # noqa: F401 (loaded before the fork, which need not load them then)
from runtime.wiring.parts import NoWaker, Parts, build, settle

LOOK_EVERY = 0.5
"""Seconds between two looks at queues that were empty."""

log = logging.getLogger(__name__)


class Second:
    """The second process as its command sees it. Made before the command opens a database or starts a thread.

    Args:
        queues: whose jobs it does.
    """

    def __init__(self, queues: Sequence[str]) -> None:
        self.queues = queues
        orders, self._orders = os.pipe()
        words = (list(queues), orders, self._orders, os.getpid())
        self._process = multiprocessing.get_context("fork").Process(target=_work, args=words)
        self._process.start()
        os.close(orders)

    def begin(self) -> None:
        """Have it open the archive, and seal."""
        self._say("")

    def release(self, until: datetime, spared: Collection[UUID] = ()) -> None:
        """Let it do what was asked for up to a moment, but nothing of the subjects that are ``spared``."""
        self._say(json.dumps({"until": until.isoformat(), "spared": [str(each) for each in spared]}))

    def wait(self) -> None:
        """Wait until it has ended, by itself or otherwise."""
        connection.wait([self._process.sentinel])

    def end(self) -> None:
        """Have it end once what it may do is done, and wait for that."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1
        self._process.join()

    def _say(self, line: str) -> None:
        # it has died: who waits for it does its work
        with suppress(OSError), open(self._orders, "wb", closefd=False) as orders:
            orders.write(f"{line}\n".encode())


@contextmanager
def second_process(*queues: str) -> Iterator[Second]:
    """Fork a second process, for ``work_done``; it does nothing until that has it begin."""
    second = Second(queues)
    try:
        yield second
    finally:
        second.end()


class Beside:
    """Does what the command lets it do."""

    def __init__(self, parts: Parts, queues: list[str]) -> None:
        self._parts = parts
        self._kinds = [kind for queue in queues for kind in kinds_of(queue)]
        self._until: datetime | None = None
        self._spared: Collection[UUID] = ()
        self._told = threading.Event()
        self._ended = False

    def listen(self, lines: Iterable[str]) -> None:
        """Take what the command says, until it says no more."""
        for line in lines:
            told = json.loads(line)
            self._spared = frozenset(UUID(each) for each in told["spared"])
            self._until = datetime.fromisoformat(told["until"])
            self._told.set()
        self._ended = True
        self._told.set()

    def run(self) -> None:
        """Work until the command has ended and nothing that may be done is left."""
        while True:
            ended = self._ended
            try:
                done = self._step()
            except Unavailable as error:
                log.warning("the %s is busy or away; work is tried again", error.facts.get("part", "database"))
                done = 0
            except Exception:
                log.exception("a queue stopped; it is tried again")
                done = 0
            if not done:
                if ended:
                    return
                self._told.wait(LOOK_EVERY)
                self._told.clear()

    def _step(self) -> int:
        if self._until is None:
            return 0
        runner, until, spared = self._parts.runner, self._until, self._spared
        return sum(runner.run(kind, asked_before=until, spared=spared) for kind in runner.due(self._kinds, until))


def _work(queues: list[str], orders: int, theirs: int, parent: int) -> None:
    """Work beside the command that forked this process, once it says so; ``theirs`` is its end of the pipe."""
    end_with(parent)
    os.close(theirs)
    os.setsid()  # Ctrl-C is for the command, which ends this process in order
    with os.fdopen(orders) as lines:
        if lines.readline():
            _work_as_told(queues, lines)


def _work_as_told(queues: list[str], lines: Iterable[str]) -> None:
    settings = load()
    speak(settings)
    parts = build(settings, NoWaker())
    settle()
    stop = threading.Event()
    sealing = keep_sealing(parts, stop)
    try:
        beside = Beside(parts, queues)
        threading.Thread(target=beside.listen, args=(lines,), daemon=True).start()
        beside.run()
    finally:
        stop.set()
        sealing.join()
        parts.close()
