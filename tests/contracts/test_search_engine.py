"""What every search engine must find, in which order, and how it counts."""

import random
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from archive.errors import InvalidInput
from archive.ids import new_id
from archive.policy.condition import ALWAYS, NEVER, All, AnyOf, Between, Condition, Has, Not, Within, has
from indexer.engine import DEEPEST, TOKEN_FIELD, EngineHit, Order, SearchEngine
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from tests.factories.engine_house import CATEGORIES, FONDS, HOUSE, PEOPLE, ask, entry, expected

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


@pytest.mark.parametrize("text", ["完张", "完，张", "完。 张"])
def test_no_phrase_runs_from_one_text_into_the_next(engine: SearchEngine, text: str) -> None:
    apart = replace(entry(0), texts={"title": ["一"], "text": ["验收已完。", "张三签字"]})
    joined = replace(entry(1), texts={"title": ["二"], "text": ["验收已完。张三签字"]})
    engine.write([apart, joined])
    engine.commit()
    wanted = [joined.id] if len(text) > 2 else []
    assert [hit.id for hit in engine.search(ask(Words(text, "text"))).hits] == wanted


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


@pytest.mark.parametrize("order", [Order.NEWEST, Order.OLDEST])
@pytest.mark.parametrize("query", [Everything(), Words("合同")])
def test_a_page_in_an_order_by_date_begins_behind_any_hit(house: SearchEngine, order: Order, query: Query) -> None:
    request = ask(query, order=order, facets=["level"])
    whole = house.search(request)
    walked: list[EngineHit] = []
    while len(walked) < whole.total:
        after = (walked[-1].date_key, walked[-1].id) if walked else None
        page = house.search(replace(request, limit=7, after=after))
        assert (page.total, page.facets) == (whole.total, whole.facets)
        walked += page.hits
    assert walked == list(whole.hits)
    assert not house.search(replace(request, after=(walked[-1].date_key, walked[-1].id))).hits


@pytest.mark.parametrize("order", [Order.NEWEST, Order.OLDEST])
def test_none_of_equal_date_keys_is_skipped_or_comes_twice(engine: SearchEngine, order: Order) -> None:
    same = {**entry(0).facts, "drawn_from": 20240101}
    keys = [UUID(int=high << 64 | 5) for high in range(1, 7)]
    engine.write([replace(entry(0), id=key, facts=same | {"record": key}) for key in keys])
    engine.commit()
    walked: list[UUID] = []
    after = None
    for _ in range(3):
        page = engine.search(replace(ask(Everything(), "3", order=order), limit=2, after=after)).hits
        walked += [hit.id for hit in page]
        after = (page[-1].date_key, page[-1].id)
    assert walked == keys


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
