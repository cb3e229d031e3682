"""Finds where a query stands in page text, and cuts readable passages with the hits marked.

Pages come folded (``pagetext`` keeps both forms), so that a search is one regular expression per leaf over each page;
only the few pages that are shown are mapped back to the characters as written. What is found here is what
``words`` says a phrase finds.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from indexer.fields import BY_NAME, FieldKind
from indexer.fold import fold, fold_number, fold_with_map
from indexer.query.tree import And, Negate, Or, Prefix, Query, Words
from indexer.words import GAP, HAN, WORD, Phrase, query_terms

CONTEXT = 40
"""Characters shown on each side of a hit."""
_ENOUGH = 20  # matching pages looked at for each passage wanted, in the hope of a page with more of the query
_MOST_MARKS = 200

_SEPARATOR = rf"[^{HAN}\w]|_"
_BORDER = rf"(?:{_SEPARATOR})+"
_MARKED_GAP = rf"\s*(?:[^{HAN}\w\s]|_)(?:{_SEPARATOR})*"
_NUMBER_PARTS = {
    "-": r"[\s\-‐‑‒–—―−⁃﹘_/\\⁄∕.·•・‧∙⋅･。~∼]+",
    "(": r"[(\[{〔【〈《「『〖]",
    ")": r"[)\]}〕】〉》」』〗]",
}
_RUN_START = re.compile(rf"(?<!{WORD})(?={WORD})|[{HAN}]|\n")


class FoldedPage(Protocol):
    """One page: its number as shown (from 1), its text as extracted, and that text folded."""

    @property
    def number(self) -> int:
        """The page's number, from 1."""

    @property
    def text(self) -> str:
        """The text as extracted."""

    @property
    def folded(self) -> str:
        """``fold(text)``."""


@dataclass(frozen=True)
class Passage:
    """A piece of a page around hits; ``marks`` are (start, end) offsets in ``text``, in order, not overlapping.

    ``cut_before`` and ``cut_after`` say that the page goes on there; ``content_id`` whose page it is, where known.
    """

    page: int
    text: str
    marks: tuple[tuple[int, int], ...]
    cut_before: bool = False
    cut_after: bool = False
    content_id: UUID | None = None


@dataclass(frozen=True)
class _Hit:
    """A page with hits: how many different leaves, and its place in the order read."""

    page: FoldedPage
    leaves: int
    order: int


def find_passages(query: Query, pages: Iterable[FoldedPage], most: int = 3, context: int = CONTEXT) -> list[Passage]:
    """Up to ``most`` passages, in page order, from the pages that hold most of the query's different words.

    Reads ``pages`` only as far as it must: it stops when it has ``most`` pages that hold every word, or has seen
    enough matching pages. Leaves under a negation, and of fields other than ``text``, are passed over.
    """
    patterns = [leaf_pattern(leaf) for leaf in _leaves(query, "text")]
    if not patterns or most < 1:
        return []
    cutter = _Cutter(patterns, context)
    chosen = [
        [(hit.order, start, passage) for start, passage in cutter.passages(hit.page, most)]
        for hit in _best_pages(patterns, pages, most)
    ]
    first = [found[0] for found in chosen if found]
    others = [one for found in chosen for one in found[1:]]
    return [passage for _, _, passage in sorted((first + others)[:most], key=lambda one: one[:2])]


def pages_with(query: Query, pages: Iterable[FoldedPage]) -> Iterator[int]:
    """Yield the numbers of the pages on which a query's words stand, in the order read."""
    patterns = [leaf_pattern(leaf) for leaf in _leaves(query, "text")]
    for page in pages if patterns else ():
        if any(pattern.search(page.folded) for pattern in patterns):
            yield page.number


def marks_in(query: Query, text: str, field: str = "title") -> list[tuple[int, int]]:
    """Where the query's words stand in a short text of ``field``: (start, end) offsets in order, not overlapping."""
    leaves = _leaves(query, field)
    if not leaves:
        return []
    folded, offsets = fold_with_map(text)
    number = field in BY_NAME and BY_NAME[field].kind is FieldKind.NUMBER
    patterns = [number_pattern(leaf.text) if number else leaf_pattern(leaf) for leaf in leaves]
    return [_back(span, offsets) for span in _spans(patterns, folded)]


