"""The picture of a scanned page as it was scanned, for a rendition: a JPEG verbatim, all else without loss."""

import base64
import ctypes
import mmap
import zlib
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageOps

from indexer import kinds
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.pictures import open_image

PART_BYTES = 10_000_000
"""What one answer holds of a picture; the rest is asked for by its place."""

_DPI = 300  # at which a page of several parts is drawn
_SCANNED_AT = 200.0  # dots per inch of a picture that does not say
_SANE_DPI = (50.0, 2400.0)
_POINTS = 72
_MOST_PIXELS = 80_000_000  # of a page drawn: 600 dpi of an A3 sheet is 70 million
_PLAIN = {
    pdfium.FPDF_COLORSPACE_DEVICEGRAY, pdfium.FPDF_COLORSPACE_DEVICERGB, pdfium.FPDF_COLORSPACE_CALGRAY,
    pdfium.FPDF_COLORSPACE_CALRGB, pdfium.FPDF_COLORSPACE_ICCBASED,
}  # fmt: skip
_UPRIGHT: dict[int, tuple[int, ...]] = {
    1: (1, 0, 0, 1, 0, 0), 2: (-1, 0, 0, 1, 1, 0), 3: (-1, 0, 0, -1, 1, 1), 4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1), 6: (0, -1, 1, 0, 0, 1), 7: (0, 1, 1, 0, 0, 0), 8: (0, 1, -1, 0, 1, 0),
}  # fmt: skip
"""What puts the unit square of a photograph upright, by its EXIF orientation."""

Matrix = tuple[float, ...]


def original(media_type: str, data: mmap.mmap | bytes, page: int, *, at: int = 0) -> dict[str, Any]:
    """Return the picture of a page, or a part of it.

    Args:
        media_type: what the file is: PDF or one of the images.
        data: its bytes.
        page: which page, from 1.
        at: where in the picture's stream the part begins.

    Returns:
        ``page`` (width and height in points, as it is seen), ``matrix`` (of six, puts the unit square where the picture
        lies), ``jpeg`` (whether the stream is one, else packed by zlib), ``size`` (pixels), ``colors`` (1 or 3),
        ``bits`` (1 or 8), ``length`` of the stream in bytes, and its ``part`` in base 64.

    Raises:
        Unreadable: there is no such page (``empty``), or it gives no picture.
    """
    if media_type == kinds.PDF:
        told, stream = _of_pdf(data, page)
    elif media_type in kinds.IMAGES:
        told, stream = _of_image(bytes(data), page)
    else:
        raise Unreadable(Reason.UNSUPPORTED)
    part = base64.b64encode(stream[at : at + PART_BYTES]).decode()
    return {**told, "length": len(stream), "part": part}


def _of_image(data: bytes, page: int) -> tuple[dict[str, Any], bytes]:
    with open_image(data) as image:
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise Unreadable(Reason.EMPTY)
        image.seek(page - 1)
        dpi = image.info.get("dpi") or (_SCANNED_AT, _SCANNED_AT)
        across, down = (float(each) if _SANE_DPI[0] <= float(each) <= _SANE_DPI[1] else _SCANNED_AT for each in dpi)
        lies = image.getexif().get(0x0112, 1)
        verbatim = image.format == "JPEG" and image.mode in {"L", "RGB"}
        width, height = image.width / across * _POINTS, image.height / down * _POINTS
        if lies in {5, 6, 7, 8}:
            width, height = height, width
        if verbatim:
            turned = _UPRIGHT.get(lies, _UPRIGHT[1])
            matrix = _times(turned, (width, 0, 0, height, 0, 0))
            told = {"jpeg": True, "size": image.size, "colors": len(image.getbands()), "bits": 8}
            return {**told, "page": (width, height), "matrix": matrix}, data
        return _packed(_plain(ImageOps.exif_transpose(image)), (width, height))


def _plain(image: Image.Image) -> Image.Image:
    """Return a picture of one, eight or 24 bits, on white paper."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
    if image.mode.startswith("I"):
        return (image.point(lambda value: value / 256) if image.mode == "I;16" else image).convert("L")
    return image if image.mode in {"1", "L", "RGB"} else image.convert("RGB")


def _of_pdf(data: mmap.mmap | bytes, page: int) -> tuple[dict[str, Any], bytes]:
    view = data if isinstance(data, bytes) else (ctypes.c_char * len(data)).from_buffer(data)
    try:
        document = pypdfium2.PdfDocument(view)
        if not 1 <= page <= len(document):
            raise Unreadable(Reason.EMPTY)
        sheet = document[page - 1]
        size = sheet.get_width(), sheet.get_height()
        dpi: float = _DPI
        parts = list(sheet.get_objects())
        if len(parts) == 1 and isinstance(only := parts[0], pypdfium2.PdfImage):
            if (found := _verbatim(sheet, only, size)) is not None:
                return found
            across = abs(complex(*only.get_matrix().get()[:2])) or 1.0
            dpi = min(max(only.get_px_size()[0] / across * _POINTS, 72), 600)
        scale = min(dpi / _POINTS, (_MOST_PIXELS / max(size[0] * size[1], 1)) ** 0.5)
        drawn: Image.Image = sheet.render(scale=scale).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise Unreadable(Reason.BROKEN, "pdfium") from error
    return _packed(_least(drawn), size)


def _verbatim(sheet: Any, only: Any, size: tuple[float, float]) -> tuple[dict[str, Any], bytes] | None:
    """Return the JPEG of a page that is nothing but it; None: it is none, or has colours of another kind."""
    plain = only.get_metadata().colorspace in _PLAIN and not pdfium.FPDFPageObj_HasTransparency(only.raw)
    if only.get_filters() != ["DCTDecode"] or not plain or pdfium.FPDFPage_GetAnnotCount(sheet.raw):
        return None
    stream = bytes(only.get_data(decode_simple=False))
    with open_image(stream) as image:
        if image.format != "JPEG" or image.mode not in {"L", "RGB"}:
            return None
        told = {"jpeg": True, "size": image.size, "colors": len(image.getbands()), "bits": 8}
    left, bottom, right, top = sheet.get_cropbox()
    seen: dict[int, Matrix] = {
        0: (1, 0, 0, 1, -left, -bottom), 90: (0, -1, 1, 0, -bottom, right),
        180: (-1, 0, 0, -1, right, top), 270: (0, 1, -1, 0, top, -left),
    }  # fmt: skip
    matrix = _times(only.get_matrix().get(), seen[sheet.get_rotation()])
    return {**told, "page": size, "matrix": matrix}, stream


def _least(image: Image.Image) -> Image.Image:
    """Return a drawn page with no more colours than it has: black and white, grey, or all."""
    red, green, blue = image.split()
    if red.tobytes() != green.tobytes() or red.tobytes() != blue.tobytes():
        return image
    return red.convert("1", dither=Image.Dither.NONE) if not any(red.histogram()[1:255]) else red


def _packed(image: Image.Image, size: tuple[float, float]) -> tuple[dict[str, Any], bytes]:
    colors, bits = len(image.getbands()), 1 if image.mode == "1" else 8
    told = {"jpeg": False, "size": image.size, "colors": colors, "bits": bits}
    return {**told, "page": size, "matrix": (size[0], 0, 0, size[1], 0, 0)}, zlib.compress(image.tobytes(), 6)


def _times(one: Matrix, two: Matrix) -> Matrix:
    """Return the matrix that does ``one``, then ``two``."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
