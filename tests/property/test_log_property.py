"""The tree hash grown leaf by leaf is the one of RFC 6962, and its proofs prove only what is true."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from archive.log.merkle import Frontier, included, inclusion_proofs, node, root_of

leaves_of = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(by_definition(leaves[:k]), by_definition(leaves[k:]))


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_the_one_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


@given(leaves_of, st.integers(0, 70))
def test_a_tree_goes_on_from_its_frontier(leaves: list[bytes], cut: int) -> None:
    first = Frontier()
    for leaf in leaves[:cut]:
        first.add(leaf)
    resumed = Frontier.from_bytes(first.size, first.to_bytes())
    for leaf in leaves[cut:]:
        resumed.add(leaf)
    assert resumed.root() == by_definition(leaves)


@given(leaves_of, st.data())
def test_every_leaf_is_proved_at_its_place_and_nowhere_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))
    root, paths = root_of(leaves), inclusion_proofs(iter(leaves), len(leaves), {index, other})
    path = paths[index]
    assert included(leaves[index], index, len(leaves), path, root)
    if other != index:
        assert not included(leaves[other], index, len(leaves), path, root)
        assert not included(leaves[index], other, len(leaves), path, root)
    assert not included(leaves[index], index, len(leaves), [*path, root], root)
    if path:
        assert not included(leaves[index], index, len(leaves), path[:-1], root)
