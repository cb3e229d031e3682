"""Text of OFD files (GB/T 33190), page by page, with templates and annotations."""

import mmap
from collections.abc import Iterator
from contextlib import suppress

from lxml import etree

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.package import Package, attribute, find, local, resolve, text_of
from indexer.extract.paging import bounded, paged

_ROOT = "OFD.xml"
_SAME_LINE = 0.5  # of a line's height: texts whose baselines differ by less stand on one line
_GAP = 0.6  # of a sign's width: a larger gap between two texts on one line parts words


def extract_ofd(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of all documents of an OFD file.

    Raises:
        Unreadable: ``sealed``, or ``broken``: no package, no document, XML that is none, or a document type in it.
    """
    package = Package(data)
    if _ROOT not in package and any(name.endswith("encryptions.xml") for name in package.names):
        raise Unreadable(Reason.SEALED)
    root = package.xml(_ROOT)
    mains = [resolve(_ROOT, (node.text or "").strip()) for node in root.iter("{*}DocRoot")]
    if not mains:
        raise Unreadable(Reason.BROKEN, "no document")
    pages = (page for main in mains for page in _Document(package, main).pages())
    title, created = text_of(root, "Title"), text_of(root, "CreationDate")[:40]
    return paged(bounded(pages), first_page, last_page, title=title, created=created)


class _Document:
    def __init__(self, package: Package, main: str) -> None:
        self._package = package
        self._main = main
        self._root = package.xml(main)
        self._templates = {
            attribute(node, "ID"): attribute(node, "BaseLoc") for node in self._root.iter("{*}TemplatePage")
        }
        self._annotations = dict(self._annotated())

    def pages(self) -> Iterator[str]:
        listed = find(self._root, "Pages")
        for entry in () if listed is None else listed.iter("{*}Page"):
            place = self._place(self._main, attribute(entry, "BaseLoc"))
            yield self._page(place, self._annotations.get(attribute(entry, "ID"), ""))

    def _page(self, place: str, annotations: str) -> str:
        root = self._package.optional_xml(place)
        if root is None:
            return ""
        used = [self._templates.get(attribute(node, "TemplateID"), "") for node in root.iter("{*}Template")]
        templates = [self._package.optional_xml(self._place(self._main, name)) for name in used if name]
        extra = self._package.optional_xml(self._place(self._main, annotations)) if annotations else None
        texts = [_lines(each) for each in (*templates, root, extra) if each is not None]
        return "\n".join(text for text in texts if text)

    def _annotated(self) -> Iterator[tuple[str, str]]:
        """Yield a page's ID and where its annotations lie."""
        node = find(self._root, "Annotations")
        place = self._place(self._main, (node.text or "").strip()) if node is not None else ""
        root = self._package.optional_xml(place) if place else None
        for page in () if root is None else root.iter("{*}Page"):
            location = find(page, "FileLoc")
            if location is not None:
                yield attribute(page, "PageID"), "/" + self._place(place, (location.text or "").strip())

    def _place(self, base: str, target: str) -> str:
        """Return a part's name; some writers give places from the root that should be from the file, or the reverse."""
        near = resolve(base, target)
        return near if near in self._package else resolve("", target)


def _lines(root: etree._Element) -> str:
    """Join texts on one baseline, with a space where a gap parts them; others begin a line."""
    out: list[str] = []
    last: tuple[float, float] | None = None  # where the text before ended, and its baseline
    for node in root.iter("{*}TextObject"):
        box, size = _numbers(attribute(node, "Boundary")), (_numbers(attribute(node, "Size")) or [4.0])[0]
        for code in node:
            if local(code) != "TextCode" or not (code.text or "").strip():
                continue
            text = (code.text or "").strip("\r\n")
            left = (box[0] if box else 0.0) + (_numbers(attribute(code, "X")) or [0.0])[0]
            line = (box[1] if len(box) > 1 else 0.0) + (_numbers(attribute(code, "Y")) or [0.0])[0]
            if last is None or abs(last[1] - line) > _SAME_LINE * size:
                out.append("\n")
            elif left - last[0] > _GAP * size:
                out.append(" ")
            out.append(text)
            last = left + _width(text, attribute(code, "DeltaX"), size), line
    return "".join(out).strip("\n")


def _width(text: str, steps: str, size: float) -> float:
    """Return how wide a text is drawn, in millimetres; its last sign is taken for as wide as high."""
    advance = 0.0
    parts = steps.split()
    left = len(text) - 1
    while parts and left > 0:
        times = 1
        if parts[0] == "g" and len(parts) > 2:  # "g 3 4.2": three steps of 4.2
            times, parts = int(_numbers(parts[1])[0]) if _numbers(parts[1]) else 1, parts[2:]
        step = (_numbers(parts.pop(0)) or [size])[0]
        advance += step * min(max(times, 1), left)
        left -= max(times, 1)
    wide = size if text[-1] >= "\u2e80" else size / 2
    return advance + max(left, 0) * wide + wide


def _numbers(text: str) -> list[float]:
    with suppress(ValueError):
        return [float(part) for part in text.split()]
    return []
