"""The mark by which an index entry is told from one that would say something else."""

from dataclasses import replace
from uuid import UUID

import pytest

from indexer.engine import IndexEntry
from indexer.terms import mark_of, terms_of

ENTRY = IndexEntry(
    id=UUID(int=1),
    version=3,
    partition="2n",
    facts={"record": UUID(int=1), "fonds": UUID(int=2), "state": "filed", "place": "A1/02/", "level": 2,
           "need_to_know": True, "named": frozenset({UUID(int=9)}), "year": 2024, "drawn_from": 20240305},
    texts={"title": ["电梯年度检验"], "number": ["H001-2024-0001", "A-7"], "text": ["第一页", "半\ud842"]},
    tokens=["t2", "t1"],
    codes={"fonds": ("H001", "和园", "和園"), "term": ("D30",)},
)  # fmt: skip


MARK = 66149745206814525


def mark(entry: IndexEntry) -> int:
    return mark_of(entry, terms_of(entry))


def test_an_entry_has_the_mark_that_indices_hold_of_it() -> None:
    assert mark(ENTRY) == MARK  # another one, and every index that stands would have to be made anew


def test_the_order_of_what_is_said_makes_no_other_mark() -> None:
    turned = {name: list(reversed(values)) for name, values in reversed(ENTRY.texts.items())}
    facts = dict(reversed(ENTRY.facts.items()))
    other = replace(ENTRY, texts=turned, facts=facts, tokens=["t1", "t2"], version=4, codes={"term": ("D30",),
                    "fonds": ("和園", "H001")})  # fmt: skip
    assert mark(other) == mark(ENTRY)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ["电梯年度"]},
        {"number": ["H001-2024-0001"]},
        {"text": ["第一页半\ud842"]},
        {"notes": ["第一页", "半\ud842"], "text": []},
    ],
    ids=["words", "fewer", "joined", "elsewhere"],
)
def test_what_says_something_else_has_another_mark(change: dict[str, list[str]]) -> None:
    assert mark(replace(ENTRY, texts={**ENTRY.texts, **change})) != mark(ENTRY)


def test_another_fact_is_another_mark() -> None:
    assert mark(replace(ENTRY, facts={**ENTRY.facts, "year": 2023})) != mark(ENTRY)
