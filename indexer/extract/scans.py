"""Which pages are scans: pages whose words only OCR can find, because they are pictures or their text layer is no text.

A PDF whose fonts do not say which letters their glyphs are gives private-use or unknown signs, or Chinese letters at
random. Such a page counts as one without text.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping

FEW_LETTERS = 40
"""A page with fewer letters than this, and a picture over most of it, is a scan with a stamp or a page number."""

MOST_OF_A_PAGE = 0.6
"""Share of a page that a picture covers, from which on the page is its picture."""

_UNKNOWN = {"Co", "Cn", "Cs"}
_SPACES = "\t\n\r\f\v\x02"  # pdfium writes 2 for a hyphen at a line's end
_MOSTLY = 0.5
_ENOUGH_HAN = 20  # fewer may be a list of rare names
_COMMON_HAN = 0.6  # of Han letters drawn at random one third is common, of a real text nearly all


def is_gibberish(text: str) -> bool:
    """Whether a text layer, as it was extracted and not yet cleaned, is no text: mostly unknown or random signs."""
    signs = {letter: times for letter, times in Counter(text).items() if letter not in _SPACES and not letter.isspace()}
    if _times(signs, _is_unknown) > _MOSTLY * sum(signs.values()):
        return True
    han = {letter: times for letter, times in signs.items() if _is_han(letter)}
    many = sum(han.values())
    return many >= _ENOUGH_HAN and _times(han, _is_common) < _COMMON_HAN * many


def _times(signs: Mapping[str, int], asked: Callable[[str], bool]) -> int:
    return sum(times for letter, times in signs.items() if asked(letter))


def is_scan(text: str, *, covered: float, gibberish: bool = False) -> bool:
    """Whether a page's words are in its picture.

    Args:
        text: its text layer, cleaned; "" for gibberish.
        covered: the share of the page that its pictures cover; 0: it has none.
        gibberish: whether its text layer was gibberish: then its signs are drawn, be there a picture or not.
    """
    letters = sum(map(str.isalnum, text))
    if gibberish or (not letters and covered > 0):
        return True
    return letters < FEW_LETTERS and covered >= MOST_OF_A_PAGE


def _is_unknown(letter: str) -> bool:
    return letter in "\ufffd\ufffe\uffff" or unicodedata.category(letter) in _UNKNOWN | {"Cc"}


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or letter >= "\U00020000"


def _is_common(letter: str) -> bool:
    """Whether the first level of GB 2312 or of Big5 has a letter: those that nearly all texts are written with."""
    return b"\xb0\xa1" <= _code(letter, "gb2312") <= b"\xd7\xf9" or b"\xa4\x40" <= _code(letter, "big5") <= b"\xc6\x7e"


def _code(letter: str, encoding: str) -> bytes:
    return letter.encode(encoding, "ignore")
