"""Scans that are made on the spot: pages drawn with the house's Chinese font, as pictures and in PDFs."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

FONT = Path(__file__).parents[2] / "indexer/fonts/NotoSansSC-Regular.ttf"
A4 = (595, 842)


def a_page(lines: Sequence[str], *, size: int = 44, skew: float = 0.0, specks: int = 0) -> Image.Image:
    """Draw an A4 page at 200 dpi; ``skew`` in degrees, ``specks`` single dark pixels."""
    image = Image.new("RGB", (1654, 2339), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), size)
    for at, line in enumerate(lines):
        pen.text((140, 160 + at * size * 1.8), line, font=font, fill="black")
    image = image.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor="white")
    dice = random.Random(7)
    for _ in range(specks):
        shade = dice.randrange(160)
        image.putpixel((dice.randrange(image.width), dice.randrange(image.height)), (shade, shade, shade))
    return image


def as_png(image: Image.Image) -> bytes:
    """Return a picture's bytes."""
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(200, 200))
    return out.getvalue()


def a_scanned_pdf(*pages: str | Image.Image | tuple[str, Image.Image]) -> bytes:
    """Return a PDF: a page is a text, a picture over the whole page, or both."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    paper = canvas.Canvas(out, pagesize=A4)
    for page in pages:
        text, image = page if isinstance(page, tuple) else (page, None) if isinstance(page, str) else ("", page)
        if image is not None:
            paper.drawImage(ImageReader(image), 0, 0, *A4)
        paper.setFont("STSong-Light", 12)
        for at in range(0, len(text), 40):
            paper.drawString(60, 780 - at // 2, text[at : at + 40])
        paper.showPage()
    paper.save()
    return out.getvalue()


def a_pdf_of_unknown_letters(*pages: str) -> bytes:
    """Return a PDF whose fonts do not say which letters they draw: extractors find private-use signs."""
    width = "".join("<E000> <F8FF> <E000>\n")
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n1 beginbfrange\n{width}endbfrange\n"
        "endcmap end end"
    ).encode()
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 4 0 R/DescendantFonts[5 0 R]>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(table), table),
        (
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>/FontDescriptor 6 0 R>>"
        ),
        (
            b"<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800/Descent 0"
            b"/CapHeight 700/StemV 80>>"
        ),
    ]
    kids = []
    for text in pages:
        shown = "".join(f"{0xE000 + ord(letter) % 0x1000:04X}" for letter in text)
        drawn = f"BT /F1 14 Tf 40 700 Td <{shown}> Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % len(objects)
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    body = b"".join(b"%d 0 obj%s endobj\n" % (number, each) for number, each in enumerate(objects, start=1))
    return b"%PDF-1.5\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"
