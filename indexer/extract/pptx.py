"""Text of presentations (pptx and its kin): one page a slide, with its notes and comments."""

import mmap
from collections.abc import Iterator

from lxml import etree

from indexer.extract.answer import Extracted
from indexer.extract.ooxml import OfficePackage, OfficeText, relation_id
from indexer.extract.package import find
from indexer.extract.paging import bounded, paged


def extract_pptx(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the slides ``first_page`` to ``last_page`` (both included, 1-based) of a presentation.

    Hidden slides count. What a layout or master adds to its slides is told with the first of them.

    Raises:
        Unreadable: ``broken``: no package, no main part, XML that is none, or a document type in it.
    """
    package = OfficePackage(data)
    title, created, _ = package.about()
    return paged(bounded(_slides(package)), first_page, last_page, title=title, created=created)


def _slides(package: OfficePackage) -> Iterator[str]:
    main = package.main_part("ppt/presentation.xml")
    told: set[str] = set()
    for entry in package.xml(main).iter("{*}sldId"):
        part = package.target(main, relation_id(entry))
        if part is not None:
            yield "\n".join(text.strip("\n") for text in _slide(package, part, told) if text.strip())


def _slide(package: OfficePackage, part: str, told: set[str]) -> Iterator[str]:
    root = package.optional_xml(part)
    if root is None:
        return
    yield OfficeText(package, part).blocks(root)
    for notes in package.related(part, "notesSlide"):
        yield _shapes(package, notes, without=frozenset({"sldNum", "dt", "hdr", "ftr", "sldImg"}))
    for comments in package.related(part, "comments"):
        yield _comments(package, comments)
    for layout in package.related(part, "slideLayout"):
        for background in (layout, *package.related(layout, "slideMaster")):
            if background not in told:
                told.add(background)
                yield _shapes(package, background, without=None)


def _shapes(package: OfficePackage, part: str, *, without: frozenset[str] | None) -> str:
    """Return a part's text but that of placeholders of the kinds ``without``; None: of any kind."""
    root = package.optional_xml(part)
    if root is None:
        return ""
    for shape in list(root.iter("{*}sp")):
        place = find(shape, "ph")
        above = shape.getparent()
        if place is not None and above is not None and (without is None or place.get("type") in without):
            above.remove(shape)
    return OfficeText(package, part).blocks(root)


def _comments(package: OfficePackage, part: str) -> str:
    """Return the comments on a slide, in the older form (``text``) or the newer (paragraphs)."""
    root = package.optional_xml(part)
    if root is None:
        return ""
    plain = "".join(f"{_all_text(node)}\n" for node in root.iter("{*}text"))
    return plain + OfficeText(package, part).blocks(root)


def _all_text(node: etree._Element) -> str:
    return "".join(str(text) for text in node.itertext()).strip()
