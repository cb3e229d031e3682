"""What the Office Open XML formats share: relations between parts, and text of documents, drawings and charts.

Word processing and drawing name their paragraphs, runs and tables alike (``p``, ``r``, ``t``, ``tbl``), so that one
walk reads both. It goes by names without namespaces: the strict form of the standard differs in nothing else.
"""

import mmap
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from lxml import etree

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.package import Package, attribute, find, local, resolve, text_of

_SKIPPED = frozenset(
    {"Fallback", "del", "moveFrom", "instrText", "delText", "delInstrText", "sectPr", "rPr", "pPr"}
) | {
    "tblPr",
    "trPr",
    "tcPr",
    "tblGrid",
    "spPr",
    "style",
    "sdtPr",
    "sdtEndPr",
    "rPh",
}
_BOXES = frozenset({"txbxContent", "txBody"})
_NOTES = frozenset({"footnoteReference", "endnoteReference", "commentReference"})
_SIGNS = {"tab": "\t", "ptab": "\t", "cr": "\n", "noBreakHyphen": "-"}
_DRAWN = frozenset({"chart", "relIds"})
_PRIVATE = range(0xE000, 0xF900)
_OFF = frozenset({"0", "false", "off"})


@dataclass(frozen=True)
class Relation:
    """A relation to another part of the package: ``kind`` is the last word of its type."""

    id: str
    kind: str
    target: str


class OfficePackage(Package):
    """A package whose parts are bound by relations."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        super().__init__(data)
        self._relations: dict[str, list[Relation]] = {}
        self.drawn: set[str] = set()  # charts and diagrams that were told: one that refers to itself ends

    def relations(self, part: str) -> list[Relation]:
        """Return a part's relations inside the package; "" stands for the package itself."""
        if part not in self._relations:
            folder, slash, name = part.rpartition("/")
            root = self.optional_xml(f"{folder}{slash}_rels/{name}.rels")
            self._relations[part] = [] if root is None else list(_read_relations(part, root))
        return self._relations[part]

    def related(self, part: str, *kinds: str) -> Iterator[str]:
        """Yield the parts that ``part`` is bound to by one of ``kinds`` and that are there."""
        for relation in self.relations(part):
            if relation.kind in kinds and relation.target in self:
                yield relation.target

    def target(self, part: str, relation_id: str) -> str | None:
        """Return the part that a relation of ``part`` leads to, if it is there."""
        for relation in self.relations(part):
            if relation.id == relation_id and relation.target in self:
                return relation.target
        return None

    def main_part(self, *usual: str) -> str:
        """Return the main part: the package's own word, or else the first of the ``usual`` names.

        Raises:
            Unreadable: ``broken``: there is none.
        """
        for part in (*self.related("", "officeDocument"), *usual):
            if part in self:
                return part
        raise Unreadable(Reason.BROKEN, "no main part")

    def about(self) -> tuple[str, str, str]:
        """Return title, creation date and author from the document's own description, each perhaps ""."""
        for part in (*self.related("", "core-properties"), "docProps/core.xml"):
            root = self.optional_xml(part)
            if root is not None:
                return text_of(root, "title"), text_of(root, "created")[:40], text_of(root, "creator")[:200]
        return "", "", ""


def _read_relations(part: str, root: etree._Element) -> Iterator[Relation]:
    for node in root.iter("{*}Relationship"):
        if attribute(node, "TargetMode") != "External":
            kind = attribute(node, "Type").rpartition("/")[2]
            yield Relation(attribute(node, "Id"), kind, resolve(part, attribute(node, "Target")))


