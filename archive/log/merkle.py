"""The Merkle tree hash of RFC 6962, grown leaf by leaf, and inclusion proofs.

Leaves are entry hashes (already marked 0x00); a node is SHA-256(0x01 || left || right).
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees of a growing tree, largest first: all that is needed to go on.

    A million leaves need twenty hashes.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(size)
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read what ``to_bytes`` wrote.

        Raises:
            ValueError: the bytes are not those of a tree of ``size`` leaves.
        """
        if len(data) % HASH_BYTES:
            raise ValueError(size)
        return cls(size, [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])

    def to_bytes(self) -> bytes:
        """Return the subtree roots joined, largest first."""
        return b"".join(self._peaks)

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        carried, full = leaf, self.size
        while full & 1:
            carried = node(self._peaks.pop(), carried)
            full >>= 1
        self._peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """Return the tree hash over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the tree hash over ``leaves``."""
    tree = Frontier()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def inclusion_proofs(leaves: Iterable[bytes], size: int, wanted: Collection[int]) -> dict[int, list[bytes]]:
    """Return the audit paths of some leaves (from 0) in the tree over all ``size``, nearest sibling first.

    The leaves are gone through once, and only what lies on a path is kept.

    Raises:
        IndexError: there is no such leaf.
    """
    if any(not 0 <= index < size for index in wanted):
        raise IndexError(size)
    top = (size - 1).bit_length() if size else 0
    last = [(size - 1) >> level for level in range(top + 1)]
    beside = {
        index: [(level, (index >> level) ^ 1) for level in range(top) if (index >> level) ^ 1 <= last[level]]
        for index in wanted
    }
    kept = dict.fromkeys((place for places in beside.values() for place in places), b"")
    lone = [b""] * (top + 1)  # by level: the node whose right sibling is still to come
    for at, leaf in enumerate(leaves):
        index, carried = at, leaf
        for level in range(top + 1):
            if (level, index) in kept:
                kept[level, index] = carried
            if index & 1:
                carried = node(lone[level], carried)
            elif index < last[level]:
                lone[level] = carried
                break
            index >>= 1
    return {index: [kept[place] for place in places] for index, places in beside.items()}


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` is leaf ``index`` of the tree of ``size`` leaves with this ``root``."""
    if not 0 <= index < size:
        return False
    at, last, carried = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            carried = node(sibling, carried)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            carried = node(carried, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and carried == root
