"""The statements of each page over many records. Run: ``juanku bench statements [--records N] [--home FOLDER]``.

On the database that ``JUANKU_DATABASE_URL`` names, else on SQLite. Each page is opened twice as the archivist, and the
second time counts. A statement over 50 ms is printed with the plan that the database followed.
"""

import argparse
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event, select

from archive.model import Record
from benchmarks._common import archive, opened, table
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts

MARK_MS = 50
WHO = {"login": "archivist", "password": "juanku-archivist-2026"}
PAGES = ("/", "/browse", "/browse/places", "/doubles", "/proposals", "/put-aside", "/search?q=%E7%94%B5%E6%A2%AF")


class Statements:
    """What was sent to the database since the last look: milliseconds, words, parameters."""

    def __init__(self, parts: Parts) -> None:
        self.seen: list[tuple[float, str, Any]] = []
        event.listen(parts.db.engine, "before_cursor_execute", self._begun)
        event.listen(parts.db.engine, "after_cursor_execute", self._ended)

    def _begun(self, _connection: Any, _cursor: Any, _words: str, _given: Any, context: Any, _many: bool) -> None:
        context.juanku_begun = time.perf_counter()

    def _ended(self, _connection: Any, _cursor: Any, words: str, given: Any, context: Any, _many: bool) -> None:
        self.seen.append(((time.perf_counter() - context.juanku_begun) * 1000, words, given))


def signed_in(parts: Parts) -> FlaskClient:
    """Return a client that is the archivist."""
    client = make_app(parts).test_client()
    token = client.get("/sign-in").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    if client.post("/sign-in", data={**WHO, "csrf_token": token}).status_code != 303:
        raise SystemExit("the archivist could not sign in")
    return client


def plan(parts: Parts, words: str, given: Any) -> list[str]:
    """Return how the database does a query."""
    explain = "EXPLAIN QUERY PLAN " if parts.db.is_sqlite else "EXPLAIN (ANALYZE, BUFFERS) "
    with parts.db.reading() as session:
        rows = session.connection().exec_driver_sql(explain + words, given)
        return [str(row[-1]) for row in rows]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with archive(asked.records, asked.home), opened() as parts:
        client, statements = signed_in(parts), Statements(parts)
        with parts.db.reading() as session:
            record, category = session.execute(select(Record.id, Record.category_id).limit(1)).one()
        own = [f"/records/{record}", f"/records/{record}/history", f"/browse/categories/{category}"]
        place = re.search(r'href="(/browse/places/[^"]+)"', client.get("/browse/places").text)
        rows, slow = [], []
        for page in [*PAGES, *own, *([unescape(place.group(1))] if place else [])]:
            client.get(page)
            statements.seen.clear()
            begun = time.perf_counter()
            status = client.get(page).status_code
            took = (time.perf_counter() - begun) * 1000
            longest = max(statements.seen, key=lambda each: each[0])
            told = f"{status}, {took:.0f} ms, {len(statements.seen)} statements, the longest {longest[0]:.1f} ms"
            rows.append((page.replace(str(record), "…").replace(str(category), "…"), told))
            if longest[0] > MARK_MS and longest[1].startswith(("SELECT", "WITH")):
                slow.append(longest)
        table(f"Pages over {asked.records} records", rows)
        for took, words, given in slow:
            print(f"\n{took:.0f} ms: {' '.join(words.split())}", *plan(parts, words, given), sep="\n")


if __name__ == "__main__":
    main()
