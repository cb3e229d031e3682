"""Where the words of a PDF's text layer lie on its page, as the page is shown."""

import ctypes
import mmap
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.pdf import view
from indexer.extract.pdf_rtl import Sign, in_reading_order

WIDTH = 2_000
"""Units across a page in which places are told."""

_MOST_SIGNS = 60_000
_ODD = {0, 2, 0xFFFE, 0xFFFF}  # signs that pdfium writes for a hyphen at a line's end, or for none
_WIDE = 0x2E80  # from here on letters are as wide as high


def pdf_words(data: mmap.mmap | bytes, page: int) -> dict[str, Any]:
    """Return where the words of one page lie.

    A run is what stands between spaces, of letters of one width; so the place of a part of it can be reckoned.

    Args:
        data: of the PDF.
        page: which page, from 1.

    Returns:
        A mapping of ``size`` [width, height] and ``lines``: [text, and x and y of where its upper edge begins, where
        that ends, and where its lower edge begins], in the order of the text.

    Raises:
        Unreadable: there is no such page (``empty``), or it does not open.
    """
    try:
        document = pypdfium2.PdfDocument(view(data))
        if not 1 <= page <= len(document):
            raise Unreadable(Reason.EMPTY)
        sheet = document[page - 1]
        across = max(sheet.get_width(), 1)
        size = WIDTH, max(min(round(sheet.get_height() / across * WIDTH), WIDTH * 50), 1)
        text = sheet.get_textpage()
    except pypdfium2.PdfiumError as error:
        raise Unreadable(Reason.BROKEN, "pdfium") from error
    return {"size": size, "lines": [_line(in_reading_order(run)) for run in _runs(_signs(sheet, text, size))]}


def _signs(sheet: Any, text: Any, size: tuple[int, int]) -> Iterator[Sign | None]:
    """Yield the page's signs with their boxes (left, top, right, bottom) in the picture; None for a space."""
    box = pdfium.FS_RECTF()
    for at in range(min(text.count_chars(), _MOST_SIGNS)):
        code = pdfium.FPDFText_GetUnicode(text, at)
        if code in _ODD or chr(code).isspace() or not pdfium.FPDFText_GetLooseCharBox(text, at, box):
            yield None
            continue
        x1, y1 = _pixel(sheet, size, box.left, box.top)
        x2, y2 = _pixel(sheet, size, box.right, box.bottom)
        yield chr(code), (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _runs(signs: Iterator[Sign | None]) -> Iterator[list[Sign]]:
    run: list[Sign] = []
    for sign in signs:
        if run and (sign is None or not _belongs(run[-1], sign)):
            yield run
            run = []
        run += [sign] if sign else []
    if run:
        yield run


def _belongs(before: Sign, sign: Sign) -> bool:
    (x1, y1), (x2, y2) = _middle(before[1]), _middle(sign[1])
    left, top, right, bottom = before[1]
    reach = 2 * max(right - left, bottom - top, 1)
    near = abs(x2 - x1) <= reach and abs(y2 - y1) <= reach
    return near and (ord(before[0]) >= _WIDE) == (ord(sign[0]) >= _WIDE)


def _line(run: list[Sign]) -> list[Any]:
    boxes = [box for _sign, box in run]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    (x1, y1), (x2, y2) = _middle(boxes[0]), _middle(boxes[-1])
    if abs(y2 - y1) > abs(x2 - x1):
        corners = (right, top, right, bottom, left, top) if y2 > y1 else (left, bottom, left, top, right, bottom)
    else:
        corners = (left, top, right, top, left, bottom) if x2 >= x1 else (right, bottom, left, bottom, right, top)
    return ["".join(sign for sign, _box in run), *corners]


def _middle(box: tuple[int, int, int, int]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _pixel(sheet: Any, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(sheet, 0, 0, *size, 0, x, y, across, down)
    return across.value, down.value
