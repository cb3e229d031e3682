"""Searching as the service does it. Run: ``juanku bench search [--records N] [--home FOLDER]``.

With policy, a fence, seven facets and passages, for a person who has grants and a clearance; the log of queries goes
its usual way. The raw limit is tantivy alone on the same indices: one field, top twenty and a count. ``--home`` keeps
the archive for the next run. Exactness: words of one to six characters out of titles, against a look through all rows.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from archive.fence import raise_fence
from archive.identity import Identity
from archive.model import Record
from archive.policy.condition import ALWAYS
from archive.policy.rules import Act, condition
from benchmarks._common import archive, found, opened, spread, table
from benchmarks._raw import schema, searchers, words_of
from indexer.engine import SearchRequest
from indexer.fold import fold
from indexer.query.tree import Words
from indexer.search import FACETS, partitions_of
from indexer.words import query_terms
from runtime.wiring.parts import Parts

FENCED = 20


def took(acts: Sequence[Callable[[], object]]) -> list[float]:
    """Return the seconds of each act, after a round that warms up."""
    for act in acts:
        act()
    seconds = []
    for act in acts:
        begun = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - begun)
    return seconds


def raw(parts: Parts, partitions: Sequence[str], phrase: str) -> Callable[[], object]:
    """Return a bare search in the titles of all partitions."""
    query = words_of(schema(), "title", query_terms(phrase).terms)
    there = searchers(parts.engine, partitions)
    return lambda: [searcher.search(query, 20) for searcher in there]


def exact(parts: Parts, titles: dict[UUID, str], pick: random.Random, rounds: int = 12) -> tuple[int, int]:
    """Return how many words of one to six characters were found exactly, and how many were tried (rare ones)."""
    right = tried = 0
    folded = {key: fold(title) for key, title in titles.items()}
    for length in range(1, 7):
        for _ in range(rounds):
            title = pick.choice(list(folded.values()))
            at = pick.randrange(max(len(title) - length, 1))
            word = title[at : at + length]
            if not all("\u4e00" <= sign <= "\u9fff" for sign in word):
                continue
            wanted = {key for key, one in folded.items() if word in one}
            if len(wanted) > 900:
                continue
            tried += 1
            right += wanted <= found(parts, word)
    return right, tried


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--login", default="archivist")
    asked = parser.parse_args()
    with archive(asked.records, asked.home), opened() as parts:
        measure(parts, asked.login)


def measure(parts: Parts, login: str) -> None:
    """Print the table."""
    pick = random.Random(1)
    person: Identity = parts.people.identity_of(login)
    with parts.db.writing() as work:
        some = list(work.session.scalars(select(Record.id).limit(FENCED)))
        for key in some:
            raise_fence(work.session, "record", str(key), parts.clock.now())
        work.commit()
    with parts.db.reading() as session:
        rows = session.execute(select(Record.id, Record.title))
        titles = dict(rows.all())
        reach = parts.guard.reach(session, person)
    of = list(titles.values())
    phrases = [
        title[at : at + pick.randint(2, 4)] for title in pick.choices(of, k=200) for at in [pick.randrange(5, 12)]
    ]
    partitions = partitions_of(reach)
    allowed = condition(Act.READ, reach)
    with_policy = [SearchRequest(Words(one), partitions, allowed, facets=FACETS) for one in phrases]
    without = [replace(one, condition=ALWAYS) for one in with_policy]
    bare = took([raw(parts, partitions, one) for one in phrases])
    free = took([partial(parts.engine.search, one) for one in without])
    bound = took([partial(parts.engine.search, one) for one in with_policy])
    whole = took([partial(parts.search.search, person, f'"{one}"') for one in phrases])
    right, tried = exact(parts, titles, pick)
    more = sum(bound) / len(bound) * 1000 - sum(free) / len(free) * 1000
    table(
        f"Search in {len(titles):,} records (p50 / p95 / p99)",
        [
            ("raw tantivy, titles, top 20 and count", spread(bare)),
            ("engine, all fields, tiers, 7 facets, no policy", spread(free)),
            ("the same with policy", spread(bound)),
            ("policy costs, on average", f"{more:+.2f} ms, {more / (sum(free) / len(free) * 1000):+.0%}"),
            (f"service: policy, {FENCED} fenced, facets, check, passages, log", spread(whole)),
            ("words of 1 to 6 characters exact", f"{right} of {tried}"),
        ],
    )


if __name__ == "__main__":
    main()
