"""Reads one file with the help of forks, slice by slice, and narrows down what breaks them."""

import time
from collections.abc import Callable, Generator, Iterator

from indexer import kinds
from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.client import Extractor
from indexer.sandbox.memory import MemoryFile
from indexer.settling import BROKE_DOWN, Result

SLICE_PAGES = 200
_LONG_SLICE = 800  # of what is not read page by page, but whole for each slice
_MOST_PAGES = 100_000
_MOST_TEXT = 64_000_000  # bytes of UTF-8
_MOST_SECONDS = 600.0  # of one file: what comes later is left out, as of one that is too long
_MOST_BREAKDOWNS = 12


class Dropped(Exception):
    """The lease is gone: another worker does this job."""


class Reading:
    """Reads a document slice by slice; the page that breaks its slice is narrowed down and left empty.

    Args:
        extractor: the sandbox.
        result: whose media type is told as soon as it is known.
        file: the document.
        detected: says what the document is where no fork does.
        password: of a locked one.
        printed: whether the file is the PDF that LibreOffice made of it.
        first: its first ``SLICE_PAGES`` pages, where it is a plain text that was read with others.
    """

    def __init__(
        self,
        extractor: Extractor,
        result: Result,
        file: MemoryFile,
        detected: Callable[[], str],
        password: str,
        *,
        printed: bool = False,
        first: Extracted | None = None,
    ) -> None:
        self._extractor = extractor
        self._result = result
        self._file = file
        self._detected = detected
        self._password = password
        self._kind = kinds.PDF if printed else ""
        self._breakdowns = 0
        self.failure: Failure | None = None
        self.page_count = 0
        self.created = self.title = self.author = ""
        self.scans: list[int] = []
        self.macros = False
        self.inside = 0
        self.cut = False
        self._series: Iterator[Extracted] | None = None
        self._first = first

    def pages(self) -> Iterator[tuple[int, str]]:
        """Yield (number, text). Afterwards ``failure`` says whether the document could not be read.

        Raises:
            Dropped: the lease was lost on the way.
        """
        try:
            yield from self._slices()
        finally:
            self._leave()

    def _slices(self) -> Iterator[tuple[int, str]]:
        first, step, left, until = 1, SLICE_PAGES, _MOST_TEXT, time.monotonic() + _MOST_SECONDS
        while first == 1 or first <= self.page_count:
            answer = self._slice(first, first + step - 1)
            if isinstance(answer, Extracted):
                self.page_count, self.created = answer.page_count, answer.created or self.created
                self.title, self.author = self.title or answer.title, self.author or answer.author
                self.scans += answer.scans
                self.macros = self.macros or answer.macros
                self.inside, self.cut = max(self.inside, answer.inside), self.cut or answer.cut
                yield from enumerate(answer.pages, start=first)
                left -= sum(len(text.encode()) for text in answer.pages)
                late = time.monotonic() > until or answer.next_page > _MOST_PAGES
                full = left <= 0 or (late and answer.next_page <= self.page_count)
                self.cut = self.cut or full
                if full or not answer.pages:
                    return
                first = answer.next_page
                narrowing = step < SLICE_PAGES  # on the way to a page that breaks its slice
                if not narrowing and (self._kind or self._result.media_type) != kinds.PDF:
                    step = _LONG_SLICE
            elif self._is_final(answer, step):
                self.failure = answer
                return
            elif step > 1:
                step = max(step // 6, 1)
            else:
                first, step = first + 1, SLICE_PAGES

    def _is_final(self, answer: Failure, step: int) -> bool:
        """Whether narrowing down would not help, or would take too long."""
        if answer.reason not in BROKE_DOWN or self._breakdowns >= _MOST_BREAKDOWNS:
            return True
        return not self.page_count and (step == 1 or answer.reason is Reason.TIME)

    def _slice(self, first: int, last: int) -> Extracted | Failure:
        """Parse one slice; a crash is tried once more, for the machine may have been to blame."""
        for again in (True, False):
            if not (first == 1 and again) and not self._result.job.still_held():  # it was taken just now
                raise Dropped
            answer = self._next(first) or self._ask(first, last)
            if isinstance(answer, Extracted) or answer.reason not in BROKE_DOWN:
                return answer
            self._breakdowns += 1
            if answer.reason is not Reason.CRASHED or not again or self.page_count:
                return answer
        raise AssertionError  # the loop returns

    def _next(self, first: int) -> Extracted | None:
        """Return the next answer of a fork that has read the whole file and goes on by itself; None: there is none."""
        kind = self._result.media_type
        if first == 1 or self._password or self._breakdowns or kinds.PDF in {kind, self._kind}:
            return None
        if self._series is None:
            self._series = self._extractor.series(kind, self._file, first)
        answer = next(self._series, None)
        if answer is None or answer.first_page != first or not answer.pages:
            self._leave()
            return None
        return answer

    def _leave(self) -> None:
        """Let the fork go that may go on."""
        if isinstance(self._series, Generator):
            self._series.close()
        self._series = None

    def _ask(self, first: int, last: int) -> Extracted | Failure:
        result = self._result
        if self._first:
            read, self._first = self._first, None
            result.media_type = kinds.PLAIN
            return read
        if self._password:
            more = {"name": result.source.name, "password": self._password}
            return self._extractor.extract_held(result.media_type, self._file, first, last, **more)
        if kind := self._kind or result.media_type:
            return self._extractor.extract_held(kind, self._file, first, last)
        found, answer = self._extractor.find_held(result.source.name, self._file, first, last)
        # A fork that broke down did not tell what its file is; that is asked of one that does nothing else.
        result.media_type = found or self._detected()
        return answer
