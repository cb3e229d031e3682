"""Traces for a collector of OpenTelemetry: a request, the jobs that follow from it, and each call of store and index.

A trace bears the id of the request (a hash of it where a proxy gave one of another shape), and the span of the request
an id that follows from it. So a job, whose row knows its request, goes on with the trace in another process, and
nothing is carried but what the logs carry anyway. Attributes are words of the program and counts alone.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

from archive.errors import BrokenSetting
from archive.trail import REQUEST, Fact, Note, step, trace_with, traced, trail
from runtime.settings import Settings

_PART = TypeVar("_PART")
_TIMEOUT = 5

STORE_CALLS = ("put", "read", "stat", "begin", "put_piece", "finish")
INDEX_CALLS = ("search", "write", "commit")


def begin(settings: Settings) -> Callable[[], None]:
    """Send traces to the collector that the settings name; without one nothing is loaded. Returns what ends it.

    Raises:
        BrokenSetting: what sends them is not installed (the extra ``telemetry``, which comes with ``house``).
    """
    if not settings.otlp_url or traced():
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise BrokenSetting(variable="JUANKU_OTLP_URL", reason="driver_missing") from error
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    exporter = OTLPSpanExporter(endpoint=settings.otlp_url.rstrip("/") + "/v1/traces", timeout=_TIMEOUT)
    provider = TracerProvider(resource=Resource({"service.name": "juanku"}), id_generator=_ids())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace_with(_Traces(provider))

    def end() -> None:
        trace_with(None)
        provider.shutdown()

    return end


def watched_calls(name: str, part: _PART, calls: tuple[str, ...]) -> _PART:
    """Have each of these calls of a part be a step of the trace, where there are traces."""
    if traced():
        for call in calls:
            setattr(part, call, _watched(f"{name} {call}", getattr(part, call)))
    return part


def _watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def inner(*args: Any, **more: Any) -> Any:
        with step(name):
            return call(*args, **more)

    return inner


_ROOT: ContextVar[tuple[int, int] | None] = ContextVar("ids of the next span", default=None)


def _ids_of(request: str) -> tuple[int, int]:
    """Return the ids of a request's trace and of its own span."""
    digest = hashlib.sha256(request.encode()).hexdigest()
    own = len(request) == 32 and all(sign in "0123456789abcdef" for sign in request) and int(request, 16)
    return (int(request, 16) if own else int(digest[:32], 16)), int(digest[32:48], 16)


def _ids() -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            wanted = _ROOT.get()
            return wanted[0] if wanted else super().generate_trace_id()

        def generate_span_id(self) -> int:
            wanted = _ROOT.get()
            return wanted[1] if wanted else super().generate_span_id()

    return Ids()


class _Traces:
    """``archive.trail.Tracer`` by the SDK."""

    def __init__(self, provider: Any) -> None:
        self._tracer = provider.get_tracer("juanku")

    @contextmanager
    def __call__(self, name: str, facts: Mapping[str, Fact]) -> Iterator[Note]:
        from opentelemetry import trace  # noqa: PLC0415

        request, context = trail().request, None
        alone = not trace.get_current_span().get_span_context().is_valid
        token = None
        if alone and request and name == REQUEST:
            token = _ROOT.set(_ids_of(request))
        elif alone and request:
            above = trace.SpanContext(*_ids_of(request), is_remote=True, trace_flags=trace.TraceFlags(1))
            context = trace.set_span_in_context(trace.NonRecordingSpan(above))
        try:
            span = self._tracer.start_span(name, context, attributes=dict(facts))
        finally:
            if token is not None:
                _ROOT.reset(token)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield lambda **more: span.set_attributes(more)
            except BaseException as error:  # by its kind: its words may hold a title
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise
