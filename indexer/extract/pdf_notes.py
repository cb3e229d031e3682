"""What people added to a page of a PDF: what they filled into its fields, and the comments they left."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from indexer.extract.cleaning import clean

_MOST = 2_000
_LONGEST = 20_000
_FIELDS = {pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}
_NO_COMMENTS = {pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_WIDGET}


def open_forms(document: Any) -> None:
    """Make a document's fields known, if it has any; to be done before a page is opened."""
    with suppress(pypdfium2.PdfiumError):
        document.init_forms()


def notes_of(document: Any, page: Any, said: str) -> str:
    """Return what was filled in and remarked on a page, a line each; not what its text has ``said`` already."""
    fresh = (text for note in _notes(document, page) if (text := clean(note).strip()) and text not in said)
    return "\n".join(dict.fromkeys(fresh))


def _notes(document: Any, page: Any) -> Iterator[str]:
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST)):
        mark = pdfium.FPDFPage_GetAnnot(page, index)
        if not mark:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(mark)
        if kind == pdfium.FPDF_ANNOT_WIDGET and document.formenv:
            if pdfium.FPDFAnnot_GetFormFieldType(document.formenv, mark) in _FIELDS and not _is_secret(document, mark):
                yield _text(pdfium.FPDFAnnot_GetFormFieldValue, document.formenv, mark)
        elif kind not in _NO_COMMENTS:
            yield _text(pdfium.FPDFAnnot_GetStringValue, mark, b"Contents")
        pdfium.FPDFPage_CloseAnnot(mark)


def _is_secret(document: Any, mark: Any) -> bool:
    """Whether a field shows stars for what was typed into it."""
    return bool(pdfium.FPDFAnnot_GetFormFieldFlags(document.formenv, mark) & pdfium.FPDF_FORMFLAG_TEXT_PASSWORD)


def _text(ask: Callable[..., int], *about: Any) -> str:
    length = ask(*about, None, 0)
    if not 2 < length <= 2 * _LONGEST:
        return ""
    buffer = ctypes.create_string_buffer(length)
    ask(*about, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace").replace("\r", "\n")
