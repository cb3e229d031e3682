"""The work behind the pages: jobs, the log's sealer, the schedule. Run by the worker, or by a command itself."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from archive.errors import ArchiveError, ReadOnly, StorageFull, Unavailable
from archive.ids import new_id
from archive.jobs.outbox import QUEUES, kinds_of, queue_of
from archive.jobs.schedule import enqueue_due
from archive.jobs.status import pending
from archive.model import Job, JobKind, JobState
from archive.reminding.channels import note_ways
from indexer.ocr.job import ask_for_waiting
from runtime.jobs.checkpointing import tell
from runtime.locks import held
from runtime.processes.beside import Second
from runtime.processes.sealing import keep_sealing
from runtime.wiring.parts import Parts

log = logging.getLogger(__name__)

NO_JOB = UUID(int=0)
LOOK_EVERY = 0.5
"""Seconds after which a queue is looked at though nobody rang: for jobs put off, and a bell not heard."""

GATHER = 0.05
"""Seconds in which more jobs may come, after a bell: a batch costs little more than one."""

HINDERED = (StorageFull.code, Unavailable.code)
"""Why work waits for whoever runs the machine."""

MANY = 2_000
"""So many waiting jobs take a while: they are counted less often."""

NAMES = tuple(sorted(set(QUEUES.values())))

UNHURRIED = queue_of(JobKind.FIXITY)
"""The queue whose work goes on for hours."""

SLOW = queue_of(JobKind.OCR)
"""The queue in which a page takes seconds."""

SENDS = queue_of(JobKind.DELIVER)
"""The queue that waits for servers outside."""

LEFT = frozenset({UNHURRIED, SENDS})
"""The queues that no command does, or waits for: of long work, and of what waits for servers outside."""


class Release(Protocol):
    """Lets the second process of a command take what was asked for up to now."""

    def __call__(self, spared: Collection[UUID] = ()) -> None:
        """Let it, but for what was asked of the records that are ``spared``: more will be done to them."""
        ...


class LocalWaker:
    """Wakes the hands of this very process: for a command that runs its jobs itself."""

    def __init__(self) -> None:
        self._bells = {queue: threading.Event() for queue in NAMES}

    def wake(self, queue: str, job_id: object) -> None:  # noqa: ARG002 (the contract's; the row is what counts)
        """Ring a queue's bell."""
        self._bells[queue].set()

    def wait(self, queue: str, seconds: float) -> None:
        """Wait for a queue's bell, at most ``seconds``."""
        if self._bells[queue].wait(seconds):
            self._bells[queue].clear()


class Worker:
    """Runs what the job rows ask for. One queue is run by one thread at a time.

    Args:
        parts: the archive.
        queues: those it runs; others are left to other workers.
        stop: when set, what is under way is finished and nothing more begun.
    """

    def __init__(self, parts: Parts, queues: Sequence[str] = NAMES, stop: threading.Event | None = None) -> None:
        self._parts = parts
        self._kinds = {queue: kinds_of(queue) for queue in queues}
        self._stop = stop or threading.Event()
        self._busy = {queue: threading.Lock() for queue in NAMES}
        self._again = {queue: threading.Event() for queue in NAMES}
        self._noted = False

    def take_over(self) -> None:
        """Begin where a killed worker ended. Only under ``worker.lock``: it then was the only first one.

        What helpers beside it hold, or workers on other machines (their database is no SQLite), the leases tell.
        """
        if self._parts.db.is_sqlite:
            with held(self._parts.settings.run / "helpers.lock") as alone:
                if alone:
                    self._parts.runner.take_over()
        if self._parts.page_reader:
            ask_for_waiting(self._parts.db, self._parts.outbox)

    def run_queue(self, queue: str) -> None:
        """Run what is due in a queue until nothing is left; if another thread is at it, have it look once more."""
        self._again[queue].set()
        while self._again[queue].is_set() and self._busy[queue].acquire(blocking=False):
            try:
                self._again[queue].clear()
                for kind in self._parts.runner.due(self._kinds.get(queue, ())):
                    while not self._stop.is_set() and self._parts.runner.run(kind):
                        self._again[queue].set()  # what it asked for may be of a kind that was not due yet
            finally:
                self._busy[queue].release()

    def woken(self, queue: str) -> None:
        """Run what is due in a queue, as a hint asked for. While the house moves it waits: the clock looks again."""
        with suppress(ReadOnly):
            self.run_queue(queue)

    def tick(self) -> None:
        """Take back expired leases, and write the jobs that the schedule asks for. Many may do it at once.

        The first time, whoever sends messages notes by which ways: pages elsewhere offer them.
        """
        self._parts.runner.sweep()
        enqueue_due(self._parts.db, self._parts.clock, self._parts.waker)
        if SENDS in self._kinds and not self._noted:
            note_ways(self._parts.db, self._parts.ways)
            self._noted = True


def close_log(parts: Parts) -> None:
    """Seal what waits and sign how long the log is: what is cut off its end while nobody works is found then."""
    parts.sealer.seal_all()
    try:
        parts.checkpoints.make()
        if parts.witness_bucket:
            tell(parts.db, parts.witness_bucket)
    except ArchiveError as error:
        log.warning("no checkpoint was made: %s", error)


