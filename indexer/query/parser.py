"""Reads what a person types into the one search box, and says exactly where it cannot be read.

::

    物业 合同                 both (as AND)
    合同 OR 协议, 合同 | 协议, 合同 或 协议
    "物业 服务", “物业服务”, 「物业服务」   as one phrase
    -作废, NOT 作废, 非 作废   without (the minus may be − or full width)
    (a OR b) c, （a OR b） c
    title:合同, 题名：合同, title:(a OR b), title:"a b"
    date:2024-03..2024-05, 日期:2024.., year:..2020, date:2024
    contr*                    a word that begins so

AND binds before OR. Operators in Latin letters are in capitals. A hyphen inside a word belongs to the word: numbers
such as ``WS·2011-Y-BGS-0001`` are one word. Brackets closed inside one word belong to it too (合同（2024版）). Words of
punctuation alone are passed over. A name before a colon is a field when it is one; times, addresses and numbers with
colons are words.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from archive.dates import BadDate, parse_civil
from archive.errors import Fault, InvalidInput
from indexer.fields import FieldKind, SearchField, find_field, near_fields
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.words import number_terms, query_terms

LONGEST_QUERY = 1000
"""Characters."""
MOST_TERMS = 64
DEEPEST_GROUP = 20

QUOTES = {
    '"': '"”“„＂',
    "“": '"”“„＂',
    "”": '"”“„＂',
    "„": '"”“„＂',
    "＂": '"”“„＂',
    "「": "」",
    "『": "』",
    "﹁": "﹂",
    "﹃": "﹄",
}
_OPEN, _CLOSE, _EITHER, _MINUS = "(（", ")）", "|｜", "-－−﹣"
_AND, _OR, _NOT = {"AND", "且"}, {"OR", "或"}, {"NOT", "非"}
_STARS = "*＊"


def parse(text: str) -> Query:
    """The tree of ``text``; blank text is ``Everything``.

    Raises:
        InvalidInput: of field ``q``. Codes: too_long, too_many_terms, too_deep, unclosed_quote, unclosed_group,
            unopened_group, empty_group, lone_operator, nothing_to_negate, nothing_to_find, unknown_field (facts
            ``name``, ``near``), field_without_value (``name``), bad_range (``reason``: empty, date, year or order),
            no_such_day (``text``), prefix_too_short. Facts ``at`` and ``length`` point into ``text``, in characters.
    """
    if len(text) > LONGEST_QUERY:
        _fault("too_long", LONGEST_QUERY, len(text) - LONGEST_QUERY, limit=LONGEST_QUERY)
    return _Parser(text).whole()


def _fault(code: str, at: int, length: int, **facts: Any) -> NoReturn:
    raise InvalidInput(Fault("q", code, {"at": at, "length": max(length, 1), **facts}))


class _Parser:
    """One reading of one text, left to right; each method leaves ``at`` behind what it took."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.leaves = 0
        self.field: SearchField | None = None

    def whole(self) -> Query:
        found = self.alternatives()
        if self.at < len(self.text):
            _fault("unopened_group", self.at, 1)
        if found is None:
            if self.text.strip():
                _fault("nothing_to_find", 0, len(self.text))
            return Everything()
        return found

    def alternatives(self) -> Query | None:
        parts = [self.together()]
        while (mark := self.operator(_OR)) is not None:
            if parts[-1] is None:
                _fault("lone_operator", *mark)
            parts.append(self.together())
            if parts[-1] is None:
                _fault("lone_operator", *mark)
        return _joined(Or, parts)

    def together(self) -> Query | None:
        parts: list[Query | None] = []
        while True:
            mark = self.operator(_AND)
            if mark and not any(parts):
                _fault("lone_operator", *mark)
            before = self.at
            part = self.perhaps_negated()
            if part is None and self.at == before:
                if mark:
                    _fault("lone_operator", *mark)
                return _joined(And, parts)
            parts.append(part)

    def perhaps_negated(self) -> Query | None:
        """The next part; None either at the end of this group, or (having moved) when it holds nothing to find."""
        negated, mark = False, None
        while (found := self.operator(_NOT) or self.minus()) is not None:
            negated, mark = not negated, found
        before = self.at
        part = self.primary()
        while mark and part is None and self.at > before:
            before = self.at
            part = self.primary()
        if mark and part is None:
            _fault("nothing_to_negate", *mark)
        if negated and part is not None:
            return part.part if isinstance(part, Negate) else Negate(part)
        return part

    def primary(self) -> Query | None:
        self.blank()
        if self.at >= len(self.text) or self.text[self.at] in _CLOSE + _EITHER or self.is_operator():
            return None
        character = self.text[self.at]
        if character in _OPEN:
            return self.group()
        if character in QUOTES:
            return self.quoted()
        return self.word()

    def group(self) -> Query:
        start = self.at
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST_GROUP:
            _fault("too_deep", start, 1, limit=DEEPEST_GROUP)
        found = self.alternatives()
        self.depth -= 1
        if self.at >= len(self.text):
            _fault("unclosed_group", start, 1)
        self.at += 1
        if found is None:
            _fault("empty_group", start, self.at - start)
        return found

    def quoted(self) -> Query | None:
        start = self.at
        closing = QUOTES[self.text[start]]
        end = next((i for i in range(start + 1, len(self.text)) if self.text[i] in closing), None)
        if end is None:
            _fault("unclosed_quote", start, 1)
        self.at = end + 1
        return self.leaf(Words, self.text[start + 1 : end], start)

    def word(self) -> Query | None:
        start = self.at
        named = self.field_name()
        if named is not None:
            return self.of_field(named, start)
        typed = self.bare()
        return self.value(typed, start)

    def of_field(self, named: SearchField, start: int) -> Query | None:
        outer, self.field = self.field, named
        self.depth += 1
        try:
            if self.depth > DEEPEST_GROUP:
                _fault("too_deep", start, 1, limit=DEEPEST_GROUP)
            if named.kind in {FieldKind.DATE, FieldKind.YEAR}:
                self.blank()
                begin = self.at
                return self.value(self.bare(), begin)
            found = self.primary()
        finally:
            self.depth -= 1
            self.field = outer
        if found is None:
            _fault("field_without_value", start, self.at - start, name=named.name)
        return found

    def value(self, typed: str, start: int) -> Query | None:
        if self.field and self.field.kind in {FieldKind.DATE, FieldKind.YEAR}:
            self.count(start, len(typed))
            return _range(self.field, typed, start)
        if typed[-1:] in _STARS and typed:
            return self.prefix(typed, start)
        return self.leaf(Words, typed, start)

    def prefix(self, typed: str, start: int) -> Query | None:
        text = typed.rstrip(_STARS)
        if not text or not _last_is_word(text):
            if not text:
                _fault("prefix_too_short", start, len(typed))
            return self.leaf(Words, text, start)
        terms = query_terms(text, prefix=True).terms
        if terms and len(terms[-1]) < 2 and terms[-1].isascii():
            _fault("prefix_too_short", start, len(typed))
        return self.leaf(Prefix, text, start)

    def leaf(self, kind: Callable[..., Words | Prefix], text: str, start: int) -> Query | None:
        """A leaf, or None when ``text`` holds nothing that could be found."""
        if self.field and self.field.kind in {FieldKind.DATE, FieldKind.YEAR}:
            return self.value(text, start)
        numbered = self.field is not None and self.field.kind is FieldKind.NUMBER
        if not (number_terms(text) if numbered else query_terms(text)).terms:
            return None
        self.count(start, len(text))
        return kind(text, self.field.name if self.field else None, start)

    def count(self, start: int, length: int) -> None:
        self.leaves += 1
        if self.leaves > MOST_TERMS:
            _fault("too_many_terms", start, length, limit=MOST_TERMS)

    def blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def minus(self) -> tuple[int, int] | None:
        """A hyphen that begins a part: followed by something that is neither blank nor a hyphen."""
        self.blank()
        following = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at : self.at + 1] not in tuple(_MINUS) or not following.strip() or following in _MINUS:
            return None
        if following in _CLOSE + _EITHER:
            return None
        self.at += 1
        return self.at - 1, 1

    def operator(self, words: set[str]) -> tuple[int, int] | None:
        """Takes one of ``words`` standing alone (or a bar, for OR): where, and how long."""
        self.blank()
        start = self.at
        if words is _OR and self.text[start : start + 1] and self.text[start] in _EITHER:
            while self.at < len(self.text) and self.text[self.at] in _EITHER:
                self.at += 1
            return start, self.at - start
        length = self.alone()
        if length and self.text[start : start + length] in words:
            self.at += length
            return start, length
        return None

    def is_operator(self) -> bool:
        return self.text[self.at : self.at + self.alone()] in _AND | _OR | _NOT

    def alone(self) -> int:
        """How long the word is that begins here and ends at a blank, bracket, bar or quote."""
        end = self.at
        while end < len(self.text) and not self.ends_word(end) and self.text[end] not in _OPEN:
            end += 1
        return end - self.at

    def ends_word(self, at: int) -> bool:
        character = self.text[at]
        return character.isspace() or character in _CLOSE or character in _EITHER or character in QUOTES

    def bare(self) -> str:
        """Takes a run up to a blank, bar, quote or foreign bracket."""
        start = self.at
        while self.at < len(self.text) and not self.ends_word(self.at):
            if self.text[self.at] in _OPEN:
                closed = self.closing_bracket()
                if closed is None:
                    break
                self.at = closed
            self.at += 1
        return self.text[start : self.at]

    def closing_bracket(self) -> int | None:
        """Where the bracket opened here closes inside the same word, if it does."""
        depth = 0
        for index in range(self.at, len(self.text)):
            character = self.text[index]
            if character in _OPEN:
                depth += 1
            elif character in _CLOSE:
                depth -= 1
                if depth == 0:
                    return index
            elif self.ends_word(index):
                return None
        return None

    def field_name(self) -> SearchField | None:
        """Takes ``name:`` when a field, or what must be meant as one, begins here."""
        end = self.at
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] == "_"):
            end += 1
        if end == self.at or self.text[end : end + 1] not in {":", "："}:
            return None
        name, follows = self.text[self.at : end], self.text[end + 1 : end + 2]
        found = find_field(name)
        if found is not None and follows not in {"/", "\\"}:
            self.at = end + 1
            return found
        latin = name.isascii() and name.isalpha() and len(name) > 1
        near = near_fields(name) if latin or len(name) <= 5 else []
        if follows in {"/", "\\"} or not (latin or (near and not name.isascii())):
            return None
        _fault("unknown_field", self.at, end - self.at, name=name, near=near)


