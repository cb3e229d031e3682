"""Marks on a picture of a page: words across it for all to read, and a number that no eye sees (``indexer.marks``)."""

import base64
import io
import mmap
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

from indexer import marks
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.fonts import FONT
from indexer.extract.pictures import open_image

DARKER = 2
"""Of 255 steps, what a chip is darker where it is: a white page stays white to the eye."""

INK, FAINT = (90, 90, 110), 92  # the colour of the words, and how much of 255 it covers
_TILT = 28  # degrees
_fonts: dict[str, bytes] = {}


def prepare() -> None:
    """Load the letters; a fork can open no file any more."""
    _fonts["words"] = FONT.read_bytes()
    stamped(Image.new("RGB", (240, 340), "white"), ["卷库 2026"], 1)


def marked(data: mmap.mmap | bytes, lines: Sequence[str], number: int, *, jpeg: bool = False) -> dict[str, Any]:
    """Return a picture as it goes to one person: words across it, and a number out of sight.

    Args:
        data: the picture.
        lines: what stands across it.
        number: what ``traced`` gives back.
        jpeg: a JPEG for a PDF, instead of WebP.
    """
    with open_image(data) as image:
        try:
            plain = image.convert("RGB")
        except (OSError, ValueError) as error:
            raise Unreadable(Reason.BROKEN, type(error).__name__) from error
    made = stamped(plain, lines, number)
    kept = io.BytesIO()
    if jpeg:
        made.save(kept, "JPEG", quality=85)
    else:
        made.save(kept, "WEBP", quality=82, method=2)
    return {"image": base64.b64encode(kept.getvalue()).decode(), "width": made.width, "height": made.height}


def stamped(page: Image.Image, lines: Sequence[str], number: int) -> Image.Image:
    """Return a page with both marks."""
    return hidden(_written(page, lines), number)


def hidden(page: Image.Image, number: int) -> Image.Image:
    """Return a page that carries a number out of sight."""
    rows = marks.rows_of(*page.size)
    word = marks.encode(number)
    bits = [1 if word >> marks.BITS - 1 - place & 1 else -1 for place in range(marks.BITS)]
    chips = bytes(DARKER if bits[bit] * sign < 0 else 0 for bit, sign in marks.pattern(rows))
    layer = Image.frombytes("L", (marks.ACROSS, rows), chips).resize(page.size, Image.Resampling.BILINEAR)
    lifted = page.point([max(each, DARKER) for each in range(256)] * 3)  # black has room for a chip, too
    return ImageChops.subtract(lifted, Image.merge("RGB", (layer, layer, layer)))


def _written(page: Image.Image, lines: Sequence[str]) -> Image.Image:
    """Return a page with words across it, again and again."""
    width, height = page.size
    tile = _tile(tuple(lines), max(10, min(width, height) // 42))
    mask = Image.new("L", page.size, 0)
    step_x, step_y = tile.width + width // 20, int(tile.height * 1.05) + height // 16
    for row, top in enumerate(range(-tile.height // 3, height, step_y)):
        for left in range(-tile.width // 2 * (row % 2) - width // 30, width, step_x):
            mask.paste(tile, (left, top), tile)
    page = page.copy()
    page.paste(INK, (0, 0, width, height), mask)
    return page


@lru_cache(maxsize=16)
def _tile(lines: Sequence[str], size: int) -> Image.Image:
    font = ImageFont.truetype(io.BytesIO(_fonts["words"]), size)
    text = "\n".join(lines)
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    box = probe.multiline_textbbox((0, 0), text, font=font, spacing=size // 3)
    flat = Image.new("L", (int(box[2]) + size, int(box[3]) + size), 0)
    ImageDraw.Draw(flat).multiline_text((size // 2, size // 2), text, font=font, fill=FAINT, spacing=size // 3)
    return flat.rotate(_TILT, expand=True, resample=Image.Resampling.BICUBIC)
