"""Figures, ids of requests and lines of the log: they tell how the house stands, and nothing of what it keeps."""

import io
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from archive.errors import BrokenSetting, Unavailable
from archive.jobs.runner import JobRunner
from archive.model import Job, JobKind, RecordState
from archive.trail import following, trail
from runtime.processes.saying import JsonLines, PlainLines, secrets_of
from runtime.settings import load
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from web.app import create_app
from web.services import Figure

TOKEN = "0123456789abcdef-metrics"
TITLE = "机密的电梯底价"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def watched(house: WebHouse, figures: Sequence[Figure] = ()) -> WebHouse:
    house.app = create_app(replace(house.services, metrics_token=TOKEN, figures=lambda: figures))
    return house


def told(house: WebHouse) -> dict[str, dict[tuple[str, ...], float]]:
    reply = house.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


class Said:
    """What the processes' loggers say, as a formatter writes it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self._out = io.StringIO()
        self._hand = logging.StreamHandler(self._out)
        self._hand.setFormatter(formatter)

    def __enter__(self) -> Self:
        self._root = logging.getLogger()
        self._level = self._root.level
        self._root.addHandler(self._hand)
        self._root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_error: object) -> None:
        self._root.removeHandler(self._hand)
        self._root.setLevel(self._level)

    @property
    def text(self) -> str:
        return self._out.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]


def test_without_a_token_in_the_settings_there_is_no_such_page(house: WebHouse) -> None:
    absent = house.browser().get("/metrics", headers={"Authorization": "Bearer "})
    assert absent.status_code == 404


@pytest.mark.parametrize("sent", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_only_who_has_the_token_gets_figures(house: WebHouse, sent: str) -> None:
    watched(house)
    reply = house.browser("system").get("/metrics", headers={"Authorization": sent} if sent else {})
    assert reply.status_code == 401
    assert "juanku_" not in reply.text


def test_requests_are_counted_by_route_and_never_by_what_was_asked(house: WebHouse) -> None:
    watched(house)
    record = house.a_record(title=TITLE, state=RecordState.FILED)
    browser = house.browser("archivist")
    before = told(house).get("juanku_requests_total", {})
    for path in (f"/records/{record.id}", f"/search?q={TITLE}", "/nowhere/at/all", "/nowhere/else", "/api/v1/records"):
        browser.get(path)
    browser.open("/", method="BREW")
    after = told(house)["juanku_requests_total"]
    rows = {labels: after[labels] - before.get(labels, 0) for labels in after}
    assert rows["GET", "/records/<uuid:record_id>", "200"] == 1
    assert rows["GET", "none", "404"] == 2
    assert any(method == "other" for method, _route, _status in rows)
    words = str(sorted(after))
    assert TITLE not in words
    assert str(record.id) not in words
    assert "nowhere" not in words
    assert told(house)["juanku_request_seconds_count"][("/records/<uuid:record_id>",)] >= 1


def test_figures_of_the_house_stand_beside_them(house: WebHouse) -> None:
    watched(house, [Figure("jobs", "Jobs.", ("kind", "state"), {("index", "queued"): 3.0}), Figure("up", "Up.")])
    assert told(house)["juanku_jobs"] == {("index", "queued"): 3.0}


@pytest.mark.parametrize(
    ("sent", "kept"), [("proxy-1234.abc_D", True), ("short", False), ("x" * 65, False), ("a b{}\"'<script>", False)]
)
def test_a_request_has_an_id_which_a_proxy_may_give(house: WebHouse, sent: str, kept: bool) -> None:
    reply = house.browser().get("/healthz", headers={"X-Request-ID": sent})
    own = reply.headers["X-Request-ID"]
    assert (own == sent) is kept
    assert len(own) >= 8
    assert house.browser().get("/healthz").headers["X-Request-ID"] != own
    assert house.app.test_client().get("/api/v1/records").headers["X-Request-ID"]


def test_a_job_carries_the_request_it_follows_from(house: WebHouse) -> None:
    browser = house.browser("system")
    data = {"what": "everything", "csrf_token": token_of(browser)}
    browser.post("/system/fixity", data=data, headers={"X-Request-ID": "request-4711"})
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.request).where(Job.kind == JobKind.FIXITY)).one() == "request-4711"

    seen: list[object] = []

    class Handler:
        kind, batch, deadline, max_attempts, keep_done = JobKind.FIXITY, 1, 60.0, 1, False

        def run(self, _jobs: Sequence[object]) -> dict[object, object]:
            seen.append((trail().request, trail().job))
            raise Unavailable(part=TITLE)

    with Said(JsonLines([])) as said:
        JobRunner(house.services.db, house.clock, [Handler()]).run(JobKind.FIXITY)  # type: ignore[list-item]
    ((request, job),) = seen  # type: ignore[misc]
    assert request == "request-4711"
    (line,) = [each for each in said.lines if each["logger"] == "juanku.job"]
    assert (line["request"], line["job"], line["kind"], line["errors"]) == (
        "request-4711",
        job,
        "fixity",
        ["unavailable"],
    )
    assert trail().request is None


def test_lines_tell_ids_and_neither_titles_names_passwords_nor_tokens(house: WebHouse) -> None:
    record = house.a_record(title=TITLE, state=RecordState.FILED)
    for formatter in (JsonLines([]), PlainLines([])):
        with Said(formatter) as said:
            browser = house.browser("archivist")
            browser.get(f"/records/{record.id}?secret=canary-query")
            browser.get(f"/search?q={TITLE}", headers={"Authorization": "Bearer canary-token"})
            browser.post("/sign-in", data={"login": "canary-login", "password": "canary-password"})
            house.app.test_client().get("/api/v1/records", headers={"Authorization": "Bearer canary-token"})
        assert said.text
        for canary in (TITLE, "canary", PASSWORD, "archivist某", str(record.id)):
            assert canary not in said.text
    with Said(JsonLines([])) as said:
        house.browser("archivist").get(f"/records/{record.id}")
    line = said.lines[-1]
    assert (line["logger"], line["route"], line["status"]) == ("juanku.request", "/records/<uuid:record_id>", 200)
    assert line["person"] == str(house.people["archivist"].id)
    assert len(str(line["request"])) == 32


def test_an_exception_is_told_by_kind_and_place_without_its_words(house: WebHouse) -> None:
    def broken(*_asked: object, **_more: object) -> None:
        try:
            int(TITLE)
        except ValueError as error:
            raise RuntimeError(f"INSERT {TITLE}") from error

    house.search.search = broken  # type: ignore[assignment, method-assign]
    for formatter in (JsonLines([]), PlainLines([])):
        with Said(formatter) as said:
            reply = house.browser("archivist").get("/search?q=x")
        assert reply.status_code == 500
        assert "没有任何改动" not in reply.text, "nobody knows what was done before it failed"
        assert "是否已经办成" in reply.text
        assert TITLE not in said.text
        assert "builtins.RuntimeError" in said.text
        assert "builtins.ValueError" in said.text
        assert "test_web_watched.py" in said.text


def test_secrets_of_the_settings_are_blotted_out_of_every_line(tmp_path: Path) -> None:
    settings = load(
        {
            "JUANKU_HOME": str(tmp_path / "home"),
            "JUANKU_METRICS_TOKEN": TOKEN,
            "JUANKU_DATABASE_URL": "postgresql+psycopg://role:p%40ss-canary@127.0.0.1/x",
        }
    )
    assert settings.log_format == "plain"
    for formatter in (JsonLines(secrets_of(settings)), PlainLines(secrets_of(settings))):
        with Said(formatter) as said:
            logging.getLogger("x").warning("went to %s with %s and p@ss-canary", settings.database_url, TOKEN)
        assert TOKEN not in said.text
        assert "ss-canary" not in said.text


def test_a_token_that_is_easily_guessed_is_refused() -> None:
    with pytest.raises(BrokenSetting) as refused:
        load({"JUANKU_METRICS_TOKEN": "short"})
    assert refused.value.facts == {"variable": "JUANKU_METRICS_TOKEN", "reason": "too_short"}


def test_what_is_under_way_ends_with_it() -> None:
    with following(request="outer-request"):
        with following(job="a-job"):
            assert (trail().request, trail().job) == (None, "a-job")
        assert trail().request == "outer-request"
    assert trail().request is None
