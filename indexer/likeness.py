"""The likeness of texts: a MinHash signature of a text's shingles, cut into keyed bands by which like ones meet."""

import hashlib
import operator
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from rensa import RMinHash

from archive.ports import Vault
from indexer.pagetext import Page

SHINGLE = 3
"""Characters of a shingle: a changed character in Chinese touches three shingles, an unrelated text shares few."""

LEAST_CHARS = 200
MOST_CHARS = 2_000_000
"""A text shorter than the one has no likeness; of a longer one than the other only so much counts."""

VALUES = 256
BANDS = 25
ROWS = 5
"""Two texts with four fifths of their shingles in common share one of 25 bands of 5 values nearly always."""

TOLD_FROM = 83
"""Percent of shingles in common from which on two texts are told as nearly the same."""

_SEED = 1
_BLOCK = 50_000
_SHAPE = struct.Struct(f">B32s{VALUES}I")
_FORMAT = 1
_BAND = struct.Struct(f">B{ROWS}I")


@dataclass(frozen=True)
class Signature:
    """What is kept of a text: its digest (SHA-256) and ``VALUES`` numbers of 32 bits."""

    digest: bytes
    values: tuple[int, ...]

    def packed(self) -> bytes:
        """Return it as bytes, to be sealed."""
        return _SHAPE.pack(_FORMAT, self.digest, *self.values)

    def percent(self, other: "Signature") -> int:
        """Return the estimated share of their shingles that two texts have in common (Jaccard), in whole percent."""
        alike: int = sum(map(operator.eq, self.values, other.values))
        return 100 * alike // VALUES

    def bands(self, vault: Vault) -> list[int]:
        """Return the band values, keyed with the house's secret: signed numbers of 64 bits."""
        return [
            int.from_bytes(
                bytes.fromhex(vault.token("likeness", _BAND.pack(at, *self.values[at * ROWS :][:ROWS]).hex()))[:8],
                signed=True,
            )
            for at in range(BANDS)
        ]


def unpacked(data: bytes) -> Signature | None:
    """Return what ``packed`` made; None: it is of another format."""
    if len(data) != _SHAPE.size or data[0] != _FORMAT:
        return None
    _, digest, *values = _SHAPE.unpack(data)
    return Signature(digest, tuple(values))


def signature(pages: Iterable[Page]) -> Signature | None:
    """Return the signature of a text, whatever its white space; None: it is too short to say anything."""
    hashed, whole = RMinHash(num_perm=VALUES, seed=_SEED), hashlib.sha256()
    length, carried = 0, ""
    for page in pages:
        text = "".join(page.folded.split())
        whole.update(text.encode())
        for start in range(0, len(text), _BLOCK):
            if length >= MOST_CHARS:
                break
            block = text[start : start + _BLOCK]
            length += len(block)
            block = carried + block
            # one that comes twice changes nothing, and takes less than to find out that it does
            hashed.update([block[at : at + SHINGLE] for at in range(len(block) - SHINGLE + 1)])
            carried = block[-(SHINGLE - 1) :]
    return Signature(whole.digest(), tuple(hashed.digest())) if length >= LEAST_CHARS else None