class OfficeText:
    r"""Writes down the text of one part: paragraphs end in ``\n``, cells in ``\t``, explicit pages in ``\f``.

    What hangs on a paragraph (boxes, notes, comments, readings of signs) follows it, so that its own words stay
    together.

    Args:
        package: where drawings and charts are found.
        part: the part's name.
        notes: called with an element that refers to a note or comment; returns that one's text, or "".
        chunk: called with the name of a part of another format that stands in for a block; returns its text.
    """

    def __init__(
        self,
        package: OfficePackage,
        part: str,
        notes: Callable[[etree._Element], str] = lambda _reference: "",
        chunk: Callable[[str], str] = lambda _part: "",
    ) -> None:
        self._package = package
        self._part = part
        self._notes = notes
        self._chunk = chunk

    def blocks(self, node: etree._Element) -> str:
        """Return the text of all blocks below ``node``."""
        out: list[str] = []
        self._blocks(node, out)
        return "".join(out)

    def streamed(self) -> Iterator[str]:
        """Yield the text of all blocks of the part as it is read, and let go of each: for one too large for a tree."""
        root: etree._Element | None = None
        for node in self._package.ends(self._part, "p", "tr"):
            root = node  # the last that comes
            row = local(node) == "tr"
            above = node.getparent()
            body = above.getparent() if row and above is not None else above
            top = None if body is None else body.getparent()
            if above is None or body is None or top is None or top.getparent() is not None:
                continue  # it stands in a row, a box or a frame, which is told as a whole
            out: list[str] = []
            if row:
                self._take_before(above, out)  # what stands before the table
            self._take_before(node, out)
            yield "".join(out)
        if root is not None:
            yield self.blocks(root)

    def _take_before(self, node: etree._Element, out: list[str]) -> None:
        """Read what stands beside and before a node, and take it out of the tree.

        Never the node itself: the parser may still be at the text behind it, and would write where that was.
        """
        above = node.getparent()
        while above is not None and (child := above[0]) is not node:
            self._block(child, out)
            above.remove(child)

    def _blocks(self, node: etree._Element, out: list[str]) -> None:
        for child in node:
            self._block(child, out)

    def _block(self, node: etree._Element, out: list[str]) -> None:
        name = local(node)
        if name == "p":
            self._paragraph(node, out)
        elif name == "tr":
            self._row(node, out)
        elif name == "AlternateContent":
            out.append(self._alternative(node, self._blocks))
        elif name == "altChunk":
            target = self._package.target(self._part, relation_id(node))
            out.append(self._chunk(target) + "\n" if target else "")
        elif name in _DRAWN and relation_id(node):
            out.append(self._drawn(node))
        elif name not in _SKIPPED:
            self._blocks(node, out)

    def _paragraph(self, node: etree._Element, out: list[str]) -> None:
        words: list[str] = []
        beside: list[str] = []
        self._inline(node, words, beside)
        before, after = _page_ends(node)
        out.extend(("\f" if before else "", "".join(words), "\n"))
        out.extend(text.strip("\n") + "\n" for text in beside if text.strip())
        out.append("\f" if after else "")

    def _row(self, node: etree._Element, out: list[str]) -> None:
        cells = [
            self.blocks(cell).replace("\f", "\n").strip("\n")
            for cell in node.iter("{*}tc")
            if next(cell.iterancestors("{*}tr"), None) is node
        ]
        out.append("\t".join(cells).rstrip("\t") + "\n")

    def _inline(self, node: etree._Element, words: list[str], beside: list[str]) -> None:
        for child in node:
            name = local(child)
            if name == "t":
                words.append(child.text or "")
            elif name in _SIGNS:
                words.append(_SIGNS[name])
            elif name == "br":
                words.append("\f" if attribute(child, "type") == "page" else "\n")
            elif name == "sym":
                words.append(_symbol(attribute(child, "char")))
            elif name == "AlternateContent":
                words.append(self._alternative(child, lambda one, out: self._inline(one, out, beside)))
            elif (text := self._hanging(name, child)) is not None:
                beside.append(text)
            elif name not in _SKIPPED and not (name == "fld" and attribute(child, "type") == "slidenum"):
                self._inline(child, words, beside)

    def _hanging(self, name: str, node: etree._Element) -> str | None:
        """Return the text of what hangs on a paragraph; None: this is no such thing."""
        if name in _BOXES:
            return self.blocks(node)
        if name in _NOTES:
            return self._notes(node)
        if name == "rt":
            return "".join(text.text or "" for text in node.iter("{*}t"))
        if name == "textpath":
            return attribute(node, "string")
        return self._drawn(node) if name in _DRAWN and relation_id(node) else None

    def _alternative(self, node: etree._Element, read: Callable[[etree._Element, list[str]], None]) -> str:
        """Read the first choice, and the fall-back only where there is none: they say the same."""
        wanted = find(node, "Choice")
        wanted = wanted if wanted is not None else find(node, "Fallback")
        out: list[str] = []
        if wanted is not None:
            read(wanted, out)
        return "".join(out)

    def _drawn(self, reference: etree._Element) -> str:
        """Return the words of a chart or a diagram."""
        target = self._package.target(self._part, relation_id(reference))
        if target is None or target in self._package.drawn:
            return ""
        self._package.drawn.add(target)
        root = self._package.optional_xml(target)
        return "" if root is None else words_of_drawing(self._package, target, root)


def words_of_drawing(package: OfficePackage, part: str, root: etree._Element) -> str:
    """Return the words of a chart, a diagram or a sheet's drawing: paragraphs, and the names that charts keep."""
    names = [
        (value.text or "").strip()
        for cache in root.iter("{*}strCache", "{*}strDim")
        for value in cache.iter("{*}v", "{*}pt")
    ]
    blocks = OfficeText(package, part).blocks(root)
    return blocks + "".join(f"{name}\n" for name in dict.fromkeys(names) if name)


def relation_id(node: etree._Element) -> str:
    """Return the id of the relation that an element points to: ``r:id``, or a diagram's ``r:dm``."""
    for key, value in node.attrib.items():
        if str(key).endswith(("relationships}id", "relationships}dm")):
            return str(value)
    return ""


def _page_ends(paragraph: etree._Element) -> tuple[bool, bool]:
    """Whether a page begins with this paragraph, and whether one ends with it."""
    about = next((child for child in paragraph if local(child) == "pPr"), None)
    before = after = False
    for child in () if about is None else about:
        name = local(child)
        if name == "pageBreakBefore":
            before = attribute(child, "val") not in _OFF
        elif name == "sectPr":
            kind = find(child, "type")
            after = kind is None or attribute(kind, "val") != "continuous"
    return before, after


def _symbol(code: str) -> str:
    with suppress(ValueError, OverflowError):
        number = int(code, 16)
        return "" if number in _PRIVATE else chr(number)
    return ""
