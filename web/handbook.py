"""The handbook's Markdown made into pages: one part a file, the same parts and anchors in every language.

The files lie in ``docs/handbook``, one folder a language, and are read where they lie; raw HTML in them is shown as
text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DOCUMENTS = Path(__file__).parents[1] / "docs"
PICTURES = DOCUMENTS / "pictures"
CONTENTS = "contents"
"""The part that leads to the others; its file is ``README.md``."""

PARTS = (
    "staff", "archivist", "administrator", "auditor", "setting-up", "settings", "doctor", "commands", "programs",
)  # fmt: skip
"""The other parts, in the order in which they are listed."""

SIZES = {"phone": (390, 780), "": (1200, 720)}
"""Pixels of a picture, by the word that its name ends in; they are written into the page, so that it does not jump."""

INSIDE = re.compile(r"([a-z-]+|README)\.md(?:#([a-z0-9-]+))?")
PICTURE = re.compile(r"\.\./\.\./pictures/([\w-]+\.webp)")


@dataclass(frozen=True)
class Heading:
    """A heading of a part. ``anchor`` is made of the English words, so that it is the same in every language."""

    level: int
    words: str
    anchor: str


@dataclass(frozen=True)
class Part:
    """A part in one language: its title, the headings below it, and the HTML below the title."""

    title: Heading
    headings: Sequence[Heading]
    html: str


def _file(locale: str, part: str) -> Path:
    return DOCUMENTS / "handbook" / locale / ("README.md" if part == CONTENTS else f"{part}.md")


@cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 (the pages would start later for it)

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _tokens(locale: str, part: str) -> "list[Token]":
    return _reader().parse(_file(locale, part).read_text("utf-8"))


def _headings(tokens: "Sequence[Token]") -> list[tuple[int, str]]:
    found = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            words = "".join(child.content for child in tokens[at + 1].children or ())
            found.append((int(token.tag[1:]), words))
    return found


@cache
def anchors(part: str) -> Sequence[str]:
    """Return the anchor of each heading of a part, in their order."""
    return [re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") for _, words in _headings(_tokens("en", part))]


@cache
def part_of(locale: str, part: str) -> Part:
    """Return a part made into a page.

    Raises:
        ValueError: it lacks a heading that the English has, or has one more.
    """
    tokens = _tokens(locale, part)
    pairs = zip(_headings(tokens), anchors(part), strict=True)
    headings = [Heading(level, words, anchor) for (level, words), anchor in pairs]
    begins = iter(headings)
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", next(begins).anchor)
        elif token.type == "inline":
            _lead(token.children or [], locale)
    shown = tokens[3:]  # the title stands in the page's head
    html = str(_reader().renderer.render(shown, _reader().options, {}))
    html = html.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    return Part(headings[0], headings[1:], html)


def _lead(children: "list[Token]", locale: str) -> None:
    """Have links lead to parts and pictures; what lies outside the handbook is named in words."""
    closing: list[str] = []
    for at, token in enumerate(children):
        if token.type == "link_open":
            closing.append(_link(token))
            named = INSIDE.fullmatch(children[at + 1].content)
            if named:  # where a file is named, a page shows the part's title
                part = CONTENTS if named[1] == "README" else named[1]
                children[at + 1].content = _headings(_tokens(locale, part))[0][1]
        elif token.type == "link_close":
            words = closing.pop()
            if words:
                token.type, token.tag, token.nesting, token.content = "text", "", 0, words
        elif token.type == "image":
            _picture(token)


def _link(token: "Token") -> str:
    """Rewrite a link's opening; return the words that stand for its end where it leads out of the handbook."""
    target = str(token.attrGet("href"))
    inside = INSIDE.fullmatch(target)
    if inside is None:
        token.type, token.tag, token.nesting, token.content = "text", "", 0, ""
        return f" (docs/{target.removeprefix('../../')})"
    name, anchor = inside.groups()
    token.attrSet("href", ("/help" if name == "README" else f"/help/{name}") + (f"#{anchor}" if anchor else ""))
    return ""


def _picture(token: "Token") -> None:
    found = PICTURE.fullmatch(str(token.attrGet("src")))
    if found is None:
        raise ValueError(token.attrGet("src"))
    width, height = SIZES["phone" if "-phone-" in found[1] else ""]
    token.attrSet("src", f"/help/pictures/{found[1]}")
    token.attrSet("width", str(width))
    token.attrSet("height", str(height))
    token.attrSet("loading", "lazy")
