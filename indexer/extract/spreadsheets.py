"""Text of Excel's workbooks, new and old (xlsx, xlsb, xls): each sheet's name, then its rows, on pages of its own."""

import html
import io
import mmap
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from itertools import chain, repeat
from typing import Any

import olefile
import python_calamine as calamine

from indexer.extract import xls_records, xlsx_sparse
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.cleaning import clean_line
from indexer.extract.ooxml import OfficePackage, relation_id, words_of_drawing
from indexer.extract.package import attribute
from indexer.extract.paging import cut, paged

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARGIN = re.compile(rb"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)>([^<]{1,2000})<")
_THREAD_NOTICE = "[Threaded comment]"


def extract_xlsx(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for (both included, 1-based) of an xlsx or xlsb workbook; hidden sheets count.

    A sheet takes one page or more, each with the sheet's name as its first line. After its rows come headers and
    footers, comments, and the words of boxes, charts and diagrams.

    Raises:
        Unreadable: ``broken``: no package, no workbook, XML that is none, or a document type in it.
    """
    package = OfficePackage(data)
    workbook = _Workbook(package, data)
    title, created, _ = package.about()
    return paged(_pages(workbook.sheets()), first_page, last_page, title=title, created=created)


def extract_xls(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of a workbook of Excel 95 to 2003, as ``extract_xlsx`` does.

    Raises:
        Unreadable: ``encrypted``, ``broken``, or ``unsupported`` (older, or no workbook at all).
    """
    if data[:4] == b"PK\x03\x04":
        return extract_xlsx(data, first_page, last_page)
    title, created, beside = _look_into(data)
    book = open_workbook(data)
    known = zip(book.sheets_metadata, chain(beside, repeat([])), strict=False)
    sheets = ((sheet.name, chain(_rows(book, sheet), texts)) for sheet, texts in known)
    return paged(_pages(sheets), first_page, last_page, title=title, created=created)


def _pages(sheets: Iterator[tuple[str, Iterator[str]]]) -> Iterator[str]:
    for name, lines in sheets:
        for page in cut("\n".join(line.replace("\f", " ") for line in lines)):
            yield f"{name}\n{page}"


def open_workbook(data: mmap.mmap | bytes) -> Any:
    """Return calamine's workbook.

    Raises:
        Unreadable: ``encrypted`` or ``broken``.
    """
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise Unreadable(Reason.ENCRYPTED) from error
    except calamine.CalamineError as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def _rows(book: Any, sheet: calamine.SheetMetadata) -> Iterator[str]:
    with suppress(calamine.WorksheetNotFound):  # a sheet that is all chart
        for row in book.get_sheet_by_name(sheet.name).iter_rows():
            line = "\t".join(map(cell_words, row)).rstrip("\t")
            if line:
                yield line


def cell_words(value: Any) -> str:
    """Write a cell as a person reads it: whole numbers without a point, dates as ISO dates, a day without a time."""
    if isinstance(value, str):
        return value.replace("\t", " ")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


class _Workbook:
    """A workbook in a package: calamine reads the cells, this the rest, and what would not fit in memory."""

    def __init__(self, package: OfficePackage, data: mmap.mmap | bytes) -> None:
        self._package = package
        self._data = data
        self._main = package.main_part("xl/workbook.xml", "xl/workbook.bin")
        self._plain = not self._main.endswith(".bin")
        self._parts: dict[str, str] = {}
        if self._plain:
            for sheet in package.xml(self._main).iter("{*}sheet"):
                part = package.target(self._main, relation_id(sheet))
                if part:
                    self._parts[attribute(sheet, "name")] = part

    def sheets(self) -> Iterator[tuple[str, Iterator[str]]]:
        far = {name for name, part in self._parts.items() if self._places(part) > xlsx_sparse.MOST_CELLS}
        try:
            book = open_workbook(self._data)
        except Unreadable:
            if not self._parts:
                raise
            far = set(self._parts)
        names = list(self._parts) if self._plain else list(book.sheet_names)
        metadata = {} if far == set(self._parts) and self._plain else {each.name: each for each in book.sheets_metadata}
        shared = xlsx_sparse.shared_strings(self._package, self._main) if far else []
        for name in names:
            by_cell = name in far or name not in metadata
            cells = self._sparse(name, shared) if by_cell else _rows(book, metadata[name])
            yield name, self._whole(name, cells)

    def _places(self, part: str) -> int:
        return xlsx_sparse.places(self._package.read(part))

    def _sparse(self, name: str, shared: list[str]) -> Iterator[str]:
        return xlsx_sparse.rows(self._package.read(self._parts[name]), shared)

    def _whole(self, name: str, cells: Iterator[str]) -> Iterator[str]:
        yield from cells
        part = self._parts.get(name)
        if part:
            yield from self._margins(part)
            yield from self._comments(part)
            for drawing in self._package.related(part, "drawing", "chart"):
                yield from self._drawn(drawing)

    def _margins(self, part: str) -> Iterator[str]:
        texts = (html.unescape(found.decode("utf-8", "replace")) for found in _MARGIN.findall(self._package.read(part)))
        for text in dict.fromkeys(texts):
            yield xls_records.margin_words(text)

    def _comments(self, part: str) -> Iterator[str]:
        for kind, name in (("comments", "comment"), ("threadedComment", "threadedComment")):
            for found in self._package.related(part, kind):
                root = self._package.optional_xml(found)
                for comment in () if root is None else root.iter("{*}" + name):
                    text = xlsx_sparse.runs(comment) if kind == "comments" else "".join(map(str, comment.itertext()))
                    if text and not text.startswith(_THREAD_NOTICE):
                        yield text.strip()

    def _drawn(self, part: str) -> Iterator[str]:
        """Yield the words of a sheet's drawing; charts and diagrams that it refers to are found by the walk."""
        root = self._package.optional_xml(part)
        if root is not None:
            yield words_of_drawing(self._package, part, root).strip()


def _look_into(data: mmap.mmap | bytes) -> tuple[str, str, list[list[str]]]:
    """Return title, creation date and what lies beside the cells of each sheet, if no password locks a workbook.

    Raises:
        Unreadable: as ``extract_xls``.
    """
    if data[:8] != _OLE:
        raise Unreadable(Reason.UNSUPPORTED)
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            if container.exists("EncryptedPackage"):
                raise Unreadable(Reason.ENCRYPTED)
            book = next((name for name in ("Workbook", "Book") if container.exists(name)), None)
            if book is None:
                raise Unreadable(Reason.UNSUPPORTED)
            stream = container.openstream(book).read()
            if xls_records.is_locked(stream):
                raise Unreadable(Reason.ENCRYPTED)
            beside = xls_records.texts_by_sheet(stream) if book == "Workbook" else []
            return *_about(container), beside
    except OSError as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def _about(container: Any) -> tuple[str, str]:
    try:
        about = container.get_metadata()
    except Exception:  # noqa: BLE001  (a broken description is no reason to lose the text)
        return "", ""
    created = about.create_time
    return _words(about.title, about.codepage), created.date().isoformat() if isinstance(created, datetime) else ""


def _words(value: object, codepage: object) -> str:
    if isinstance(value, bytes):
        number = codepage if isinstance(codepage, int) else 936
        encoding = "utf-8" if number in {65001, -535} else "gb18030" if number == 936 else f"cp{number % 65_536}"
        try:
            return clean_line(value.decode(encoding, "replace"))
        except LookupError:
            return ""
    return clean_line(value) if isinstance(value, str) else ""
