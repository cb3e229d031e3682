"""Text of PDF files, page by page: pdfium first, pypdf where pdfium finds no document.

pdfium reads Chinese pages an order of magnitude faster; pypdf repairs more broken files and names encryption.
"""

import ctypes
import io
import logging
import mmap
from itertools import islice
from typing import Any

import pypdf
import pypdfium2
import pypdfium2.raw as pdfium
from pypdf import errors, overwrite_configuration

from indexer.extract.answer import MAX_ANSWER_CHARS, MAX_PAGE_CHARS, Extracted, Reason, Unreadable
from indexer.extract.cleaning import clean, clean_line, unwrap
from indexer.extract.pdf_notes import notes_of, open_forms
from indexer.extract.pdf_rtl import runs_right_to_left, text_in_reading_order
from indexer.extract.scans import FEW_LETTERS, is_gibberish, is_scan

PASSWORD_ASKED = 4  # FPDF_ERR_PASSWORD
_LOCKS = {PASSWORD_ASKED: Reason.ENCRYPTED, 5: Reason.SEALED}  # FPDF_ERR_SECURITY: by a certificate or a licence
_MOST_IMAGES = 200
_ALL = 1e7  # a box larger than any page: text drawn outside the page is part of the document too


def lower_limits() -> None:
    """Set pypdf's limits below its defaults; a document that needs more is a bomb or a picture book."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    twenty = 20_000_000
    overwrite_configuration(
        maximum_declared_stream_length=twenty,
        array_based_stream_maximum_output_length=twenty,
        jbig2_maximum_output_length=twenty,
        lzw_maximum_output_length=twenty,
        run_length_maximum_output_length=twenty,
        zlib_maximum_output_length=twenty,
        zlib_maximum_recovery_input_length=1_000_000,
        brotli_maximum_output_length=twenty,
        stream_decoding_work_maximum_length=80_000_000,
        xfa_decoding_work_maximum_length=twenty,
        jbig2dec_binary=None,
    )


def extract_pdf(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of a PDF.

    Raises:
        Unreadable: ``encrypted`` (a password is asked for), ``sealed`` (no password opens it), ``broken`` (no reader
            finds pages), ``empty``.
    """
    if not len(data):
        raise Unreadable(Reason.EMPTY)
    try:
        document = pypdfium2.PdfDocument(view(data))
    except pypdfium2.PdfiumError as error:
        if error.err_code in _LOCKS:
            raise Unreadable(_LOCKS[error.err_code]) from error
        return _by_pypdf(data, first_page, last_page)
    open_forms(document)
    count = len(document)
    about = document.get_metadata_dict()
    first, last = _range(count, first_page, last_page)
    pages: list[str] = []
    scans: list[int] = []
    length = 0
    opened = 0
    for number in range(first, last + 1):
        found = _page(document, number - 1)
        opened += found is not None
        text, scanned = found or ("", True)  # no text of it is known: it is told as a page that is to be looked at
        pages.append(text)
        scans += [number] if scanned else []
        length += len(pages[-1])
        if length >= MAX_ANSWER_CHARS:
            break
    if not opened and len(pages) == count:
        return _saved(data, first_page, last_page)
    title, created = clean_line(about.get("Title", "")), clean_line(about.get("CreationDate", ""), 40)
    torn = any(len(page) >= MAX_PAGE_CHARS for page in pages)
    return Extracted(tuple(pages), first, count, title, created, tuple(scans), cut=torn)


def view(data: mmap.mmap | bytes) -> Any:
    """Return a document's bytes as pdfium takes them."""
    if isinstance(data, bytes):
        return data
    return (ctypes.c_char * len(data)).from_buffer(data)  # no second copy of a large file


def _range(count: int, first_page: int | None, last_page: int | None) -> tuple[int, int]:
    return first_page or 1, min(count, last_page or count)


def _page(document: Any, index: int) -> tuple[str, bool] | None:
    """Return one page's text and whether it is a scan; None: pdfium cannot load it, which is not the document's end."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return None
    try:
        raw = _raw_text(page)
        gibberish = is_gibberish(raw)
        text = "" if gibberish else unwrap(clean(raw))
        covered = _covered(page) if len(text) < FEW_LETTERS * 4 else 0.0
        notes = notes_of(document, page, text)
        return f"{text}\n{notes}".strip("\n"), is_scan(text, covered=covered, gibberish=gibberish)
    finally:
        page.close()


def _raw_text(page: Any) -> str:
    try:
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return ""
    try:
        text = str(text_page.get_text_bounded(-_ALL, -_ALL, _ALL, _ALL)[: MAX_PAGE_CHARS * 2])
        return text_in_reading_order(text_page, MAX_PAGE_CHARS * 2) if runs_right_to_left(text) else text
    except pypdfium2.PdfiumError:
        return ""
    finally:
        text_page.close()


def _covered(page: Any) -> float:
    """Return the share of a page that its pictures cover, together: some scanners cut a page into slices."""
    whole = max(page.get_width() * page.get_height(), 1.0)
    share = 0.0
    try:
        for image in islice(page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4), _MOST_IMAGES):
            left, bottom, right, top = image.get_bounds()
            share += abs((right - left) * (top - bottom)) / whole
    except pypdfium2.PdfiumError:
        return share
    return share


def _saved(data: mmap.mmap | bytes, first_page: int | None, last_page: int | None) -> Extracted:
    """Return what pypdf reads of a document of which no page can be shown.

    Raises:
        Unreadable: ``broken``: it reads nothing either.
    """
    found = _by_pypdf(data, first_page, last_page)
    if not any(found.pages):
        raise Unreadable(Reason.BROKEN, "no page opens")
    return found


def _by_pypdf(data: mmap.mmap | bytes, first_page: int | None, last_page: int | None) -> Extracted:
    try:
        return _with_pypdf(pypdf.PdfReader(io.BytesIO(data)), first_page, last_page)
    except (Unreadable, MemoryError):
        raise
    except errors.FileNotDecryptedError as error:
        raise Unreadable(Reason.ENCRYPTED) from error
    except Exception as error:
        # pypdf leaves plain TypeError, KeyError and the like on odd files: all mean that it cannot read this one
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def _with_pypdf(reader: pypdf.PdfReader, first_page: int | None, last_page: int | None) -> Extracted:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(Reason.ENCRYPTED)
    count = len(reader.pages)
    if not count:
        raise Unreadable(Reason.BROKEN, "no pages")
    first, last = _range(count, first_page, last_page)
    pages: list[str] = []
    length = 0
    for number in range(first, last + 1):
        raw = reader.pages[number - 1].extract_text()
        pages.append("" if is_gibberish(raw) else unwrap(clean(raw)))
        length += len(pages[-1])
        if length >= MAX_ANSWER_CHARS:
            break
    return Extracted(tuple(pages), first, count)
