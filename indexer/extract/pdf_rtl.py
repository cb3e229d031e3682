"""Arabic and Hebrew words of a PDF, in the order in which they are read.

Programs write such words as they are drawn, from the left, or as they are read; pdfium guesses, and turns many the
wrong way round. Where the letters stand tells: a word whose last letter stands no further left than its first is
turned back.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import pypdfium2.raw as pdfium

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

Sign = tuple[str, tuple[int, int, int, int]]
"""A sign and its box: left, top, right, bottom."""


def runs_right_to_left(text: str) -> bool:
    """Whether a text has letters that are read from the right."""
    return _RIGHT_TO_LEFT.search(text) is not None


def in_reading_order(signs: Iterable[Sign]) -> list[Sign]:
    """Return signs, words that came the wrong way turned round."""
    found: list[Sign] = []
    for right_to_left, together in groupby(signs, lambda sign: runs_right_to_left(sign[0])):
        word = list(together)
        wrong = right_to_left and word[-1][1][0] >= word[0][1][0]
        found += reversed(word) if wrong else word
    return found


def text_in_reading_order(text_page: Any, most: int) -> str:
    """Return the (first) signs of a page's text, words that came the wrong way turned round."""
    box = pdfium.FS_RECTF()
    signs: list[Sign] = []
    for at in range(min(text_page.count_chars(), most)):
        pdfium.FPDFText_GetLooseCharBox(text_page, at, box)
        place = (round(box.left * 100), round(box.top * 100), round(box.right * 100), round(box.bottom * 100))
        signs.append((chr(pdfium.FPDFText_GetUnicode(text_page, at)), place))
    return "".join(sign for sign, _box in in_reading_order(signs))
