"""Text of OpenDocument files: texts, sheets, slides and drawings, by one walk."""

import mmap
import re
from collections.abc import Iterator
from contextlib import suppress

from lxml import etree

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.package import Package, attribute, find, local, resolve, text_of
from indexer.extract.paging import bounded, cut, paged

_SIGNS = {0x1D: "\n", 0x1E: " ", 0x1F: "\t"}
_SPACE = re.compile(r"[ \t\r\n]+")
_PAGE_ENDS = re.compile(r"\s*\f[\f\s]*")
_MOST_SPACES = 100
_MANIFEST = "META-INF/manifest.xml"
_SKIPPED = frozenset({"tracked-changes", "note-citation", "creator", "date", "date-string", "forms", "binary-data"}) | {
    "page-number",
    "page-count",
    "sheet-name",
    "title",
    "desc",
}
_MARGINS = ("header", "header-left", "header-first", "footer", "footer-left", "footer-first")


def extract_opendocument(
    data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None
) -> Extracted:
    """Return the pages asked for (both included, 1-based) of an OpenDocument file.

    Slides and drawing pages are pages; a sheet takes one or more, with its name as their first line; a text is cut at
    its page breaks and after 4,000 characters. Hidden ones count.

    Raises:
        Unreadable: ``encrypted``, or ``broken``: no package, or content that is no XML.
    """
    package = Package(data)
    if b"encryption-data" in (package.read(_MANIFEST) if _MANIFEST in package else b""):
        raise Unreadable(Reason.ENCRYPTED)
    if "content.xml" not in package and "styles.xml" in package:  # a template of styles alone
        return Extracted(("",), 1, 1)
    content = package.xml("content.xml", doctype=True)
    styles = package.optional_xml("styles.xml", doctype=True)
    about = package.optional_xml("meta.xml", doctype=True)
    title = text_of(about, "title")
    created = text_of(about, "creation-date") or text_of(about, "date")
    body = find(content, "body")
    kind = next((child for child in body if local(child)), None) if body is not None else None
    if kind is None:
        raise Unreadable(Reason.BROKEN, "no body")
    pages = _Document(package, content, styles).pages(kind)
    return paged(pages, first_page, last_page, title=title, created=created[:40])


