"""Pages as the server makes them. Run: ``juanku bench pages [--records N] [--home FOLDER] [--rounds N]``.

Each page is asked for in this process, through everything that a request passes but the line: session, policy, log,
template. Wall time and processor time of all threads, p50 / p95 / p99, for people of wide and of narrow rights. The
raw limit is the page that signs in, which asks the database for nothing. Then what a first visit carries over the
line, with style, scripts and pictures as they are sent. ``--home`` keeps the archive for the next run.
"""

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import func, select

from archive.model import Category, Record, RecordState
from benchmarks._common import archive, opened, spread, table
from indexer.engine import date_key
from indexer.ranges import day_number
from runtime.demo.people import PEOPLE
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts
from web import paging

REACH_MS = 100
WORDS = ("电梯", "消防设施", "验收单", "会议纪要", "物业合同")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    with archive(asked.records, asked.home), opened() as parts:
        measure(parts, asked.rounds)


def measure(parts: Parts, rounds: int) -> None:
    """Print a table for each person, and one of the weight of first pages."""
    app = make_app(parts)
    app.config["WTF_CSRF_ENABLED"] = False
    pick = random.Random(1)
    with parts.db.reading() as session:
        count = session.scalar(select(func.count()).select_from(Record))
    asked_for(app.test_client(), ["/sign-in"])
    bare = asked_for(app.test_client(), ["/sign-in"] * rounds)
    print(
        f"\n{count:,} records; raw: sign-in page {spread([wall for wall, _cpu in bare])}; "
        f"processor {spread([cpu for _wall, cpu in bare])}"
    )
    for login, pages in _people(parts, pick, rounds).items():
        client = signed_in(app.test_client(), login)
        rows = []
        for name, addresses in pages.items():
            asked_for(client, addresses[:2])
            took = asked_for(client, addresses)
            walls = [wall for wall, _cpu in took]
            late = sorted(walls)[min(int(len(walls) * 0.95), len(walls) - 1)] * 1000 > REACH_MS
            rows.append((name, f"{spread(walls)}; processor {spread([c for _w, c in took])}{' LATE' * late}"))
        table(f"{login}: wall, p50 / p95 / p99 (at most {REACH_MS} ms at p95)", rows)
    table(
        "A first visit, bytes on the line (at most 100 KB)", list(_weights(signed_in(app.test_client(), "archivist")))
    )


def signed_in(client: FlaskClient, login: str) -> FlaskClient:
    """Sign someone of the demonstration in."""
    password = next(person.password for person in PEOPLE if person.login == login)
    reply = client.post("/sign-in", data={"login": login, "password": password})
    if reply.status_code != 303:
        raise SystemExit(f"{login} cannot sign in to this archive: it is none of the demonstration")
    return client


def asked_for(client: FlaskClient, addresses: Sequence[str]) -> list[tuple[float, float]]:
    """Return for each address the seconds on the clock and of processor time."""
    took = []
    for address in addresses:
        begun, worked = time.perf_counter(), time.process_time()
        reply = client.get(address)
        took.append((time.perf_counter() - begun, time.process_time() - worked))
        if reply.status_code != 200:
            raise SystemExit(f"{address} answers {reply.status_code}")
    return took


def _people(parts: Parts, pick: random.Random, rounds: int) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return for each person the pages that they ask for, by name."""
    searched = [f"/search?q={word}" for word in WORDS] * (rounds // len(WORDS) + 1)
    wide = _readers(parts, "archivist", pick, rounds)
    narrow = _readers(parts, "resident", pick, rounds)
    return {
        "archivist": {
            **wide,
            "search": searched[:rounds],
            "search, narrowed by level and medium": [f"{each}&level=1&medium=paper" for each in searched[:rounds]],
            "jobs": ["/system"] * rounds,
            "catalogue: the form": [next(iter(wide["category, first page"])).replace(
                "/browse/categories/", "/records/new?category="
            )] * rounds,
        },
        "resident": {**narrow, "search": searched[:rounds]},
        "audit": {"log, first page": ["/log"] * rounds, "log, of one act": ["/log?act=record."] * rounds},
        "security": {"people": ["/house/people"] * rounds},
    }  # fmt: skip


def _readers(parts: Parts, login: str, pick: random.Random, rounds: int) -> dict[str, Sequence[str]]:
    identity = parts.people.identity_of(login)
    with parts.db.reading() as session:
        seen = parts.guard.visible(session, identity).where(Record.state == RecordState.FILED).subquery()
        counted = select(seen.c.category_id, func.count()).group_by(seen.c.category_id)
        held: dict[UUID, int] = {row[0]: row[1] for row in session.execute(counted)}
        above: dict[UUID, UUID | None] = dict(session.execute(select(Category.id, Category.parent_id)).all())
        some: Sequence[UUID] = session.scalars(select(seen.c.id).limit(5_000)).all()
    below: Counter[UUID] = Counter()
    for category, count in held.items():
        below.update(dict.fromkeys(_line(category, above), count))
    if not below:
        return {"desk": ["/"] * rounds}
    [(largest, most)] = below.most_common(1)
    branch = f"/browse/categories/{largest}"
    deep = max(min(most, 10_000) // 50 * 50 - 50, 0)
    within = {key for key in above if largest in _line(key, above)}
    with parts.db.reading() as session:
        last = select(seen.c.id, seen.c.drawn_from).where(seen.c.category_id.in_(within))
        row = session.execute(last.order_by(seen.c.drawn_from.desc()).offset(max(deep - 1, 0)).limit(1)).one()
    behind = paging.told_hit(date_key({"drawn_from": day_number(row.drawn_from)}, row.id), row.id)
    return {
        "desk": ["/"] * rounds,
        "browse: the scheme": ["/browse"] * rounds,
        "category, first page": [branch] * rounds,
        f"category, page at {deep:,}": [f"{branch}?after={behind}"] * rounds,
        "category, oldest first": [f"{branch}?order=oldest"] * rounds,
        "record": [f"/records/{pick.choice(some)}" for _ in range(rounds)],
    }


def _line(key: UUID, above: Mapping[UUID, UUID | None]) -> Iterator[UUID]:
    """Yield a category and all above it."""
    at: UUID | None = key
    while at is not None:
        yield at
        at = above[at]


def _weights(client: FlaskClient) -> Iterator[tuple[str, str]]:
    """Return what first visits weigh: the page as it is sent, and what it names, compressed where it comes so."""
    for name, address in (("sign-in", "/sign-in"), ("desk", "/"), ("search", "/search?q=电梯"), ("browse", "/browse")):
        asking = client if name != "sign-in" else client.application.test_client()
        page = asking.get(address, headers={"Accept-Encoding": "gzip"})
        beside = 0
        for named in sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))):
            beside += len(asking.get(named.replace("&amp;", "&"), headers={"Accept-Encoding": "gzip"}).data)
        yield name, f"{(len(page.data) + beside) / 1000:.1f} KB: page {len(page.data):,}, the rest {beside:,}"


if __name__ == "__main__":
    main()
