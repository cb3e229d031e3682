"""A worker process: jobs woken by the broker or by its own clock; the first one also seals the log.

Any number of workers may serve one archive. Each has a clock of its own, so that a broker that is away, or was emptied,
delays work by seconds and loses none; clocks do not get in each other's way, for jobs are taken by lease.
"""

import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archive.errors import ReadOnly
from runtime.processes.serve import die_with_parent

if TYPE_CHECKING:
    from runtime.processes.working import Worker
    from runtime.settings import Settings

TICK_SECONDS = 5.0
"""How often a worker looks for what no hint told it of."""

AGAIN_SECONDS = 1.0
"""How often a first worker that waits for another's end looks."""

log = logging.getLogger(__name__)


def main() -> None:
    """Work as the first worker of this machine's archive until told to end."""
    die_with_parent()
    from runtime.locks import held  # noqa: PLC0415
    from runtime.processes.working import NAMES  # noqa: PLC0415
    from runtime.setting_up.making import stop_unless_ready  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    settings = load()
    stop_unless_ready(settings)
    with held(settings.run / "worker.lock") as ours:
        if not ours:  # a command is at work on this archive: come back (the tree starts us again)
            time.sleep(1)
            return
        work(settings, NAMES, first=True)


def lead(settings: "Settings", queues: Sequence[str], waits: Callable[[], None]) -> None:
    """Work as the first worker of this machine, on these queues alone, until told to end.

    Where there is one already, or a command in its place, this one waits for its end; ``waits`` is called once then.
    """
    from runtime.locks import held  # noqa: PLC0415

    told = False
    while True:
        with held(settings.run / "worker.lock") as ours:
            if ours:
                work(settings, queues, first=True)
                return
        if not told:
            waits()
            told = True
        time.sleep(AGAIN_SECONDS)


def help_out(settings: "Settings", queues: Sequence[str]) -> None:
    """Work beside the first worker, on these queues alone, until told to end."""
    from runtime.locks import shared  # noqa: PLC0415

    with shared(settings.run / "helpers.lock"):
        work(settings, queues, first=False)


def work(settings: "Settings", queues: Sequence[str], *, first: bool) -> None:
    """Run the jobs of ``queues`` until a signal ends it; what is under way is finished or left to its lease.

    Args:
        settings: the settings.
        queues: which.
        first: whether this is the machine's first worker: it puts back what a dead one held, and seals the log.
    """
    from celery.apps.worker import Worker as CeleryWorker  # noqa: PLC0415
    from celery.platforms import SecurityWarning  # noqa: PLC0415
    from celery.signals import setup_logging, worker_shutting_down  # noqa: PLC0415

    from runtime.celery_app import CeleryWaker, make_celery, register  # noqa: PLC0415
    from runtime.processes.saying import speak  # noqa: PLC0415
    from runtime.processes.sealing import keep_sealing  # noqa: PLC0415
    from runtime.processes.working import Worker as Hands  # noqa: PLC0415
    from runtime.processes.working import close_log  # noqa: PLC0415
    from runtime.wiring.parts import build, settle  # noqa: PLC0415

    setup_logging.connect(lambda **_: speak(settings), weak=False)  # instead of Celery's own
    speak(settings)
    warnings.filterwarnings("ignore", category=SecurityWarning)  # messages carry a job's id alone, in JSON
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # the file broker has no host to name
    parts = build(settings, CeleryWaker(settings))
    stop = threading.Event()
    service = Hands(parts, queues, stop)
    if first:
        service.take_over()
    app = make_celery(settings)
    register(app, service)
    app.finalize()
    app.set_current()
    threads = [keep_sealing(parts, stop)] if first else []
    threads.append(_repeat(lambda: _look_around(service), stop))
    threads += [_repeat(lambda queue=queue: service.run_queue(queue), stop) for queue in queues]  # type: ignore[misc]

    def end(**_facts: object) -> None:
        stop.set()
        parts.ending.set()
        if reader := parts.__dict__.get("page_reader"):  # a page may take minutes, and is read again
            reader.close()

    worker_shutting_down.connect(end, weak=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = CeleryWorker(
        app=app, pool="threads", concurrency=settings.worker_threads + 4, loglevel=settings.log_level,
        hostname=f"juanku-{os.getpid()}@%h", queues=list(queues),
        without_gossip=True, without_mingle=True, without_heartbeat=True, quiet=True,
    )  # fmt: skip
    settle()
    try:
        worker.start()
    finally:
        stop.set()
        if first:  # before what still runs is waited for: it may be killed meanwhile
            _tried(lambda: close_log(parts))
        for thread in threads:
            thread.join()
        if first:
            close_log(parts)
        parts.close()


def _tried(act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:
        log.exception("the log was not sealed at once; it is tried again")


def _look_around(service: "Worker") -> None:
    from runtime.processes.alive import give_sign  # noqa: PLC0415

    service.tick()
    give_sign()


def _repeat(act: Callable[[], None], stop: threading.Event) -> threading.Thread:
    """Do something now and every few seconds, whatever becomes of it, until ``stop`` is set."""

    def loop() -> None:
        while not stop.is_set():
            try:
                act()
            except ReadOnly:
                log.info("the house is closed to writers; work waits")
            except Exception:
                log.exception("work stopped; it is tried again")
            stop.wait(TICK_SECONDS)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    main()
