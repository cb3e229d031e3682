"""Finds the date on which a document was drawn up, from its words or its metadata."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from archive.cataloguing.proposals import TEXT, Finding
from indexer import kinds
from indexer.finders.paper import HEAD_CHARS, Line, Paper, stated
from indexer.finders.words import BODIES
from indexer.pagetext import Page

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
_WIDE = re.compile("[０-９]")
_HAN = "〇○Ｏ零元一二三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖十拾百佰"
_S = r"[ \u3000]{0,2}"
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
_DATE = re.compile(
    rf"(?P<era>民国|民國|中華民國|中华民国)?{_S}"
    rf"(?<![0-9{_HAN}])(?P<y>\d{{1,4}}|[{_HAN}]{{1,7}}){_S}年{_S}"
    rf"(?P<m>\d{{1,2}}|[{_HAN}]{{1,3}}){_S}月(?:{_S}(?P<d>\d{{1,2}}|[{_HAN}]{{1,4}}){_S}日)?"
    r"|(?<![0-9.\-/])(?P<iy>(?:19|20)\d\d)(?P<sep>[-/.])(?P<im>\d{1,2})(?P=sep)(?P<id>\d{1,2})(?![0-9\-/])"
    rf"|\b(?P<em>{_MONTHS})\.?[ ](?P<ed>[0-3]?[0-9])(?:st|nd|rd|th)?,?[ ](?P<ey>(?:19|20)\d\d)\b"
    rf"|\b(?P<bd>[0-3]?[0-9])(?:st|nd|rd|th)?[ ](?P<bm>{_MONTHS})\.?,?[ ](?P<by>(?:19|20)\d\d)\b"
)
_LABELLED = re.compile(r"(?:日期|时间|時間|\bdate)[ \u3000]*[:：][ \t\u3000]*$", re.IGNORECASE)
_IN_FORCE = re.compile(rf"{_S}(?:起|施行|生效|实施|實施|至|止|前)")
_SINCE = re.compile("[自从從]$")
_ENACTED = re.compile("通过|通過|修订|修訂|修正|修改|公布|发布|發布|批准|核准")
_SHEETS = frozenset({kinds.XLS, kinds.XLSX, "text/csv", kinds.OPENDOCUMENT + "spreadsheet"})
"""A date in Chinese, in figures, or in English."""

_METADATA = re.compile(r"^(?:D:)?((?:19|20)\d\d)-?(\d\d)-?(\d\d)")
_LAST_LINES = 10
_ALONE_EDGES = " \u3000\t（）()。"
_NOT_SIGNED = re.compile("印[发發制製]|施行|生效|实施|實施|批准|核准|通过|通過|修订|修訂|修正")


Signed = tuple[Finding, Sequence[Line]]
"""A date of signing, and the two lines above it."""


def find_date(paper: Paper, signed: Signed | None) -> Finding | None:
    """Return the civil date ``YYYY-MM-DD`` (or ``YYYY-MM``) on which a document was drawn up, or None.

    ``signed`` is what ``signing`` found.

    A date that stands alone on a line near the end is the date of signing; else, at the head of rules, the last line
    that tells of their adoption or amendment; else the first date near the start, else the last near the end, else
    the day on which the file was made. None lies after today.
    """
    if signed:
        return signed[0]
    if enacted := _enacted(paper):
        return enacted
    head = [(paper.pages[0], 0, HEAD_CHARS)] if paper.pages else []
    tail = [(page, start, len(page.text)) for page, start in paper.tails()]
    for places, pick, rule in ((head, 0, "date_first"), (tail, -1, "date_last")):
        dates = [found for place in places for found in _dates(*place, paper, rule)]
        whole = [found for found in dates if len(found.value) == 10] or dates
        if whole:
            return whole[pick]
    made = _from_metadata(paper.created, paper.today)
    return stated("drawn_up", made, "file_made") if made else None


def signing(paper: Paper) -> Signed | None:
    """Return the date of signing and the two lines above it.

    It stands alone on a line below the name of a body, wherever annexes may begin, or among the last lines of all. A
    printer's date is none, nor one that tells how rules came about.
    """
    if paper.media_type in _SHEETS:  # a date alone is a cell of the table
        return None
    lines = paper.lines
    below = [place for place in range(1, len(lines)) if BODIES.fullmatch(lines[place - 1].text)]
    ends = {(line.page, line.start) for line in paper.tail[-_LAST_LINES:]}
    last = [place for place, line in enumerate(lines) if (line.page, line.start) in ends]
    for places in (below, last):
        for place in reversed(places):
            if found := _alone(lines[place], paper.today):
                return found, lines[max(place - 2, 0) : place]
    return None


def _alone(line: Line, today: date) -> Finding | None:
    match = _DATE.search(_narrow(line.text))
    if match is None or _NOT_SIGNED.search(line.text):
        return None
    if len(line.text.strip(_ALONE_EDGES)) - len(match.group(0).strip()) > 6:
        return None
    found = _civil(match, today)
    return line.found("drawn_up", "date_signed", *_cut(match), found) if found and len(found) == 10 else None


def _enacted(paper: Paper) -> Finding | None:
    """Return the last date among the lines at the head that tell how rules came about: the text is of that day."""
    last = None
    for line in paper.head:
        match = _DATE.match(_narrow(line.text).lstrip("（("))
        if match is None or not _ENACTED.search(line.text):
            continue
        found, shift = _civil(match, paper.today), len(line.text) - len(line.text.lstrip("（("))
        if found and (last is None or found > last.value):
            start, end = _cut(match)
            last = line.found("drawn_up", "date_enacted", start + shift, end + shift, found)
    return last


def date_at_end(line: Line, today: date) -> int | None:
    """Return where the date begins that ends a line, or None."""
    matches = list(_DATE.finditer(_narrow(line.text)))
    if not matches or matches[-1].end() < len(line.text.rstrip(_ALONE_EDGES)) or not _civil(matches[-1], today):
        return None
    return _cut(matches[-1])[0]


def _dates(page: Page, start: int, end: int, paper: Paper, rule: str) -> Iterator[Finding]:
    """Yield the dates in a part of a page, but for those of a term; of a table those with a label."""
    text = _narrow(page.text)
    for match in _DATE.finditer(text, start, end):
        found = _civil(match, paper.today)
        cell = paper.media_type in _SHEETS and not _LABELLED.search(text[: match.start()][-20:])
        term = _IN_FORCE.match(text, match.end()) or _SINCE.search(text[: match.start()])
        if found and not cell and not term:
            yield Finding("drawn_up", found, rule, TEXT, page.number, *_cut(match))


def _narrow(text: str) -> str:
    """Return a text with what stands for ASCII in a date as ASCII, sign by sign."""
    return text.translate(_FULL_WIDTH) if _WIDE.search(text) else text


def _cut(match: re.Match[str]) -> tuple[int, int]:
    """Return where a date begins and ends without the blanks around it."""
    words = match.group(0)
    return match.start() + len(words) - len(words.lstrip()), match.end() - len(words) + len(words.rstrip())


def _civil(match: re.Match[str], today: date) -> str | None:
    for y, m, d in (("ey", "em", "ed"), ("by", "bm", "bd")):
        if match[y]:
            return _checked(today, int(match[y]), _MONTH_NAMES.index(match[m][:3]) + 1, int(match[d]))
    if match["iy"]:
        return _checked(today, int(match["iy"]), int(match["im"]), int(match["id"]))
    year, month = _number(match["y"]), _number(match["m"])
    if match["era"]:
        year = year + 1911 if year else None
    if year is None or month is None or (not match["era"] and len(match["y"]) != 4):
        return None
    if match["d"] is None:
        return _checked(today, year, month, None)
    day = _number(match["d"])
    return _checked(today, year, month, day) if day is not None else None


def _checked(today: date, year: int, month: int, day: int | None) -> str | None:
    try:
        found = date(year, month, 1 if day is None else day)
    except ValueError:
        return None
    if year < 1900 or found > today:
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


def _from_metadata(created: str, today: date) -> str | None:
    match = _METADATA.match(created.strip())
    return _checked(today, *map(int, match.groups())) if match else None
