"""Every page that a person can come to by links, and the slowest statements behind them."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from benchmarks.pages import signed_in
from benchmarks.statements import Statements
from runtime.wiring.parts import Parts

LOOKED_AT_MS = 20
"""What the client waits no longer for is not looked at again: it took less at the server."""

AGAIN = 5
OF_A_KIND = 2
"""Addresses of one page and the same parameters that are asked for."""

AT_MOST = 8
"""Addresses of one page."""

PASSED_OVER = ("static", "api.", "health.")
EXPORTS = (".pdf", ".xlsx", ".zip", ".csv", ".xml")
"""Whole lists as files: no pages, and as long as the list is."""


@dataclass
class Slow:
    """A statement, the page where it took longest, and how long it took at the server, warm, the best of several."""

    words: str
    given: Any
    page: str
    client_ms: float
    ms: float = 0.0
    node: str = ""


@dataclass
class Seen:
    """A page that was asked for: milliseconds of wall and of processor time."""

    login: str
    endpoint: str
    address: str
    status: int
    wall_ms: float
    cpu_ms: float


def walk(parts: Parts, app: Flask, login: str, slow: dict[str, Slow]) -> Iterator[Seen]:
    """Open every page that has no parameters and all that these lead to, and note the slow statements in ``slow``."""
    client, statements = signed_in(app.test_client(), login), Statements(parts)
    adapter = app.url_map.bind("localhost")
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    waiting = ["/", *sorted(rule.rule for rule in rules)]
    known: set[str] = set()
    counts: Counter[Any] = Counter()
    while waiting:
        address = waiting.pop(0)
        parted = urlsplit(address)
        if address in known or parted.netloc or parted.path.endswith(EXPORTS):
            continue
        known.add(address)
        try:
            endpoint, _values = adapter.match(parted.path, method="GET")
        except (HTTPException, RequestRedirect):
            continue
        kind = (endpoint, tuple(sorted(parse_qs(parted.query, keep_blank_values=True))))
        if endpoint.startswith(PASSED_OVER) or counts[kind] >= OF_A_KIND or counts[endpoint] >= AT_MOST:
            continue
        counts[kind] += 1
        counts[endpoint] += 1
        statements.seen.clear()
        begun, worked = time.perf_counter(), time.process_time()
        reply = client.get(address)
        text = reply.text if reply.mimetype == "text/html" else ""
        took = (time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000
        reply.close()
        _note(statements, f"{login} {address}", slow)
        yield Seen(login, endpoint, address, reply.status_code, *took)
        waiting += [unescape(found) for found in re.findall(r'href="(/[^"#]*)', text)]


def _note(statements: Statements, page: str, slow: dict[str, Slow]) -> None:
    for took, words, given in statements.seen:
        if took < LOOKED_AT_MS or not words.lstrip().startswith(("SELECT", "WITH")):
            continue
        if words not in slow or slow[words].client_ms < took:
            slow[words] = Slow(words, given, page, took)


def again(parts: Parts, slow: Sequence[Slow]) -> Iterator[Slow]:
    """Ask each again several times and yield it with how long the server itself took at best, and where."""
    for each in slow:
        each.ms, each.node = min(_explained(parts, each) for _ in range(AGAIN))
        yield each


def _explained(parts: Parts, each: Slow) -> tuple[float, str]:
    with parts.db.reading() as session:
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + each.words
        [[told]] = session.connection().exec_driver_sql(explain, each.given).all()
    (plan,) = json.loads(told) if isinstance(told, str) else told
    dearest = max(_nodes(plan["Plan"]), key=_own)
    named = " ".join(str(dearest[key]) for key in ("Node Type", "Relation Name", "Index Name") if key in dearest)
    rows = f"{dearest['Actual Rows']:,} rows × {dearest['Actual Loops']:,}"
    return plan["Execution Time"] + plan["Planning Time"], f"{named}, {rows}; planned in {plan['Planning Time']:.1f} ms"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _own(node: dict[str, Any]) -> float:
    whole = node["Actual Total Time"] * node["Actual Loops"]
    return float(whole - sum(one["Actual Total Time"] * one["Actual Loops"] for one in node.get("Plans", ())))