class _Document:
    def __init__(self, package: Package, content: etree._Element, styles: etree._Element | None) -> None:
        self._package = package
        self._styles = styles
        self._breaking = {
            attribute(style, "name")
            for style in content.iter("{*}style")
            for about in style.iter("{*}paragraph-properties")
            if attribute(about, "break-before") == "page"
        }

    def pages(self, kind: etree._Element) -> Iterator[str]:
        name = local(kind)
        if name in {"presentation", "drawing"}:
            yield from bounded(self._slides(kind))
        elif name == "spreadsheet":
            yield from self._sheets(kind)
        else:
            head, foot = self._margins(_MARGINS[:3]), self._margins(_MARGINS[3:])
            text = "\n".join(part.strip("\n") for part in (head, self._blocks(kind), foot) if part.strip())
            yield from cut(_PAGE_ENDS.sub("\f", text))

    def _slides(self, kind: etree._Element) -> Iterator[str]:
        masters = {attribute(page, "name"): page for page in self._masters("master-page")}
        said = "".join(
            self._blocks_of_text(child)
            for child in kind
            if local(child) in {"header-decl", "footer-decl", "date-time-decl"}
        )
        for page in kind:
            if local(page) == "page":
                master = masters.pop(attribute(page, "master-page-name"), None)
                behind = "" if master is None else self._behind(master)
                yield "\n".join(part.strip("\n") for part in (self._blocks(page), behind, said) if part.strip())
                said = ""

    def _behind(self, master: etree._Element) -> str:
        """Return what a master adds to its slides; its placeholders only say what to type."""
        out: list[str] = []
        for shape in master:
            if attribute(shape, "placeholder") != "true" and local(shape) != "notes":
                self._block(shape, out)
        return "".join(out)

    def _sheets(self, kind: etree._Element) -> Iterator[str]:
        margins = self._margins(_MARGINS)
        for table in kind.iter("{*}table"):
            if next(table.iterancestors("{*}table"), None) is None:
                name = attribute(table, "name")
                text = f"{self._blocks(table)}{margins}".replace("\f", "\n")
                margins = ""
                for page in cut(text.strip("\n")):
                    yield f"{name}\n{page}"

    def _margins(self, names: tuple[str, ...]) -> str:
        texts = [self._blocks(node).replace("\f", "\n").strip() for name in names for node in self._masters(name)]
        return "".join(f"{text}\n" for text in dict.fromkeys(texts) if text)

    def _masters(self, name: str) -> list[etree._Element]:
        found = find(self._styles, "master-styles")
        return [] if found is None else list(found.iter("{*}" + name))

    def _blocks_of_text(self, node: etree._Element) -> str:
        text = "".join(map(str, node.itertext())).strip()
        return f"{text}\n" if text else ""

    def _blocks(self, node: etree._Element) -> str:
        out: list[str] = []
        for child in node:
            self._block(child, out)
        return "".join(out)

    def _block(self, node: etree._Element, out: list[str]) -> None:
        name = local(node)
        if name in {"p", "h"}:
            self._paragraph(node, out)
        elif name == "table-row":
            self._row(node, out)
        elif name == "object":
            out.append(self._embedded(node))
        elif name not in _SKIPPED:
            for child in node:
                self._block(child, out)

    def _paragraph(self, node: etree._Element, out: list[str]) -> None:
        words: list[str] = []
        beside: list[str] = []
        self._inline(node, words, beside)
        out.append("\f" if attribute(node, "style-name") in self._breaking else "")
        out.append(_SPACE.sub(" ", "".join(words)).translate(_SIGNS) + "\n")
        out.extend(text.strip("\n") + "\n" for text in beside if text.strip())

    def _row(self, node: etree._Element, out: list[str]) -> None:
        """Write a row once, however often it is repeated."""
        cells = [
            self._blocks(cell).replace("\f", "\n").strip("\n")
            for cell in node
            if local(cell) in {"table-cell", "covered-table-cell"}
        ]
        line = "\t".join(cells).rstrip("\t")
        out.append(f"{line}\n" if line else "")

    def _inline(self, node: etree._Element, words: list[str], beside: list[str]) -> None:
        words.append(node.text or "")
        for child in node:
            name = local(child)
            if name in {"s", "tab", "line-break"}:
                words.append(_sign(name, attribute(child, "c")))
            elif name in {"note", "annotation", "ruby-text"}:
                beside.append(self._blocks(child) if name != "ruby-text" else child.text or "")
            elif name in {"frame", "text-box", "custom-shape", "rect", "g", "line", "object"}:
                out: list[str] = []
                self._block(child, out)
                beside.append("".join(out))
            elif name not in _SKIPPED or name in {"title", "date"}:
                self._inline(child, words, beside)
            words.append(child.tail or "")

    def _embedded(self, node: etree._Element) -> str:
        """Return the words of a table, chart or formula that lies in the package as a document of its own."""
        part = resolve("content.xml", attribute(node, "href").rstrip("/")) + "/content.xml"
        if part == "./content.xml" or part.count("/") > 1:
            return ""
        root = self._package.optional_xml(part, doctype=True)
        if root is None:
            return ""
        body = find(root, "body")
        for inner in list(root.iter("{*}object")):
            inner.clear()  # one level deep
        return self._blocks_of_text(root) if body is None else self._blocks(body)


def _sign(name: str, count: str) -> str:
    r"""Write spaces, tabs and line ends as signs that the joining of plain space does not touch."""
    if name != "s":
        return "\x1f" if name == "tab" else "\x1d"
    with suppress(ValueError):
        return "\x1e" * min(int(count or "1"), _MOST_SPACES)
    return "\x1e"
