"""Files attached to a PDF: to the document (/EmbeddedFiles), or to a place on a page (FileAttachment)."""

import ctypes
import mmap
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from indexer.extract.member import MAX_MEMBERS, Member, whole
from indexer.extract.pdf import view

_MARK = b"/EmbeddedFile"
"""What the head of every attached file says; a PDF without it is not looked through page by page."""

_AS_BYTES = "\xfe\xff"
_MOST_PAGES = 5_000
_MOST_MARKS = 500


def pdf_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the files attached to a PDF, each once, those of the document first."""
    if data.find(_MARK) < 0:
        return
    document = pypdfium2.PdfDocument(view(data))
    seen: set[tuple[str, bytes]] = set()
    for number, attachment in enumerate(_attached(document), 1):
        if number > MAX_MEMBERS:
            return
        name, body = _name(attachment), _body(attachment)
        if body and (name, digest := sha256(body).digest()) not in seen:
            seen.add((name, digest))
            yield whole(name, body)


def _attached(document: Any) -> Iterator[Any]:
    for index in range(pdfium.FPDFDoc_GetAttachmentCount(document)):
        yield pdfium.FPDFDoc_GetAttachment(document, index)
    for number in range(min(len(document), _MOST_PAGES)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            continue
        for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_MARKS)):
            mark = pdfium.FPDFPage_GetAnnot(page, index)
            if mark and pdfium.FPDFAnnot_GetSubtype(mark) == pdfium.FPDF_ANNOT_FILEATTACHMENT:
                yield pdfium.FPDFAnnot_GetFileAttachment(mark)
            pdfium.FPDFPage_CloseAnnot(mark)
        page.close()


def _name(attachment: Any) -> str:
    length = pdfium.FPDFAttachment_GetName(attachment, None, 0)
    buffer = ctypes.create_string_buffer(max(length, 2))
    pdfium.FPDFAttachment_GetName(attachment, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)
    name = buffer.raw[: max(length - 2, 0)].decode("utf-16-le", "replace")
    if name.startswith(_AS_BYTES):  # it stands in an old field, whose bytes pdfium takes for letters
        return name[len(_AS_BYTES) :].encode("latin-1", "replace").decode("utf-16-be", "replace")
    return name


def _body(attachment: Any) -> bytes:
    length = ctypes.c_ulong()
    if not pdfium.FPDFAttachment_GetFile(attachment, None, 0, length) or not length.value:
        return b""
    buffer = ctypes.create_string_buffer(length.value)
    pdfium.FPDFAttachment_GetFile(attachment, buffer, length.value, length)
    return buffer.raw[: length.value]
