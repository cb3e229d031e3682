"""Figures for Prometheus: requests by route, and how the house stands. Labels are words of the program, never data.

Requests are counted in each process; where several serve, ``PROMETHEUS_MULTIPROC_DIR`` (set before this module is
imported) lets one of them tell the sum. What the database counts is computed when it is asked for, and kept a while.
"""

from collections.abc import Callable, Iterator, Sequence
from hmac import compare_digest

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from archive.errors import NotFound
from web.services import Figure, services

pages = Blueprint("metrics", __name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_OWN = CollectorRegistry()
_REQUESTS = Counter("juanku_requests", "Requests answered.", ["method", "route", "status"], registry=_OWN)
_TIME = Histogram("juanku_request_seconds", "Seconds until a reply began.", ["route"], buckets=SECONDS, registry=_OWN)


class House(Collector):
    """The house's figures as Prometheus takes them."""

    def __init__(self, figures: Callable[[], Sequence[Figure]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        for figure in self._figures():
            family = GaugeMetricFamily(f"juanku_{figure.name}", figure.says, labels=figure.labels)
            for labels, value in figure.values.items():
                family.add_metric(labels, value)
            yield family


def count(method: str, route: str, status: str, seconds: float) -> None:
    """Count a request that was answered."""
    _REQUESTS.labels(method if method in METHODS else "other", route, status).inc()
    _TIME.labels(route).observe(seconds)


def counted() -> CollectorRegistry:
    """Return the requests that were counted, of all processes that count together."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # it knows no folder: this process counts alone
        return _OWN
    return registry


@pages.get("/metrics")
def metrics() -> Response:
    """Tell the figures to whoever has the token for them; without one in the settings there is no such page.

    Raises:
        NotFound: this house tells no figures.
    """
    token = services().metrics_token
    if not token:
        raise NotFound
    sent = request.authorization
    given = sent.token if sent is not None and sent.type == "bearer" and sent.token else ""
    if not compare_digest(given.encode(), token.encode()):
        return Response("token needed\n", 401, {"WWW-Authenticate": 'Bearer realm="juanku metrics"'}, "text/plain")
    house = CollectorRegistry()
    house.register(House(services().figures))
    return Response(generate_latest(counted()) + generate_latest(house), content_type=TYPE)
