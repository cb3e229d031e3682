"""Marked copies: pictures, PDFs and other files that say whose they are, and reading the mark of a leaked one."""

import base64
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from archive.errors import Damaged, Fault, InvalidInput, NotFound, TooLarge
from archive.files.intake import OpenFile
from archive.identity import Identity
from archive.loans.marking import CopyShown, Mark
from archive.ports import Unlocked
from indexer import kinds
from indexer.extract.answer import Failure
from indexer.sandbox.tasks import MARK, MASK, TRACE
from web import words
from web.words import translator

if TYPE_CHECKING:
    from web.services import Services

COPY_WIDTH = 1400
"""Pixels across a page of a PDF that is taken away."""

PAGES_AT_ONCE = 50
"""Pages of a PDF that are drawn in one go; more are taken in parts."""

TRACED_PAGES = 20
MOST_TRACED = 100_000_000
_CODE = re.compile(rb"JK([0-9A-F]{10})")
_END = b"PK\x05\x06"
_END_SIZE = 22
_WORDS = {"loan": words.mark("Loan %(number)s"), "copy": words.mark("Copy %(number)s")}


@dataclass(frozen=True)
class TakenFile:
    """A file on its way out, as it goes to one person."""

    name: str
    media_type: str
    size: int
    body: Iterator[bytes]


def lines_of(mark: Mark, locale: str) -> Sequence[str]:
    """Return what stands across a copy: the name, the time in the house's zone, the loan."""
    say = translator(locale)
    lines = [f"{mark.person[:30]} {mark.login[:30]}", mark.at.strftime("%Y-%m-%d %H:%M")]
    last = say(_WORDS["loan"], number=mark.loan) if mark.loan else ""
    if mark.serial:
        last = f"{last} · {say(_WORDS['copy'], number=mark.serial)}".removeprefix(" · ")
    return [*lines, last] if last else lines


def code_of(mark: Mark) -> str:
    """Return the code by which a file that carries no picture is known again."""
    return f"JK{mark.number:010X}"


def marked_picture(services: "Services", key: Unlocked, image: bytes, name: str, mark: Mark, locale: str) -> bytes:
    """Return a picture with a mark; it is kept sealed, as long as the mark is the same."""
    kept_as = f"{name}-{mark.number:010x}-{locale}"
    if sealed := services.pictures.get(kept_as):
        try:
            return key.open(sealed, context=f"picture:{kept_as}")
        except Damaged:
            pass  # it is made anew
    made = _marked(services, image, mark, locale, jpeg=False)[0]
    services.pictures.put(kept_as, key.seal(made, context=f"picture:{kept_as}"))
    return made


def marked_pdf(services: "Services", pages: Iterator[bytes], mark: Mark, locale: str) -> bytes:
    """Return pictures of pages as a PDF, each with the mark."""
    made = (_marked(services, picture, mark, locale, jpeg=True) for picture in pages)
    return pictures_pdf(made, " ".join(lines_of(mark, locale)), code_of(mark))


def marked_again(services: "Services", pdf: bytes, mark: Mark, locale: str) -> bytes:
    """Return a PDF of pictures with the mark on each page. Raises ``NotFound``: a page could not be drawn."""
    from pypdf import PdfReader  # noqa: PLC0415 (as below)

    pages = len(PdfReader(io.BytesIO(pdf)).pages)  # one of our own
    file = services.drawer.hold([pdf], len(pdf))
    try:
        drawn = [services.drawer.picture_held(kinds.PDF, file, page, width=COPY_WIDTH) for page in range(1, pages + 1)]
    finally:
        file.close()
    if any(isinstance(each, Failure) for each in drawn):
        raise NotFound
    return marked_pdf(services, (each for each in drawn if isinstance(each, bytes)), mark, locale)


