"""A mark on a page: not to be seen on white, and there still when the picture was scaled, packed anew or made grey."""

import io
from collections.abc import Callable

import pypdfium2
import pytest
from PIL import Image, ImageChops

from indexer.extract import marking
from indexer.extract.answer import Unreadable
from indexer.extract.tracing import number_in, traced
from tests.factories.drawn import a_pdf, an_image, looked_at

NUMBER = 0x5A17C3902B
LINES = ("王小明 wangxm", "2026-11-26 19:10", "借阅 128")


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    marking.prepare()


@pytest.fixture(scope="module")
def page() -> Image.Image:
    text = "甲方应当按照合同约定支付物业服务费"
    drawn: Image.Image = pypdfium2.PdfDocument(a_pdf(text))[0].render(scale=900 / 595).to_pil()
    return drawn.convert("RGB")


def as_jpeg(image: Image.Image) -> Image.Image:
    kept = io.BytesIO()
    image.convert("RGB").save(kept, "JPEG", quality=60)
    return looked_at(kept.getvalue())


def half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image, as_jpeg, half, lambda image: as_jpeg(half(image)),
        lambda image: as_jpeg(half(image).convert("L")), lambda image: image.rotate(90, expand=True),
    ],
)  # fmt: skip
def test_the_number_lasts(page: Image.Image, change: Callable[[Image.Image], Image.Image]) -> None:
    assert number_in(change(marking.stamped(page, LINES, NUMBER))) == NUMBER


def test_a_page_without_a_mark_tells_nothing(page: Image.Image) -> None:
    assert number_in(page) is None
    assert number_in(as_jpeg(Image.new("RGB", (900, 1273), "white"))) is None
    assert number_in(Image.new("RGB", (40, 40))) is None


def test_on_white_paper_nobody_sees_it() -> None:
    white = Image.new("RGB", (900, 1273), "white")
    most = max(high for _, high in ImageChops.difference(white, marking.hidden(white, NUMBER)).getextrema())  # type: ignore[misc]
    assert 0 < most <= 2, "of 255 steps"


def test_words_stand_across_the_page(page: Image.Image) -> None:
    plain, words = marking.hidden(page, NUMBER), marking.stamped(page, LINES, NUMBER)
    darker = ImageChops.difference(plain, words).convert("L").point(lambda value: 255 if value > 20 else 0)
    for box in ((0, 0, 450, 636), (450, 0, 900, 636), (0, 636, 450, 1273), (450, 636, 900, 1273)):
        assert darker.crop(box).getbbox(), "each quarter of the page carries them"


def test_the_mark_is_read_from_files_and_bad_ones_are_refused(page: Image.Image) -> None:
    kept = io.BytesIO()
    marking.stamped(page, LINES, NUMBER).save(kept, "PDF")
    assert traced("application/pdf", kept.getvalue(), 1) == {"number": NUMBER, "pages": 1}
    made = marking.marked(an_image("PNG", (900, 1200), "white"), LINES, NUMBER, jpeg=True)
    assert (made["width"], made["height"]) == (900, 1200)
    for kind, data in (("application/pdf", b"%PDF-1.4 nothing"), ("image/png", b"no"), ("text/plain", b"words")):
        with pytest.raises(Unreadable):
            traced(kind, data, 1)
