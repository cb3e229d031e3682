"""Text of Word documents (docx and its kin): one walk over headers, body with notes and comments, footers."""

import mmap
import re
from dataclasses import replace

from lxml import etree

from indexer.extract.answer import Extracted, Unreadable
from indexer.extract.large import LARGE
from indexer.extract.markup import markup_text
from indexer.extract.ooxml import OfficePackage, OfficeText
from indexer.extract.package import attribute, local
from indexer.extract.paging import cut, paged
from indexer.extract.zips import inspect_zip

_PAGE_ENDS = re.compile(r"\s*\f[\f\s]*")
_NOTES = {
    "footnotes": ("footnote", "footnoteReference"),
    "endnotes": ("endnote", "endnoteReference"),
    "comments": ("comment", "commentReference"),
}
_DEPTH = 2
_MOST_SIGNS = 10_000_000
_MOST_BLOCKS = 1_000_000  # of a longer document the beginning is read: more takes longer than a fork may
_JOINED = 100_000


def extract_docx(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of a Word document.

    A page ends where the document says so, or after 4,000 characters. Headers come first, footers last, notes and
    comments after the paragraph that they belong to.

    Raises:
        Unreadable: ``broken``: no package, no main part, XML that is none, or a document type in it.
    """
    package = OfficePackage(data)
    document = _Document(package)
    text = document.text()
    title, created, author = package.about()
    found = paged(cut(text), first_page, last_page, title=title, created=created)
    return replace(found, author=author, cut=found.cut or document.cut)


class _Document:
    def __init__(self, package: OfficePackage, depth: int = 1) -> None:
        self._package = package
        self._depth = depth
        self.cut = False
        self._part = package.main_part("word/document.xml")
        self._notes: dict[tuple[str, str], tuple[str, etree._Element]] = {}
        for kind, (name, reference) in _NOTES.items():
            for part in package.related(self._part, kind):
                root = package.optional_xml(part)
                for note in () if root is None else root:
                    if local(note) == name:
                        self._notes[reference, attribute(note, "id")] = (part, note)

    def text(self) -> str:
        large = self._package.size(self._part) > LARGE
        body = self._streamed() if large else self._blocks(self._part, self._package.xml(self._part))
        left = "\n".join(self._note(*found) for found in self._take_rest())
        head, foot = (self._margins(kind) for kind in ("header", "footer"))
        return _PAGE_ENDS.sub("\f", "\n".join(part.strip("\n") for part in (head, body, left, foot) if part.strip()))

    def _streamed(self) -> str:
        """Return the body of a large document, of one that is far too large the beginning."""
        pieces: list[str] = []
        length = 0
        blocks = OfficeText(self._package, self._part, self._referred, self._chunk).streamed()
        for told, piece in enumerate(blocks):
            pieces.append(piece)
            length += len(piece)
            if length > _MOST_SIGNS or told > _MOST_BLOCKS:
                self.cut = True
                break
            if len(pieces) > _JOINED:
                pieces = ["".join(pieces)]
        return "".join(pieces)

    def _blocks(self, part: str, root: etree._Element) -> str:
        return OfficeText(self._package, part, self._referred, self._chunk).blocks(root)

    def _margins(self, kind: str) -> str:
        """Return what stands on every page's edge, each text once."""
        texts = []
        for part in self._package.related(self._part, kind):
            root = self._package.optional_xml(part)
            texts.append("" if root is None else self._blocks(part, root).replace("\f", "\n").strip())
        return "\n".join(text for text in dict.fromkeys(texts) if text)

    def _referred(self, reference: etree._Element) -> str:
        # a note is taken once: one that refers to itself ends here
        found = self._notes.pop((local(reference), attribute(reference, "id")), None)
        return self._note(*found) if found else ""

    def _take_rest(self) -> list[tuple[str, etree._Element]]:
        rest, self._notes = list(self._notes.values()), {}
        return rest

    def _note(self, part: str, note: etree._Element) -> str:
        return self._blocks(part, note).replace("\f", "\n").strip()

    def _chunk(self, part: str) -> str:
        """Return the text of a piece that was put in whole, in another format."""
        data = self._package.read(part)
        if data.startswith(b"PK\x03\x04"):
            if self._depth >= _DEPTH or inspect_zip(data):
                return ""
            try:
                return _Document(OfficePackage(data), self._depth + 1).text()
            except Unreadable:
                return ""
        return "" if data.startswith(b"{\\rtf") or b"MIME-Version:" in data[:2_000] else markup_text(data)
