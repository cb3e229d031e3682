"""Cells of a worksheet one by one: for sheets whose few cells lie so far apart that no table of them fits in memory."""

import io
import re
from collections.abc import Iterator

from lxml import etree

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.ooxml import OfficePackage
from indexer.extract.package import attribute, local

MOST_CELLS = 8_000_000
"""A sheet of more places than this, empty ones included, is read cell by cell."""

_COLUMN = re.compile(rb'\br="([A-Z]{1,3})[0-9]')
_ROW = re.compile(rb'\br="([0-9]{1,7})"')


def places(sheet: bytes) -> int:
    """Return how many places lie in the rectangle around a sheet's cells, by the addresses of its rows and cells."""
    columns = max((_column(letters) for letters in set(_COLUMN.findall(sheet))), default=0)
    return columns * max(map(int, set(_ROW.findall(sheet))), default=0)


def rows(sheet: bytes, shared: list[str]) -> Iterator[str]:
    r"""Yield the rows that hold something, their filled cells parted by ``\t``; dates stay the numbers they are.

    Raises:
        Unreadable: ``broken``: no XML.
    """
    walk = etree.iterparse(
        io.BytesIO(sheet), tag="{*}row", resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    try:
        for _event, row in walk:
            cells = [text for cell in row if local(cell) == "c" and (text := _cell(cell, shared))]
            if cells:
                yield "\t".join(cells)
            row.clear()
            above = row.getparent()
            if above is not None and len(above) > 1:
                del above[0]
    except etree.XMLSyntaxError as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def shared_strings(package: OfficePackage, main: str) -> list[str]:
    """Return the workbook's table of texts."""
    for part in package.related(main, "sharedStrings"):
        root = package.optional_xml(part)
        return [] if root is None else [runs(entry) for entry in root.iter("{*}si")]
    return []


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(cell: etree._Element, shared: list[str]) -> str:
    kind = attribute(cell, "t")
    if kind == "inlineStr":
        return runs(cell)
    value = next((child.text or "" for child in cell if local(child) == "v"), "")
    if kind == "s" and value.isdigit() and int(value) < len(shared):
        return shared[int(value)]
    return "" if kind == "s" else value


def runs(node: etree._Element) -> str:
    """Return the runs of a text, without the readings of its signs."""
    return "".join(text.text or "" for text in node.iter("{*}t") if next(text.iterancestors("{*}rPh"), None) is None)
