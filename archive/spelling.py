"""How a number may be written: width, case and the marks between its words do not tell two numbers apart."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def number_words(text: str) -> list[str]:
    """Return the runs of letters and digits of a number, half-width and lower-case.

    ``WY01-WYH·2024`` and ``ｗｙ０１/wyh 2024`` give the same.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


_WIDTH = {0xFF10 + digit: ord("0") + digit for digit in range(10)} | {0x3000: " "}


def whole_of(text: str, most: int = 10**9 - 1) -> int | None:
    """Return the whole number that a text is, in digits of any width; None when it is none, or above ``most``."""
    plain = text.translate(_WIDTH).strip()
    number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None
    return None if number is None or number > most else number


def number_key(text: str) -> str:
    """Return a number's letters and digits alone: what every way to write it has in common, separators or none."""
    return "".join(number_words(text))
