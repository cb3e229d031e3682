"""Makes hostile text harmless: no control characters, no broken surrogates, one form, a cap."""

import re
import unicodedata
from itertools import pairwise

from indexer.extract.answer import MAX_PAGE_CHARS

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff]"
)
_BLANK_LINES = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*){2,}")
_HAN_BREAK = re.compile(r"(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])\n")
_NUMBER_LINE = re.compile(r"[\u3400-\u9fff]{1,20}[〔\[(（【]\d{4}[〕\])）】]第?\d{1,5}号")


def clean(text: str, *, limit: int = MAX_PAGE_CHARS) -> str:
    r"""Return ``text`` in NFC with ``\n`` line ends, without control, direction and surrogate code points.

    At most ``limit`` characters are kept. Page texts keep their blank lines, at most one in a row.
    """
    if len(text) > limit:
        text = text[:limit]
    text = _HARMFUL.sub("", _LINE_ENDS.sub("\n", text))
    text = unicodedata.normalize("NFC", text)
    return _BLANK_LINES.sub("\n\n", text).strip("\n")[:limit]


def clean_line(text: str, limit: int = 300) -> str:
    """Return a single cleaned line, for titles and the like."""
    return " ".join(clean(text, limit=limit).split())


def unwrap(text: str) -> str:
    """Join lines that a page's width broke inside Chinese text, so that a word across two lines stays one.

    A line is taken as broken by width when it ends in a Han character and reaches four fifths of the longest line;
    the next line must not be indented, nor be a document number, which stands alone below a title.
    """
    if "\n" not in text:
        return text
    lines = text.split("\n")
    full = 0.8 * max(len(line) for line in lines)
    joined = [lines[0]]
    for before, line in pairwise(lines):
        wrapped = len(before) >= full and _HAN_BREAK.search(before[-1:] + "\n") and line[:1] not in ("", " ", "\u3000")
        if wrapped and _is_han(line[0]) and not _NUMBER_LINE.fullmatch(line.strip()):
            joined[-1] += line
        else:
            joined.append(line)
    return "\n".join(joined)


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or letter >= "\U00020000"