@contextmanager
def work_done(
    parts: Parts, *, wait: bool, told: Callable[[int], None] | None = None, beside: Second | None = None
) -> Iterator[Release]:
    """Do a command's act, then see its jobs through.

    Without a running worker this process runs jobs and sealer itself; with one it waits for it.

    Args:
        parts: the archive.
        wait: whether to wait for a running worker (jobs that this process runs itself are always waited for).
        told: hears how many jobs wait.
        beside: a second process, which takes what was asked for before the last call of what is yielded: so a record
            is not indexed again at each step of the act.
    """
    with held(parts.settings.run / "worker.lock") as alone:
        if not alone:
            began = new_id()
            with _standing_in(parts):
                yield _nothing_beside
                if wait:
                    _wait(parts, told, slow_after=began)
            return
        Worker(parts).take_over()
        hands = _Hands(parts)
        theirs = beside.queues if beside else ()
        hands.begin([queue for queue in NAMES if queue not in (*theirs, *LEFT)])
        try:
            if beside:
                hands.begin_beside(beside)
            else:
                hands.keep_sealing()
            yield hands.release
            _wait(parts, told, hands.release)
        finally:
            hands.end()


@contextmanager
def _standing_in(parts: Parts) -> Iterator[None]:
    """Take the worker's place if it ends meanwhile: nobody else would do the jobs that are waited for."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(LOOK_EVERY):
            with held(parts.settings.run / "worker.lock") as ours:
                if ours:
                    Worker(parts).take_over()
                    hands = _Hands(parts)
                    hands.begin([queue for queue in NAMES if queue not in LEFT])
                    hands.keep_sealing()
                    stop.wait()
                    hands.end()

    thread = threading.Thread(target=watch, name="stand-in", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _nothing_beside(spared: Collection[UUID] = ()) -> None:
    """Release nothing: a running worker takes what there is."""


class _Hands:
    """The threads of a command that runs its jobs itself: one a queue, and the sealer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._worker = Worker(parts)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._beside: Second | None = None

    def keep_sealing(self) -> None:
        self._threads.append(keep_sealing(self._parts, self._stop))

    def begin_beside(self, beside: Second) -> None:
        """Begin with the second process; if it dies, its queues are run here."""
        self._beside = beside
        beside.begin()

        def watch() -> None:
            beside.wait()
            if not self._stop.is_set():
                log.warning("the process beside this one ended; its queues are run here")
                self._worker.take_over()
                self.begin(beside.queues)
                self.keep_sealing()

        threading.Thread(target=watch, daemon=True).start()

    def release(self, spared: Collection[UUID] = ()) -> None:
        """Let the second process take what was asked for up to now (see ``Release``)."""
        if self._beside:
            self._beside.release(self._parts.clock.now(), spared)

    def begin(self, queues: Sequence[str]) -> None:
        for queue in queues:
            thread = threading.Thread(target=self._run, args=(queue,), name=f"queue-{queue}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        self._stop.set()
        if self._beside:
            self._beside.end()
        for queue in NAMES:
            self._parts.waker.wake(queue, NO_JOB)
        for thread in self._threads:
            thread.join()
        close_log(self._parts)

    def _run(self, queue: str) -> None:
        bell = self._parts.waker
        while not self._stop.is_set():
            try:
                self._worker.run_queue(queue)
            except ReadOnly:
                log.info("the house is closed to writers; work waits")
            except Unavailable as error:
                log.warning("the %s is busy or away; work is tried again", error.facts.get("part", "database"))
            except Exception:
                log.exception("a queue stopped; it is tried again")
            if isinstance(bell, LocalWaker):
                bell.wait(queue, LOOK_EVERY)
                self._stop.wait(GATHER)
            else:
                self._stop.wait(LOOK_EVERY)


def _wait(
    parts: Parts,
    told: Callable[[int], None] | None,
    look: Callable[[], None] = lambda: None,
    *,
    slow_after: UUID = NO_JOB,
) -> None:
    """Wait until no job is due or running. A job put off for a retry is waited for too, and why is said once.

    Of the slow ones, of which a house may have hours of work, only those made after ``slow_after`` are.
    """
    kinds = [kind for kind, queue in QUEUES.items() if queue not in {*LEFT, SLOW}]
    said: str | None = None
    while True:
        look()
        with parts.db.reading() as session:
            now = parts.clock.now()
            waiting = pending(session, kinds, now) + pending(session, kinds_of(SLOW), now, after=slow_after)
            why = select(Job.error).where(Job.state == JobState.QUEUED, Job.error.in_(HINDERED)).limit(1)
            hindered = session.scalar(why) if waiting < MANY else None
        if hindered and hindered != said:
            log.warning("some work did not go (%s): it is tried again by itself, and waited for", hindered)
            said = hindered
        if told:
            told(waiting)
        if not waiting:
            return
        time.sleep(0.05 if waiting < MANY else 0.5)
