"""Which parser reads which kind of file: the one list that a new format is added to."""

import mmap
from collections.abc import Callable, Mapping

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.archives import extract_zip
from indexer.extract.docx import extract_docx
from indexer.extract.epub import extract_epub
from indexer.extract.mail import extract_mail, extract_mailbox
from indexer.extract.markup import extract_html, extract_xml
from indexer.extract.ofd import extract_ofd
from indexer.extract.opendocument import extract_opendocument
from indexer.extract.outlook import extract_msg
from indexer.extract.pdf import extract_pdf
from indexer.extract.pictures import extract_image
from indexer.extract.powerpoint import extract_ppt
from indexer.extract.pptx import extract_pptx
from indexer.extract.rtf import extract_rtf
from indexer.extract.sevenzip import extract_7z
from indexer.extract.signed import extract_envelope
from indexer.extract.spreadsheets import extract_xls, extract_xlsx
from indexer.extract.text import extract_text
from indexer.extract.word import extract_doc

Parser = Callable[[mmap.mmap | bytes, int | None, int | None], Extracted]
"""Takes a file's bytes and the pages asked for (both included, 1-based; None: from the first, to the last).

It raises ``Unreadable`` for a file that it refuses; whatever else it raises counts as a broken file. A file that is a
zip underneath was looked into by ``zips.inspect_zip`` before, a compound file by ``ole.inspect_ole``.
"""


def _refuse(_data: mmap.mmap | bytes, _first: int | None = None, _last: int | None = None) -> Extracted:
    raise Unreadable(Reason.ENCRYPTED)


PARSERS: Mapping[str, Parser] = {
    kinds.PDF: extract_pdf,
    kinds.PLAIN: extract_text,
    **dict.fromkeys(kinds.PLAIN_TOO, extract_text),
    **dict.fromkeys(kinds.IMAGES, extract_image),
    kinds.HTML: extract_html,
    kinds.XHTML: extract_html,
    kinds.XML: extract_xml,
    "application/xml": extract_xml,
    kinds.SVG: extract_xml,
    kinds.RTF: extract_rtf,
    "application/rtf": extract_rtf,
    kinds.MAIL: extract_mail,
    kinds.MAILBOX: extract_mailbox,
    kinds.MSG: extract_msg,
    kinds.ENVELOPE: extract_envelope,
    kinds.DOC: extract_doc,
    kinds.PPT: extract_ppt,
    kinds.DOCX: extract_docx,
    kinds.XLSX: extract_xlsx,
    kinds.PPTX: extract_pptx,
    kinds.XLS: extract_xls,
    kinds.EPUB: extract_epub,
    kinds.OFD: extract_ofd,
    kinds.ZIP: extract_zip,
    kinds.SEVENZIP: extract_7z,
    kinds.LOCKED: _refuse,
}


def parser_of(media_type: str) -> Parser | None:
    """Return the parser of a kind of file; None: its text is not read."""
    if media_type in PARSERS:
        return PARSERS[media_type]
    if media_type.startswith(kinds.OPENDOCUMENT):
        return extract_opendocument
    return extract_text if kinds.is_plain_text(media_type) else None