def _joined(kind: type[And | Or], parts: list[Query | None]) -> Query | None:
    flat: list[Query] = []
    for part in parts:
        if isinstance(part, kind):
            flat.extend(part.parts)
        elif part is not None:
            flat.append(part)
    if not flat:
        return None
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _last_is_word(text: str) -> bool:
    return bool(query_terms(text[-1]).terms)


def _range(field: SearchField, typed: str, at: int) -> Range:
    mark = "‥" if "‥" in typed else ".."
    low, between, high = typed.partition(mark)
    if not low.strip() and not high.strip():
        _fault("bad_range", at, len(typed), name=field.name, reason="empty")
    first = _bound(field, low, at, (at, len(typed)))
    last = _bound(field, high, at + len(low) + len(between), (at, len(typed))) if between else first
    if first and last and _order(field, first)[0] > _order(field, last)[1]:
        _fault("bad_range", at, len(typed), name=field.name, reason="order")
    return Range(field.name, first, last, at)


def _bound(field: SearchField, text: str, at: int, whole: tuple[int, int]) -> str | None:
    """One end of a range: ``text`` stands at ``at``, the range takes up ``whole``."""
    if not text.strip():
        return None
    try:
        civil = parse_civil(text)
    except BadDate as bad:
        if bad.part == "day" and field.kind is FieldKind.DATE:
            _fault("no_such_day", at, len(text), name=field.name, text=text)
        _fault("bad_range", *whole, name=field.name, reason=field.kind.value)
    if field.kind is FieldKind.YEAR:
        if len(civil.parts) > 1:
            _fault("bad_range", *whole, name=field.name, reason=field.kind.value)
        return str(civil.parts[0])
    return civil.text


def _order(field: SearchField, text: str) -> tuple[Any, Any]:
    if field.kind is FieldKind.YEAR:
        return int(text), int(text)
    civil = parse_civil(text)
    return civil.first, civil.last
