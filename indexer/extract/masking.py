"""Excerpts: parts of a page's picture blacked out in its pixels, and a line below that says where it is from."""

import base64
import io
import math
import mmap
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.fonts import FONT
from indexer.extract.pictures import open_image

WHOLE = 10_000
"""A box is told in parts of ten thousand of the page's width and height."""

_fonts: dict[str, bytes] = {}


def prepare() -> None:
    """Load the letters; a fork can open no file any more."""
    _fonts["words"] = FONT.read_bytes()
    blacked(Image.new("RGB", (240, 340), "white"), [(0, 0, 10, 10)], "卷库 2026")


def masked(data: mmap.mmap | bytes, boxes: Sequence[Sequence[int]], line: str) -> dict[str, Any]:
    """Return a page's picture as a JPEG without what lies under the boxes.

    Args:
        data: the picture.
        boxes: left, top, width and height of each, in parts of ``WHOLE``.
        line: where the page is from.
    """
    with open_image(data) as image:
        try:
            plain = image.convert("RGB")
        except (OSError, ValueError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
    made = blacked(plain, boxes, line)
    kept = io.BytesIO()
    made.save(kept, "JPEG", quality=88)
    return {"image": base64.b64encode(kept.getvalue()).decode(), "width": made.width, "height": made.height}


def blacked(page: Image.Image, boxes: Sequence[Sequence[int]], line: str) -> Image.Image:
    """Return a new picture: the page, black where the boxes are, above the line. Nothing else of the page goes along.

    Edges are moved outwards to whole pixels, so that a box hides all that it touches.
    """
    width, height = page.size
    lines, font, step = _set_lines(line, width)
    made = Image.new("RGB", (width, height + step * len(lines) + step // 2), "white")
    made.paste(page, (0, 0))
    draw = ImageDraw.Draw(made)
    for left, top, wide, high in boxes:
        x, y = math.floor(left * width / WHOLE), math.floor(top * height / WHOLE)
        right, bottom = math.ceil((left + wide) * width / WHOLE), math.ceil((top + high) * height / WHOLE)
        draw.rectangle((x, y, min(right, width) - 1, min(bottom, height) - 1), fill=(0, 0, 0))
    draw.line((0, height, width, height), fill=(90, 90, 90))
    for place, text in enumerate(lines):
        draw.text((step // 2, height + step // 4 + place * step), text, font=font, fill=(0, 0, 0))
    return made


def _set_lines(line: str, width: int) -> tuple[list[str], ImageFont.FreeTypeFont, int]:
    """Return a line cut to the width, its letters, and the height of one."""
    size = max(10, width // 64)
    font = ImageFont.truetype(io.BytesIO(_fonts["words"]), size)
    lines = [""]
    for sign in line:
        if font.getlength(lines[-1] + sign) > width - size * 2:
            lines.append("")
        lines[-1] += sign
    return lines, font, int(size * 1.5)
