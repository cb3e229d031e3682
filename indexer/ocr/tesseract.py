"""Tesseract as the engine: the system's own library, called by its C interface on one thread.

The library and its languages are loaded, and used once, before the server forks and the walls stand: a fork opens no
file and starts no program, and Tesseract then needs neither.
"""

import ctypes
from collections.abc import Sequence
from ctypes.util import find_library
from typing import Any

from PIL import Image

from indexer.ocr.engine import Line
from indexer.ocr.engines import tesseract_languages

_PAGE, _ONE_LINE = 3, 7  # PSM_AUTO, PSM_SINGLE_LINE
_WORD = "5"  # level of a word in its table
_SPACE = 0.8  # of the line's height: Chinese words are told apart where there is no gap, and small gaps are none
_DPI = 250


class TesseractEngine:
    """Tesseract, in the languages that ``tesseract_languages`` tells.

    Raises:
        ImportError: there is no library, or none of the languages.
    """

    def __init__(self) -> None:
        name = find_library("tesseract")
        if name is None or not tesseract_languages():
            raise ImportError("tesseract")
        self._library = _declared(ctypes.CDLL(name))
        self._handle = self._library.TessBaseAPICreate()
        if self._library.TessBaseAPIInit3(self._handle, None, "+".join(tesseract_languages()).encode()):
            raise ImportError("tesseract")
        blank = Image.new("RGB", (320, 48), "white")
        self.read(blank)
        self.read_line(blank)

    def read(self, image: Image.Image) -> Sequence[Line]:
        """Find lines and read them, as ``Engine`` asks."""
        return lines_of(self._table(image, _PAGE))

    def read_line(self, image: Image.Image) -> tuple[str, float]:
        """Read one line, as ``Engine`` asks."""
        found = lines_of(self._table(image, _ONE_LINE))
        return (found[0].text, found[0].score) if found else ("", 0.0)

    def _table(self, image: Image.Image, how: int) -> str:
        grey = image.convert("L")
        pixels = grey.tobytes()
        self._library.TessBaseAPISetPageSegMode(self._handle, how)
        self._library.TessBaseAPISetImage(self._handle, pixels, grey.width, grey.height, 1, grey.width)
        self._library.TessBaseAPISetSourceResolution(self._handle, _DPI)
        told = self._library.TessBaseAPIGetTsvText(self._handle, 0)
        if not told:
            return ""
        try:
            return ctypes.string_at(told).decode("utf-8", "replace")
        finally:
            self._library.TessDeleteText(told)


def lines_of(table: str) -> list[Line]:
    """Return the lines of a table (TSV) in which Tesseract tells each word with its box and how sure it is of it."""
    rows: dict[tuple[str, ...], list[tuple[int, int, int, int, float, str]]] = {}
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) == 12 and cells[0] == _WORD and cells[11].strip():
            left, top, width, height = map(int, cells[6:10])
            rows.setdefault(tuple(cells[1:5]), []).append((left, top, width, height, float(cells[10]), cells[11]))
    return [_line(words) for words in rows.values()]


def _line(words: Sequence[tuple[int, int, int, int, float, str]]) -> Line:
    text, before, high = "", words[0], max(word[3] for word in words)
    for word in words:
        apart = word[0] - (before[0] + before[2]) > _SPACE * high
        latin = text[-1:].isascii() and word[5][:1].isascii()
        text += f" {word[5]}" if text and (apart or latin) else word[5]
        before = word
    left, top = float(min(word[0] for word in words)), float(min(word[1] for word in words))
    right = float(max(word[0] + word[2] for word in words))
    bottom = float(max(word[1] + word[3] for word in words))
    letters = sum(len(word[5]) for word in words)
    score = sum(max(word[4], 0.0) * len(word[5]) for word in words) / letters / 100
    return Line(((left, top), (right, top), (right, bottom), (left, bottom)), text, min(score, 1.0))


def _declared(library: ctypes.CDLL) -> Any:
    """Say what the functions take and return: ctypes would cut their pointers to 32 bits."""
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    for name, returned, *taken in (
        ("TessBaseAPICreate", pointer),
        ("TessBaseAPIInit3", number, pointer, text, text),
        ("TessBaseAPISetPageSegMode", None, pointer, number),
        ("TessBaseAPISetImage", None, pointer, text, number, number, number, number),
        ("TessBaseAPISetSourceResolution", None, pointer, number),
        ("TessBaseAPIGetTsvText", pointer, pointer, number),
        ("TessDeleteText", None, pointer),
    ):
        function = getattr(library, str(name))
        function.restype, function.argtypes = returned, taken
    return library