def pictures_pdf(pages: Iterable[tuple[bytes, int, int]], title: str, keywords: str) -> bytes:
    """Return JPEG pictures (with width and height) as a PDF, one a page."""
    from pypdf import PdfWriter  # noqa: PLC0415 (the pages would start later for it)
    from pypdf.generic import DictionaryObject, NameObject, NumberObject, StreamObject  # noqa: PLC0415 (as above)

    writer = PdfWriter()
    for jpeg, width, height in pages:
        wide = 595.0 if height >= width else 842.0
        page = writer.add_blank_page(wide, wide * height / width)
        image = StreamObject()
        image.update({
            NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(width), NameObject("/Height"): NumberObject(height),
            NameObject("/ColorSpace"): NameObject("/DeviceRGB"), NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/Filter"): NameObject("/DCTDecode"),
        })  # fmt: skip
        image.set_data(jpeg)
        shown = StreamObject()
        shown.set_data(f"q {wide:.2f} 0 0 {wide * height / width:.2f} 0 0 cm /P Do Q".encode())
        put = writer._add_object  # noqa: SLF001  (pypdf has no other way to add an object)
        pictures = DictionaryObject({NameObject("/P"): put(image)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): pictures})
        page[NameObject("/Contents")] = put(shown)
    writer.add_metadata({"/Title": title, "/Keywords": keywords, "/Producer": "Juanku"})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def named_file(opened: OpenFile, mark: Mark) -> TakenFile:
    """Return a file without pages as it goes out: named for its mark, which a ZIP carries inside as well."""
    path, code = PurePath(opened.name), code_of(mark)
    name = f"{path.stem}-{code}{path.suffix}"
    cut = opened.size - _END_SIZE
    tail = b"".join(opened.reader.read(cut, _END_SIZE)) if cut > 0 else b""
    if tail.startswith(_END) and tail.endswith(b"\0\0"):
        note = code.encode()
        tail = tail[:-2] + len(note).to_bytes(2, "little") + note
        body: Iterator[bytes] = chain(opened.reader.read(0, cut), (tail,))
        return TakenFile(name, opened.media_type, cut + len(tail), body)
    return TakenFile(name, opened.media_type, opened.size, opened.reader.read(0, opened.size))


def traced(services: "Services", identity: Identity, name: str, data: bytes) -> Sequence[CopyShown]:
    """Return whose copies a file is made of: by the marks of its pages, by its name, by what a ZIP says at its end.

    Raises:
        NotAllowed: not one of those who trace copies.
        InvalidInput: ``file``: it is empty or too large.
    """
    if not data or len(data) > MOST_TRACED:
        raise InvalidInput(Fault("file", "empty_file" if not data else "too_long", {"name": name[:200]}))
    told = [name.encode("utf-8", "replace"), data[-200:]]
    numbers = {int(found, 16) for text in told for found in _CODE.findall(text)}
    numbers |= set(_numbers(services, name, data))
    return services.lending.marking.trace(identity, sorted(numbers))


def _numbers(services: "Services", name: str, data: bytes) -> Iterator[int]:
    drawer = services.drawer
    kind = drawer.identify(data[:65_536], name)
    if kind not in kinds.PICTURED:
        return
    try:
        file = drawer.hold([data], len(data))
    except TooLarge:
        raise InvalidInput(Fault("file", "too_long", {"name": name[:200]})) from None
    try:
        page = pages = 1
        while page <= min(pages, TRACED_PAGES):
            told = drawer.done_held(TRACE + kind, file, page)
            if isinstance(told, Failure):
                return
            pages = _whole(told.get("pages"), 1)
            if told.get("number") is not None:
                yield _whole(told["number"], 0)
            page += 1
    finally:
        file.close()


def masked_picture(
    services: "Services", image: bytes, boxes: Sequence[Sequence[int]], line: str
) -> tuple[bytes, int, int]:
    """Return a picture of a page as a JPEG, black under the boxes (parts of ten thousand), above a line of words."""
    return _made(services, MASK, image, {"boxes": [list(each) for each in boxes], "line": line}, jpeg=True)


def _marked(services: "Services", image: bytes, mark: Mark, locale: str, *, jpeg: bool) -> tuple[bytes, int, int]:
    how: dict[str, Any] = {"lines": list(lines_of(mark, locale)), "number": mark.number, "jpeg": jpeg}
    return _made(services, MARK, image, how, jpeg=jpeg)


def _made(
    services: "Services", task: str, image: bytes, how: Mapping[str, Any], *, jpeg: bool
) -> tuple[bytes, int, int]:
    """Have a picture made of another, behind walls. Raises ``NotFound``: none could be made."""
    file = services.drawer.hold([image], len(image))
    try:
        told = services.drawer.done_held(task, file, 1, **how)
    finally:
        file.close()
    if isinstance(told, Failure):
        raise NotFound
    try:
        made = base64.b64decode(told.get("image", ""), validate=True)
    except (ValueError, TypeError):
        raise NotFound from None
    width, height = _whole(told.get("width"), 0), _whole(told.get("height"), 0)
    if not made.startswith(b"\xff\xd8" if jpeg else b"RIFF") or not width or not height:
        raise NotFound
    return made, width, height


def _whole(value: Any, default: int) -> int:
    """Return what a fork told, if it is a number that can be meant."""
    return value if isinstance(value, int) and 0 <= value < 1 << 40 else default
