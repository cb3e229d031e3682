"""PDFs and images that are made on the spot."""

import io
from typing import Any

from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas


def a_pdf(*texts: str) -> bytes:
    """Return a PDF with one text a page, A4."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    paper = canvas.Canvas(out, pagesize=(595, 842))
    for text in texts:
        paper.setFont("STSong-Light", 24)
        paper.drawString(72, 700, text)
        paper.showPage()
    paper.save()
    return out.getvalue()


def an_image(
    form: str, size: tuple[int, int] = (300, 200), colour: Any = "red", mode: str = "RGB", **more: Any
) -> bytes:
    """Return an image of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form, **more)
    return out.getvalue()


def looked_at(picture: bytes) -> Image.Image:
    """Open a picture that was drawn."""
    return Image.open(io.BytesIO(picture)).convert("RGB")
