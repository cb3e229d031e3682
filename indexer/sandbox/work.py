"""What a fork does with its one file."""

import encodings
import importlib
import mmap
import os
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from indexer import identify, kinds
from indexer.extract import (
    marking,
    masking,
    ole,
    originals,
    pdf,
    pdf_words,
    pictures,
    sevenzip,
    tables,
    tars,
    text,
    tracing,
    unlocking,
    unpacking,
    warming,
    zips,
)
from indexer.extract.answer import Extracted, Failure, Reason, Unreadable
from indexer.extract.fonts import lend_fonts, lend_for_words
from indexer.extract.macros import holds_macros
from indexer.extract.member import Member, label
from indexer.extract.parsers import parser_of
from indexer.extract.parts import is_part
from indexer.sandbox import frames
from indexer.sandbox.tasks import IDENTIFY, MARK, MASK, ORIGINAL, PICTURE, TABLE, TRACE, UNPACK, WORDS
from indexer.sandbox.wire import Request, pack_answer

_DETECTOR = identify.MagicDetector()  # made before the walls stand: it reads libmagic's table

_BY_NAME = frozenset({kinds.DOC, kinds.XLS, kinds.PPT})

Answer = Extracted | Failure | dict[str, Any]


def preload() -> None:
    """Load everything a fork may need; a fork cannot open a file any more."""
    lend_fonts()
    pdf.lower_limits()
    pictures.prepare()
    marking.prepare()
    masking.prepare()
    _DETECTOR.detect(b"\x00\x01\x02", "")
    for module in pkgutil.iter_modules(encodings.__path__):  # whichever the statistics name is asked for by a fork
        with suppress(ImportError):  # those of Windows
            importlib.import_module(f"encodings.{module.name}")
    for name in ("gb18030", "big5hkscs", "shift_jis", "euc_kr"):
        "档案".encode(name, "replace").decode(name, "replace")
    text.guess_encoding("「檔案」卷庫".encode("big5hkscs") * 20)
    text.guess_encoding("été à la plage ".encode("cp1252") * 20)
    warming.warm_up()
    unlocking.prepare()
    sevenzip.prepare()
    warm = _smallest_pdf()
    pdf.extract_pdf(warm)
    pdf_words.pdf_words(warm, 1)
    for broken in (warm.replace(b"/Pages", b"/Pagez"), b"%PDF-1.4 nothing"):
        try:
            pdf.extract_pdf(broken)
        except Unreadable:
            continue


def answer(request: Request, data: mmap.mmap | bytes) -> Answer:
    """Do the work of one request on the mapped file."""
    if request.size == 0 and request.task != IDENTIFY:
        return Failure(Reason.EMPTY)
    try:
        if request.password:
            data = unlocking.unlocked(request.task, data, request.password)
            request = replace(request, task=_kind(request.name, data), size=len(data), password="")
        return _parser(request)(data)
    except Unreadable as found:
        return found.failure
    except MemoryError:
        return Failure(Reason.MEMORY)
    except BaseException as error:  # noqa: BLE001  (what a parser raises is an answer; panics of Rust are no Exception)
        return Failure(Reason.BROKEN, type(error).__name__)


def find(request: Request, data: mmap.mmap | bytes) -> tuple[str | None, Answer]:
    """Do a ``FIND``: return what the file is, and what parsing it gave."""
    try:
        media_type = _kind(request.name, data)
    except Exception as error:  # noqa: BLE001  (as in ``answer``)
        return None, Failure(Reason.BROKEN, type(error).__name__)
    if is_part(media_type, request.name, data):
        return media_type, Failure(Reason.PART)
    return media_type, answer(replace(request, task=media_type), data)


def texts(request: Request, data: mmap.mmap | bytes, write: Callable[[bytes], None]) -> None:
    """Do a ``TEXTS``: write an answer for each file, an empty one where it is not plain text by its words.

    Nothing that is written in C but Python itself reads them: a file cannot get at the others.
    """
    is_plain, end = identify.is_plain_by_its_words, 0
    for size in request.parts:
        part, end = bytes(data[end : end + size]), end + size
        found = answer(replace(request, task=kinds.PLAIN, size=size), part) if is_plain(part, request.name) else {}
        write(pack_answer(found, kinds.PLAIN))


