"""What is gone is found in texts and documents by its id, its number and its key, and by nothing that only looks so."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Damaged, KeyUnavailable
from retention.gone.traces import Wanted, names
from storage.erasing import FileErasing, RingPassingKey
from storage.objects import FileStore
from storage.ring import KeyRing

GONE = UUID("01a2194c-5066-71c3-85f4-156658262b09")
WANTED = Wanted({GONE}, {"H001-WS·2010·D10-0007", "ab/01a2"})

AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text("0123456789abcdef-", max_size=40)
NESTED = st.recursive(st.none() | AROUND | st.integers(), lambda part: st.lists(part) | st.dictionaries(AROUND, part))


@given(before=AROUND, after=AROUND, plain=st.booleans())
def test_an_id_is_found_wherever_it_stands(before: str, after: str, plain: bool) -> None:
    text = before + (GONE.hex if plain else str(GONE)) + after
    assert names(text, WANTED)
    assert names({"a": [1, text]}, WANTED)


@given(NESTED)
def test_a_number_is_found_in_a_document_where_it_stands_alone(part: Any) -> None:
    assert names([part, {"number": "H001-WS·2010·D10-0007"}], WANTED)
    assert names({"ab/01a2": part}, WANTED)
    assert not names([part, "H001-WS·2010·D10-00071"], WANTED)


@given(st.uuids())
def test_another_id_is_none_of_it(other: UUID) -> None:
    assert names(str(other), WANTED) is (other == GONE)


def test_a_passing_key_opens_until_it_ends_and_never_again(tmp_path: Path) -> None:
    ring, key_id = KeyRing.create(tmp_path / "keys"), uuid4()
    key = RingPassingKey(ring, key_id)
    sealed = key.seal("罕见".encode(), context="a")
    assert RingPassingKey(KeyRing.open(tmp_path / "keys"), key_id).open(sealed, context="a") == "罕见".encode()
    with pytest.raises(Damaged):
        key.open(sealed, context="b")
    key.end()
    key.end()
    for act in (lambda: key.open(sealed, context="a"), lambda: key.seal(b"more", context="a")):
        with pytest.raises(KeyUnavailable):
            act()


def test_every_version_of_a_key_goes_and_no_neighbour(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    for key in ("ab/1", "ab/1", "ab/11", "ab/2"):
        store.put(key, [b"bytes"])
    erasing = FileErasing(store)
    assert erasing.standing(["ab/1", "ab/2", "ab/3"]) == {"ab/1": 2, "ab/2": 1}
    assert erasing.erase({"ab/1": None, "ab/3": "1"}) == frozenset()
    assert sorted(each.key for each in store.list()) == ["ab/11", "ab/2"]
