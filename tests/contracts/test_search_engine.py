"""What every search engine must do. An adapter joins by one line in ``FACTORIES``."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from archive.errors import InvalidInput, Unavailable
from archive.ids import new_id
from archive.policy.condition import ALWAYS, NEVER, All, AnyOf, Between, Condition, Has, Not, Within, has, holds
from indexer.engine import DEEPEST, TOKEN_FIELD, IndexEntry, Order, SearchEngine, SearchRequest, Tombstone
from indexer.querytree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.tantivy_engine import TantivyEngine
from tests.fakes.reference_engine import ReferenceEngine, tier_of

FACTORIES: dict[str, Callable[[Path], SearchEngine]] = {
    "reference": lambda _folder: ReferenceEngine(),
    "tantivy": lambda folder: TantivyEngine(folder, seconds=_never_idle()),
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


def _never_idle() -> Callable[[], float]:
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


@pytest.fixture(params=list(FACTORIES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    made = FACTORIES[request.param](tmp_path / "index")
    yield made
    made.close()


@pytest.fixture
def house(engine: SearchEngine) -> SearchEngine:
    engine.write(HOUSE)
    engine.commit()
    return engine


def ask(query: Query = Everything(), *partitions: str, **more: object) -> SearchRequest:  # noqa: B008  (frozen)
    return SearchRequest(query, partitions or ("2", "3", "3n"), limit=1000, **more)  # type: ignore[arg-type]  # named fields


def expected(query: Query, condition: Condition = ALWAYS) -> dict[UUID, int]:
    tiers = {one.id: tier_of(query, one) for one in HOUSE if holds(condition, one.facts)}
    return {key: tier for key, tier in tiers.items() if tier is not None}


QUERIES: list[Query] = [
    Everything(),
    *(
        Words(text)
        for text in ("层", "电梯", "服务合", "物业服务", "物业服务合", "物業服務合同", "记录", "紀錄", "合同")
    ),
    *(Words(text) for text in ("elevator", "Elevator", "elev", "ABC-12", "report 2024", "2024", "年度", "不存在的")),
    *(Words(text) for text in ("养护，年度", "养护年度", "张三", "王五赵六", "abc 1", "！？", "3号楼层")),
    *(Words(text, "number") for text in ("WS·2024", "ws-2024-y-000", "Y-0003", "3", "沪房[2024]", "0012")),
    *(Words(text, "title") for text in ("合同", "物業", "物业", "elevator", "层")),
    Words("合同", "keywords"),
    Words("电梯", "text"),
    Words("token-3", TOKEN_FIELD),
    Words("C2", "category"),
    Words("业主档案", "category"),
    Prefix("c", "category"),
    Prefix("elev"),
    Prefix("insp", "title"),
    Prefix("电"),
    Prefix("quick bro"),
    Range("date", "2023", "2023-06"),
    Range("date", None, "2022-03-15"),
    Range("year", "2024", None),
    And((Words("电梯"), Words("记录"))),
    And((Words("合同"), Range("year", "2023", "2024"))),
    And((Words("合同"), Negate(Words("物业")))),
    And((Negate(Words("合同")),)),
    Negate(Words("电梯")),
    Negate(Or((Words("电梯"), Words("层")))),
    Or((Words("层"), Words("elevator"))),
    Or((Words("防水", "title"), Range("year", "2022", "2022"))),
    And((Or((Words("合同"), Words("记录"))), Words("2024"))),
    And((Words("合同", "text"), Words("电梯", "keywords"), Words("C1", "category"))),
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_query_finds_exactly_what_it_should_in_the_right_tiers(house: SearchEngine, query: Query) -> None:
    answer = house.search(ask(query))
    assert {hit.id: hit.tier for hit in answer.hits} == expected(query)
    assert answer.total == len(expected(query))


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_ordered_by_date_a_query_finds_the_same_in_the_same_tiers(house: SearchEngine, query: Query) -> None:
    answer = house.search(ask(query, order=Order.NEWEST))
    assert {hit.id: hit.tier for hit in answer.hits} == expected(query)


@pytest.mark.parametrize("length", range(1, 7))
def test_every_piece_of_a_title_finds_its_record(house: SearchEngine, length: int) -> None:
    han = ["物业服务合同", "三号楼层面防水维修记录", "关于电梯困人事件的处理意见", "层高测量表", "檔案移交清单"]
    for title in han:
        for start in range(len(title) - length + 1):
            query = Words(title[start : start + length])
            assert {hit.id for hit in house.search(ask(query)).hits} == set(expected(query)), query.text


CONDITIONS: list[Condition] = [
    ALWAYS,
    NEVER,
    has("category", CATEGORIES[0]),
    Has("category", frozenset(CATEGORIES[:3])),
    Has("category", frozenset()),
    Has("category", frozenset(new_id() for _ in range(3000)) | {CATEGORIES[1]}),
    has("need_to_know", False),  # noqa: FBT003  (a value among others)
    has("named", PEOPLE[0]),
    Has("named", frozenset(PEOPLE[1:])),
    Has("record", frozenset({UUID(int=3), UUID(int=50), UUID(int=70)})),
    has("department", new_id()),
    has("level", 2),
    Within("place", frozenset({"A1/"})),
    Within("place", frozenset({"A1/02/", "B1/"})),
    Within("place", frozenset()),
    Between("year", 2023, None),
    Between("drawn_from", 20230101, 20230601),
    Between("level", None, 2),
    Between("year", None, None),
    Not(has("state", "filed")),
    Not(Has("place", frozenset({"A1/"}))),
    Not(NEVER),
    All((has("state", "filed"), Not(has("fonds", FONDS[0])))),
    AnyOf((has("fonds", FONDS[0]), Within("place", frozenset({"A10/"})))),
    All((has("level", 3), AnyOf((has("named", PEOPLE[2]), has("medium", "paper"))), Not(Between("year", 2024, 2024)))),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=[f"condition{n}" for n in range(len(CONDITIONS))])
@pytest.mark.parametrize("query", [Everything(), Words("合同"), And((Words("合同"), Negate(Words("电梯"))))], ids=str)
def test_a_condition_lets_through_what_holds_and_nothing_else(
    house: SearchEngine, condition: Condition, query: Query
) -> None:
    allowed = expected(query, condition)
    assert {hit.id: hit.tier for hit in house.search(ask(query, condition=condition)).hits} == allowed
    assert {hit.id: hit.tier for hit in house.search(ask(query, filters=[condition, ALWAYS])).hits} == allowed
    fenced = house.search(ask(query, fences=[condition]))
    assert {hit.id: hit.tier for hit in fenced.hits} == expected(query, Not(condition))
    assert fenced.total == len(fenced.hits)


def test_facets_count_exactly_what_is_found(house: SearchEngine) -> None:
    condition = has("state", "filed")
    query = Words("合同")
    found = expected(query, condition)
    answer = house.search(ask(query, condition=condition, facets=["year", "category", "level", "department"]))
    entries = [one for one in HOUSE if one.id in found]
    assert answer.facets["year"] == _counts(str(one.facts["year"]) for one in entries)
    assert answer.facets["category"] == _counts(one.facts["category"].hex for one in entries)
    assert answer.facets["level"] == _counts(str(one.facts["level"]) for one in entries)
    assert answer.facets["department"] == {}


def _counts(values: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def test_facets_with_many_values_are_complete(engine: SearchEngine) -> None:
    engine.write([entry(n, category=UUID(int=n % 700 + 1)) for n in range(1400)])
    engine.commit()
    counted = engine.search(ask(facets=["category"])).facets["category"]
    assert len(counted) == 700
    assert set(counted.values()) == {2}


def test_only_the_partitions_asked_are_looked_into(house: SearchEngine) -> None:
    answer = house.search(ask(Everything(), "2", facets=["level"]))
    assert {hit.partition for hit in answer.hits} == {"2"}
    assert (answer.total, answer.facets["level"]) == (20, {"2": 20})
    assert house.search(ask(Everything(), "9", "1n")).total == 0
    assert house.search(replace(ask(), partitions=())).total == 0


def test_better_tiers_come_first_and_pages_fit_together(house: SearchEngine) -> None:
    request = ask(Words("电梯"))
    whole = house.search(request).hits
    assert [hit.tier for hit in whole] == sorted((hit.tier for hit in whole), reverse=True)
    pages = [house.search(replace(request, offset=at, limit=7)).hits for at in range(0, len(whole), 7)]
    assert [hit for page in pages for hit in page] == list(whole)


@pytest.mark.parametrize(("order", "reverse"), [(Order.NEWEST, True), (Order.OLDEST, False)])
def test_dates_order_a_page(house: SearchEngine, order: Order, reverse: bool) -> None:
    days = {one.id: one.facts["drawn_from"] for one in HOUSE}
    shown = [days[hit.id] for hit in house.search(ask(Words("合同"), order=order)).hits]
    assert shown == sorted(shown, reverse=reverse)
    first = house.search(replace(ask(Words("合同"), order=order), limit=5)).hits
    assert [days[hit.id] for hit in first] == shown[:5]


def test_everything_is_ordered_newest_first(house: SearchEngine) -> None:
    days = {one.id: one.facts["drawn_from"] for one in HOUSE}
    shown = [days[hit.id] for hit in house.search(ask()).hits]
    assert shown == sorted(shown, reverse=True)


def test_hidden_records_under_need_to_know_move_nothing(engine: SearchEngine) -> None:
    visible = [entry(n, "3n", named=frozenset({PEOPLE[0]})) for n in range(12)]
    request = ask(Words("电梯"), "3n", condition=has("named", PEOPLE[0]))
    engine.write(visible)
    engine.commit()
    before = engine.search(request)
    engine.write([entry(n, "3n", named=frozenset()) for n in range(100, 200)])
    engine.commit()
    assert engine.search(request) == before


def test_a_search_deeper_than_the_limit_is_refused(house: SearchEngine) -> None:
    with pytest.raises(InvalidInput) as refused:
        house.search(replace(ask(), offset=DEEPEST, limit=1))
    assert refused.value.faults[0].code == "too_deep"


def test_a_write_takes_the_place_of_the_former_one(engine: SearchEngine) -> None:
    engine.write([entry(1)])
    engine.commit()
    newer = replace(entry(1, version=2), texts={"title": ["竣工图"]})
    engine.write([newer])
    engine.write([newer])
    engine.commit()
    assert [(hit.id, hit.version) for hit in engine.search(ask(Words("竣工"))).hits] == [(newer.id, 2)]
    assert engine.search(ask()).total == 1
    assert list(engine.versions("3")) == [(newer.id, 2)]


def test_nothing_written_is_found_before_the_commit(house: SearchEngine) -> None:
    house.write([entry(500)], [Tombstone(HOUSE[0].id, 2, "3")])
    assert house.search(ask()).total == len(HOUSE)
    house.commit()
    assert house.search(ask(condition=has("record", UUID(int=501)))).total == 1
    assert house.search(ask(condition=has("record", HOUSE[0].id))).total == 0


def test_a_tombstone_takes_a_record_out_of_its_partition_only(engine: SearchEngine) -> None:
    engine.write([entry(1), entry(1, "2", 2)], [Tombstone(UUID(int=2), 2, "3"), Tombstone(UUID(int=9), 2, "8")])
    engine.commit()
    answer = engine.search(ask(facets=["level"]))
    assert [(hit.partition, hit.version) for hit in answer.hits] == [("2", 2)]
    assert (answer.total, answer.facets["level"], engine.count("3")) == (1, {"2": 1}, 0)


def test_versions_lists_what_is_found(house: SearchEngine) -> None:
    assert sorted(house.partitions()) == ["2", "3", "3n"]
    for name in ("2", "3", "3n"):
        assert sorted(house.versions(name)) == sorted((one.id, 1) for one in HOUSE if one.partition == name)
        assert house.count(name) == sum(one.partition == name for one in HOUSE)
    assert (list(house.versions("7")), house.count("7")) == ([], 0)


def test_a_partition_made_anew_takes_its_place_while_searches_go_on(house: SearchEngine) -> None:
    with house.rebuilding("2") as rebuild:
        rebuild.write([one for one in HOUSE if one.partition == "2"][:5])
        assert house.search(ask(Everything(), "2")).total == 20
        house.write([entry(44, "2", 7), entry(300, "2")], [Tombstone(UUID(int=42), 2, "2")])
        house.commit()
        assert house.count("2") == 20
        rebuild.write([one for one in HOUSE if one.partition == "2"][5:10])
        rebuild.finish()
    kept = dict(house.versions("2"))
    assert len(kept) == 10
    assert (kept[UUID(int=45)], UUID(int=42) in kept, UUID(int=301) in kept) == (7, False, True)
    assert house.search(ask(Everything(), "3")).total == 40


def test_a_rebuild_given_up_leaves_the_old_partition(house: SearchEngine) -> None:
    with house.rebuilding("2") as rebuild:
        rebuild.write([entry(600, "2")])
    assert house.count("2") == 20
    house.write([entry(601, "2")])
    house.commit()
    assert house.count("2") == 21


def test_a_dropped_partition_is_empty(house: SearchEngine) -> None:
    house.drop("2")
    house.drop("2")
    assert house.search(ask()).total == len(HOUSE) - 20
    assert "2" not in house.partitions()


def test_random_trees_agree_with_the_truth(house: SearchEngine) -> None:
    pick = random.Random(7)
    leaves = [query for query in QUERIES if isinstance(query, Words | Prefix | Range)]

    def tree(depth: int) -> Query:
        if depth == 0 or pick.random() < 0.3:
            return pick.choice(leaves)
        parts = tuple(tree(depth - 1) for _ in range(pick.randint(1, 3)))
        return pick.choice([And(parts), Or(parts), Negate(parts[0])])

    for _ in range(150):
        query, condition = tree(3), pick.choice(CONDITIONS)
        answer = house.search(ask(query, condition=condition))
        assert {hit.id: hit.tier for hit in answer.hits} == expected(query, condition), query


class TestTantivyOnDisk:
    def test_what_was_committed_is_there_after_reopening_and_the_rest_is_not(self, tmp_path: Path) -> None:
        first = TantivyEngine(tmp_path)
        first.write(HOUSE)
        first.commit()
        first.write([entry(800)])
        first.close()
        assert TantivyEngine(tmp_path).search(ask()).total == len(HOUSE)

    def test_a_reader_in_another_process_sees_commits_rebuilds_and_drops(self, tmp_path: Path) -> None:
        writer, reader = (TantivyEngine(tmp_path, seconds=_never_idle()) for _ in range(2))
        assert reader.search(ask()).total == 0
        writer.write(HOUSE)
        writer.commit()
        assert reader.search(ask()).total == len(HOUSE)
        with writer.rebuilding("3") as rebuild:
            rebuild.write([entry(1)])
            rebuild.finish()
        assert reader.search(ask(Everything(), "3")).total == 1
        writer.drop("3")
        assert reader.search(ask(Everything(), "3")).total == 0

    @pytest.mark.parametrize("harm", ["meta gone", "meta torn", "segments gone", "pointer torn"])
    def test_a_broken_partition_is_empty_and_known_until_it_is_made_anew(self, tmp_path: Path, harm: str) -> None:
        engine = TantivyEngine(tmp_path)
        engine.write(HOUSE)
        engine.commit()
        engine.close()
        [pointer] = tmp_path.glob("*-3/CURRENT")
        [meta] = tmp_path.glob("*-3/*/meta.json")
        if harm == "meta gone":
            meta.unlink()
        elif harm == "meta torn":
            meta.write_text(meta.read_text()[:40])
        elif harm == "pointer torn":
            pointer.write_text("{")
        else:
            for part in meta.parent.glob("*.store"):
                part.unlink()
        again = TantivyEngine(tmp_path, seconds=_never_idle())
        assert again.search(ask(Everything(), "3")).total == 0
        assert again.search(ask(Everything(), "2")).total == 20
        assert again.needs_rebuild() == {"3"}
        again.write([entry(1)])
        again.commit()
        assert again.count("3") == 1
        assert TantivyEngine(tmp_path).needs_rebuild() == {"3"}
        with again.rebuilding("3") as rebuild:
            rebuild.write([one for one in HOUSE if one.partition == "3"])
            rebuild.finish()
        assert again.needs_rebuild() == frozenset()
        assert TantivyEngine(tmp_path).search(ask()).total == len(HOUSE)

    def test_two_processes_do_not_write_at_once(self, tmp_path: Path) -> None:
        first, second = TantivyEngine(tmp_path), TantivyEngine(tmp_path)
        first.write([entry(1)])
        with pytest.raises(Unavailable):
            second.write([entry(2)])
        first.close()

    def test_no_text_and_no_other_engine_files_are_kept_in_plain(self, tmp_path: Path) -> None:
        engine = TantivyEngine(tmp_path)
        engine.write(HOUSE)
        engine.commit()
        engine.close()
        stores = [part.read_bytes() for part in tmp_path.rglob("*.store")]
        assert stores
        assert not any("合同".encode() in part for part in stores)
