"""The broker's side of jobs: Celery wakes a worker, the job rows say what there is to do.

A message carries a job's id alone. Losing one costs a delay until a worker's clock finds the row, never a job.
"""

import logging
import ssl
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from archive.jobs.outbox import QUEUES
from archive.trail import trail
from runtime.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

ANSWER_SECONDS = 2.0
"""How long a web request, or the doctor, waits for a broker."""

QUIET_SECONDS = 10.0
"""How long a broker that did not answer is not asked again: nobody waits for it twice."""


class JobService(Protocol):
    """What the tasks call."""

    def woken(self, queue: str) -> None:
        """Run what is due in a queue until nothing is left, as far as the house takes changes."""
        ...


def make_celery(settings: Settings, *, patient: bool = True) -> "Celery":
    """Return the Celery application for these settings. One that is not patient gives up on a broker that is away."""
    from celery import Celery  # noqa: PLC0415 (the pages would start later for it)
    from kombu.entity import Queue  # noqa: PLC0415 (as above)
    from kombu.transport import TRANSPORT_ALIASES  # noqa: PLC0415 (as above)

    TRANSPORT_ALIASES["filesystem"] = "runtime.processes.file_broker:Transport"
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
    if settings.broker_url.startswith("redis"):
        options = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": 10.0, "socket_keepalive": True}
    if not patient:
        options |= {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    app.conf.update(
        broker_transport_options=options,
        broker_use_ssl=_verified(settings),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=ANSWER_SECONDS,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_enable_remote_control=False,
        task_queues=[Queue(name) for name in sorted(set(QUEUES.values()))],  # type: ignore[no-untyped-call]
        task_default_queue="light",
        task_create_missing_queues=False,
    )
    return app


def _verified(settings: Settings) -> dict[str, Any] | None:
    """Return how a broker's certificate is verified (its client alone would take any); None without TLS."""
    where, ca = urlsplit(settings.broker_url), settings.broker_ca or None
    if where.scheme == "rediss":
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": ca}
    if where.scheme == "amqps":
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": where.hostname, "ca_certs": ca}
    return None


def register(app: "Celery", service: JobService) -> None:
    """Register the task: one call of the service."""

    @app.task(name="juanku.wake")  # type: ignore[untyped-decorator]
    def wake(queue: str, job_id: str) -> None:  # noqa: ARG001 (the id is for the broker's monitors)
        service.woken(queue)


def networked(settings: Settings) -> bool:
    """Return whether the broker is a server, which may be away."""
    return not settings.broker_url.startswith(("filesystem:", "memory:"))


def answers(settings: Settings) -> bool:
    """Return whether the broker answers now."""
    try:
        with make_celery(settings, patient=False).connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=ANSWER_SECONDS)
    except Exception:  # noqa: BLE001 (whatever the broker's client raises)
        return False
    return True


def _headers() -> dict[str, str]:
    """Return what a message carries beside the job's id: the request that it follows from."""
    own = trail().request
    return {"juanku_request": own} if own else {}


class CeleryWaker:
    """Wakes workers through the broker."""

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # the file broker has no host to name
        self._settings = settings
        self._quiet_until = 0.0

    @cached_property
    def _app(self) -> "Celery":
        return make_celery(self._settings, patient=False)

    def wake(self, queue: str, job_id: UUID) -> None:
        """Send the hint; a broker that does not answer costs a delay until a worker's clock finds the job."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            self._app.send_task("juanku.wake", (queue, str(job_id)), queue=queue, retry=False, headers=_headers())
        except Exception:  # noqa: BLE001 (whatever the broker's client raises: the job row is what counts)
            self._quiet_until = time.monotonic() + QUIET_SECONDS
