"""What an extraction answers: pages of text, or the reason why there are none."""

from dataclasses import dataclass, field
from enum import StrEnum

MAX_ANSWER_CHARS = 3_000_000
"""A fork stops adding pages after this many characters; the caller asks again for the pages that follow."""

MAX_PAGE_CHARS = 200_000
"""A page is cut after this many characters: more is no page that a person can read."""


class Reason(StrEnum):
    """Why a content gave no text. The words are kept in the content's row."""

    ENCRYPTED = "encrypted"
    SEALED = "sealed"
    BROKEN = "broken"
    BOMB = "bomb"
    CLIMBS = "climbs"
    PART = "part"
    TOO_LARGE = "too_large"
    TIME = "time"
    MEMORY = "memory"
    CRASHED = "crashed"
    EMPTY = "empty"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Failure:
    """No text. ``detail`` names the parser's error class for the operator, never a word of the document."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Extracted:
    """Pages ``first_page`` … of ``page_count``; fewer than asked for when the answer grew too long.

    Attributes:
        pages: cleaned text by page, in order, starting at ``first_page`` (1-based).
        first_page: number of the first page in ``pages``.
        page_count: pages of the whole document.
        title: title from the document's own metadata, or "".
        created: creation date from the document's own metadata, as written there, or "".
        scans: numbers of those pages whose words only OCR can find (``indexer.extract.scans``).
        macros: whether the document holds programs of its own.
        author: who wrote it by the document's own metadata, or "".
        inside: how many files lie inside, to be taken out (``indexer.extract.members``).
        cut: whether the document is so large that only its beginning was read.
        rest: pages after these that are at hand, as they were read; no part of the answer.
    """

    pages: tuple[str, ...]
    first_page: int
    page_count: int
    title: str = ""
    created: str = ""
    scans: tuple[int, ...] = ()
    macros: bool = False
    author: str = ""
    inside: int = 0
    cut: bool = False
    rest: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def next_page(self) -> int:
        """The first page that is not in this answer."""
        return self.first_page + len(self.pages)


class Unreadable(Exception):
    """A parser refuses a file. It carries the ``Failure`` to answer with."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.failure = Failure(reason, detail)
