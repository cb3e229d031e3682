"""Finds personal numbers in texts: identity numbers, mobile phone numbers, bank card numbers.

Page text, index and previews never hold them: ``mask`` blots them out and hands back what was there, so that keyed
tokens of them can be kept and an exact number be found again. Identity numbers follow GB 11643-1999.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MASK = "*"


class PersonalKind(StrEnum):
    """What a personal number is; also the kind of its keyed token."""

    IDENTITY = "identity"
    PHONE = "phone"
    CARD = "card"


@dataclass(frozen=True)
class Found:
    """A personal number in a text.

    ``start`` and ``end`` cut it out of the text as written; ``normal`` is the one form for equal numbers: digits
    alone, identity numbers with 18 signs and a capital X, phones without the country's prefix.
    """

    kind: PersonalKind
    start: int
    end: int
    normal: str


_REGIONS = frozenset(
    {
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        *range(81, 84),
    }
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_PLAIN = str.maketrans("０１２３４５６７８９Ｘｘx", "0123456789XXX")
_DIGIT = "[0-9０-９]"
_GAP = r"(?:[ \u00a0\u2002-\u200b\u3000\-－–—‐‑]|[ \t]?\r?\n[ \t]?)"
_RUN = re.compile(rf"(?<![0-9０-９]){_DIGIT}(?:{_GAP}?{_DIGIT}){{10,}}(?:{_GAP}?[XxＸｘ](?![A-Za-z]))?")
_GROUP = re.compile("[0-9０-９XxＸｘ]+")
_PHONE = re.compile(r"(?:(?:00)?86)?(1[3-9][0-9]{9})")
_PHONE_SHAPES = {(11,), (3, 8), (7, 4), (3, 4, 4), (4, 7), (3, 3, 5), (5, 6), (4, 4, 3)}
_CARD = re.compile(r"(?:[456]|3[4578]|9[4-9])[0-9]{12,18}|2[2-7][0-9]{14}")
_MOST_GROUPS = 6
_FIRST_YEAR = 1850


def find(text: str) -> list[Found]:
    """Return the personal numbers of a text, in order and without overlap.

    Digits may be full-width, and broken by single spaces, hyphens or a line end. What merely contains a valid number
    inside a longer run of digits is none. Card numbers must begin as bank cards do and pass the Luhn check.
    """
    found: list[Found] = []
    for run in _RUN.finditer(text):
        found += _in_run(text, run.start(), run.end())
    return found


def mask(text: str, *, keep_ends: bool = False) -> tuple[str, list[tuple[PersonalKind, str]]]:
    """Blot out personal numbers; the text keeps its length and its separators.

    Without ``keep_ends`` not one digit stays, so that no part can be searched for: the form for stored text. With it
    the form for a screen stays: a phone's first three and last four digits, an identity number's first and last sign,
    a card's last four.

    Returns:
        The masked text, and (kind, normal form) of each number in order of appearance.
    """
    parts: list[str] = []
    numbers: list[tuple[PersonalKind, str]] = []
    at = 0
    for found in find(text):
        parts += (text[at : found.start], _blot(text[found.start : found.end], found.kind, keep_ends=keep_ends))
        numbers.append((found.kind, found.normal))
        at = found.end
    if not numbers:
        return text, []
    return "".join(parts) + text[at:], numbers


def check_identity(text: str) -> str:
    """Return the normal form of an identity number of 18 signs, or of the old 15.

    Raises:
        ValueError: its text is ``bad_length``, ``bad_sign``, ``bad_region``, ``bad_date`` or ``wrong_check_digit``.
    """
    number = _bare(text)
    if len(number) == 15:
        number = _from_old(number) if number.isdigit() else _fail("bad_sign")
    if len(number) != 18:
        _fail("bad_length")
    if not (number[:17].isdigit() and number[17] in "0123456789X"):
        _fail("bad_sign")
    if int(number[:2]) not in _REGIONS:
        _fail("bad_region")
    if not _is_birthday(number[6:14]):
        _fail("bad_date")
    if number[17] != _check_sign(number):
        _fail("wrong_check_digit")
    return number


def check_phone(text: str) -> str:
    """Return the normal form of a mainland mobile number: eleven digits.

    Raises:
        ValueError: its text is ``bad_sign``, ``bad_length`` or ``bad_prefix``.
    """
    number = _bare(text).removeprefix("+")
    if not number.isdigit():
        _fail("bad_sign")
    number = re.sub(r"^(?:00)?86(?=1[0-9]{10}$)", "", number)
    if len(number) != 11:
        _fail("bad_length")
    if not _PHONE.fullmatch(number):
        _fail("bad_prefix")
    return number


def check_card(text: str) -> str:
    """Return the normal form of a bank card number: 13 to 19 digits.

    Raises:
        ValueError: its text is ``bad_sign``, ``bad_length`` or ``wrong_check_digit``.
    """
    number = _bare(text)
    if not number.isdigit():
        _fail("bad_sign")
    if not 13 <= len(number) <= 19:
        _fail("bad_length")
    if not _luhn(number):
        _fail("wrong_check_digit")
    return number


def _fail(code: str) -> str:
    raise ValueError(code)


def _bare(text: str) -> str:
    number = re.sub(rf"{_GAP}|[()（）]", "", text.strip()).translate(_PLAIN)
    if not number.isascii():
        _fail("bad_sign")
    return number


def _in_run(text: str, start: int, end: int) -> list[Found]:
    """Look at each way to join neighbouring groups of digits, from the left, the fullest meaning first."""
    groups = [(start + g.start(), start + g.end()) for g in _GROUP.finditer(text[start:end])]
    plain = [text[a:b].translate(_PLAIN) for a, b in groups]
    found: list[Found] = []
    first = 0
    while first < len(groups):
        taken = 1
        hit = _best(text, groups, plain, first)
        if hit:
            found.append(hit[0])
            taken = hit[1]
        first += taken
    return found


def _best(text: str, groups: list[tuple[int, int]], plain: list[str], first: int) -> tuple[Found, int] | None:
    if sum(map(len, plain[first : first + _MOST_GROUPS])) < 11:
        return None
    hits: list[tuple[int, Found, int]] = []
    for count in range(1, min(_MOST_GROUPS, len(groups) - first) + 1):
        parts = plain[first : first + count]
        number = "".join(parts)
        if len(number) > 19:
            break
        start, end = groups[first][0], groups[first + count - 1][1]
        broken = "\n" in text[start:end]
        found = _meaning(parts, number, broken=broken)
        if found and not _is_fraction(text, start, end):
            hits.append((list(PersonalKind).index(found[0]), Found(found[0], start, end, found[1]), count))
    return min(hits, key=lambda hit: hit[0])[1:] if hits else None


def _meaning(parts: list[str], number: str, *, broken: bool) -> tuple[PersonalKind, str] | None:
    if len(number) == 18 or (len(number) == 15 and len(parts) == 1):
        identity = _identity(number)
        if identity:
            return PersonalKind.IDENTITY, identity
    phone = _phone(parts, number) if not broken and len(number) in (11, 13, 15) else None
    if phone:
        return PersonalKind.PHONE, phone
    if _CARD.fullmatch(number) and _is_card_shape(parts, broken=broken) and _luhn(number):
        return PersonalKind.CARD, number
    return None


def _identity(number: str) -> str | None:
    try:
        return check_identity(number)
    except ValueError:
        return None


def _phone(parts: list[str], number: str) -> str | None:
    match = _PHONE.fullmatch(number)
    if not match:
        return None
    shape = [len(part) for part in parts]
    prefix = len(number) - 11
    if prefix and shape[0] == prefix:
        shape = shape[1:]
    elif prefix:
        shape[0] -= prefix
    return match[1] if tuple(shape) in _PHONE_SHAPES else None


def _is_card_shape(parts: list[str], *, broken: bool) -> bool:
    if len(parts) == 1:
        return True
    if broken:
        return len(parts) == 2 and parts[0].startswith("62")
    shape = [len(part) for part in parts]
    fours = all(size == 4 for size in shape[:-1]) and shape[-1] <= 4
    return fours or shape in ([6, 13], [4, 6, 5], [6, 10], [6, 12])


def _is_fraction(text: str, start: int, end: int) -> bool:
    """Whether the digits stand behind a decimal point, or before one that goes on."""
    before = text[start - 1 : start] == "." and text[start - 2 : start - 1].isdigit()
    after = text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit()
    return before or after


def _from_old(number: str) -> str:
    long = number[:6] + "19" + number[6:]
    return long + _check_sign(long)


def _check_sign(number: str) -> str:
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11]


def _is_birthday(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return _FIRST_YEAR <= born.year < 2200


def _luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(number)) > 1


def _blot(written: str, kind: PersonalKind, *, keep_ends: bool) -> str:
    places = [at for at, sign in enumerate(written) if _GROUP.match(sign)]
    if keep_ends:
        head, tail = {PersonalKind.IDENTITY: (1, 1), PersonalKind.PHONE: (3, 4), PersonalKind.CARD: (0, 4)}[kind]
        if kind is PersonalKind.PHONE:
            head += len(places) - 11  # the country's prefix hides nothing
        places = places[head : len(places) - tail]
    hidden = set(places)
    return "".join(MASK if at in hidden else sign for at, sign in enumerate(written))
