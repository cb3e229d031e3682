"""Which parser reads which kind of file: the one list that a new format is added to."""

import mmap
from collections.abc import Callable, Mapping

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.docx import extract_docx
from indexer.extract.epub import extract_epub
from indexer.extract.ofd import extract_ofd
from indexer.extract.opendocument import extract_opendocument
from indexer.extract.pdf import extract_pdf
from indexer.extract.pptx import extract_pptx
from indexer.extract.spreadsheets import extract_xls, extract_xlsx
from indexer.extract.text import extract_text

Parser = Callable[[mmap.mmap | bytes, int | None, int | None], Extracted]
"""Takes a file's bytes and the pages asked for (both included, 1-based; None: from the first, to the last).

It raises ``Unreadable`` for a file that it refuses; whatever else it raises counts as a broken file. A file that is a
zip underneath was looked into by ``zips.inspect_zip`` before.
"""


def _refuse(_data: mmap.mmap | bytes, _first: int | None = None, _last: int | None = None) -> Extracted:
    raise Unreadable(Reason.ENCRYPTED)


PARSERS: Mapping[str, Parser] = {
    kinds.PDF: extract_pdf,
    kinds.PLAIN: extract_text,
    kinds.DOCX: extract_docx,
    kinds.XLSX: extract_xlsx,
    kinds.PPTX: extract_pptx,
    kinds.XLS: extract_xls,
    kinds.EPUB: extract_epub,
    kinds.OFD: extract_ofd,
    kinds.LOCKED: _refuse,
}


def parser_of(media_type: str) -> Parser | None:
    """Return the parser of a kind of file; None: its text is not read."""
    if media_type in PARSERS:
        return PARSERS[media_type]
    if media_type.startswith(kinds.OPENDOCUMENT):
        return extract_opendocument
    return extract_text if kinds.is_plain_text(media_type) else None
