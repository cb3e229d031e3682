"""What parsers share that make their own pages: the part that was asked for, within what an answer may hold."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexer.extract.answer import MAX_ANSWER_CHARS, MAX_PAGE_CHARS, Extracted
from indexer.extract.cleaning import clean

MOST_AT_HAND = 24_000_000
"""Signs of the pages after an answer that are kept, for who asks on: reading a large file again takes seconds."""

PAGE_CHARS = 4_000
"""A page of a text that has none of its own is no longer than this."""


def paged(
    pages: Iterable[str], first_page: int | None, last_page: int | None, *, title: str = "", created: str = ""
) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of all ``pages``, cleaned.

    A page longer than ``MAX_PAGE_CHARS`` is cut, which the answer tells. All are looked through, for it tells too
    how many there are; give them one by one where they are many.
    """
    begin = first_page or 1
    wanted: list[str] = []
    count = length = 0
    torn = False
    rest: list[str] = []
    left = MOST_AT_HAND
    for count, page in enumerate(pages, start=1):
        if count >= begin and (last_page is None or count <= last_page) and length < MAX_ANSWER_CHARS:
            wanted.append(clean(page))
            torn = torn or len(page) > MAX_PAGE_CHARS
            length += len(page)
        elif last_page is None and count > begin and left > 0:
            rest.append(page)
            left -= len(page)
    return Extracted(tuple(wanted), begin, count, title, created, cut=torn, rest=tuple(rest))


def following(found: Extracted) -> Iterator[Extracted]:
    """Yield the answers that come after one, as far as the pages for them are at hand."""
    first, wanted, length, torn = found.next_page, list[str](), 0, False
    for number, page in enumerate(found.rest, 1):
        wanted.append(clean(page))
        length += len(page)
        torn = torn or len(page) > MAX_PAGE_CHARS
        if length >= MAX_ANSWER_CHARS or number == len(found.rest):
            yield replace(found, pages=tuple(wanted), first_page=first, cut=found.cut or torn, rest=())
            first += len(wanted)
            wanted, length = [], 0


def cut(text: str, size: int = PAGE_CHARS) -> Iterator[str]:
    """Cut a text without pages into some, at form feeds and line ends: the same text always gives the same pages.

    No page has more than ``size`` characters.
    """
    for part in text.split("\x0c") if "\x0c" in text else (text,):
        start = 0
        while len(part) - start > size:
            end = part.rfind("\n", start + 1, start + size) + 1
            end = end or _soft_end(part, start, size)
            yield part[start:end]
            start = end
        yield part[start:]


def _soft_end(part: str, start: int, size: int) -> int:
    """A line longer than a page is cut after the last full stop, or hard."""
    stop = max(part.rfind(sign, start + size // 2, start + size) for sign in "。；！？.")
    return stop + 1 if stop > 0 else start + size


def bounded(pages: Iterable[str]) -> Iterator[str]:
    """Let pages pass that a document has of its own, and cut those that are longer than any page may be."""
    for page in pages:
        if len(page) <= MAX_PAGE_CHARS:
            yield page
        else:
            yield from cut(page)
