"""A document as the finders see it: the pages where title, number, signature and date stand, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from archive.cataloguing.proposals import PROPERTY, TEXT, Finding
from archive.personal import MASK
from indexer.pagetext import Page

FIRST_PAGES = 3
HEAD_CHARS = TAIL_CHARS = 1_500
_EDGES = " \t\u3000\u00a0\ufeff"
_HEADING = "#*" + _EDGES


@dataclass(frozen=True)
class Line:
    """A line without the blanks at its edges: where it stands, and whether it follows the one before it at once."""

    page: int
    start: int
    text: str
    close: bool

    @property
    def end(self) -> int:
        """Where it ends on its page."""
        return self.start + len(self.text)

    def found(self, field: str, rule: str, start: int = 0, end: int | None = None, value: str = "") -> Finding:
        """Return a finding that stands in this line, from ``start`` to ``end``; its words are the value if none is."""
        end = len(self.text) if end is None else end
        words = value or " ".join(self.text[start:end].split())
        return Finding(field, words, rule, TEXT, self.page, self.start + start, self.start + end)


@dataclass(frozen=True)
class Paper:
    """What there is to find something in.

    Attributes:
        pages: the first pages with text and the last one, as kept (personal numbers masked), in order.
        today: the day it is in the house: nothing is dated after it.
        name: of the file.
        media_type: of the file.
        title: from the file's own properties, or "".
        author: as ``title``.
        created: as ``title``; a date as written there.
    """

    pages: Sequence[Page]
    today: date
    name: str = ""
    media_type: str = ""
    title: str = field(default="", repr=False)
    author: str = field(default="", repr=False)
    created: str = ""

    @cached_property
    def head(self) -> Sequence[Line]:
        """The lines at the beginning of the first page with text."""
        return list(_lines(self.pages[0], 0, HEAD_CHARS)) if self.pages else []

    @cached_property
    def tail(self) -> Sequence[Line]:
        """The lines at the end of the document, from whichever of the pages reach so far back."""
        return [line for page, start in self.tails() for line in _lines(page, start, len(page.text))]

    def tails(self) -> list[tuple[Page, int]]:
        """Return the pages that hold the document's last characters, in order, each with where those begin."""
        left, found = TAIL_CHARS, list[tuple[Page, int]]()
        for page in reversed(self.pages):
            if left <= 0:
                break
            found.insert(0, (page, max(len(page.text) - left, 0)))
            left -= len(page.text)
        return found

    @cached_property
    def lines(self) -> Sequence[Line]:
        """Every line of the pages."""
        return [line for page in self.pages for line in _lines(page, 0, len(page.text))]


class Chosen:
    """Takes all pages of a document, one after another, and keeps those that a paper is made of.

    Attributes:
        pages: what it keeps.
    """

    def __init__(self) -> None:
        self.pages: list[Page] = []

    def take(self, page: Page) -> None:
        """Keep a page with words if it is one of the first, else in place of the last."""
        if page.text.strip():
            self.pages[FIRST_PAGES:] = [page]


def chosen(pages: Sequence[Page]) -> list[Page]:
    """Return of all pages of a document those that a paper is made of."""
    kept = Chosen()
    for page in pages:
        kept.take(page)
    return kept.pages


def stated(field: str, value: str, rule: str) -> Finding:
    """Return a finding from the file's own properties."""
    return Finding(field, " ".join(value.split()), rule, PROPERTY)


def is_readable(value: str) -> bool:
    """Whether words can be proposed: letters in them, nothing blotted out, no broken sign."""
    return any(map(str.isalpha, value)) and MASK not in value and "\ufffd" not in value


def _lines(page: Page, start: int, stop: int) -> Iterator[Line]:
    close = False
    at = page.text.rfind("\n", 0, start) + 1 if start else 0
    for raw in page.text[at:].split("\n"):
        if at >= min(stop, len(page.text)):
            break
        left = raw.lstrip(_EDGES)
        if left[:1] in {"#", "*"}:
            left = left.lstrip(_HEADING)
        words = left.rstrip(_HEADING if raw != left and left.endswith("*") else _EDGES)
        if words:
            yield Line(page.number, at + len(raw) - len(left), words, close)
        close = bool(words)
        at += len(raw) + 1
