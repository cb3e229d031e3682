"""What a camera sees when labels are held before it one after another: a film for Chromium's made camera."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import barcode
import segno
from barcode.writer import ImageWriter
from PIL import Image

WIDTH, HEIGHT, A_SECOND = 640, 480, 10
HELD, AWAY = 15, 25
"""Frames for which a label is held, and for which none is after it."""


def film_of(labels: Iterable[str], into: Path, *, away: int = AWAY) -> Path:
    """Write a film (YUV4MPEG2) of labels; it runs from the start again at its end.

    Args:
        labels: what their codes say.
        into: the file.
        away: frames without a label after each.
    """
    colour = bytes([128]) * (WIDTH * HEIGHT // 2)
    with into.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{A_SECOND}:1 Ip A1:1 C420jpeg\n".encode())
        for label in labels:
            for picture, count in ((photograph_of(label), HELD), (_table(), away)):
                out.write((b"FRAME\n" + picture.tobytes() + colour) * count)
    return into


def photograph_of(label: str) -> Image.Image:
    """Return a picture of a label's QR code, a little turned, as it lies on a table."""
    made = BytesIO()
    segno.make_qr(label, error="m").save(made, kind="png", scale=7, border=4)
    code = Image.open(made).convert("L").rotate(8, expand=True, fillcolor=255)
    picture = _table()
    picture.paste(code, ((WIDTH - code.width) // 2, (HEIGHT - code.height) // 2))
    return picture


def photograph_of_bars(label: str) -> Image.Image:
    """Return a picture of a label that bears bars alone (Code 128), a little turned."""
    made = barcode.get("code128", label, writer=ImageWriter()).render({"write_text": False, "module_height": 12})
    bars = made.convert("L").rotate(3, expand=True, fillcolor=255)
    bars.thumbnail((WIDTH - 20, HEIGHT - 20))
    picture = _table()
    picture.paste(bars, ((WIDTH - bars.width) // 2, (HEIGHT - bars.height) // 2))
    return picture


def _table() -> Image.Image:
    return Image.new("L", (WIDTH, HEIGHT), 190)
