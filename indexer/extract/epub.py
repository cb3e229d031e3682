"""Text of electronic books (EPUB): chapters in the order in which they are read."""

import mmap
from collections.abc import Iterator

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.markup import markup_text
from indexer.extract.package import Package, attribute, find, resolve, text_of
from indexer.extract.paging import bounded, paged

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"


def extract_epub(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the chapters ``first_page`` to ``last_page`` (both included, 1-based) of a book, a page each.

    Raises:
        Unreadable: ``sealed`` (chapters are), or ``broken``: no package, or none that says what it holds.
    """
    package = Package(data)
    root = find(package.xml(_CONTAINER, doctype=True), "rootfile")
    main = resolve("", attribute(root, "full-path")) if root is not None else ""
    about = package.xml(main, doctype=True)
    files = {
        attribute(item, "id"): resolve(main, attribute(item, "href"))
        for item in about.iter("{*}item")
        if "html" in attribute(item, "media-type") or "dtbook" in attribute(item, "media-type")
    }
    spine = find(about, "spine")
    order = [files.get(attribute(item, "idref"), "") for item in (() if spine is None else spine.iter("{*}itemref"))]
    chapters = list(dict.fromkeys(name for name in order if name in package))
    if _locked(package) & {name.lower() for name in chapters}:
        raise Unreadable(Reason.SEALED)
    title, created = text_of(about, "title"), text_of(about, "date")[:40]
    return paged(bounded(_texts(package, chapters)), first_page, last_page, title=title, created=created)


def _texts(package: Package, chapters: list[str]) -> Iterator[str]:
    for name in chapters:
        yield markup_text(package.read(name))


def _locked(package: Package) -> set[str]:
    """Return the parts that need a key. Fonts are scrambled in many a free book."""
    root = package.optional_xml(_ENCRYPTION)
    if root is None:
        return set()
    return {resolve("", attribute(node, "URI")).lower() for node in root.iter("{*}CipherReference")}
