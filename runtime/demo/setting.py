"""Setting the papers of the demonstration as real files: PDF, Word, Excel, scans, photographs, text in GBK."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from runtime.demo.texts import Paper

FONT = Path(__file__).resolve().parents[2] / "indexer" / "fonts" / "NotoSansSC-Regular.ttf"
A4 = (1240, 1754)
"""Pixels of a page at 150 dots an inch."""

KINDS: Mapping[str, Sequence[str]] = {
    "contract": ("pdf", "docx", "scan"),
    "form": ("docx", "pdf", "scan"),
    "scan": ("scan",),
    "record": ("pdf", "docx", "gbk", "txt"),
    "minutes": ("docx", "pdf"),
    "notice": ("pdf", "docx", "txt"),
    "report": ("pdf", "docx"),
    "ledger": ("xlsx",),
    "list": ("xlsx", "pdf"),
    "certificate": ("scan", "pdf"),
    "letter": ("pdf", "gbk", "scan"),
    "drawing": ("plan",),
    "photo": ("photo",),
}
"""In which kinds of file a genre comes."""


def set_file(genre: str, paper: Paper, choice: random.Random) -> tuple[str, bytes]:
    """Return a file's ending and bytes."""
    kind = choice.choice(KINDS[genre])
    return _SETTERS[kind](paper, choice)


def pdf(text: str, lines_a_page: int = 36, width: int = 36) -> bytes:
    """Set a Chinese text as a PDF."""
    from reportlab.lib.pagesizes import A4 as PAGE  # noqa: PLC0415 (only the demonstration sets PDFs)
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    target = BytesIO()
    canvas = Canvas(target, pagesize=PAGE, invariant=True)
    lines = _folded(text.split("\n"), width)
    for start in range(0, len(lines), lines_a_page):
        canvas.setFont(_song(), 12)
        for row, line in enumerate(lines[start : start + lines_a_page]):
            canvas.drawString(70, 770 - row * 19, line)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


@cache
def _song() -> str:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


def _docx(paper: Paper, _choice: random.Random) -> tuple[str, bytes]:
    from docx import Document  # noqa: PLC0415

    made = Document()
    made.core_properties.title = paper.title
    made.core_properties.author = ""
    made.add_heading(paper.title, level=1)
    for line in paper.lines:
        made.add_paragraph(line)
    if paper.rows:
        table = made.add_table(rows=0, cols=len(paper.rows[0]), style="Table Grid")
        for row in paper.rows:
            for cell, value in zip(table.add_row().cells, row, strict=True):
                cell.text = str(value)
    for line in paper.after:
        made.add_paragraph(line)
    target = BytesIO()
    made.save(target)
    return "docx", target.getvalue()


def _xlsx(paper: Paper, _choice: random.Random) -> tuple[str, bytes]:
    import xlsxwriter  # noqa: PLC0415

    target = BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.set_column(0, 8, 18)
    at = 0
    for line in (paper.title, *paper.lines):
        sheet.write_string(at, 0, line)
        at += 1
    for row in paper.rows:
        for column, value in enumerate(row):
            sheet.write(at, column, value)
        at += 1
    for line in paper.after:
        sheet.write_string(at, 0, line)
        at += 1
    book.close()
    return "xlsx", target.getvalue()


@cache
def _type(size: int) -> Any:
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.truetype(FONT, size)


def _folded(lines: Sequence[str], width: int) -> list[str]:
    return [line[at : at + width] for line in lines for at in range(0, max(len(line), 1), width)]


def _page_image(paper: Paper, choice: random.Random) -> Any:
    """Draw a page as a scanner sees it: a little askew, grey, with dust."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    page = Image.new("L", A4, 250)
    draw = ImageDraw.Draw(page)
    draw.text((A4[0] // 2, 150), paper.title[:28], font=_type(40), fill=25, anchor="ma")
    down = 260
    for line in _folded(paper.text.split("\n")[2:], 34):
        draw.text((130, down), line.replace("\t", "　"), font=_type(28), fill=35)
        down += 48
        if down > A4[1] - 120:
            break
    for _ in range(260):
        x, y = choice.randrange(A4[0]), choice.randrange(A4[1])
        draw.point((x, y), fill=choice.randrange(90, 200))
    return page.rotate(choice.uniform(-0.6, 0.6), fillcolor=250)


def _scan(paper: Paper, choice: random.Random) -> tuple[str, bytes]:
    target = BytesIO()
    image = _page_image(paper, choice)
    if choice.random() < 0.3:
        image.save(target, "JPEG", quality=60, dpi=(150, 150))
        return "jpg", target.getvalue()
    image.save(target, "PDF", resolution=150.0, quality=60)
    return "pdf", target.getvalue()


def _photo(paper: Paper, choice: random.Random) -> tuple[str, bytes]:
    """Draw a street of houses: a photograph as far as an archive sees one."""
    from PIL import Image, ImageDraw, ImageFilter  # noqa: PLC0415

    image = Image.linear_gradient("L").resize((960, 640)).point(lambda v: 235 - v // 3).convert("RGB")
    draw = ImageDraw.Draw(image)
    for left in range(0, 960, 160):
        top, shade = choice.randrange(120, 320), choice.randrange(110, 190)
        draw.rectangle((left, top, left + 140, 560), fill=(shade, shade - 12, shade - 24))
        for y in range(top + 20, 540, 44):
            for x in range(left + 14, left + 130, 32):
                draw.rectangle((x, y, x + 16, y + 22), fill=(70, 90, choice.randrange(100, 160)))
    draw.rectangle((0, 560, 960, 640), fill=(96, 110, 84))
    draw.text((930, 620), paper.lines[0] if paper.lines else "", font=_type(20), fill=(250, 250, 240), anchor="rs")
    target = BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.8)).save(target, "JPEG", quality=72)
    return "jpg", target.getvalue()


def _plan(paper: Paper, choice: random.Random) -> tuple[str, bytes]:
    """Draw a plan: rooms, measures, and the title block."""
    from reportlab.lib.pagesizes import A3, landscape  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    target = BytesIO()
    canvas = Canvas(target, pagesize=landscape(A3), invariant=True)
    canvas.setFont(_song(), 12)
    for column in range(4):
        for row in range(2):
            x, y, width = 80 + column * 220, 260 + row * 220, choice.randrange(180, 220)
            canvas.rect(x, y, width, 200)
            canvas.drawString(x + 70, y + 96, ("卧室", "客厅", "厨房", "楼梯间")[(column + row) % 4])
            canvas.drawString(x + 70, y + 76, f"{width * 20} × 4000")
    for at, line in enumerate((paper.title, *paper.lines)):
        canvas.drawString(820, 160 - at * 18, line)
    canvas.save()
    return "pdf", target.getvalue()


_SETTERS: Mapping[str, Callable[[Paper, random.Random], tuple[str, bytes]]] = {
    "pdf": lambda paper, _choice: ("pdf", pdf(paper.text)),
    "txt": lambda paper, _choice: ("txt", paper.text.encode()),
    "gbk": lambda paper, _choice: ("txt", paper.text.encode("gb18030")),
    "docx": _docx,
    "xlsx": _xlsx,
    "scan": _scan,
    "photo": _photo,
    "plan": _plan,
}
