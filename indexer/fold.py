"""One fold for texts and queries: what looks the same to a person searching becomes the same characters.

Fold = NFKC, case folding, and ``fold_table.txt`` (each code point alone: traditional to simplified, variants, radical
forms, invisible marks dropped). Two texts that a person would call the same meet; a few different ones meet too
(後 and 后): an unfolded field, where exactness counts, tells them apart.

The same fold serves the index and the query; ``FOLD_VERSION`` changes whenever its results may, and an index built
with another version must be rebuilt.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_SHORT = 96  # in a text no longer, one translate pass beats looking for what changes
_MANY = 48  # above this many distinct changed characters it beats a replace for each
_COMPOSING = re.compile(  # start characters that join the one before them, or may
    "[\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e"
    "\u1160-\u11ff\u1b35\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930]"
)
_SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028"
    "\u2029\u202f\u205f\u3000"
)
_SEPARATORS = _SPACES + "-‐‑‒–—―−⁃﹘_/\\⁄∕.·•・‧∙⋅･。~∼"
_NUMBER_SIGNS = str.maketrans(
    "[{〔【〈《「『〖]}〕】〉》」』〗" + _SEPARATORS, "((((((((()))))))))" + "-" * len(_SEPARATORS)
)
_DASHES = re.compile("--+")


class _Table(NamedTuple):
    version: str
    rows: dict[str, str]


def _load(path: Path) -> _Table:
    header, rows = {}, {}
    text = path.read_text(encoding="ascii")
    for line in text.splitlines():
        if line.startswith("#"):
            name, _, value = line[2:].partition(" ")
            header[name] = value
        else:
            key, *values = line.split()
            rows[chr(int(key, 16))] = "".join(chr(int(value, 16)) for value in values)
    body = "".join(line + "\n" for line in text.splitlines() if not line.startswith("#"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    if digest != header.get("sha256") or len(rows) != int(header.get("count", 0)):
        raise ValueError("fold_table.txt does not match its own header: make it anew")
    return _Table(f"{header['version']}-{digest[:8]}-{unicodedata.unidata_version}", rows)


class _Folding(dict[int, str]):
    """Code point to its fold, worked out when first met: few of a million are."""

    def __init__(self, rows: dict[str, str]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, code: int) -> str:
        before, text = "", chr(code)
        while text != before:
            before = text
            text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
            text = "".join(self._rows.get(character, character) for character in text)
        self[code] = text
        return text


class _NumberFolding(dict[int, str]):
    """Code point to what it is in a number, where it stands by itself."""

    def __missing__(self, code: int) -> str:
        self[code] = text = _FOLDING[code].translate(_NUMBER_SIGNS)
        return text


_LOADED = _load(Path(__file__).with_name("fold_table.txt"))
_FOLDING = _Folding(_LOADED.rows)

_NUMBER_FOLDING = _NumberFolding()

FOLD_VERSION: str = _LOADED.version
"""Version of the table, the head of its hash, and Python's Unicode version: any difference asks for a rebuild."""


def fold(text: str) -> str:
    """The form in which texts and queries meet. Folding twice changes nothing; length may change."""
    if text.isascii():
        return text.lower()
    plain = text.translate(_FOLDING) if len(text) <= _SHORT else _fold_long(text)
    # A mark may join the character before it only now, and what they make may have a fold of its own.
    return plain if unicodedata.is_normalized("NFKC", plain) else fold(unicodedata.normalize("NFKC", plain))


def _fold_long(text: str) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > 2 * len(text):  # mostly Han: even to tell them apart takes longer
        return text.translate(_FOLDING)
    changed = [character for character in set(text) if _FOLDING[ord(character)] != character]
    if len(changed) > _MANY:
        return text.translate(_FOLDING)
    for character in changed:
        text = text.replace(character, _FOLDING[ord(character)])
    return text


def fold_with_map(text: str) -> tuple[str, Sequence[int]]:
    """The fold, and for each of its characters the offset in ``text`` of the character it came from.

    One more offset stands at the end (``len(text)``), so that ``offsets[end]`` is always defined. A character that
    becomes several gives each of them its own offset; several that become one give the first's.
    """
    folded = fold(text)
    if len(folded) == len(text) and _one_to_one(text):
        return folded, range(len(text) + 1)
    offsets: list[int] = []
    pieces: list[str] = []
    for start, end in pairwise(_cluster_starts(text)):
        piece = fold(text[start:end])
        pieces.append(piece)
        offsets.extend([start] * len(piece))
    if "".join(pieces) != folded:
        return folded, _stretched(len(text), len(folded))
    offsets.append(len(text))
    return folded, offsets


def _one_to_one(text: str) -> bool:
    """Whether each character of ``text`` folds to exactly one, so that offsets stay what they are."""
    if text.isascii():
        return True
    singly = all(len(_FOLDING[ord(character)]) == 1 for character in set(text))
    return singly and unicodedata.is_normalized("NFC", text)


def fold_number(text: str) -> str:
    """The form in which archive and document numbers meet: every dash, dot, slash and space is one ``-``.

    Brackets of all shapes are round ones (沪房〔2011〕3号 and 沪房[2011]3号 meet); separators at the ends go. Holds no
    white space.
    """
    plain = text.translate(_NUMBER_FOLDING)
    if not plain.isascii():  # what joins other characters, and may change them, is never ASCII
        plain = fold(text).translate(_NUMBER_SIGNS)
    return (_DASHES.sub("-", plain) if "--" in plain else plain).strip("-")


def _cluster_starts(text: str) -> list[int]:
    starts = [index for index, character in enumerate(text) if index == 0 or not _joins(character)]
    starts.append(len(text))
    return starts


@lru_cache(maxsize=8192)
def _joins(character: str) -> bool:
    first = unicodedata.normalize("NFKD", character)[0]
    return bool(unicodedata.combining(first)) or bool(_COMPOSING.match(first)) or not _FOLDING[ord(character)]


def _stretched(length: int, folded_length: int) -> list[int]:
    """The last resort for rare joinings that no cluster rule foresees: offsets in proportion, never out of range."""
    return [index * length // max(folded_length, 1) for index in range(folded_length)] + [length]
