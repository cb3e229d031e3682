"""Which parser reads which kind of file: the one list that a new format is added to."""

import mmap
from collections.abc import Callable, Mapping

from indexer import kinds
from indexer.extract.answer import Extracted
from indexer.extract.pdf import extract_pdf
from indexer.extract.pictures import extract_image
from indexer.extract.text import extract_text

Parser = Callable[[mmap.mmap | bytes, int | None, int | None], Extracted]
"""Takes a file's bytes and the pages asked for (both included, 1-based; None: from the first, to the last).

It raises ``Unreadable`` for a file that it refuses; whatever else it raises counts as a broken file. A file that is a
zip underneath was looked into by ``zips.inspect_zip`` before.
"""

PARSERS: Mapping[str, Parser] = {
    kinds.PDF: extract_pdf,
    kinds.PLAIN: extract_text,
    **dict.fromkeys(kinds.IMAGES, extract_image),
}


def parser_of(media_type: str) -> Parser | None:
    """Return the parser of a kind of file; None: its text is not read."""
    if media_type in PARSERS:
        return PARSERS[media_type]
    return extract_text if kinds.is_plain_text(media_type) else None