def _parser(request: Request) -> Callable[[Any], Answer]:
    task = request.task
    if task == IDENTIFY:
        return lambda data: {"media_type": _DETECTOR.detect(bytes(data), request.name)}
    if (drawing := _drawing(request)) is not None:
        return drawing
    if task == WORDS:
        return lambda data: pdf_words.pdf_words(data, request.first_page or 1)
    if task == TABLE:
        return _table
    return lambda data: _parsed(request, data)


def _drawing(request: Request) -> Callable[[Any], Answer] | None:
    """Return what draws a page, or looks at one; None: the task is another."""
    task, page, how = request.task, request.first_page or 1, request.picture or {}
    if task.startswith(PICTURE):
        return lambda data: pictures.picture(task.removeprefix(PICTURE), data, page, **how)
    if task.startswith(ORIGINAL):
        return lambda data: originals.original(task.removeprefix(ORIGINAL), data, page, **how)
    if task == MARK:
        return lambda data: marking.marked(data, **how)
    if task == MASK:
        return lambda data: masking.masked(data, **how)
    if task.startswith(TRACE):
        return lambda data: tracing.traced(task.removeprefix(TRACE), data, page)
    return None


def _table(data: mmap.mmap | bytes) -> dict[str, Any] | Failure:
    if ole.is_ole(data) and (locked := ole.inspect_ole(data)):
        return locked
    if bytes(data[:4]) == b"PK\x03\x04" and (odd := zips.inspect_zip(data)):
        return odd
    return tables.read_table(data)


def _kind(name: str, data: mmap.mmap | bytes) -> str:
    found = _DETECTOR.detect(bytes(data[: identify.HEAD_BYTES]), name)
    if not ole.is_ole(data):
        return found
    # a container that none of those programs wrote is not theirs by its name alone
    other = kinds.OLE if found in _BY_NAME and ole.inspect_ole(data) is None else found
    return ole.program(data) or other


def _parsed(request: Request, data: mmap.mmap | bytes) -> Extracted | Failure:
    if ole.is_ole(data) and (locked := ole.inspect_ole(data)):
        return locked
    if kinds.is_zip(request.task) and (odd := zips.inspect_zip(data)):
        return odd
    if request.task == kinds.PDF:
        lend_for_words()
    if request.task in kinds.TARS:
        return tars.extract_tar(request.task, request.name, data, request.first_page, request.last_page)
    parse = parser_of(request.task)
    if parse is None:
        return Failure(Reason.UNSUPPORTED)
    found = parse(data, request.first_page, request.last_page)
    inside = unpacking.count(request.task, request.name, data) if found.first_page == 1 else 0
    return replace(found, macros=holds_macros(request.task, data), inside=inside)


def unpack(request: Request, data: mmap.mmap | bytes, write: Callable[[bytes], None]) -> None:
    """Do an ``UNPACK``: write the members from number ``first_page`` on, one after another (``sandbox.frames``)."""
    kind = request.task.removeprefix(UNPACK)
    try:
        if request.password:
            data = unlocking.unlocked(kind, data, request.password)
            kind = _kind(request.name, data)
        if kinds.is_zip(kind) and (odd := zips.inspect_zip(data)):
            raise Unreadable(odd.reason)  # noqa: TRY301  (all that ends it is told alike)
        count = 0
        for count, member in enumerate(unpacking.members_of(kind, request.name, data), 1):
            if count >= (request.first_page or 1):
                _write_member(count, member, write)
        write(frames.end(count))
    except MemoryError:
        raise
    except BaseException:  # noqa: BLE001  (as in ``answer``; what was written before it is whole)
        write(frames.torn())


def _write_member(number: int, member: Member, write: Callable[[bytes], None]) -> None:
    write(frames.begin(number, label(member.path, number)))
    try:
        for chunk in member.chunks():
            write(frames.data(chunk))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  (a broken member is no fault of the others)
        write(frames.close(whole=False))
    else:
        write(frames.close(whole=True))


def read(fd: int, size: int) -> mmap.mmap | bytes:
    """Map the file behind ``fd``. To be done before the walls stand: mapping asks the kernel for more than parsing."""
    # a private, writable mapping: ctypes takes a pointer to it, and nothing is copied until it is written to
    data = mmap.mmap(fd, size, access=mmap.ACCESS_COPY) if size else b""
    os.close(fd)
    return data


def _smallest_pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
        b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        b"4 0 obj<</Length 36>>stream\nBT /F1 12 Tf 9 9 Td (warm up) Tj ET \nendstream endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )
