"""The type for pages that name a Chinese font and do not carry it: one font of ours, for no fork can open the system's.

Many PDFs of offices and companies are like that. Without it pdfium draws their pages empty. Where only words are asked
for, which letters stand there is said by the PDF: then it gets a font of one letter, that takes no time to load.
"""

import ctypes
import mmap
import struct
from pathlib import Path
from typing import Any

import pypdfium2.raw as pdfium

FONT = Path(__file__).parents[1] / "fonts" / "NotoSansSC-Regular.ttf"
_ONE_LETTER = FONT.with_name("Boxes.ttf")

_FACE = b"Noto Sans SC\x00"
_OURS = 1  # the handle of the one font
_CHARSETS = {
    pdfium.FXFONT_GB2312_CHARSET,
    pdfium.FXFONT_CHINESEBIG5_CHARSET,
    pdfium.FXFONT_SHIFTJIS_CHARSET,
    pdfium.FXFONT_HANGEUL_CHARSET,
}
_lent: list["_Font"] = []  # the first is lent
_kept: list[Any] = []  # pdfium holds pointers to these as long as the process lives


class _Font:
    """The bytes of a font file, and where its tables lie in them, by their tags as numbers; 0 is all of it."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.bytes = (ctypes.c_char * len(data)).from_buffer(data)
        count = int.from_bytes(data[4:6], "big")
        rows = (struct.unpack_from(">IIII", data, 12 + 16 * number) for number in range(count))
        self.tables: dict[int, tuple[int, int]] = {0: (0, len(data))}
        self.tables.update({tag: (start, length) for tag, _check, start, length in rows})


def lend_fonts() -> None:
    """Answer pdfium's questions for fonts from memory. To be called once, before the first document is opened."""
    _lent.extend((_Font(FONT), _Font(_ONE_LETTER)))

    def map_font(
        _self: Any, _weight: int, _italic: int, charset: int, _pitch: int, _face: Any, _exact: Any
    ) -> int | None:
        return _OURS if charset in _CHARSETS else None

    def font_data(_self: Any, _font: Any, table: int, buffer: Any, size: int) -> int:
        font = _lent[0]
        start, length = font.tables.get(table, (0, 0))
        if length and size >= length:
            ctypes.memmove(buffer, ctypes.byref(font.bytes, start), length)
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
    _kept.append(info)
    pdfium.FPDF_SetSystemFontInfo(info)


def lend_for_words() -> None:
    """From now on, in this process, lend the font of one letter: nothing will be drawn, and no place asked for."""
    _lent.sort(key=lambda font: len(font.bytes))  # a fork cannot let go of the other: it may close no file
