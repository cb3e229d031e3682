"""Markup of tens of megabytes, a piece at a time: a tree of all of it would take more memory than a fork has."""

import re
from collections.abc import Iterator
from typing import Any

LARGE = 8_000_000
"""Characters of HTML, or bytes of XML, from which on it is read in pieces."""

MOST_BYTES = 64_000_000
"""What is read of one file of text or markup; what comes after is not."""

_PIECE, _REACH = 4_000_000, 1_000_000
_LONGEST = 5_000_000  # libxml2 takes 10 MB
_BLOCK = re.compile(r"<(tr|table|p|div|li|h[1-6]|section|article|ul|ol|dl|dt|dd|blockquote|br|hr)\b", re.IGNORECASE)
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def html_pieces(source: str) -> Iterator[str]:
    """Cut HTML before blocks; a piece that begins with a row is given a table to stand in."""
    source = _SCRIPT.sub(" ", source)
    start = 0
    while len(source) - start > _PIECE + _REACH:
        block = _BLOCK.search(source, start + _PIECE, start + _PIECE + _REACH)
        end = block.start() if block else source.find("<", start + _PIECE)
        if end < 0:
            break
        yield _standing(source[start:end])
        start = end
    yield _standing(source[start:])


def _standing(piece: str) -> str:
    return f"<table>{piece}" if piece[:3].lower() == "<tr" else piece


def may_stream(source: bytes) -> bool:
    """Whether XML can be read as it comes: entities are left alone in a tree only, and an endless CDATA breaks off."""
    at = 0
    while (at := source.find(b"<![CDATA[", at)) >= 0:
        end = source.find(b"]]>", at)
        if end < 0 or end - at > _LONGEST:
            return False
        at = end
    return b"<!ENTITY" not in source


class XmlWords:
    """Takes an XML file's elements as they are read (a target of lxml's parser), and keeps their words alone.

    Args:
        runs: elements that part no words.
        data: elements whose own text is no words.
    """

    def __init__(self, runs: frozenset[str], data: frozenset[str]) -> None:
        self._runs, self._data = runs, data
        self._names: list[str] = []
        self._known: dict[Any, str] = {}
        self.parts: list[str] = []
        self.title: str | None = None

    def start(self, tag: Any, _attributes: Any) -> None:
        """Begin an element."""
        name = self._known.get(tag) or self._known.setdefault(tag, re.split("[}:]", str(tag))[-1])
        self._names.append(name)
        if name not in self._runs:
            self.parts.append("\n")

    def end(self, _tag: Any) -> None:
        """End an element."""
        if self._names.pop() not in self._runs:
            self.parts.append("\n")

    def data(self, text: str) -> None:
        """Take words."""
        if self._names and self._names[-1] not in self._data:
            self.parts.append(text)
            if self._names[-1] == "title" and self.title is None:
                self.title = text

    def close(self) -> str:
        """Return all words."""
        return "".join(self.parts)
