"""One place that builds everything: the services over what the settings choose (``runtime/wiring/adapters.py``)."""

import gc
from functools import cached_property

from archive import failpoints
from archive.clock import Clock, SystemClock
from archive.jobs.runner import JobRunner
from archive.ports import Waker
from runtime.settings import Settings
from runtime.wiring.services import ServiceParts


class Parts(ServiceParts):
    """Everything one process needs, each part built when it is first asked for."""

    @cached_property
    def runner(self) -> JobRunner:
        """Runs jobs."""
        from runtime.wiring.handlers import handlers_of  # noqa: PLC0415 (a command without jobs needs none of them)

        return JobRunner(self.db, self.clock, handlers_of(self), self.waker)

    def close(self) -> None:
        """Close what was opened."""
        counting = ("lending", "retention")
        for name in (*counting, "readings", "office_pages", "extractor", "drawer", "page_reader", "engine", "db"):
            if made := self.__dict__.get(name):
                made.close()


class NoWaker:
    """Wakes nobody: for a process that runs the jobs itself."""

    def wake(self, queue: str, job_id: object) -> None:
        """Do nothing."""


def build(settings: Settings, waker: Waker, clock: Clock | None = None) -> Parts:
    """Return the parts for these settings."""
    failpoints.arm(settings.failpoint)
    return Parts(settings, waker, clock or SystemClock())


def settle() -> None:
    """Leave what a process has loaded out of every later look for garbage: each would stop all threads for 0.1 s."""
    gc.freeze()
