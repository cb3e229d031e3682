"""The embedded engine: building, and raw tantivy against the product's search with policy, facets and tiers.

Run: ``juanku bench engine [records]``. Times are milliseconds, p50 / p95 over the same phrases.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

from tantivy import Occur
from tantivy import Query as Compiled

from archive.ids import new_id
from archive.policy.condition import All, AnyOf, Has, Within, has
from benchmarks import _raw as raw_engine
from indexer.engine import IndexEntry, SearchRequest, facts_of_partition
from indexer.query.tree import And, Query, Words
from indexer.search import FACETS
from indexer.tantivy.engine import TantivyEngine
from indexer.tantivy.partition import View
from indexer.tantivy.query import Search, Terms
from indexer.words import query_terms

_FIELDS = ("number", "title", "responsible", "keywords", "notes", "text")
_TERMS = [
    "物业服务",
    "合同",
    "电梯",
    "维修",
    "年检",
    "记录",
    "消防",
    "设施",
    "保养",
    "绿化",
    "养护",
    "装修",
    "许可",
    "业主",
    "档案",
    "移交",
    "清单",
    "会议",
    "纪要",
    "关于",
]


def entries(count: int, pick: random.Random) -> list[IndexEntry]:
    """Return made records of about 100 characters."""
    common = [chr(0x4E00 + pick.randrange(4000)) for _ in range(1200)]
    categories, departments, fonds = ([new_id() for _ in range(n)] for n in (60, 12, 2))
    persons = [new_id() for _ in range(50)]

    def text(length: int) -> str:
        words = [pick.choice(_TERMS) if pick.random() < 0.3 else "".join(pick.choices(common, k=2)) for _ in range(9)]
        return "".join(words)[:length]

    def one(number: int) -> IndexEntry:
        key, year = new_id(), pick.randint(2000, 2025)
        place = f"A{pick.randint(1, 9)}/{pick.randint(1, 20):02}/"
        facts = {
            "record": key, "fonds": pick.choice(fonds), "category": pick.choice(categories), "place": place,
            "department": pick.choice(departments), "level": 1, "need_to_know": False,
            "named": frozenset(pick.sample(persons, 1)), "state": "filed", "kind": "item", "created_by": persons[0],
            "medium": "paper", "year": year, "drawn_from": year * 10_000 + 101, "drawn_to": year * 10_000 + 1231,
            "project": place[:2], "material": "document", "term": "D30",
        }  # fmt: skip
        texts = {
            "number": [f"WS·{year}-D30-{number:06}"], "title": [text(18)], "responsible": [text(6)],
            "keywords": [text(4), text(4)], "notes": [text(40)],
        }  # fmt: skip
        codes = {"category": [f"C{pick.randrange(60)}", text(4)], "place": [place[:2], place[:-1]], "level": ["内部"]}
        return IndexEntry(key, 1, "1", facts, texts, (), codes)

    return [one(number) for number in range(count)]


def timed(acts: list[Callable[[], object]]) -> str:
    """Return p50 / p95 of acts, after one warm-up round."""
    for act in acts:
        act()
    taken = []
    for act in acts:
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    return f"{taken[len(taken) // 2]:7.2f} / {taken[int(len(taken) * 0.95)]:7.2f} ms"


def main() -> None:
    """Build an index and print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    pick = random.Random(1)
    made = entries(count, pick)
    with tempfile.TemporaryDirectory() as folder:
        engine = TantivyEngine(Path(folder))
        begun = time.perf_counter()
        for start in range(0, count, 1000):
            engine.write(made[start : start + 1000])
            engine.commit()
        taken = time.perf_counter() - begun
        print(f"build, a commit each 1,000: {count / taken:,.0f} records/s, {taken / count * 1e6:.0f} µs each")
        measure(engine, made, pick)
        engine.close()


def measure(engine: TantivyEngine, made: list[IndexEntry], pick: random.Random) -> None:
    """Print the query times."""
    first = made[0].facts
    reach = All(
        (
            Has("level", frozenset({1, 2})),
            AnyOf(
                (
                    All((Has("need_to_know", frozenset({False})), Has("fonds", frozenset({first["fonds"]})))),
                    has("named", UUID(int=1)),
                    Within("place", frozenset({"A1/", "A2/"})),
                    Has("category", frozenset(entry.facts["category"] for entry in made[:30])),
                )
            ),
        )
    )
    titles = [pick.choice(made).texts["title"][0] for _ in range(200)]
    phrases = [title[at : at + pick.randint(2, 4)] for title in titles for at in [pick.randrange(len(title) - 4)]]
    (searcher,), schema = raw_engine.searchers(engine, ["1"]), raw_engine.schema()

    def raw(text: str) -> Compiled:
        terms = list(query_terms(text).terms)
        return Compiled.boolean_query([(Occur.Should, raw_engine.words_of(schema, name, terms)) for name in _FIELDS])

    def asked(query: Query) -> SearchRequest:
        return SearchRequest(query, ("1",), reach)

    plain = [asked(Words(text)) for text in phrases]
    faceted = [replace(one, facets=FACETS) for one in plain]
    both = [replace(asked(And((Words(a), Words(b)))), facets=FACETS) for a, b in zip(_TERMS * 10, phrases, strict=True)]
    hans = [asked(Words(text[0])) for text in phrases]

    def by_passes(request: SearchRequest) -> None:
        search = Search(schema, request, Terms(View(searcher), facts_of_partition("1")))
        found = 0
        for tier in search.tiers():
            result = searcher.search(search.of_tier(tier), max(20 - found, 1))
            found += len(result.hits)

    rows: dict[str, list[Callable[[], object]]] = {
        "raw tantivy, top 20 and count": [partial(searcher.search, one, 20) for one in map(raw, phrases)],
        "engine, policy and tiers": [partial(engine.search, one) for one in plain],
        "  the same, tier by tier instead": [partial(by_passes, one) for one in plain],
        "engine, policy, tiers and 7 facets": [partial(engine.search, one) for one in faceted],
        "engine, two phrases (and), 7 facets": [partial(engine.search, one) for one in both],
        "engine, one character": [partial(engine.search, one) for one in hans],
    }
    for name, acts in rows.items():
        print(f"{name:38}{timed(acts)}")


if __name__ == "__main__":
    main()
