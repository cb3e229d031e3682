"""Pictures of pages: of a PDF by pdfium, of an image by Pillow, always made anew: nothing of a file's own runs."""

import base64
import ctypes
import io
import mmap
import warnings
from contextlib import suppress
from typing import Any

import pypdfium2
from PIL import AvifImagePlugin, Image, ImageOps, UnidentifiedImageError

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.member import MAX_RATIO

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
"""What Pillow may open: the formats of scans and photographs, none of those whose readers are seldom looked at."""

MAX_PIXELS = 150_000_000
"""A larger image is not opened: 300 dpi of an A0 drawing is 140 million."""

MAX_SAMPLES = 320_000_000
"""Nor one of more pixels by colours: 600 dpi of an A3 sheet in four is 280 million."""

_DRAWN = 24_000_000  # pixels of a picture that we make
_WIDEST = 6_000  # pixels across: of an A4 page more than 600 dpi
_LONGEST = 16_383  # pixels of a side: WebP takes no more, and a long screenshot has them
_SMALLEST = 24  # pixels: no line of text fits into less


def prepare() -> None:
    """Load what the forks need; they can open no file any more."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a fork may start none
    sample = Image.new("RGB", (8, 8), "white")
    for name in FORMATS:
        kept = io.BytesIO()
        sample.save(kept, name)
        with open_image(kept.getvalue()) as image:
            image.load()


def extract_image(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return an image's pages without text: one, or as many as a TIFF or a moving image holds. The first is decoded.

    Each counts as a scan, but for what is too small to hold words.

    Raises:
        Unreadable: ``empty``, ``broken``, ``bomb`` or ``too_large`` when it has more than ``MAX_PIXELS``.
    """
    with open_image(data) as image:
        count = getattr(image, "n_frames", 1)
        try:
            image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
        small = min(image.size) < _SMALLEST
    begin = first_page or 1
    pages = ("",) * max(min(last_page or count, count) - begin + 1, 0)
    return Extracted(pages, begin, count, scans=() if small else tuple(range(begin, begin + len(pages))))


def picture(media_type: str, data: mmap.mmap | bytes, page: int, *, width: int, turn: int = 0) -> dict[str, Any]:
    """Draw one page as WebP.

    Args:
        media_type: what the file is: PDF or one of the images.
        data: its bytes.
        page: which page, from 1.
        width: pixels across, before it is turned; an image is never made larger than it is.
        turn: degrees clockwise: 0, 90, 180 or 270.

    Returns:
        A mapping of ``image`` (WebP in base 64), ``width`` and ``height`` in pixels.

    Raises:
        Unreadable: there is no such page (``empty``), no picture of such a file (``unsupported``), or it does not open.
    """
    if media_type == kinds.PDF:
        drawn = _of_pdf(data, page, width, turn)
    elif media_type in kinds.IMAGES:
        drawn = _of_image(data, page, width).rotate(-turn, expand=True)
    else:
        raise Unreadable(Reason.UNSUPPORTED)
    drawn.thumbnail((_LONGEST, _LONGEST))
    kept = io.BytesIO()
    drawn.save(kept, "WEBP", quality=82, method=2)
    return {"image": base64.b64encode(kept.getvalue()).decode(), "width": drawn.width, "height": drawn.height}


def sheet(media_type: str, data: mmap.mmap | bytes, page: int, *, dpi: int) -> Image.Image:
    """Return one page for OCR: of a PDF drawn at ``dpi``, of an image as it is; at most 24 million pixels.

    Raises:
        Unreadable: as ``picture``.
    """
    if media_type == kinds.PDF:
        return _of_pdf(data, page, 0, 0, dpi=dpi)
    if media_type in kinds.IMAGES:
        return _of_image(data, page, _WIDEST)
    raise Unreadable(Reason.UNSUPPORTED)


def page_image(media_type: str, data: mmap.mmap | bytes, page: int, *, width: int) -> tuple[Image.Image, int]:
    """Return one page drawn about ``width`` pixels across, and how many pages there are.

    Raises:
        Unreadable: as ``picture``.
    """
    if media_type == kinds.PDF:
        try:
            count = len(pypdfium2.PdfDocument(data if isinstance(data, bytes) else bytes(data)))
        except pypdfium2.PdfiumError as error:
            raise Unreadable(Reason.BROKEN, "pdfium") from error
        return _of_pdf(data, page, width, 0), count
    with open_image(data) as image:
        count = getattr(image, "n_frames", 1)
    return _of_image(data, page, _WIDEST), count


def open_image(data: mmap.mmap | bytes) -> Image.Image:
    """Open an image of one of ``FORMATS``.

    Raises:
        Unreadable: ``bomb``, ``too_large`` or ``broken``.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height * len(image.getbands()) > MAX_SAMPLES:
            raise Unreadable(_largeness(image, data))
        return image  # noqa: TRY300  (what is raised above is no error of Pillow's)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        Image.MAX_IMAGE_PIXELS = None  # only its head is read
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                raise Unreadable(_largeness(image, data)) from error
        finally:
            Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unreadable(Reason.BROKEN, type(error).__name__) from error


def _largeness(image: Image.Image, data: mmap.mmap | bytes) -> Reason:
    """Tell a bomb from a drawing that is only very large: by how many of its pixels came out of each byte."""
    packed = image.width * image.height * (1 if image.mode == "1" else 8 * len(image.getbands())) / 8
    return Reason.BOMB if packed > MAX_RATIO * len(data) else Reason.TOO_LARGE


def _of_image(data: mmap.mmap | bytes, page: int, width: int) -> Image.Image:
    with open_image(data) as image:
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise Unreadable(Reason.EMPTY)
        image.seek(page - 1)
        image.draft("RGB", (width, width * image.height // max(image.width, 1)))  # a JPEG is decoded smaller at once
        upright = ImageOps.exif_transpose(image)
        if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
            paper = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(paper, upright.convert("RGBA"))
        elif upright.mode == "LAB":
            upright = upright.getchannel("L")  # Pillow turns its colours into no others; its lightness shows all
        elif upright.mode.startswith("I"):
            upright = upright.point(lambda value: value / 256) if upright.mode == "I;16" else upright
        made = upright if upright.mode in {"L", "RGB"} else upright.convert("L" if upright.mode == "1" else "RGB")
        made.thumbnail((width, _DRAWN // width))  # before the colours: a large scan is grey
    return made.convert("RGB")


def _of_pdf(data: mmap.mmap | bytes, page: int, width: int, turn: int, *, dpi: int = 0) -> Image.Image:
    view = data if isinstance(data, bytes) else (ctypes.c_char * len(data)).from_buffer(data)
    try:
        document = pypdfium2.PdfDocument(view)
        if not 1 <= page <= len(document):
            raise Unreadable(Reason.EMPTY)
        with suppress(pypdfium2.PdfiumError):
            document.init_forms()  # what was filled in is part of the page
        sheet = document[page - 1]
        scale = dpi / 72 if dpi else width / max(sheet.get_width(), 1)
        scale *= min(1, (_DRAWN / max(sheet.get_width() * sheet.get_height() * scale * scale, 1)) ** 0.5)
        drawn: Image.Image = sheet.render(scale=scale, rotation=turn).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise Unreadable(Reason.BROKEN, "pdfium") from error
    return drawn
