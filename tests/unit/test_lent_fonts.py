"""PDFs that name a Chinese font and do not carry it: their words, read in a fork, whatever font is lent for them."""

import io
from collections.abc import Iterator
from contextlib import closing

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from indexer import kinds
from indexer.extract.answer import Extracted
from indexer.sandbox.client import Extractor

LINES = ("第17号卷宗目录", "电梯 A-3 维保合同 (2024), 金额 12,345.60 元", "甲方：物业管理处")
SIZE = 12


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


def a_page(font: str, lines: tuple[str, ...] = LINES, *, one_by_one: bool = False, bold: bool = False) -> bytes:
    """A page set in a font of the reader's own; ``one_by_one``: each letter is drawn for itself."""
    pdfmetrics.registerFont(UnicodeCIDFont(font))
    out = io.BytesIO()
    paper = canvas.Canvas(out, pageCompression=0)
    paper.setFont(font, SIZE)
    for row, line in enumerate(lines):
        at = 72.0
        for piece in line if one_by_one else [line]:
            paper.drawString(at, 700 - row * 2 * SIZE, piece)
            at += paper.stringWidth(piece, font, SIZE)
    paper.save()
    return out.getvalue().replace(b"/StemV 58", b"/StemV 180" if bold else b"/StemV 58")


def read(extractor: Extractor, data: bytes) -> str:
    found = extractor.extract(kinds.PDF, [data], len(data))
    assert isinstance(found, Extracted), found
    return "\n".join(found.pages)


@pytest.mark.parametrize("font", ["STSong-Light", "MSung-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"])
@pytest.mark.parametrize("one_by_one", [False, True], ids=["lines", "letters"])
def test_the_words_are_read_without_the_font(extractor: Extractor, font: str, *, one_by_one: bool) -> None:
    lines = ("第17號卷宗目錄", "A-3 2024, 12,345.60") if font != "STSong-Light" else LINES
    assert read(extractor, a_page(font, lines, one_by_one=one_by_one)).replace("\n", "") == "".join(lines)


def test_the_weight_that_is_named_changes_no_word(extractor: Extractor) -> None:
    assert read(extractor, a_page("STSong-Light", bold=True)) == read(extractor, a_page("STSong-Light"))


def drawn(extractor: Extractor, *lines: str) -> bytes:
    data = a_page("STSong-Light", lines)
    with closing(extractor.hold([data], len(data))) as file:
        picture = extractor.picture_held(kinds.PDF, file, 1, 600)
    assert isinstance(picture, bytes)
    return picture


def test_pictures_of_such_a_page_show_its_letters(extractor: Extractor) -> None:
    assert len({drawn(extractor), drawn(extractor, "物业"), drawn(extractor, "一一"), drawn(extractor, "档案")}) == 4
