"""A zip of XML parts, as the office formats are: reads parts, and trusts none of them."""

import mmap
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from lxml import etree

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.cleaning import clean_line
from indexer.extract.zips import open_zip

_TOO_LARGE = ("too long", "too big", "huge text", "size limit")
_LIMITS = {114, etree.ErrorTypes.ERR_ENTITY_LOOP}
"""What was built to hurt; 114 is what libxml2 says since 2.14 of every limit of its own."""

_CAREFUL: Mapping[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}
_NAME = re.compile(r"^\{[^}]*\}")


class Package:
    """The parts of a package by name. Names are taken without regard to case, a leading slash or backslashes.

    Raises:
        Unreadable: ``broken``: the bytes are no zip.
    """

    def __init__(self, data: mmap.mmap | bytes) -> None:
        try:
            self._zip = open_zip(data)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
        self._names = {_normal(entry.filename): entry for entry in self._zip.infolist() if not entry.is_dir()}

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._names

    @property
    def names(self) -> list[str]:
        """Names of all parts, in small letters."""
        return list(self._names)

    def read(self, name: str) -> bytes:
        """Return a part's bytes.

        Raises:
            Unreadable: ``broken``: there is no such part, or it does not unpack.
        """
        entry = self._names.get(_normal(name))
        if entry is None:
            raise Unreadable(Reason.BROKEN, "missing part")
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, EOFError, ValueError, OSError, RuntimeError, zlib.error) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error

    def size(self, name: str) -> int:
        """Return how many bytes a part has, by the package's word; 0 where there is none."""
        entry = self._names.get(_normal(name))
        return entry.file_size if entry else 0

    def ends(self, name: str, *tags: str) -> Iterator[etree._Element]:
        """Yield a part's elements of some names when each ends, while the rest of the part is still unread.

        Who takes them lets go of what is done with: a tree of the whole part is what is not wanted. At last the root
        comes.

        Args:
            name: the part.
            tags: names without namespace.

        Raises:
            Unreadable: as ``xml`` does.
        """
        entry = self._names.get(_normal(name))
        if entry is None:
            raise Unreadable(Reason.BROKEN, "missing part")
        wanted = [f"{{*}}{tag}" for tag in tags]
        try:
            with self._zip.open(entry) as part:
                walk = etree.iterparse(part, tag=wanted, **_CAREFUL)
                for _event, node in walk:
                    if node.getroottree().docinfo.internalDTD is not None:
                        raise Unreadable(Reason.BROKEN, "doctype")
                    yield node
                yield walk.root
        except etree.XMLSyntaxError as error:
            refuse(walk, error)
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
        except (zipfile.BadZipFile, EOFError, ValueError, OSError, RuntimeError, zlib.error) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error

    def xml(self, name: str, *, doctype: bool = False) -> etree._Element:
        """Return a part's root element.

        Args:
            name: the part.
            doctype: whether a document type may be declared; its entities are left alone either way.

        Raises:
            Unreadable: ``broken``: missing, no XML, or a document type where none belongs; else as
                ``refuse`` says.
        """
        return parse_xml(self.read(name), doctype=doctype)

    def optional_xml(self, name: str, *, doctype: bool = False) -> etree._Element | None:
        """Return a part's root element, or None where it is missing or broken: the rest is text all the same."""
        if name not in self:
            return None
        try:
            return self.xml(name, doctype=doctype)
        except Unreadable as refused:
            if refused.failure.detail == "doctype":
                raise
            return None


def parse_xml(data: bytes, *, doctype: bool = False) -> etree._Element:
    """Parse XML without entities, network and huge trees, as ``Package.xml`` does."""
    parser = _parser()
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        refuse(parser, error)
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error
    if not doctype and root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(Reason.BROKEN, "doctype")
    return root


def refuse(parser: Any, error: etree.XMLSyntaxError) -> None:
    """Raise what is wrong with XML that no second reading helps: ``bomb``, ``too_large``."""
    log: Any = parser.error_log  # the error's own still holds those of other files
    for each in log:
        if each.type == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        if any(word in each.message for word in _TOO_LARGE):
            raise Unreadable(Reason.TOO_LARGE, "XMLSyntaxError") from error
        if each.type in _LIMITS:
            raise Unreadable(Reason.BOMB, "XMLSyntaxError") from error


def _parser() -> etree.XMLParser:
    return etree.XMLParser(**_CAREFUL)


@lru_cache(maxsize=2_048)
def _local(tag: str) -> str:
    return _NAME.sub("", tag)


def local(node: etree._Element) -> str:
    """Return an element's name without its namespace: the strict and the older forms of a format differ in no more."""
    tag = node.tag
    return _local(tag) if isinstance(tag, str) else ""  # an entity has no name


def attribute(node: etree._Element, name: str) -> str:
    """Return an attribute by its name without a namespace, or ""."""
    for key, value in node.attrib.items():
        if _local(str(key)) == name:
            return str(value)
    return ""


def find(root: etree._Element | None, name: str) -> etree._Element | None:
    """Return the first element of that name below ``root``, or None."""
    return None if root is None else next(root.iter("{*}" + name), None)


def text_of(root: etree._Element | None, name: str) -> str:
    """Return the text of the first element of that name below ``root`` as one line, for titles and dates."""
    found = find(root, name)
    return "" if found is None else clean_line("".join(str(part) for part in found.itertext()))


def resolve(base: str, target: str) -> str:
    """Return the name of the part that ``target``, as written in the part ``base``, points to."""
    target = unquote(target.replace("\\", "/")).partition("#")[0]
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), target)).lstrip("/")


def _normal(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").lstrip("/").lower()
