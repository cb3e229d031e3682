"""The type for pages that name a Chinese font and do not carry it: one font of ours, for no fork can open the system's.

Many PDFs of offices and companies are like that. Without it pdfium draws their pages empty.
"""

import ctypes
import mmap
from pathlib import Path
from typing import Any

import pypdfium2.raw as pdfium

FONT = Path(__file__).parents[1] / "fonts" / "NotoSansSC-Regular.ttf"

_FACE = b"Noto Sans SC\x00"
_OURS = 1  # the handle of the one font
_CHARSETS = {
    pdfium.FXFONT_GB2312_CHARSET,
    pdfium.FXFONT_CHINESEBIG5_CHARSET,
    pdfium.FXFONT_SHIFTJIS_CHARSET,
    pdfium.FXFONT_HANGEUL_CHARSET,
}
_kept: list[Any] = []  # pdfium holds pointers to these as long as the process lives


def lend_fonts() -> None:
    """Answer pdfium's questions for fonts from memory. To be called once, before the first document is opened."""
    with FONT.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    whole = (ctypes.c_char * len(data)).from_buffer(data)
    tables = _tables(data)

    def map_font(
        _self: Any, _weight: int, _italic: int, charset: int, _pitch: int, _face: Any, _exact: Any
    ) -> int | None:
        return _OURS if charset in _CHARSETS else None

    def font_data(_self: Any, _font: Any, table: int, buffer: Any, size: int) -> int:
        start, length = tables.get(table, (0, 0)) if table else (0, len(data))
        if length and size >= length:
            ctypes.memmove(buffer, ctypes.byref(whole, start), length)
        return length

    def face_name(_self: Any, _font: Any, buffer: Any, size: int) -> int:
        if size >= len(_FACE):
            ctypes.memmove(buffer, _FACE, len(_FACE))
        return len(_FACE)

    info = pdfium.FPDF_SYSFONTINFO(version=1)
    for name, act in (
        ("Release", lambda _self: None),
        ("EnumFonts", lambda _self, _mapper: None),
        ("MapFont", map_font),
        ("GetFont", lambda _self, _face: None),
        ("GetFontData", font_data),
        ("GetFaceName", face_name),
        ("GetFontCharset", lambda _self, _font: pdfium.FXFONT_GB2312_CHARSET),
        ("DeleteFont", lambda _self, _font: None),
    ):
        kind = dict(pdfium.FPDF_SYSFONTINFO._fields_)[name]
        setattr(info, name, kind(act))
    _kept.extend((data, whole, info))
    pdfium.FPDF_SetSystemFontInfo(info)


def _tables(data: mmap.mmap) -> dict[int, tuple[int, int]]:
    """Return where each table of the font lies, by its tag as a number."""
    count = int.from_bytes(data[4:6], "big")
    rows = (data[12 + 16 * n : 28 + 16 * n] for n in range(count))
    numbers = ([int.from_bytes(row[at : at + 4], "big") for at in (0, 8, 12)] for row in rows)
    return {tag: (start, length) for tag, start, length in numbers}
