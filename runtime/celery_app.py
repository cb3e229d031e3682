"""The broker's side of jobs: Celery wakes a worker, the job rows say what there is to do.

A message carries a job's id alone. Losing one costs a delay until the next sweep, never a job.
"""

import logging
from typing import Any, Protocol
from uuid import UUID

from celery import Celery
from kombu.entity import Queue
from kombu.transport import TRANSPORT_ALIASES

from archive.jobs.outbox import QUEUES
from runtime.settings import Settings

TICK_SECONDS = 5.0


class JobService(Protocol):
    """What the tasks call."""

    def run_queue(self, queue: str) -> None:
        """Run what is due in a queue until nothing is left."""
        ...

    def tick(self) -> None:
        """Find what was missed and what is due by the clock."""
        ...


def make_celery(settings: Settings) -> Celery:
    """Return the Celery application for these settings."""
    TRANSPORT_ALIASES["filesystem"] = "runtime.file_broker:Transport"
    app = Celery("juanku", broker=settings.broker_url)
    options: dict[str, Any] = {}
    if settings.broker_url.startswith("filesystem"):
        folders = {
            "data_folder_in": settings.run / "broker" / "queue",
            "data_folder_out": settings.run / "broker" / "queue",
            "control_folder": settings.run / "broker" / "control",
        }
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {name: str(folder) for name, folder in folders.items()} | {"polling_interval": 0.1}
    app.conf.update(
        broker_transport_options=options,
        broker_connection_retry_on_startup=True,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        task_queues=[_queue(name) for name in (*sorted(set(QUEUES.values())), "tick")],
        task_default_queue="tick",
        task_create_missing_queues=False,
        beat_schedule={"tick": {"task": "juanku.tick", "schedule": TICK_SECONDS, "options": {"expires": TICK_SECONDS}}},
        beat_schedule_filename=str(settings.run / "beat"),
    )
    return app


def _queue(name: str) -> Queue:
    return Queue(name)  # type: ignore[no-untyped-call]


def register(app: Celery, service: JobService) -> None:
    """Register the tasks: each is one call of the service."""

    @app.task(name="juanku.wake")  # type: ignore[untyped-decorator]
    def wake(queue: str, job_id: str) -> None:  # noqa: ARG001 (the id is for the broker's monitors)
        service.run_queue(queue)

    @app.task(name="juanku.tick")  # type: ignore[untyped-decorator]
    def tick() -> None:
        service.tick()


class CeleryWaker:
    """Wakes workers through the broker."""

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # the file broker has no host to name
        self._app = make_celery(settings)

    def wake(self, queue: str, job_id: UUID) -> None:
        """Send the hint; a broker that does not answer costs a delay until the next sweep."""
        try:
            self._app.send_task("juanku.wake", (queue, str(job_id)), queue=queue, retry=False)
        except Exception:  # noqa: BLE001 (whatever the broker's client raises: the job row is what counts)
            return
