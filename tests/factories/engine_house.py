"""Search engines, and a house of entries for them. An adapter joins the contracts by one line in ``FACTORIES``."""

import random
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from archive.ids import new_id
from archive.policy.condition import ALWAYS, Condition, holds
from indexer.engine import IndexEntry, SearchEngine, SearchRequest
from indexer.query.tree import Everything, Query
from indexer.tantivy.engine import TantivyEngine
from tests.factories.elastic import passing_engine
from tests.fakes.reference_engine import ReferenceEngine, tier_of

FACTORIES: dict[str, Callable[[Path], SearchEngine]] = {
    "reference": lambda _folder: ReferenceEngine(),
    "tantivy": lambda folder: TantivyEngine(folder, seconds=never_idle()),
    "elasticsearch": lambda _folder: passing_engine(),
}

CATEGORIES = [new_id() for _ in range(5)]
FONDS = [new_id() for _ in range(2)]
PEOPLE = [new_id() for _ in range(3)]
PLACES = ["A1/", "A1/02/", "A1/02/3/", "A10/", "B1/01/", None]
TITLES = [
    "物业服务合同",
    "物業服務合同書",
    "电梯年检记录（2024年度）",
    "三号楼层面防水维修记录",
    "关于电梯困人事件的处理意见",
    "Elevator inspection report 2024",
    "消防设施维护保养合同 ABC-12",
    "绿化养护，年度计划",
    "层高测量表",
    "檔案移交清单",
]
TEXTS = ["本合同由甲方与乙方签订。电梯每年检验一次", "记录人：张三\n电话登记在案", "the quick brown fox, 物业", ""]


def never_idle() -> Callable[[], float]:
    """A clock that takes a second at each look, so that readers always look again."""
    steps = iter(range(10**9))
    return lambda: float(next(steps))


def entry(number: int, partition: str = "3", version: int = 1, **facts: object) -> IndexEntry:
    pick = random.Random(number)
    year = pick.choice([2022, 2023, 2024])
    month = pick.randint(1, 12)
    drawn, low, high = pick.choice(
        [
            (f"{year}", year * 10_000 + 101, year * 10_000 + 1231),
            (f"{year}-{month:02}-15", year * 10_000 + month * 100 + 15, year * 10_000 + month * 100 + 15),
        ]
    )
    category, fonds = pick.choice(CATEGORIES), pick.choice(FONDS)
    own: dict[str, object] = {
        "record": UUID(int=number + 1),
        "fonds": fonds,
        "category": category,
        "place": pick.choice(PLACES),
        "level": int(partition.rstrip("n")),
        "need_to_know": partition.endswith("n"),
        "named": frozenset(pick.sample(PEOPLE, pick.randint(0, 2))),
        "state": pick.choice(["provisional", "filed"]),
        "kind": "item",
        "year": year,
        "drawn": drawn,
        "drawn_from": low,
        "drawn_to": high,
        "medium": pick.choice(["paper", "electronic"]),
        **facts,
    }
    return IndexEntry(
        UUID(int=number + 1),
        version,
        partition,
        own,
        {
            "number": [f"WS·2024-Y-{number:04}", f"沪房〔{year}〕{number}号"],
            "title": [pick.choice(TITLES)],
            "responsible": [pick.choice(["物业公司", "李四", "王五、赵六"])],
            "keywords": pick.sample(["电梯", "合同", "防水", "层"], 2),
            "text": [pick.choice(TEXTS), pick.choice(TEXTS)],
        },
        [f"token-{number % 7}"],
        {"category": [f"C{CATEGORIES.index(category)}", "业主 档案"], "medium": [str(own["medium"])] if number else []},
    )


HOUSE = [entry(n) for n in range(40)] + [entry(n, "2") for n in range(40, 60)] + [entry(n, "3n") for n in range(60, 75)]


def ask(query: Query = Everything(), *partitions: str, **more: object) -> SearchRequest:  # noqa: B008  (frozen)
    return SearchRequest(query, partitions or ("2", "3", "3n"), limit=1000, **more)  # type: ignore[arg-type]  # named fields


def expected(query: Query, condition: Condition = ALWAYS) -> dict[UUID, int]:
    tiers = {one.id: tier_of(query, one) for one in HOUSE if holds(condition, one.facts)}
    return {key: tier for key, tier in tiers.items() if tier is not None}
