"""Rows and entries side by side: each record comes once, with what either side holds of it."""

import tempfile
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Unavailable
from indexer.engine import Indexed
from indexer.side_by_side import Noted, Pair, paired

IDS = st.dictionaries(st.integers(0, 40).map(lambda number: UUID(int=number << 90)), st.integers(1, 3))


@given(IDS, IDS)
def test_each_record_of_either_side_comes_once(rows: dict[UUID, int], held: dict[UUID, int]) -> None:
    entries = [Indexed(key, version, 2**64 - 1) for key, version in held.items()]
    with Noted(Path(tempfile.gettempdir())) as noted:
        noted.note(entries)
        found = list(paired(sorted(rows.items()), noted.in_order()))
    of = {each.id: each for each in entries}
    assert found == [Pair(key, rows.get(key), of.get(key)) for key in sorted(rows.keys() | held.keys())]
    assert {each.id for each in found if each.same} == {key for key in rows if rows[key] == held.get(key)}


def test_what_an_engine_holds_twice_is_told_twice(tmp_path: Path) -> None:
    key = UUID(int=7)
    twice = [Indexed(key, 1, 5), Indexed(key, 2, 6)]
    with Noted(tmp_path) as noted:
        noted.note(twice)
        assert list(paired([(key, 2)], noted.in_order())) == [Pair(key, 2, twice[0]), Pair(key, None, twice[1])]


def test_more_than_a_page_comes_in_order_and_leaves_no_file(tmp_path: Path) -> None:
    entries = [Indexed(UUID(int=(number * 7919) % 5003), number, -number) for number in range(5003)]
    with Noted(tmp_path / "run") as noted:
        noted.note(entries)
        assert list((tmp_path / "run").iterdir()) == []
        assert list(noted.in_order()) == sorted(entries)


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Noted(tmp_path / "file")


def test_what_many_entries_take_is_not_memory(tmp_path: Path) -> None:
    many = 40_000
    rows = ((UUID(int=number), 1) for number in range(many))

    def entries() -> Iterator[Indexed]:
        return (Indexed(UUID(int=number), 1, number) for number in reversed(range(many)))

    def compared() -> Iterable[Pair]:
        with Noted(tmp_path) as noted:
            noted.note(entries())
            yield from paired(rows, noted.in_order())

    tracemalloc.start()
    try:
        assert all(each.same for each in compared())
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # as a table of all of them more than twice as much
    finally:
        tracemalloc.stop()
