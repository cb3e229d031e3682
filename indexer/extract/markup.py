"""Text of HTML, XHTML, XML and SVG. Scripts and styles are no text; entities and addresses are never followed."""

import mmap
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import decode
from indexer.extract.cleaning import clean_line
from indexer.extract.large import LARGE, MOST_BYTES, XmlWords, html_pieces, may_stream
from indexer.extract.package import refuse
from indexer.extract.paging import cut, paged

_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
_HEAD_BYTES = 8_192
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_CLOSED_AT_ONCE = re.compile(
    r"<(title|script|style|textarea|iframe|noscript|div|p|a|td|span)\b([^<>]*)/>", re.IGNORECASE
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # at the first of them libxml2 stops for good
_NESTING = re.compile(r"<(/?)(?:div|blockquote|section|article|center|ul|ol|dl|table|form|fieldset)\b", re.IGNORECASE)
_MOST_NESTED = 4_000

_NO_TEXT = {"script", "style", "template", "head", "noframes", "-comment"}
_CELLS = {"td", "th"}
_VERBATIM = {"pre", "textarea", "xmp", "listing"}
_IN_LINE_TAGS = """
    -text a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp small
    span strike strong sub sup time tt u var wbr input o:p nobr
"""
_IN_LINE = frozenset(_IN_LINE_TAGS.split())
_SPACE = re.compile("[ \t\r\n\f\x1e\x1f]+")
_CELL, _ROW = "\x1f", "\x1e"

_RUNS = {"t", "r", "tspan", "a", "b", "i", "u", "em", "strong", "span", "sub", "sup", "font"}
"""Elements of XML that part no words, by Word's, SVG's and XHTML's names."""

_DATA = {"script", "style", "binData"}


def extract_html(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of an HTML or XHTML file.

    Raises:
        Unreadable: ``bomb`` (elements nested thousands deep).
    """
    title, text = html_text(_decoded(bytes(data[:MOST_BYTES])))
    found = paged(cut(text), first_page, last_page, title=title)
    return replace(found, cut=found.cut or len(data) > MOST_BYTES)


def markup_text(data: bytes) -> str:
    """Return the text of HTML that lies inside another file: a chapter of a book, a piece of a Word document."""
    return _read(_decoded(data))[1] if data.strip() else ""


def extract_xml(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of an XML or SVG file: the text in its elements, a line each.

    Raises:
        Unreadable: ``bomb`` (nested too deep, entities that swell), ``broken``.
    """
    torn = len(data) > MOST_BYTES
    plain = _plain(data)
    if len(plain) > LARGE and may_stream(plain):
        title, text = _as_it_comes(plain, torn=torn)
        del plain
        return replace(paged(cut(text), first_page, last_page, title=title), cut=torn)
    root = _tree(plain)
    title = next((each.text or "" for each in root.iter("{*}title")), "")
    return paged(cut(lines_of("".join(_runs(root)).replace("\t", " "))), first_page, last_page, title=clean_line(title))


def _plain(data: mmap.mmap | bytes) -> bytes:
    source = _XML_DECLARATION.sub("", _decoded(bytes(data[:MOST_BYTES])).lstrip("\ufeff"), count=1)
    return _FORBIDDEN.sub("", source).encode("utf-8", "replace")


def _as_it_comes(plain: bytes, *, torn: bool) -> tuple[str, str]:
    """Return title and text of a large XML file without a tree of it; of a ``torn`` one as far as it goes."""
    words = XmlWords(frozenset(_RUNS), frozenset(_DATA))
    try:
        text = _words_of(plain, words, recover=torn)
    except Unreadable as refused:
        if refused.failure.reason is not Reason.BROKEN:
            raise
        words = XmlWords(frozenset(_RUNS), frozenset(_DATA))
        text = _words_of(plain, words, recover=True)
    return clean_line(words.title or ""), lines_of(text.replace("\t", " "))


def _words_of(source: bytes, words: XmlWords, *, recover: bool) -> str:
    parser = _parser(recover=recover, target=words)
    try:
        for at in range(0, len(source), _FED):
            parser.feed(source[at : at + _FED])
        return str(parser.close())
    except etree.XMLSyntaxError as error:
        refuse(parser, error)
        if recover and words.parts:
            return words.close()
        raise Unreadable(Reason.BROKEN, "XMLSyntaxError") from error


def html_text(source: str) -> tuple[str, str]:
    """Return title and text of an HTML document or fragment: one line a block, cells of a table parted by tabs.

    A title that the text does not hold comes first in it.

    Raises:
        Unreadable: ``bomb``.
    """
    heading, text = _read(source)
    return heading, text if not heading or heading in text else f"{heading}\n{text}"


def _read(source: str) -> tuple[str, str]:
    depth = deepest = 0
    for match in _NESTING.finditer(source):
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    if deepest > _MOST_NESTED:
        raise Unreadable(Reason.BOMB, "depth")
    if _XML_DECLARATION.match(source):
        source = _CLOSED_AT_ONCE.sub(r"<\1\2></\1>", source)
    if len(source) > LARGE:
        read = [_read_piece(piece) for piece in html_pieces(source)]
        return next((heading for heading, _ in read if heading), ""), "\n".join(text for _, text in read if text)
    return _read_piece(source)


def _read_piece(source: str) -> tuple[str, str]:
    try:
        parsed = LexborHTMLParser(source)
    except SelectolaxError as error:  # it takes any markup; what it lacks is memory
        raise MemoryError from error
    title = parsed.css_first("head > title")
    heading = clean_line(title.text()) if title else ""
    return heading, _laid_out("".join(_pieces(parsed.root))) if parsed.root else ""


def _decoded(data: bytes) -> str:
    found = _DECLARED.search(data[:_HEAD_BYTES])
    declared = (found[1] or found[2]).decode("ascii") if found else ""
    return decode(data, declared)


def _pieces(root: LexborNode) -> Iterator[str]:
    """Walk the tree without recursion: its depth is the file's choice."""
    node, verbatim = root, 0
    while True:
        tag = node.tag or ""
        inner = None
        if tag == "-text":
            text = node.text_content or ""
            yield text.replace(_CELL, " ").replace(_ROW, " ") if verbatim else _SPACE.sub(" ", text)
        elif tag not in _NO_TEXT:
            verbatim += tag in _VERBATIM
            yield _before(node, tag)
            inner = node.first_child
            if inner is None:
                yield _after(tag)
                verbatim -= tag in _VERBATIM
        if inner is not None:
            node = inner
            continue
        while node.next is None:
            up = node.parent
            if up is None or node.mem_id == root.mem_id:
                return
            node = up
            yield _after(node.tag or "")
            verbatim -= node.tag in _VERBATIM
        if node.mem_id == root.mem_id:
            return
        node = node.next


def _before(node: LexborNode, tag: str) -> str:
    if tag == "img":
        return _SPACE.sub(" ", node.attributes.get("alt") or "")
    if tag == "input" and (node.attributes.get("type") or "text") == "text":  # what was typed into a saved form
        return _SPACE.sub(" ", node.attributes.get("value") or "")
    if tag in _CELLS:
        return _CELL
    if tag == "tr":
        return _ROW
    return "" if tag in _IN_LINE else "\n"


def _after(tag: str) -> str:
    if tag == "tr":
        return _ROW
    return "" if tag in _IN_LINE or tag in _CELLS or tag == "br" else "\n"


def _laid_out(text: str) -> str:
    """Make lines of rows and blocks. Splits only: a pattern over long runs of space takes a hostile file's time."""
    text = _CELL.join(part.strip(" \n") for part in text.split(_CELL)).replace(_ROW + _CELL, _ROW)
    text = "\n".join(row.strip("\n ") for row in text.split(_ROW)).replace(_CELL, "\t")
    return lines_of(text)


def lines_of(text: str) -> str:
    """Return the lines of a text that hold more than space; tabs at their beginning are kept."""
    lines = (line.strip(" \xa0\r").rstrip("\t \xa0") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _tree(source: bytes) -> etree._Element:
    """Parse what is well formed, and what nearly is; what was built to hurt is refused."""
    strict = _parser(recover=False)
    try:
        return etree.fromstring(source, strict)
    except etree.XMLSyntaxError as error:
        refuse(strict, error)
    root = etree.fromstring(source, _parser(recover=True))
    if root is None:
        raise Unreadable(Reason.BROKEN, "XMLSyntaxError")
    return root


_FED = 1_000_000


def _parser(*, recover: bool, target: Any = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=recover,
        target=target,
    )  # fmt: skip


def _runs(root: etree._Element) -> Iterator[str]:
    """Yield texts and line ends; entities, comments and instructions stay out, what follows them does not."""
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        name = re.split("[}:]", node.tag)[-1] if isinstance(node.tag, str) else ""
        if name and name not in _RUNS:
            yield "\n"
        if event == "start":
            yield (node.text or "") if name and name not in _DATA else ""
        else:
            yield node.tail or ""