@lru_cache(maxsize=512)
def leaf_pattern(leaf: Words | Prefix) -> re.Pattern[str]:
    """A regular expression that finds the leaf in folded text."""
    return _pattern(query_terms(leaf.text, prefix=isinstance(leaf, Prefix)), isinstance(leaf, Prefix))


def number_pattern(text: str) -> re.Pattern[str]:
    """A regular expression that finds a part of a number in folded text."""
    return re.compile("".join(_NUMBER_PARTS.get(c, re.escape(c)) for c in fold_number(text)) or r"(?!)")


def _leaves(query: Query, field: str) -> list[Words | Prefix]:
    """The leaves that may be marked in ``field``, each once; none under a negation."""
    match query:
        case Words() | Prefix():
            return [query] if query.field in {None, field} else []
        case And() | Or():
            found = [leaf for part in query.parts for leaf in _leaves(part, field)]
            return list({(type(leaf), leaf.text): leaf for leaf in found}.values())
        case Negate():
            return []
        case _:
            return []


def _pattern(phrase: Phrase, prefix: bool) -> re.Pattern[str]:
    if not phrase.terms:
        return re.compile(r"(?!)")
    parts: list[str] = []
    before = ""
    for kind, run in _runs(phrase):
        if kind == "gap":
            before = "gap"
            continue
        if before == "gap":
            parts.append(_MARKED_GAP)
        elif before:
            parts.append(_BORDER if before == kind == "word" else r"\s*")
        parts.append(r"\s*".join(map(re.escape, run)) if kind == "han" else re.escape(run))
        before = kind
    first, last = phrase.terms[0], phrase.terms[-1]
    head = rf"(?<!{WORD})" if re.match(WORD, first) else ""
    tail = rf"(?!{WORD})" if re.match(WORD, last) and not prefix else ""
    # The border is tried behind the first character, so that the search itself can skip to that character.
    if head and len(first) > 1:
        body = "".join(parts)
        lead = re.escape(first[0])
        return re.compile(f"{lead}(?<!{WORD}{lead}){body[len(lead) :]}{tail}")
    return re.compile(head + "".join(parts) + tail)


def _runs(phrase: Phrase) -> Iterator[tuple[str, str]]:
    """The runs of text that the tokens were cut from: ("han" | "word" | "gap", characters)."""
    han = ""
    for token in phrase.terms:
        if token == GAP:
            if han:
                yield "han", han
            han = ""
            yield "gap", token
        elif not re.match(f"[{HAN}]", token):
            if han:
                yield "han", han
            han = ""
            yield "word", token
        elif len(token) == 1:
            yield "han", han or token
            han = ""
        else:
            han = han + token[1] if han else token
    if han:
        yield "han", han


def _best_pages(patterns: Sequence[re.Pattern[str]], pages: Iterable[FoldedPage], most: int) -> list[_Hit]:
    """The pages with most different leaves, best first, the earlier of equals first."""
    held: list[tuple[int, int, _Hit]] = []
    searches = [pattern.search for pattern in patterns]
    seen = complete = 0
    for order, page in enumerate(pages):
        folded = page.folded
        count = 0
        for search in searches:
            if search(folded) is not None:
                count += 1
        if not count:
            continue
        seen += 1
        complete += count == len(patterns)
        entry = (count, -order, _Hit(page, count, order))
        if len(held) < most:
            heapq.heappush(held, entry)
        elif entry[:2] > held[0][:2]:
            heapq.heapreplace(held, entry)
        if complete >= most or seen >= most * _ENOUGH:
            break
    return [hit for _, _, hit in sorted(held, key=lambda entry: entry[:2], reverse=True)]


