"""Traces: a request, its job and their calls of the store are one trace at the collector, and tell no secret."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from archive.errors import BrokenSetting
from archive.trail import step, traced
from runtime.settings import load
from runtime.telemetry import STORE_CALLS, begin, watched_calls
from tests.factories.web_house import a_web_house, token_of

pytest.importorskip("opentelemetry.sdk", reason="the extra telemetry is not installed")

CANARY = "金丝雀合同"
REQUEST = "0123456789abcdef0123456789abcdef"


class Collector(ThreadingHTTPServer):
    """Takes traces, and keeps their spans and bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.spans: list[Any] = []
        self.bytes = b""


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = ExportTraceServiceRequest.FromString(body)
        assert isinstance(self.server, Collector)
        self.server.bytes += body
        self.server.spans += [
            span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_request_and_its_job_are_one_trace_that_tells_no_secret(tmp_path: Path, collector: Collector) -> None:
    end = begin(load({"JUANKU_HOME": str(tmp_path), "JUANKU_OTLP_URL": f"http://127.0.0.1:{collector.server_port}"}))
    try:
        with a_web_house(tmp_path) as house:
            watched_calls("store", house.services.store, STORE_CALLS)
            browser = house.browser("archivist")
            token = token_of(browser)
            new = {"csrf_token": token, "category": str(house.category.id), "title": CANARY, "level": "1"}
            record = browser.post("/records", data=new).location.rpartition("/")[2]
            files = {"csrf_token": token, "files": (BytesIO(CANARY.encode()), f"{CANARY}.txt")}
            sent = browser.post(f"/records/{record}/files", data=files, headers={"X-Request-ID": REQUEST})
            assert sent.status_code < 400
            browser.get(f"/search?q={CANARY}")
            house.read_texts()
            browser.get(f"/nothing/{CANARY}", headers={"X-Request-ID": "one-of-a-proxy"})
    finally:
        end()
    assert not traced()
    spans = {span.span_id: span for span in collector.spans}
    mine = [span for span in spans.values() if span.trace_id.hex() == REQUEST]
    (request,) = [span for span in mine if span.name == "request"]
    told = {each.key: each.value.string_value or each.value.int_value for each in request.attributes}
    assert told == {"method": "POST", "route": "/records/<uuid:record_id>/files", "status": sent.status_code}
    (job,) = [span for span in mine if span.name == "job extract"]
    assert job.parent_span_id == request.span_id
    under = {span.name: spans[span.parent_span_id].name for span in mine if span.name.startswith("store ")}
    assert under["store put"] == "request"
    assert under["store read"] == "job extract"
    assert len({span.trace_id for span in spans.values() if span.name == "request"}) > 4, (
        "each request is its own trace"
    )
    for secret in (CANARY.encode(), str(tmp_path).encode(), record.encode(), token.encode(), b"/nothing"):
        assert secret not in collector.bytes


def test_a_step_that_fails_is_told_by_the_kind_of_its_error(tmp_path: Path, collector: Collector) -> None:
    end = begin(load({"JUANKU_HOME": str(tmp_path), "JUANKU_OTLP_URL": f"http://127.0.0.1:{collector.server_port}"}))
    with pytest.raises(ValueError, match=CANARY), step("index search"):
        raise ValueError(CANARY)
    end()
    (span,) = collector.spans
    assert [(each.key, each.value.string_value) for each in span.attributes] == [("error.type", "ValueError")]
    assert not span.events
    assert CANARY.encode() not in collector.bytes


def test_without_a_collector_nothing_is_traced_and_a_bad_address_is_refused(tmp_path: Path) -> None:
    begin(load({"JUANKU_HOME": str(tmp_path)}))()
    assert not traced()
    with step("index search") as note:
        note(hits=1)
    for bad in ("file:///x", "http://", "http://me:secret@127.0.0.1"):
        with pytest.raises(BrokenSetting):
            load({"JUANKU_HOME": str(tmp_path), "JUANKU_OTLP_URL": bad})
