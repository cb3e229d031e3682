"""Dossiers: one of many items is opened and put in order. Run: ``juanku bench dossiers [--items N] [--times N]``.

Measured at the server, within the process: the page as the browser gets it, and the form that keeps an order.
"""

import argparse
import re
import time
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.database import Database
from archive.model import Category, Fonds, Medium, RecordKind
from benchmarks._common import archive, opened, spread, table
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts, settle

BATCH = 100


def filled(parts: Parts, who: Any, count: int) -> Any:
    """Make a dossier of ``count`` items; return its id."""
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()
        category = session.scalars(
            select(Category.id).where(Category.fonds_id == fonds, Category.code == "WYS01")
        ).one()
    dossier = parts.records.create(who, Draft(fonds, category, "设备档案", kind=RecordKind.DOSSIER, drawn_up="2024"))
    for start in range(0, count, BATCH):
        drafts = [
            Draft(
                fonds, category, f"和园小区{1 + n % 40}号楼客用电梯第{n + 1}次定期检验报告", responsible="工程部",
                drawn_up="2024-03-05", pages=1 + n % 9, medium=Medium.BOTH,
            )
            for n in range(start, min(start + BATCH, count))
        ]  # fmt: skip
        parts.arranging.put_in(who, dossier, parts.records.create_many(who, drafts))
    return dossier


def token_on(page: str) -> str:
    """Return the token of a page's forms."""
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def signed_in(app: Any) -> FlaskClient:
    """Return a browser of the demonstration's archivist."""
    client: FlaskClient = app.test_client()
    form = {"csrf_token": token_on(client.get("/sign-in").text), "login": "archivist"}
    client.post("/sign-in", data=form | {"password": "juanku-archivist-2026"})
    return client


def timed(times: int, act: Any) -> str:
    """Tell how long each of ``times`` runs took, on the clock and of this thread; one more goes before, uncounted."""
    act(0)
    took, used = [], []
    for n in range(1, times + 1):
        begun, before = time.perf_counter(), time.thread_time()
        act(n)
        took.append(time.perf_counter() - begun)
        used.append(time.thread_time() - before)
    return f"{spread(took)}; processor {sorted(used)[len(used) // 2] * 1000:.1f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=30)
    asked = parser.parse_args()
    with archive(), opened() as parts:
        held: list[float] = []
        parts.db = Database(parts.settings.database_url, on_write=held.append)
        who = parts.people.identity_of("archivist")
        dossier = filled(parts, who, asked.items)
        put_in = max(held)
        client = signed_in(make_app(parts))
        settle()
        at = f"/records/{dossier}/contents"
        page = client.get(at)
        if page.status_code != 200:
            raise SystemExit(f"not shown: {page.status_code}")
        token = token_on(page.text)
        items = [entry.record_id for entry in parts.dossiers.contents(who, dossier).entries]

        def reorder(n: int) -> None:
            key = items.pop() if n % 2 else items.pop(0)
            items.insert(0 if n % 2 else len(items), key)
            was, to = (asked.items, 1) if n % 2 else (1, asked.items)
            reply = client.post(f"{at}/order", data={"csrf_token": token, f"place-{key}-{was}": str(to)})
            if reply.status_code != 303:
                raise SystemExit(f"not kept: {reply.status_code}")

        def whole(_n: int) -> None:
            shown = client.get(at).text
            rows = re.findall(r'name="(place-[0-9a-f-]+)-(\d+)"', shown)
            form = {f"{name}-{was}": str(len(rows) - int(was) + 1) for name, was in rows}
            reply = client.post(f"{at}/order", data=form | {"csrf_token": token})
            if reply.status_code != 303:
                raise SystemExit(f"not kept: {reply.status_code}")

        opens = timed(asked.times, lambda _n: client.get(at).get_data())
        contents = timed(asked.times, lambda _n: parts.dossiers.contents(who, dossier))
        held.clear()
        moves = timed(asked.times, reorder)
        longest = max(held)
        turned = timed(max(asked.times // 3, 1), whole)
        table(
            f"A dossier of {asked.items:,} items",
            [
                ("opens, first page", f"{opens}; {len(page.data) / 1000:,.0f} kB"),
                ("all its contents, without the page", contents),
                ("last item to the front, first to the end", moves),
                ("a page opened, every item turned around and kept", turned),
                ("longest write transaction, moving one", f"{longest * 1000:.0f} ms"),
                ("longest write transaction, 100 items put in", f"{put_in * 1000:.0f} ms"),
            ],
        )


if __name__ == "__main__":
    main()
