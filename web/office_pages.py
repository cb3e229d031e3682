"""Pages of Office documents as they would be printed: a PDF made in the background once, and kept sealed."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from archive.errors import ArchiveError, Damaged
from archive.ports import Unlocked
from indexer import kinds
from indexer.extract.answer import Failure
from indexer.sandbox.client import Extractor
from indexer.sandbox.office import Office, converts
from storage.pictures import PictureCache

MAX_BYTES = 100_000_000
"""Of a larger document no pages are made."""

_AGAIN = 600.0  # seconds until what failed is tried once more
_MOST_WAITING = 20
_COUNT = 4  # bytes before the PDF: how many pages it has

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Printed:
    """A document's PDF, and how many pages it has."""

    pages: int
    pdf: bytes


class OfficePages:
    """Has documents converted, each once however many ask, and never lets a request wait for it.

    Args:
        office: the converter; None where there is none.
        drawer: counts the pages of a PDF in its sandbox.
        pictures: where PDFs are kept, sealed under the record's key.
    """

    def __init__(self, office: Office | None, drawer: Extractor, pictures: PictureCache) -> None:
        self._office = office
        self._drawer = drawer
        self._pictures = pictures
        self._lock = threading.Lock()
        self._making: set[UUID] = set()
        self._failed: dict[UUID, float] = {}

    def offered(self, media_type: str | None, size: int | None) -> bool:
        """Whether pages are made of such a document here."""
        return self._office is not None and converts(media_type) and 0 < (size or 0) <= MAX_BYTES

    def stand(self, content_id: UUID) -> bool:
        """Whether a document's pages have been made and are still kept."""
        return self._pictures.holds(_kept_as(content_id))

    def made(self, content_id: UUID, key: Unlocked) -> Printed | None:
        """Return what was made of a document; None: nothing, or it is kept no longer."""
        sealed = self._pictures.get(_kept_as(content_id))
        if sealed is None:
            return None
        try:
            kept = key.open(sealed, context=f"picture:{_kept_as(content_id)}")
        except Damaged:
            return None
        return Printed(int.from_bytes(kept[:_COUNT], "big"), kept[_COUNT:])

    def ask(self, content_id: UUID, media_type: str, key: Unlocked, read: Callable[[], Iterable[bytes]]) -> bool:
        """Have a document's pages made, unless that is under way; return whether they are to be expected.

        Args:
            content_id: whose pages.
            media_type: what it is.
            key: seals them.
            read: opens its bytes; called in another thread.
        """
        if self._office is None:
            return False
        with self._lock:
            if content_id in self._making:
                return True
            if time.monotonic() - self._failed.get(content_id, -_AGAIN) < _AGAIN:
                return False
            if len(self._making) >= _MOST_WAITING:
                return True  # it is asked for again when the page is looked at again
            self._making.add(content_id)
        threading.Thread(
            target=self._make, args=(self._office, content_id, media_type, key, read), name="office", daemon=True
        ).start()
        return True

    def close(self) -> None:
        """End the conversion under way."""
        if self._office:
            self._office.close()

    def _make(
        self, office: Office, content_id: UUID, media_type: str, key: Unlocked, read: Callable[[], Iterable[bytes]]
    ) -> None:
        good = False
        try:
            good = self._convert(office, content_id, media_type, key, read)
        except (ArchiveError, OSError) as error:
            _log.warning("no pages of %s: %s", content_id, type(error).__name__)
        finally:
            with self._lock:
                self._making.discard(content_id)
                self._failed.pop(content_id, None)
                if not good:
                    self._failed[content_id] = time.monotonic()
                while len(self._failed) > 1_000:
                    self._failed.pop(next(iter(self._failed)))

    def _convert(
        self, office: Office, content_id: UUID, media_type: str, key: Unlocked, read: Callable[[], Iterable[bytes]]
    ) -> bool:
        pdf = office.pdf(media_type, read())
        if isinstance(pdf, Failure):
            _log.warning("no pages of %s: %s %s", content_id, pdf.reason.value, pdf.detail)
            return False
        seen = self._drawer.extract(kinds.PDF, [pdf], len(pdf), 1, 1)
        if isinstance(seen, Failure) or not seen.page_count:
            return False
        name = _kept_as(content_id)
        self._pictures.put(name, key.seal(seen.page_count.to_bytes(_COUNT, "big") + pdf, context=f"picture:{name}"))
        return self._pictures.holds(name)


def _kept_as(content_id: UUID) -> str:
    return f"{content_id.hex}-pdf"
