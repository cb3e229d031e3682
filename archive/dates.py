"""Civil dates: days, months or years on a paper, never moments.

A paper may say 2024, March 2024 or 5 March 2024, in Western or Republic (民國) years, in digits or in Chinese
numerals. ``parse_civil`` takes what people type and gives the one form the archive keeps.
"""

import calendar
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from archive.errors import Fault, InvalidInput

FIRST_YEAR = 1000
LAST_YEAR = 2200
REPUBLIC_OFFSET = 1911
"""Year 1 of the Republic 民國元年 is 1912."""

_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
    "O": "0",
    "o": "0",
    "两": "2",
}
_TENS = {"十": 10, "廿": 20, "卅": 30}
_NUMERAL = "0-9〇零○Oo一二三四五六七八九十廿卅百元"
_WORDS = re.compile(
    rf"(?P<era>中[华華][民][国國]|民[国國]|公元|西元)?(?P<year>[{_NUMERAL}]+)年"
    rf"(?:(?P<month>[{_NUMERAL}]+)月(?:(?P<day>[{_NUMERAL}]+)[日号號]?)?)?"
)
_SEPARATED = re.compile(
    r"(?P<era>中[华華]民[国國]|民[国國]|公元|西元)?"
    r"(?P<year>\d{2,4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?)?"
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})?|(?P<republic>\d{3})(?P<m>\d{2})(?P<d>\d{2})")

_IN_NAME = re.compile(
    rf"(?:民[国國]|公元|西元)?(?<![{_NUMERAL}])[{_NUMERAL}]{{2,7}}年[{_NUMERAL}]{{1,3}}月[{_NUMERAL}]{{1,3}}[日号號]"
    r"|(?<!\d)(?:19|20)\d\d(?P<mark>[-/._ ])\d{1,2}(?P=mark)\d{1,2}(?!\d)"
    r"|(?<!\d)(?P<run>(?:19|20)\d{6})(?:\d{6})?(?!\d)"
)
_FIRST_NAMED_YEAR = 1900


class BadDate(InvalidInput, ValueError):
    """A text that names no day. ``part`` says what is wrong: ``form``, ``year``, ``month`` or ``day``.

    The fault's facts hold the text as typed (cut to 40 characters), the part, and the year, month, day and last day of
    that month as far as they are known, so that a message can name 31 February.
    """

    def __init__(self, text: str, part: str, **facts: Any) -> None:
        self.part = part
        super().__init__(Fault("date", "bad_date", {"text": text[:40], "part": part, **facts}))

    def fault(self, field: str) -> Fault:
        """Return the same fault as one of ``field``."""
        return replace(self.faults[0], field=field)


@dataclass(frozen=True, order=True)
class CivilDate:
    """A date as far as it is known: ``text`` is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.

    ``first`` and ``last`` are the days it may mean.
    """

    first: date
    last: date
    text: str

    @property
    def parts(self) -> tuple[int, ...]:
        """Year, and month and day where known."""
        return tuple(int(part) for part in self.text.split("-"))

    def display(self, locale: str = "zh_CN", *, republic: bool = False) -> str:
        """Return the date as read aloud in ``locale``; ``republic`` counts years from 1912 (民國)."""
        year, *rest = self.parts
        if not locale.startswith("zh"):
            names = [calendar.month_name[rest[0]]] if rest else []
            return " ".join([*map(str, rest[1:]), *names, str(year)])
        head = str(year)
        if republic and year > REPUBLIC_OFFSET:
            head = ("民国" if locale == "zh_CN" else "民國") + str(year - REPUBLIC_OFFSET)
        return head + "年" + "".join(f"{n}{unit}" for n, unit in zip(rest, "月日", strict=False))


