"""The work behind the pages: jobs, the log's sealer, the schedule. Run by the worker, or by a command itself."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archive.jobs.outbox import QUEUES, kinds_of
from archive.jobs.schedule import enqueue_due
from archive.jobs.status import pending
from runtime.locks import held
from runtime.wiring import Parts

log = logging.getLogger(__name__)

SEAL_EVERY = 0.5
"""Seconds between two looks for unsealed entries: a committed entry is sealed within a second."""


NAMES = tuple(sorted(set(QUEUES.values())))


class Worker:
    """Runs what the job rows ask for. One queue is run by one thread at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._busy = {queue: threading.Lock() for queue in NAMES}
        self._again = {queue: threading.Event() for queue in NAMES}

    def run_queue(self, queue: str) -> None:
        """Run what is due in a queue until nothing is left; if another thread is at it, have it look once more."""
        self._again[queue].set()
        while self._again[queue].is_set() and self._busy[queue].acquire(blocking=False):
            try:
                self._again[queue].clear()
                self._parts.runner.drain(kinds_of(queue))
            finally:
                self._busy[queue].release()

    def tick(self) -> None:
        """Take back expired leases, write the jobs that the schedule asks for, and run what was missed."""
        self._parts.runner.sweep()
        enqueue_due(self._parts.db, self._parts.clock, self._parts.waker)
        for queue in NAMES:
            self.run_queue(queue)


def keep_sealing(parts: Parts, stop: threading.Event) -> threading.Thread:
    """Start the thread that seals the log until ``stop`` is set."""

    def loop() -> None:
        while not stop.wait(SEAL_EVERY):
            try:
                parts.sealer.seal_all()
            except Exception:
                log.exception("sealing failed; it is tried again")

    thread = threading.Thread(target=loop, name="sealer", daemon=True)
    thread.start()
    return thread


@contextmanager
def work_done(parts: Parts, *, wait: bool, told: Callable[[int], None] | None = None) -> Iterator[None]:
    """Do a command's act, then see its jobs through.

    Without a running worker this process runs jobs and sealer itself; with one it waits for it. ``wait=False`` leaves
    the jobs to a running worker (and still runs them when there is none). ``told`` hears how many jobs wait.
    """
    with held(parts.settings.run / "worker.lock") as alone:
        if not alone:
            yield
            if wait:
                _wait(parts, told)
            return
        worker, stop = Worker(parts), threading.Event()
        sealing = keep_sealing(parts, stop)
        hands = [threading.Thread(target=_keep_running, args=(worker, q, stop), daemon=True) for q in NAMES]
        for hand in hands:
            hand.start()
        try:
            yield
            _wait(parts, told)
        finally:
            stop.set()
            for thread in (*hands, sealing):
                thread.join()
            parts.sealer.seal_all()


def _keep_running(worker: Worker, queue: str, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        try:
            worker.run_queue(queue)
        except Exception:
            log.exception("a queue stopped; it is tried again")


def _wait(parts: Parts, told: Callable[[int], None] | None) -> None:
    """Wait until no job is due or running. A job put off for a retry is waited for too."""
    while True:
        with parts.db.reading() as session:
            waiting = pending(session, tuple(QUEUES))
        if told:
            told(waiting)
        if not waiting:
            return
        time.sleep(0.05)
