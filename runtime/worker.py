"""The worker process of the tree: jobs woken by the broker, the log's sealer, and the schedule."""

import logging
import signal
import threading
import time
import warnings

from runtime.serve import die_with_parent


def main() -> None:
    """Work until told to end; what is under way is finished or left to its lease."""
    die_with_parent()
    from celery.apps.worker import Worker as CeleryWorker  # noqa: PLC0415
    from celery.beat import EmbeddedService  # noqa: PLC0415
    from celery.platforms import SecurityWarning  # noqa: PLC0415

    from runtime.celery_app import CeleryWaker, make_celery, register  # noqa: PLC0415
    from runtime.locks import held  # noqa: PLC0415
    from runtime.setting_up import stop_unless_ready  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415
    from runtime.wiring import build, settle  # noqa: PLC0415
    from runtime.working import Worker, close_log, keep_sealing  # noqa: PLC0415

    settings = load()
    warnings.filterwarnings("ignore", category=SecurityWarning)  # messages carry a job's id alone, in JSON
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # the file broker has no host to name
    stop_unless_ready(settings)
    parts = build(settings, CeleryWaker(settings))
    stop = threading.Event()
    with held(settings.run / "worker.lock") as ours:
        if not ours:  # a command is at work on this archive: come back (the tree starts us again)
            time.sleep(1)
            return
        service = Worker(parts)
        service.take_over()
        app = make_celery(settings)
        register(app, service)
        app.finalize()
        app.set_current()
        sealing = keep_sealing(parts, stop)
        beat = EmbeddedService(app, thread=True)
        beat.start()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=service.tick, daemon=True).start()
        worker = CeleryWorker(
            app=app, pool="threads", concurrency=settings.worker_threads + 3, loglevel=settings.log_level,
            without_gossip=True, without_mingle=True, without_heartbeat=True, quiet=True,
        )  # fmt: skip
        settle()
        try:
            worker.start()
        finally:
            beat.stop()
            stop.set()
            sealing.join()
            close_log(parts)
            parts.close()


if __name__ == "__main__":
    main()
