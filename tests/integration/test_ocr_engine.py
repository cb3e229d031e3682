"""The OCR engine behind its walls: made pages and real scans give their words. Skipped where the extra is missing."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.extract.answer import Failure, Reason
from indexer.ocr.client import PageReader
from indexer.ocr.engines import RAPIDOCR, chosen, rapidocr_installed
from indexer.ocr.page import PageRead
from indexer.sandbox.confinement import Limits
from tests.factories.scanned import a_page, a_scanned_pdf, as_png

pytestmark = pytest.mark.skipif(not rapidocr_installed(), reason="the extra ocr is not installed")

SAMPLES = Path(__file__).parents[3] / "shared/samples"
SIMPLIFIED = "关于小区公共设施维修资金使用情况的公告经业主大会表决通过请各位业主于本月底前到物业服务中心办理登记手续"
TRADITIONAL = "本公司檔案資料應依規定歸檔保管並於年度終了後編製目錄經主管核准後移交檔案室管理員點收無誤後簽章備查"
LINES = [
    f"第{number}条 {(SIMPLIFIED, TRADITIONAL)[number % 2][number : number + 24]} {2000 + number}"
    for number in range(1, 19)
]


@pytest.fixture(scope="module")
def reader() -> Iterator[PageReader]:
    made = a_reader()
    yield made
    made.close()


def a_reader(*limits: Limits) -> PageReader:
    engine = chosen(RAPIDOCR)
    assert engine
    return PageReader(engine, *limits)


def read(reader: PageReader, kind: str, data: bytes, page: int = 1) -> PageRead | Failure:
    file = reader.hold([data], len(data))
    try:
        return reader.read(kind, file, page)
    finally:
        file.close()


def words(reader: PageReader, kind: str, data: bytes, page: int = 1) -> str:
    found = read(reader, kind, data, page)
    assert isinstance(found, PageRead), found
    return found.text


def likeness(found: str, lines: list[str]) -> float:
    """Return the share of letters that were read, in their order."""
    wanted = "".join("".join(lines).split())
    matcher = difflib.SequenceMatcher(None, "".join(found.split()), wanted, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(wanted)


def test_a_clean_page_of_both_scripts_is_read(reader: PageReader) -> None:
    assert likeness(words(reader, "image/png", as_png(a_page(LINES))), LINES) >= 0.98


def test_a_slanted_and_dirty_page_is_read(reader: PageReader) -> None:
    page = as_png(a_page(LINES, skew=0.8, specks=6_000))
    assert likeness(words(reader, "image/png", page), LINES) >= 0.98


def test_pages_of_a_pdf_are_read_whichever_way_they_lie(reader: PageReader) -> None:
    page = a_page(LINES[:6])
    data = a_scanned_pdf("文本", page.rotate(180))
    found = read(reader, "application/pdf", data, 2)
    assert isinstance(found, PageRead)
    assert likeness(found.text, LINES[:6]) >= 0.98
    assert found.turn == 180
    assert found.confidence > 90


def test_small_print_is_read(reader: PageReader) -> None:
    assert likeness(words(reader, "image/png", as_png(a_page(LINES, size=26))), LINES) >= 0.98


def test_no_words_no_page_and_no_picture_are_told_apart(reader: PageReader) -> None:
    data = as_png(a_page([]))
    assert read(reader, "image/png", data) == PageRead("", 0)
    assert read(reader, "image/png", data, 2) == Failure(Reason.EMPTY)
    assert isinstance(read(reader, "image/png", b"no picture"), Failure)
    assert read(reader, "text/plain", data) == Failure(Reason.UNSUPPORTED)


def test_the_walls_of_the_sandbox_stand_around_it(reader: PageReader) -> None:
    assert {"no_new_privs", "seccomp"} <= set(reader.walls()) or not reader.walls()


def test_a_page_that_takes_too_long_is_ended_and_the_next_is_read() -> None:
    page = as_png(a_page(LINES))
    hasty = a_reader(Limits(memory=3 * 1024**3, cpu=1, wall=60.0))
    try:
        assert read(hasty, "image/png", page) == Failure(Reason.TIME, "signal 24")
        assert read(hasty, "image/png", as_png(a_page([]))) == PageRead("", 0)
    finally:
        hasty.close()


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample files are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "said"),
    [("testOCR.png", "This file contains some words."), ("testOCR_spacing.png", "The quick brown fox")],
)
def test_real_pictures_give_their_words(reader: PageReader, name: str, said: str) -> None:
    assert said in words(reader, "image/png", (SAMPLES / "office" / name).read_bytes())
