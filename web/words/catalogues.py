"""Reads the ``.po`` text of a language. Each start reads one; Babel with its imports takes ten times as long."""

import gettext
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STRING = r'((?:"(?:[^"\\\n]|\\.)*"\n)+)'
_ENTRY = re.compile(
    rf"(?:^#,(?P<flags>.*)\n)?^msgid {_STRING}(?:msgid_plural {_STRING})?(?P<said>(?:msgstr(?:\[\d\])? {_STRING})+)",
    re.MULTILINE,
)
_SAID = re.compile(rf"^msgstr(?:\[\d\])? {_STRING}", re.MULTILINE)
_LINE = re.compile(r'"(.*)"\n')
_ESCAPED = re.compile(r"\\(.)")
_PLURAL = re.compile(r"plural=([^;]+);")
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Catalogue:
    """The words of a language. What it does not have is said in the words of the program.

    Attributes:
        said: text by message.
        counted: texts by the message for one, in the order that ``form`` tells.
        form: which of them a number takes.
    """

    said: Mapping[str, str]
    counted: Mapping[str, Sequence[str]]
    form: Callable[[int], int]

    def gettext(self, message: str) -> str:
        """Return the words for a message."""
        return self.said.get(message, message)

    def ngettext(self, one: str, more: str, number: int) -> str:
        """Return the words for a message with a number, which is not put in."""
        forms = self.counted.get(one)
        if forms is None:
            return one if number == 1 else more
        return forms[self.form(number)]

    ugettext, ungettext = gettext, ngettext  # by these names flask_babel asks


def read(path: Path) -> Catalogue:
    """Return what a ``.po`` file says, without what is fuzzy or not translated."""
    said: dict[str, str] = {}
    counted: dict[str, list[str]] = {}
    for found in _ENTRY.finditer(path.read_text("utf-8") + "\n"):
        if "fuzzy" in (found["flags"] or ""):
            continue
        message, more = _text(found[2]), found[3]
        texts = [_text(each) for each in _SAID.findall(found["said"])]
        if more:
            counted[message] = [text or (_text(more) if number else message) for number, text in enumerate(texts)]
        elif texts[0]:
            said[message] = texts[0]
    rule = _PLURAL.search(said.pop("", ""))
    return Catalogue(said, counted, gettext.c2py(rule[1] if rule else "n != 1"))


def _text(lines: str) -> str:
    text = "".join(_LINE.findall(lines))
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text) if "\\" in text else text
