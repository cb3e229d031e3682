"""Proposes the date on which a document was drawn up, from its words or its metadata."""

import re
from collections.abc import Mapping
from datetime import date

_DIGITS = {
    "〇": 0,
    "○": 0,
    "Ｏ": 0,
    "零": 0,
    "元": 1,
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
} | {
    "八": 8,
    "九": 9,
    "壹": 1,
    "贰": 2,
    "貳": 2,
    "叁": 3,
    "參": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "陸": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
}
_TENS = {"十", "拾"}
_HUNDREDS = {"百", "佰"}
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_HAN = "〇○Ｏ零元一二三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖十拾百佰"
_S = r"[ \u3000]{0,2}"
_DATE = re.compile(
    rf"(?P<era>民国|民國|中華民國|中华民国)?{_S}"
    rf"(?<![0-9{_HAN}])(?P<y>\d{{1,4}}|[{_HAN}]{{1,7}}){_S}年{_S}"
    rf"(?P<m>\d{{1,2}}|[{_HAN}]{{1,3}}){_S}月(?:{_S}(?P<d>\d{{1,2}}|[{_HAN}]{{1,4}}){_S}日)?"
    r"|(?<![0-9.\-/])(?P<iy>(?:19|20)\d\d)(?P<sep>[-/.])(?P<im>\d{1,2})(?P=sep)(?P<id>\d{1,2})(?![0-9\-/])"
)
_METADATA = re.compile(r"^(?:D:)?((?:19|20)\d\d)-?(\d\d)-?(\d\d)")
_HEAD, _TAIL = 1_500, 1_500


def propose_date(text: str, metadata: Mapping[str, str] | None = None) -> str | None:
    """Return a civil date ``YYYY-MM-DD`` (or ``YYYY-MM``), or None when nothing tells one.

    A date that stands alone on a line near the end is the date of signing; else the first date near the start, else
    the last near the end, else the metadata's ``created``. Give the first and the last pages' text, joined.
    """
    text = text.translate(_FULL_WIDTH)
    head, tail = text[:_HEAD], text[-_TAIL:]
    signed = [found for line in tail.split("\n") if (found := _alone(line))]
    if signed:
        return signed[-1]
    for part, pick in ((head, 0), (tail, -1)):
        dates = [found for match in _DATE.finditer(part) if (found := _civil(match))]
        whole = [found for found in dates if len(found) == 10] or dates
        if whole:
            return whole[pick]
    return _from_metadata((metadata or {}).get("created", ""))


def _alone(line: str) -> str | None:
    stripped = line.strip(" \u3000\t（）()。")
    match = _DATE.search(stripped)
    if match is None or len(stripped) - len(match.group(0).strip()) > 6:
        return None
    found = _civil(match)
    return found if found and len(found) == 10 else None


def _civil(match: re.Match[str]) -> str | None:
    if match["iy"]:
        return _checked(int(match["iy"]), int(match["im"]), int(match["id"]))
    year, month = _number(match["y"]), _number(match["m"])
    if match["era"]:
        year = year + 1911 if year else None
    if year is None or month is None or (not match["era"] and len(match["y"]) != 4):
        return None
    if match["d"] is None:
        return _checked(year, month, None)
    day = _number(match["d"])
    return _checked(year, month, day) if day is not None else None


def _checked(year: int, month: int, day: int | None) -> str | None:
    try:
        found = date(year, month, 1 if day is None else day)
    except ValueError:
        return None
    if not 1900 <= year <= 2100:
        return None
    return found.isoformat() if day is not None else found.isoformat()[:7]


def _number(text: str) -> int | None:
    """Read 2024, 二〇二四, 十二, 三十一 or 一百一十三."""
    if text.isdigit():
        return int(text)
    if not any(sign in _TENS or sign in _HUNDREDS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text)) if all(sign in _DIGITS for sign in text) else None
    total = 0
    digit = 0
    for sign in text:
        if sign in _HUNDREDS:
            total, digit = total + max(digit, 1) * 100, 0
        elif sign in _TENS:
            total, digit = total + max(digit, 1) * 10, 0
        elif digit:
            return None
        else:
            digit = _DIGITS[sign]
    return total + digit


def _from_metadata(created: str) -> str | None:
    match = _METADATA.match(created.strip())
    return _checked(*map(int, match.groups())) if match else None