class _Cutter:
    """Cuts passages out of one page after another for the same patterns."""

    def __init__(self, patterns: Sequence[re.Pattern[str]], context: int) -> None:
        self.patterns = patterns
        self.context = context

    def passages(self, page: FoldedPage, most: int) -> list[tuple[int, Passage]]:
        """Up to ``most`` passages of the page with their offsets, those with most different leaves first."""
        groups = self._groups(page.folded)
        groups.sort(key=lambda group: (-len({which for _, _, which in group}), group[0][0]))
        if not groups:
            return []
        shown = groups[:most]
        offsets: Sequence[int] = range(len(page.text) + 1) if self._aligned(page, shown) else self._offsets(page)
        return [self._cut(page, offsets, group) for group in shown]

    def _aligned(self, page: FoldedPage, groups: Sequence[Sequence[tuple[int, int, int]]]) -> bool:
        """Whether around these hits the folded text stands character for character under the text as written."""
        if len(page.text) != len(page.folded):
            return False
        around = [slice(max(group[0][0] - 1, 0), group[-1][1] + 1) for group in groups]
        return all(fold(page.text[place]) == page.folded[place] for place in around)

    def _offsets(self, page: FoldedPage) -> Sequence[int]:
        folded, offsets = fold_with_map(page.text)
        if folded == page.folded:
            return offsets
        # Folded by another version of the table: the places are near enough to show.
        scale = len(page.text) / max(len(page.folded), 1)
        return [min(int(index * scale), len(page.text)) for index in range(len(page.folded) + 1)]

    def _groups(self, folded: str) -> list[list[tuple[int, int, int]]]:
        """The first hits of each pattern, in groups that one passage can show."""
        hits: list[tuple[int, int, int]] = []
        for which, pattern in enumerate(self.patterns):
            for match, _ in zip(pattern.finditer(folded), range(_MOST_MARKS), strict=False):
                hits.append((match.start(), match.end(), which))
        groups: list[list[tuple[int, int, int]]] = []
        for hit in sorted(hits):
            if groups and hit[1] - groups[-1][0][0] <= self.context * 2:
                groups[-1].append(hit)
            else:
                groups.append([hit])
        return groups

    def _cut(
        self, page: FoldedPage, offsets: Sequence[int], group: Sequence[tuple[int, int, int]]
    ) -> tuple[int, Passage]:
        text = page.text
        marks = [_back(span, offsets) for span in _merged([hit[:2] for hit in group])]
        start = _border_after(text, max(marks[0][0] - self.context, 0), marks[0][0])
        end = _border_before(text, min(marks[-1][1] + self.context, len(text)), marks[-1][1])
        piece = text[start:end]
        shown = piece.strip()
        shift = start + len(piece) - len(piece.lstrip())
        placed = tuple((begin - shift, finish - shift) for begin, finish in marks)
        before, after = text[:start].strip(), text[end:].strip()
        return marks[0][0], Passage(
            page.number, shown, placed, bool(before), bool(after), getattr(page, "content_id", None)
        )


def _spans(patterns: Sequence[re.Pattern[str]], folded: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for pattern in patterns:
        for match, _ in zip(pattern.finditer(folded), range(_MOST_MARKS), strict=False):
            spans.append(match.span())
    return _merged(sorted(spans))


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _back(span: tuple[int, int], offsets: Sequence[int]) -> tuple[int, int]:
    """The span in the text as written: whole characters, at least one."""
    start = offsets[span[0]]
    end = offsets[span[1]]
    if end <= start or offsets[span[1] - 1] == end:
        end = next((offset for offset in offsets[span[1] :] if offset > offsets[span[1] - 1]), offsets[-1])
    return start, end


def _border_after(text: str, wished: int, limit: int) -> int:
    """The first place from ``wished`` on where a Latin word is not torn."""
    if wished == 0:
        return 0
    found = _RUN_START.search(text, wished, limit)
    return found.start() if found else limit


def _border_before(text: str, wished: int, limit: int) -> int:
    """The last place up to ``wished`` where a Latin word is not torn."""
    place = wished
    while limit < place < len(text) and re.match(WORD, text[place - 1]) and re.match(WORD, text[place]):
        place -= 1
    return place
