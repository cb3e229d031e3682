"""What a query must find, by plain substrings over folded text: slow, simple, and the judge of every engine."""

import re
from collections.abc import Mapping, Sequence

from archive.dates import parse_civil
from indexer.fields import BY_NAME, EVERYWHERE, FieldKind
from indexer.fold import fold, fold_number
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words
from indexer.words import HAN

_HAN = re.compile(f"[{HAN}]")


def matches(query: Query, record_fields: Mapping[str, Sequence[str]]) -> bool:
    """Whether a record whose fields hold these values matches.

    Dates are ``YYYY[-MM[-DD]]`` and match a range when a day they may mean lies in it; coded fields match by whole
    values; words without a field look in every field of ``EVERYWHERE``.
    """
    match query:
        case Everything():
            return True
        case And():
            return all(matches(part, record_fields) for part in query.parts)
        case Or():
            return any(matches(part, record_fields) for part in query.parts)
        case Negate():
            return not matches(query.part, record_fields)
        case Range():
            return any(_in_range(query, value) for value in record_fields.get(query.field, ()))
        case Words() | Prefix():
            names = (query.field,) if query.field else EVERYWHERE
            return any(_leaf_in(query, name, value) for name in names for value in record_fields.get(name, ()))


def found_in_text(sought: str, text: str, *, prefix: bool = False) -> bool:
    """Whether ``sought`` is a phrase of ``text``."""
    needle, hay = _plain(sought), _plain(text)
    if not needle:
        return False
    start = hay.find(needle)
    while start >= 0:
        end = start + len(needle)
        begins = start == 0 or not (_is_word(needle[0]) and _is_word(hay[start - 1]))
        ends = end == len(hay) or not (_is_word(needle[-1]) and _is_word(hay[end]))
        if begins and (ends or prefix):
            return True
        start = hay.find(needle, start + 1)
    return False


def _leaf_in(leaf: Words | Prefix, name: str, value: str) -> bool:
    prefix = isinstance(leaf, Prefix)
    kind = BY_NAME[name].kind
    if kind is FieldKind.NUMBER:
        number = fold_number(leaf.text)
        return bool(number) and number in fold_number(value)
    if kind is FieldKind.CODE:
        sought, stands = "".join(fold(leaf.text).split()), "".join(fold(value).split())
        return stands.startswith(sought) if prefix else stands == sought
    return found_in_text(leaf.text, value, prefix=prefix)


def _in_range(wanted: Range, value: str) -> bool:
    if BY_NAME[wanted.field].kind is FieldKind.YEAR:
        year = int(value)
        return (wanted.low is None or int(wanted.low) <= year) and (wanted.high is None or year <= int(wanted.high))
    days = parse_civil(value)
    after = wanted.low is None or parse_civil(wanted.low).first <= days.last
    return after and (wanted.high is None or days.first <= parse_civil(wanted.high).last)


def _is_word(character: str) -> bool:
    return character.isalnum() and not _HAN.match(character)


def _kind(character: str) -> str:
    if _HAN.match(character):
        return "han"
    if _is_word(character):
        return "word"
    return "space" if character.isspace() else "mark"


def _plain(text: str) -> str:
    """Folded text with one blank between words, ``,`` for punctuation beside Han, and nothing else between."""
    out: list[str] = []
    between: set[str] = set()
    for character in fold(text):
        kind = _kind(character)
        if kind in {"space", "mark"}:
            between.add(kind)
            continue
        if out and between:
            both_words = kind == "word" and _kind(out[-1]) == "word"
            if both_words:
                out.append(" ")
            elif "mark" in between:
                out.append(",")
        between = set()
        out.append(character)
    return "".join(out)
