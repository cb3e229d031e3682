"""Rows and entries side by side: each record comes once, with what either side holds of it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from indexer.engine import Indexed
from indexer.side_by_side import Noted, Pair, paired

IDS = st.dictionaries(st.integers(0, 40).map(lambda number: UUID(int=number << 90)), st.integers(1, 3))


@given(IDS, IDS)
def test_each_record_of_either_side_comes_once(rows: dict[UUID, int], held: dict[UUID, int]) -> None:
    entries = [Indexed(key, version, 2**64 - 1) for key, version in held.items()]
    with Noted(entries) as noted:
        found = list(paired(sorted(rows.items()), noted.in_order()))
    of = {each.id: each for each in entries}
    assert found == [Pair(key, rows.get(key), of.get(key)) for key in sorted(rows.keys() | held.keys())]
    assert {each.id for each in found if each.same} == {key for key in rows if rows[key] == held.get(key)}


def test_what_an_engine_holds_twice_is_told_twice() -> None:
    key = UUID(int=7)
    twice = [Indexed(key, 1, 5), Indexed(key, 2, 6)]
    with Noted(twice) as noted:
        assert list(paired([(key, 2)], noted.in_order())) == [Pair(key, 2, twice[0]), Pair(key, None, twice[1])]


def test_more_than_a_page_comes_in_order() -> None:
    entries = [Indexed(UUID(int=(number * 7919) % 5003), number, -number) for number in range(5003)]
    with Noted(entries) as noted:
        assert list(noted.in_order()) == sorted(entries)