def civil(year: int, month: int | None = None, day: int | None = None, *, typed: str = "") -> CivilDate:
    """Make a civil date from its parts.

    Raises:
        BadDate: there is no such year (1000 to 2200), month or day.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadDate(typed, "year", year=year)
    if month is None:
        return CivilDate(date(year, 1, 1), date(year, 12, 31), f"{year:04}")
    if not 1 <= month <= 12:
        raise BadDate(typed, "month", year=year, month=month)
    last_day = calendar.monthrange(year, month)[1]
    if day is None:
        return CivilDate(date(year, month, 1), date(year, month, last_day), f"{year:04}-{month:02}")
    if not 1 <= day <= last_day:
        raise BadDate(typed, "day", year=year, month=month, day=day, last_day=last_day)
    found = date(year, month, day)
    return CivilDate(found, found, found.isoformat())


def parse_civil(text: str) -> CivilDate:
    """Read a date as people type it.

    Takes 2024-3-5, 2024/3/5, 2024.3.5, 20240305, 2024-03, 2024, 2024年3月5日, 二〇二四年三月五日, 民國113年3月5日,
    113/3/5 (three digits are a year of the Republic) and 1130305, in half- or full-width characters.

    Raises:
        BadDate: the text names no day; the fault names the part.
    """
    typed = text.strip()
    if len(typed) > 40:
        raise BadDate(typed, "form")
    # NFKC would turn the ideographic zero's look-alikes into letters, which the numeral table takes as well.
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed))
    if found := _COMPACT.fullmatch(plain):
        return _compact(found, typed)
    found = _SEPARATED.fullmatch(plain) or _WORDS.fullmatch(plain)
    if not found:
        raise BadDate(typed, "form")
    try:
        year, month, day = (None if part is None else _number(part) for part in found.group("year", "month", "day"))
    except ValueError:
        raise BadDate(typed, "form") from None
    if year is None:
        raise BadDate(typed, "form")
    return civil(_western(found.group("era"), found.group("year"), year, month, typed), month, day, typed=typed)


def date_in_name(name: str, today: date) -> CivilDate | None:
    """Return the first whole day up to ``today`` that a file's name holds, or None.

    Takes what ``parse_civil`` takes in words, 2019-05-06 with ``-``, ``/``, ``.``, ``_`` or a space, and 20190506, a
    time of day after it or not.
    """
    plain = unicodedata.normalize("NFKC", name)
    for found in _IN_NAME.finditer(plain):
        try:
            day = parse_civil(found["run"] or re.sub("[_ ]", "-", found.group()))
        except BadDate:
            continue
        if day.first.year >= _FIRST_NAMED_YEAR and day.first <= today:
            return day
    return None


def named_day(name: str, day: str) -> bool:
    """Whether ``day`` (``YYYY-MM-DD``) may be what ``date_in_name`` read in a file's name."""
    try:
        found = date_in_name(name, date.fromisoformat(day))
    except ValueError:
        return False
    return found is not None and found.text == day


def _compact(found: re.Match[str], typed: str) -> CivilDate:
    if republic := found.group("republic"):
        return civil(int(republic) + REPUBLIC_OFFSET, int(found.group("m")), int(found.group("d")), typed=typed)
    day = found.group("day")
    return civil(int(found.group("year")), int(found.group("month")), int(day) if day else None, typed=typed)


def _western(era: str | None, written: str, year: int, month: int | None, typed: str) -> int:
    """Return the Western year of a written one; two digits without an era could mean several."""
    if era and "民" in era:
        if year < 1:
            raise BadDate(typed, "year", year=year)
        return year + REPUBLIC_OFFSET
    if era is None and len(written) == 3 and written.isascii() and month is not None:
        return year + REPUBLIC_OFFSET
    return year


def _number(text: str) -> int:
    """Read digits, Chinese digits one by one, or a Chinese numeral below 200. ``ValueError`` when it is none."""
    if text == "元":
        return 1
    if not any(mark in text for mark in (*_TENS, "百")):
        return int("".join(_DIGITS.get(c, c) for c in text))
    hundreds, mark, rest = text.rpartition("百")
    total = (_number(hundreds) if hundreds else 1) * 100 if mark else 0
    rest = rest.lstrip("零〇○")
    for sign, worth in _TENS.items():
        if sign in rest:
            before, _, after = rest.partition(sign)
            times = _number(before) if before else 1
            return total + times * worth + (_number(after) if after else 0)
    return total + (_number(rest) if rest else 0)
