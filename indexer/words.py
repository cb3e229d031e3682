r"""Cuts text into the tokens that both engines index and ask for; engines never cut text themselves.

An engine gets tokens joined by one space and splits at white space; a token's position is its ordinal. Tokens hold
no white space.

What a phrase finds is exactly this: a substring of the folded text, where

* **Han** runs (with kana, hangul, bopomofo, private-use characters) are found at any place, one character too;
  white space beside Han means nothing (a line broken in the middle of a word, 张 三);
* **Latin and digit** runs are found whole (``contr*`` asks for a beginning); between two of them white space and
  punctuation are the same border (``e-mail`` = ``e mail``);
* punctuation beside Han is a **gap**: a phrase does not run across it, unless the phrase has punctuation there too.
  Any punctuation equals any other; at the ends of a phrase it is ignored.

Tokens: a Han run gives its bigrams and then its last character alone, so that each position holds the character that
begins it, and ``层*`` finds 层 wherever it stands. Latin and digit runs give one token. A gap gives ``GAP``. So
``A座3层楼。完`` is ``a 座 3 层楼 楼 ␀ 完``.

Numbers (archive, registration, document numbers) are cut into characters' bigrams over ``fold_number``: any part of
a number finds it.
"""

import re
from operator import add
from typing import NamedTuple

from indexer.fold import fold, fold_number

GAP = "\u2400"
"""The token that stands where no phrase may run across: beside Han punctuation."""

HAN = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7ff\ue000-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003fffd\U000f0000-\U0010fffd"
)
"""What is found as a substring, as the inside of a regular expression's character class."""

WORD = rf"[^\W_{HAN}]"
"""One character of a Latin or digit run, as a regular expression."""

LONGEST = 120
"""Longer Latin runs (encoded data, mostly) become several tokens: engines refuse terms of many kilobytes."""

_RUN = re.compile(rf"([{HAN}][{HAN}\s]*)|({WORD}+)|(?:[^\w\s{HAN}]|_)+")


class Phrase(NamedTuple):
    """Tokens that must stand at consecutive positions; with ``open``, the last need only begin so.

    No terms: there was nothing to find (punctuation alone), and nothing matches.
    """

    terms: tuple[str, ...]
    open: bool


def cut(text: str) -> list[str]:
    """The tokens of one text in order; a token's position is its index in the list."""
    return _cut_folded(fold(text))


def cut_exact(text: str) -> list[str]:
    """As ``cut``, of a text as written: 記 and 记 stay apart (titles are kept this way too)."""
    return _cut_folded(text)


def cut_both(text: str) -> tuple[list[str], list[str]]:
    """``cut`` and ``cut_exact`` of one text, cut once where both have the same runs (any punctuation is the same)."""
    folded = fold(text)
    runs = _RUN.findall(folded)
    tokens = _tokens(runs)
    if folded == text or (written := _RUN.findall(text)) == runs:
        return tokens, tokens
    return tokens, _tokens(written)


def cut_number(text: str) -> list[str]:
    """The tokens of one number, by characters."""
    number = fold_number(text)
    return [*map(add, number, number[1:]), *number[-1:]]


def cut_code(text: str) -> str:
    """The one token of a coded value (a category's code, a level's name): equal when folded, white space aside."""
    return "".join(fold(text).split())


def query_terms(text: str, *, prefix: bool = False) -> Phrase:
    """What an index made by ``cut`` must be asked for, to find ``text`` as a phrase.

    With ``prefix`` a Latin word at the end need only begin so; Han text is found the same either way.
    """
    return _phrase(cut(text), prefix=prefix)


def exact_terms(text: str, *, prefix: bool = False) -> Phrase:
    """What an index made by ``cut_exact`` must be asked for, to find ``text`` as it is written."""
    return _phrase(_cut_folded(text), prefix=prefix)


def _phrase(tokens: list[str], *, prefix: bool) -> Phrase:
    if not tokens:
        return Phrase((), open=False)
    if not _is_han(tokens[-1]):
        return Phrase(tuple(tokens), open=prefix)
    if len(tokens) > 1 and len(tokens[-2]) == 2 and _is_han(tokens[-2]):
        return Phrase(tuple(tokens[:-1]), open=False)
    return Phrase(tuple(tokens), open=True)


def number_terms(text: str) -> Phrase:
    """What an index made by ``cut_number`` must be asked for, to find ``text`` as a part of a number."""
    tokens = cut_number(text)
    if len(tokens) > 1:
        return Phrase(tuple(tokens[:-1]), open=False)
    return Phrase(tuple(tokens), open=bool(tokens))


def _cut_folded(folded: str) -> list[str]:
    return _tokens(_RUN.findall(folded))


def _tokens(runs: list[tuple[str, str]]) -> list[str]:
    """Return the tokens of runs: of Han, of Latin and digits, or of neither."""
    tokens: list[str] = []
    gap = after_han = False
    for han, word in runs:
        if not han and not word:
            gap = True
            continue
        if gap and tokens and (after_han or han):
            tokens.append(GAP)
        gap = False
        after_han = bool(han)
        if han:
            run = han if han.isalnum() else "".join(han.split())
            tokens += map(add, run, run[1:])
            tokens.append(run[-1])
        elif len(word) <= LONGEST:
            tokens.append(word)
        else:
            tokens += (word[start : start + LONGEST] for start in range(0, len(word), LONGEST))
    return tokens


def _is_han(token: str) -> bool:
    return _HAN_START.match(token) is not None


_HAN_START = re.compile(f"[{HAN}]")
