"""What a line of the processes' logs belongs to: a request, a job, a person, each by its id alone."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import uuid4

_WELL_FORMED = re.compile(r"[0-9A-Za-z._-]{8,64}")


@dataclass(frozen=True)
class Trail:
    """Ids of what is under way in this thread (None: none). ``job`` is the first of a batch of ``jobs``."""

    request: str | None = None
    person: str | None = None
    job: str | None = None
    jobs: int | None = None


_NONE = Trail()
_TRAIL: ContextVar[Trail] = ContextVar("trail", default=_NONE)


def trail() -> Trail:
    """Return what is under way in this thread."""
    return _TRAIL.get()


@contextmanager
def following(*, request: str | None = None, job: str | None = None, jobs: int | None = None) -> Iterator[None]:
    """Mark what is under way inside as part of a request or a job."""
    token = _TRAIL.set(Trail(request=request, job=job, jobs=jobs))
    try:
        yield
    finally:
        _TRAIL.reset(token)


def know_person(person: str) -> None:
    """Say who it is that asks, once that is known."""
    _TRAIL.set(replace(_TRAIL.get(), person=person))


def request_id(told: str | None) -> str:
    """Return the id of a request: the one a proxy told, if it is well-formed, else a new one."""
    return told if told and _WELL_FORMED.fullmatch(told) else uuid4().hex


Fact = str | int
REQUEST = "request"
"""The step that a whole request is."""


class Note(Protocol):
    """Tells more of a step while it is under way: words of the program and counts, nothing that someone wrote."""

    def __call__(self, **facts: Fact) -> object:
        """Tell it."""
        ...


class Tracer(Protocol):
    """Hears of each step, for as long as it lasts."""

    def __call__(self, name: str, facts: Mapping[str, Fact]) -> AbstractContextManager[Note]:
        """Hear of one."""
        ...


def _silent(**_facts: Fact) -> None:
    """Tell nobody."""


_tracers: list[Tracer] = []


def trace_with(tracer: Tracer | None) -> None:
    """Have a tracer hear of this process's steps; None: nobody."""
    _tracers[:] = [tracer] if tracer else []


def traced() -> bool:
    """Whether someone hears of steps."""
    return bool(_tracers)


def step(name: str, **facts: Fact) -> AbstractContextManager[Note]:
    """Mark a step of what is under way. Costs next to nothing where nobody traces."""
    return _tracers[0](name, facts) if _tracers else nullcontext(_silent)
