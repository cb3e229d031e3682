"""OCR as the rest of the house sees it: give it a file and a page, get words or a reason."""

from collections.abc import Iterable

from archive.errors import Unavailable
from indexer.extract.answer import MAX_PAGE_CHARS, Failure, Reason
from indexer.layout import layout_told
from indexer.ocr.engines import EngineChoice
from indexer.ocr.page import PageRead
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits
from indexer.sandbox.memory import MemoryFile

LIMITS = Limits(memory=3 * 1024**3, cpu=120, wall=120.0)
"""What the reading of one page may use."""

READ = "ocr:"
"""Task of the server: read one page of a file of the kind that follows."""


class PageReader:
    """A thread-safe door to the fork server of OCR. The server starts with the first page; pages come one by one.

    Args:
        engine: which reads.
        limits: of the reading of one page.
    """

    def __init__(self, engine: EngineChoice, limits: Limits = LIMITS) -> None:
        self.engine = engine.version
        self._sandbox = Extractor(parallel=1, limits=limits, module=engine.server, environment=engine.environment)

    def hold(self, data: Iterable[bytes], size: int) -> MemoryFile:
        """Take a file into memory, as ``Extractor.hold`` does."""
        return self._sandbox.hold(data, size)

    def read(self, media_type: str, file: MemoryFile, page: int) -> PageRead | Failure:
        """Read a page (from 1) of a held file.

        Raises:
            Unavailable: the server does not start, or ended; the page is not to blame.
        """
        body = self._sandbox.done_held(READ + media_type, file, page)
        found = body if isinstance(body, Failure) else _page_read(body)
        if isinstance(found, Failure) and found.reason is Reason.CRASHED and not self._sandbox.capabilities():
            raise Unavailable(part="ocr")
        return found

    def walls(self) -> list[str]:
        """Return the walls around a fork, as ``Extractor.capabilities`` does."""
        return list(self._sandbox.capabilities())

    def close(self) -> None:
        """End the server."""
        self._sandbox.close()


def _page_read(body: dict[str, object]) -> PageRead | Failure:
    """Read an answer, trusting none of it."""
    text, confidence, turn = body.get("text"), body.get("confidence"), body.get("turn")
    if not isinstance(text, str) or not isinstance(confidence, int) or turn not in {0, 90, 180, 270}:
        return Failure(Reason.CRASHED, "no answer")
    text = text[:MAX_PAGE_CHARS]
    layout = layout_told(body.get("layout"), len(text))
    return PageRead(text, min(max(confidence, 0), 100), int(str(turn)), layout)
